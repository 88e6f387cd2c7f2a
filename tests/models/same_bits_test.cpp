// One program file, the same bits on the RTL and on the exact model.
#include <algorithm>
#include <cstring>

#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

bool has_rtl() {
  const auto names = driver::backends();
  const bool there = std::find(names.begin(), names.end(), "rtl") != names.end();
  if (!there) MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
  return there;
}

// Prefill in two chunks with the logits of every row, then greedy decode.
void compare(const ir::Graph& graph, const CompileOptions& options, int prompt_tokens, int decoded) {
  CAPTURE(options.config);
  CAPTURE(options.format);
  const Program program = compile(graph, options).program;
  Session rtl(program, "rtl"), model(program, "model");
  std::vector<int> ids = {1};
  while (static_cast<int>(ids.size()) < prompt_tokens) ids.push_back(static_cast<int>(ids.size()) * 37 % graph.vocab);
  for (int i = 0; i <= decoded; ++i) {
    const auto a = rtl.feed_all(ids), b = model.feed_all(ids);
    REQUIRE(a.size() == b.size());
    REQUIRE(std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
    for (const spec::CounterInfo& c : spec::counters) {
      CAPTURE(c.name);
      if (c.exact) CHECK(rtl.steps().back().record.counters[c.index] == model.steps().back().record.counters[c.index]);
    }
    CHECK(rtl.steps().back().record[spec::Counter::cycles] > 0);
    ids = {best(std::span(a).last(static_cast<std::size_t>(graph.vocab)))};
  }
  CHECK(rtl.kv_cache() == model.kv_cache());
}

}  // namespace

TEST_CASE("same bits: odd sizes on nano, every format") {
  if (!has_rtl()) return;
  const import::LlamaHyper odd{.layers = 2, .width = 72, .heads = 3, .kv_heads = 1, .ffn = 100, .context = 64, .vocab = 301};
  for (const char* format : {"int8", "int8c", "mxfp4", "mxint8"}) compare(import::synthetic_llama(odd, 5), {.config = "nano", .context = 64, .format = format}, 9, 2);
}

// 100 blocks of k in the feed-forward: slots hold a part of them; heads of 20 are padded to 32.
TEST_CASE("same bits: channel scales with k in parts, nano and edge, with int8 beside them") {
  if (!has_rtl()) return;
  const ir::Graph graph = import::synthetic_llama({.layers = 2, .width = 80, .heads = 4, .kv_heads = 2, .ffn = 3200, .context = 64, .vocab = 301}, 6);
  compare(graph, {.config = "nano", .context = 64, .format = "int8c"}, 5, 1);
  compare(graph, {.config = "edge", .context = 64, .format = "int8c"}, 5, 1);
  compare(graph, {.config = "edge", .context = 64, .format = "int8c", .format_of = {"blk.1.attn=int8", "output=int8"}}, 5, 1);
}

// Experts, sinks, sliding layers, YaRN; and softmax of all experts.
TEST_CASE("same bits: mixtures of experts on nano and edge") {
  if (!has_rtl()) return;
  compare(import::read_model("tests/models/golden/gpt_oss"), {.config = "nano", .context = 64, .format = "int8c"}, 5, 1);
  compare(import::read_model("tests/models/golden/gpt_oss"), {.config = "edge", .context = 64}, 5, 1);
  for (const char* model : {"qwen3_moe_all", "qwen3_moe_some", "qwen2_moe"}) compare(import::read_model(std::string("tests/models/golden/") + model), {.config = "nano", .context = 64}, 4, 1);
}

// Biases, norms of heads, sliding windows; LayerNorm, learned positions, attention beside the feed-forward, norms behind, caps by tanh, rotary bases by layer.
TEST_CASE("same bits: a tiny model of every other architecture on nano") {
  if (!has_rtl()) return;
  for (const char* model : {"mistral", "qwen2", "qwen2_sliding", "qwen3", "phi3", "gemma", "gpt2", "phi", "gemma2", "gemma3"}) {
    CAPTURE(std::string(model));
    compare(import::read_model(std::filesystem::path("tests/models/golden") / model), {.config = "nano", .context = 64}, 4, 1);
  }
}

TEST_CASE("same bits: the project's own model on edge") {
  if (!has_rtl()) return;
  const std::filesystem::path path = "models/jogak-stories.gguf";
  if (!std::filesystem::exists(path)) {
    MESSAGE("SKIPPED: no " << path.string());
    return;
  }
  for (const char* format : {"int8", "int8c"}) compare(import::read_model(path), {.config = "edge", .context = 64, .format = format}, 7, 2);
}

TEST_CASE("the timeline gives every command of the RTL an operator, and is refused without a clock") {
  if (!has_rtl()) return;
  const import::LlamaHyper small{.layers = 1, .width = 32, .heads = 1, .kv_heads = 1, .ffn = 32, .context = 32, .vocab = 40};
  const Program program = compile(import::synthetic_llama(small, 5), {.config = "nano"}).program;
  Session session(program, "rtl");
  session.start_timeline(100000);
  const std::vector<int> ids = {1, 2, 3};
  (void)session.feed(ids);
  const LaunchRecord& r = session.steps().back().record;
  const Timeline& t = *session.timeline();
  CHECK(t.complete());
  CHECK_FALSE(t.operators().contains("(none)"));
  CHECK(t.operators().contains("attention"));
  Timeline::Cell all;
  for (const auto& [name, cell] : t.operators()) all.add(cell);
  for (const std::uint64_t b : all.busy) CHECK((b > 0 && b <= r[spec::Counter::cycles]));
  CHECK(all.busy[2] >= r[spec::Counter::mx_busy]);
  const auto trace = nlohmann::json::parse(t.chrome_json()).at("traceEvents");
  std::uint64_t spans = 0;
  for (const auto& e : trace) spans += e.at("ph") == "X";
  std::uint64_t commands = 0;
  for (const auto c : {spec::Counter::cmd_load, spec::Counter::cmd_store, spec::Counter::cmd_mm, spec::Counter::cmd_vec, spec::Counter::cmd_qnt})
    commands += r[c];
  CHECK(spans == commands);
  Session model(program, "model");
  CHECK_THROWS_AS(model.start_timeline(0), Error);
}
