// Several sequences a launch on the dies of a package: the bits of one die.
#include <algorithm>

#include "batch_session.hpp"
#include "checked_dies.hpp"
#include "driver/package.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

// Logits of every part and the keys of every sequence, of prompts that grow beside each other: a long one beside tokens, pages that others had.
struct Bits {
  std::vector<std::vector<float>> logits;
  std::vector<std::vector<std::uint8_t>> keys;
};

Bits bits_of(BatchSession& batch, int longest, int most = 100) {
  Bits b;
  const std::vector<int> ids = some_ids(static_cast<std::size_t>(most));
  const auto step = [&](const std::vector<BatchPart>& parts) {
    for (std::vector<float>& row : batch.step(parts)) b.logits.push_back(std::move(row));
  };
  const auto prompt = [&](int first, int count) { return std::vector<int>(ids.begin() + first, ids.begin() + first + count); };
  const int x = batch.add(), y = batch.add(), z = batch.add();
  step({{x, prompt(0, 7)}, {y, prompt(3, 1)}, {z, prompt(20, 5)}});
  for (int at = 7; at < longest; at += 12) step({{y, prompt(at % 50, 1)}, {x, prompt(at % 50, std::min(12, longest - at))}});
  batch.remove(z);
  const int w = batch.add();
  step({{w, prompt(40, 9)}, {x, prompt(1, 1)}, {y, prompt(2, 2)}});
  for (const int s : {x, y, w}) b.keys.push_back(batch.kv_cache(s));
  return b;
}

Bits bits_on(const std::string& on, const ir::Graph& graph, const CompileOptions& options, int longest) {
  BatchSession batch(compile(graph, options).program, on);
  CHECK(batch.dies() == static_cast<std::size_t>(options.dies));
  return bits_of(batch, longest);
}

void check_same(const Bits& found, const Bits& one) {
  REQUIRE(found.logits.size() == one.logits.size());
  for (std::size_t i = 0; i < one.logits.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(found.logits[i], one.logits[i]));
  }
  CHECK(found.keys == one.keys);
}

const LlamaHyper kShape{.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 96, .vocab = 100};

void same_on_dies(const LlamaHyper& hyper, CompileOptions options, const std::vector<int>& dies, int longest = 40) {
  const ir::Graph graph = import::synthetic_llama(hyper, 9);
  options.sequences = 3;
  const Bits one = bits_on("model", graph, options, longest);
  for (const int n : dies) {
    CAPTURE(n);
    options.dies = n;
    check_same(bits_on("model", graph, options, longest), one);
  }
}

}  // namespace

TEST_CASE("several sequences a launch on 2, 3 and 4 dies: the bits of one, keys whole and in chunks") {
  for (const std::string format : {"int8", "int8c"})
    for (const std::string way : {"tensor", "pipeline"}) {
      CAPTURE(format);
      CAPTURE(way);
      same_on_dies(kShape, {.config = "nanoquad", .format = format, .parallel = way}, {2, 3, 4});
    }
  LlamaHyper experts = kShape;
  experts.mixture = {.experts = 12, .top = 3}, experts.shared_ffn = 64;
  for (const std::string way : {"tensor", "experts"}) same_on_dies(experts, {.config = "nanoquad", .parallel = way}, {2, 3, 4});
  LlamaHyper chunks = kShape;
  chunks.context = 576, chunks.heads = 8, chunks.kv_heads = 4, chunks.window = 33, chunks.sliding = {true, false, true, false};
  same_on_dies(chunks, {.config = "quad", .parallel = "tensor"}, {2, 4}, 80);
  same_on_dies(chunks, {.config = "quad", .parallel = "pipeline"}, {2}, 80);
}

TEST_CASE("several sequences a launch on dies: experts, sinks, biases") {
  LlamaHyper h = kShape;
  h.qkv_bias = h.output_bias = h.sinks = h.expert_bias = true, h.mixture = {.experts = 6, .top = 2, .limit = 7, .alpha = 1.702f};
  for (const std::string way : {"tensor", "pipeline"}) same_on_dies(h, {.config = "quad", .parallel = way}, {2, 4});
}

TEST_CASE("several sequences a launch on dies: no engine of a die runs ahead of another") {
  for (const std::string way : {"tensor", "pipeline"})
    for (const int context : {96, 576}) {
      LlamaHyper h = kShape;
      h.context = context;
      const Program program = compile(import::synthetic_llama(h, 9), {.config = "nanoquad", .sequences = 3, .dies = 4, .parallel = way}).program;
      BatchSession batch(program, checked_dies(program));
      (void)bits_of(batch, 40);
    }
}

TEST_CASE("several sequences a launch on Verilated dies and the cycle model: the bits of one die, in the same time") {
  const auto backends = driver::package_backends();
  if (std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  const LlamaHyper small{.layers = 2, .width = 32, .heads = 4, .kv_heads = 2, .ffn = 32, .context = 32, .vocab = 100};
  const ir::Graph graph = import::synthetic_llama(small, 9);
  const Bits one = bits_on("model", graph, {.config = "nanoquad", .sequences = 3}, 20);
  for (const std::string way : {"tensor", "pipeline"}) {
    CAPTURE(way);
    const Program program = compile(graph, {.config = "nanoquad", .sequences = 3, .dies = 2, .parallel = way}).program;
    std::vector<double> cycles;
    for (const char* on : {"rtl", "cycle"}) {
      CAPTURE(on);
      BatchSession batch(program, on);
      check_same(bits_of(batch, 20), one);
      CHECK(batch.steps().back().dies.size() == 2);
      cycles.push_back(double(batch.steps().back().record[spec::Counter::cycles]));
    }
    CHECK(std::abs(cycles[0] - cycles[1]) < 0.01 * cycles[0]);  // the host starts one Verilated die after the other
  }
}
