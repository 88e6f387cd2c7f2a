// LoRA adapters on the dies of a package: the bits of one die with the same adapter.
#include <algorithm>

#include "adapter.hpp"
#include "batch_session.hpp"
#include "checked_dies.hpp"
#include "driver/package.hpp"
#include "import/adapter_writer.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::AdapterFolder;
using import::LlamaHyper;

namespace {

const LlamaHyper kShape{.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100, .head_dim = 20};
const std::vector<int> kAll = {0, 1, 2, 3, 4, 5, 6}, kNoGate = {0, 1, 2, 3, 5, 6}, kAttention = {0, 1, 2, 3};

struct Kind {
  std::string name;
  LlamaHyper hyper;
  std::vector<int> modules;
};

std::vector<Kind> kinds() {
  LlamaHyper gpt2 = kShape, gemma2 = kShape, experts = kShape, some = kShape;
  gpt2.layer_norm = gpt2.positions = gpt2.qkv_bias = gpt2.output_bias = gpt2.ffn_bias = true, gpt2.gated = false, gpt2.activation = ir::Activation::gelu_tanh;
  LlamaHyper phi = gpt2;
  phi.positions = false, phi.parallel = phi.head_bias = true, phi.rotary_dims = 8;
  gemma2.post_norm = true, gemma2.score_cap = 5, gemma2.logit_cap = 6, gemma2.activation = ir::Activation::gelu_tanh;
  experts.qkv_bias = experts.output_bias = experts.sinks = experts.expert_bias = true, experts.mixture = {.experts = 5, .top = 2, .limit = 7, .alpha = 1.702f};
  some.mixture = {.experts = 5, .top = 2, .over_chosen = false}, some.expert_ffn = 64, some.shared_ffn = 128, some.shared_gate = true, some.dense = {true, false, true, false};
  return {{"llama", kShape, kAll}, {"gpt2", gpt2, kNoGate}, {"phi", phi, kNoGate}, {"gemma2", gemma2, kAll}, {"experts", experts, kAttention}, {"some experts", some, kAll}};
}

// Logits of all rows and the KV cache of a prompt and a token, with an adapter.
struct Bits {
  std::vector<float> logits;
  std::vector<std::uint8_t> cache;
};

Bits bits_of(Session& session, const Program& program, const std::filesystem::path& adapter, int tokens = 25) {
  if (!adapter.empty()) session.load_adapter(pack_adapter(program, adapter));
  Bits b{session.feed_all(some_ids(static_cast<std::size_t>(tokens))), {}};
  const std::vector<int> more = {7};
  const std::vector<float> last = session.feed_all(more);
  b.logits.insert(b.logits.end(), last.begin(), last.end());
  b.cache = session.kv_cache();
  session.reset();
  session.limit_rows(std::min(4, session.rows()));  // launches of a pipeline overlap
  const std::span<const float> end = session.feed(some_ids(static_cast<std::size_t>(tokens)));
  b.logits.insert(b.logits.end(), end.begin(), end.end());
  return b;
}

void check_same(const Bits& found, const Bits& one) {
  CHECK(same_bits(found.logits, one.logits));
  CHECK(found.cache == one.cache);
}

void same_on_dies(const Kind& kind, CompileOptions options, const std::vector<int>& dies) {
  const ir::Graph graph = import::synthetic_llama(kind.hyper, 9);
  const AdapterFolder folder(import::random_adapter(kind.hyper, 5, kind.modules, 3), import::adapter_config(5, 7.5));
  options.lora = 8;
  const auto on = [&](int n, const std::filesystem::path& adapter) {
    options.dies = n;
    const Program program = compile(graph, options).program;
    Session session(program, "model");
    return bits_of(session, program, adapter);
  };
  const Bits one = on(1, folder.path), none = on(1, {});
  CHECK_FALSE(same_bits(one.logits, none.logits));
  for (const int n : dies) {
    CAPTURE(n);
    check_same(on(n, folder.path), one);
    check_same(on(n, {}), none);
  }
}

}  // namespace

TEST_CASE("an adapter on 2, 3 and 4 dies, and none: the bits of one die") {
  for (const std::string format : {"int8", "int8c", "mxfp4"})
    for (const std::string way : {"tensor", "pipeline"}) {
      CAPTURE(format);
      CAPTURE(way);
      same_on_dies({"llama", kShape, kAll}, {.config = "nanoquad", .format = format, .parallel = way}, {2, 3, 4});
    }
  LlamaHyper chunks = kShape;  // and parts that are not even
  chunks.context = 576, chunks.heads = 6, chunks.kv_heads = 3, chunks.ffn = 1000, chunks.layers = 3;
  for (const std::string way : {"tensor", "pipeline"}) same_on_dies({"llama", chunks, kAll}, {.config = "quad", .parallel = way}, {2});
}

TEST_CASE("an adapter on dies: decoders of other kinds") {
  for (const Kind& kind : kinds())
    for (const std::string way : {"tensor", "pipeline"})
      for (const std::string format : {"int8", "int8c"}) {
        CAPTURE(kind.name);
        CAPTURE(way);
        CAPTURE(format);
        same_on_dies(kind, {.config = "quad", .format = format, .parallel = way}, {2});
        if (kind.name != "some experts" || way != "pipeline") same_on_dies(kind, {.config = "quad", .format = format, .parallel = way}, {4});
      }
}

TEST_CASE("an adapter on dies: experts whole on each") {
  LlamaHyper experts = kShape;
  experts.mixture = {.experts = 12, .top = 3}, experts.shared_ffn = 64;
  same_on_dies({"experts", experts, kAttention}, {.config = "quad", .parallel = "experts"}, {2, 3, 4});
}

TEST_CASE("an adapter on dies: no engine runs ahead of another, on its own die or another one") {
  for (const Kind& kind : kinds())
    for (const std::string way : {"tensor", "pipeline"})
      for (const std::string format : {"int8", "int8c"}) {
        CAPTURE(kind.name);
        CAPTURE(way);
        CAPTURE(format);
        const Program program = compile(import::synthetic_llama(kind.hyper, 9), {.config = "quad", .format = format, .dies = 2, .parallel = way, .lora = 8}).program;
        const AdapterFolder folder(import::random_adapter(kind.hyper, 5, kind.modules, 3), import::adapter_config(5, 7.5));
        for (const std::filesystem::path& adapter : {folder.path, std::filesystem::path()}) {
          Session session(program, checked_dies(program));
          (void)bits_of(session, program, adapter, 5);
        }
      }
}

TEST_CASE("an adapter on dies: several sequences a launch, another image is refused") {
  const ir::Graph graph = import::synthetic_llama(kShape, 9);
  const AdapterFolder folder(import::random_adapter(kShape, 5, kAll, 3), import::adapter_config(5, 7.5));
  std::vector<std::vector<std::vector<float>>> logits;
  for (const auto& [dies, way] : {std::pair{1, "auto"}, {2, "tensor"}, {4, "tensor"}, {4, "pipeline"}}) {
    const Program program = compile(graph, {.config = "quad", .sequences = 2, .dies = dies, .parallel = way, .lora = 8}).program;
    BatchSession batch(program, "model");
    const std::vector<std::uint8_t> image = pack_adapter(program, folder.path);
    batch.load_adapter(image);
    const int a = batch.add(), b = batch.add();
    (void)batch.step({{a, some_ids(9)}, {b, {3, 4}}});
    logits.push_back(batch.step({{b, some_ids(3)}, {a, {5}}}));
    CHECK(logits.back() == logits.front());
    if (dies == 2) CHECK(refusal([&] { Session(compile(graph, {.config = "quad", .dies = 4, .lora = 8}).program, "model").load_adapter(image); }).find("session: adapter, found " + std::to_string(image.size()) + " bytes") == 0);
  }
}

TEST_CASE("an adapter on dies with experts: tables in a window of their own leave it one on 2 dies, none on 4") {
  LlamaHyper h = kShape;
  h.mixture = {.experts = 5, .top = 2};
  const ir::Graph graph = import::synthetic_llama(h, 9);
  const AdapterFolder folder(import::random_adapter(h, 5, kAttention, 3), import::adapter_config(5, 7.5));
  const auto with = [&](int dies, std::uint32_t window) { return compile(graph, {.config = "quad", .window_bytes = window, .dies = dies, .parallel = "tensor", .lora = 8}).program; };
  const Program one = with(1, ~0u);
  Session alone(one, "model");
  const Bits expected = bits_of(alone, one, folder.path);
  for (const int dies : {2, 4}) {
    CAPTURE(dies);
    const auto beside = static_cast<std::uint32_t>(with(dies, ~0u).window_bytes[0]);
    if (dies == 4) {
      CHECK(refusal([&] { (void)with(dies, beside - 64); }).find("plan: windows of a die, found none left for an adapter") == 0);
      continue;
    }
    const Program program = with(dies, beside - 64);
    CHECK(program.window_bytes[7] > 0);
    Session session(program, "model");
    check_same(bits_of(session, program, folder.path), expected);
  }
}

TEST_CASE("an adapter on Verilated dies and the cycle model: the bits of one die, in the same time") {
  const auto backends = driver::package_backends();
  if (std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  const LlamaHyper small{.layers = 2, .width = 32, .heads = 4, .kv_heads = 2, .ffn = 32, .context = 32, .vocab = 100};
  const ir::Graph graph = import::synthetic_llama(small, 9);
  const AdapterFolder folder(import::random_adapter(small, 4, kAll, 3), import::adapter_config(4, 8));
  const Program alone = compile(graph, {.config = "nanoquad", .lora = 8}).program;
  Session one(alone, "model");
  const Bits expected = bits_of(one, alone, folder.path, 4);
  for (const std::string way : {"tensor", "pipeline"}) {
    CAPTURE(way);
    const Program program = compile(graph, {.config = "nanoquad", .dies = 2, .parallel = way, .lora = 8}).program;
    std::vector<double> cycles;
    for (const char* on : {"rtl", "cycle"}) {
      CAPTURE(on);
      Session session(program, on);
      check_same(bits_of(session, program, folder.path, 4), expected);
      cycles.push_back(double(session.steps().back().record[spec::Counter::cycles]));
    }
    CHECK(std::abs(cycles[0] - cycles[1]) < 0.01 * cycles[0]);  // the host starts one Verilated die after the other
  }
}
