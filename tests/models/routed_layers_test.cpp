// Layers with experts and without them in one decoder, and experts that every row takes.
#include <cmath>

#include "batch_session.hpp"
#include "float_llama.hpp"
#include "import/synthetic.hpp"
#include "memory_plan.hpp"
#include "order.hpp"
#include "shared.hpp"
#include "variants.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

LlamaHyper base() {
  return {.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100, .mixture = {.experts = 5, .top = 2}, .expert_ffn = 64};
}

std::vector<Variant> variants() {
  std::vector<Variant> list;
  const auto add = adds_to(list, base());
  add("every other layer", [](LlamaHyper& h) { h.dense = {true, false, true, false}; });
  add("first layers dense", [](LlamaHyper& h) { h.dense = {true, true, false, false}; });
  add("no pattern, shared expert", [](LlamaHyper& h) { h.dense = {false, true, true, false}, h.shared_ffn = 128; });
  add("shared expert in all layers", [](LlamaHyper& h) { h.shared_ffn = 32, h.shared_gate = true; });
  add("shared expert with a score, biases", [](LlamaHyper& h) {
    h.dense = {false, true, false, true}, h.shared_ffn = 160, h.shared_gate = h.expert_bias = h.qkv_bias = h.output_bias = h.sinks = true, h.mixture.over_chosen = false;
  });
  return list;
}

}  // namespace

TEST_CASE("layers with and without experts: like the fp32 decoder, the same bits on two configurations and in launches of any length") {
  const auto ids = some_ids(23);
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    const ir::Graph graph = import::synthetic_llama(v.hyper, 7);
    const auto exact = expected_rows(graph, ids);
    for (const char* format : {"int8", "int8c"}) {
      CAPTURE(format);
      Session edge(compile(graph, {.config = "edge", .format = format}).program, "model"), nano(compile(graph, {.config = "nano", .format = format}).program, "model");
      const auto a = edge.feed_all(ids), b = nano.feed_all(ids);
      CHECK(same_bits(a, b));
      CHECK(error(a, exact) < 0.1);
      edge.reset();
      edge.limit_rows(5);
      CHECK(same_bits(a, edge.feed_all(ids)));
    }
  }
}

TEST_CASE("layers with and without experts: windows, keys in chunks, batches and passes change no bit, engines are in order") {
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    LlamaHyper h = v.hyper;
    const auto ids = some_ids(20);
    for (const bool sliding : {false, true}) {
      if (sliding) h.window = 9, h.sliding = {true, false, false, true};
      const ir::Graph graph = import::synthetic_llama(h, 3);
      const Program p = compile(graph, {.config = "nano"}).program;
      for (const char* format : {"int8", "int8c"}) check_order(compile(graph, {.config = "nano", .format = format}).program);
      Session s(p, "model");
      const auto all = s.feed_all(ids);
      CHECK(error(all, expected_rows(graph, ids)) < 0.1);
      Session plain(compile(graph, {.config = "nano", .disabled = {"weight-ring", "double-kv", "double-output", "hoist", "ring-cache"}}).program, "model");
      CHECK(same_bits(all, plain.feed_all(ids)));
      BatchSession batch(compile(graph, {.config = "edge", .sequences = 2}).program, "model");
      const int a = batch.add(), b = batch.add();
      const auto found = batch.step({{a, {ids.begin(), ids.begin() + 11}}, {b, {ids.begin(), ids.begin() + 4}}});
      CHECK(same_bits(found[0], std::span(all).subspan(1000, 100)));
      CHECK(same_bits(found[1], std::span(all).subspan(300, 100)));
    }
  }
}

// A layer of another kind has weights in another format: its code is its own.
TEST_CASE("layers with and without experts: formats by layer") {
  LlamaHyper h = base();
  h.layers = 3, h.dense = {true, false, true}, h.shared_ffn = 64, h.shared_gate = true;
  const ir::Graph graph = import::synthetic_llama(h, 5);
  const auto ids = some_ids(12);
  const auto bits = [&](const char* config) {
    Session s(compile(graph, {.config = config, .format = "int8", .format_of = {"blk.0.attn=mxint8", "blk.2.ffn_down=int8c", "blk.1.ffn_gate_shexp=int8c", "blk.1.ffn_up_shexp=int8c"}}).program, "model");
    return s.feed_all(ids);
  };
  const auto a = bits("edge");
  CHECK(same_bits(a, bits("small")));
  CHECK(error(a, expected_rows(graph, ids)) < 0.2);
}

TEST_CASE("layers with and without experts: only layers that have some take room and load them") {
  LlamaHyper h = base();
  h.dense = {true, false, true, true};
  std::vector<std::uint64_t> bytes;
  for (const int top : {1, 2, 4}) {
    h.mixture.top = top;
    const Program p = compile(import::synthetic_llama(h, 3), {.config = "nano"}).program;
    const auto experts = nlohmann::json::parse(p.abi).at("experts");
    CHECK(p.window_bytes[3] == 5 * experts.at("bytes").get<std::uint64_t>());
    CHECK(p.find("chosen_experts")->shape.front() == 1);
    const MemoryPlan plan = plan_memory({.name = "shape", .architecture = "llama", .hyper = h, .tied = true, .mxfp4_experts = true}, {.config = "nano"});
    for (std::size_t w = 0; w < plan.windows.size(); ++w) CHECK(plan.windows[w] == p.window_bytes[w]);
    Session s(p, "model");
    (void)s.feed(std::vector<int>{5});
    CHECK(s.experts().size() == static_cast<std::size_t>(top));
    bytes.push_back(s.steps().back().record[spec::Counter::load_bytes]);
  }
  CHECK(bytes[2] - bytes[1] == 2 * (bytes[1] - bytes[0]));
}

TEST_CASE("layers with and without experts: Qwen1.5-MoE-A2.7B fits edge") {
  LlamaHyper h{.layers = 24, .width = 2048, .heads = 16, .kv_heads = 16, .ffn = 5632, .context = 8192, .vocab = 151936, .qkv_bias = true};
  h.mixture = {.experts = 60, .top = 4, .over_chosen = false}, h.expert_ffn = 1408, h.shared_ffn = 5632, h.shared_gate = true;
  const MemoryPlan p = plan_memory({.name = "shape", .architecture = "qwen2_moe", .hyper = h}, {.config = "edge", .context = 4096, .format = "mxfp4"});
  CHECK(p.rows >= 4);
  CHECK(p.bytes() < 10'000'000'000u);
}

TEST_CASE("layers with and without experts: what does not go together is refused by name") {
  const auto refused = [](auto&& change, const CompileOptions& options) {
    LlamaHyper h = base();
    h.shared_ffn = 64, h.shared_gate = true;
    change(h);
    return refusal([&] { (void)compile(import::synthetic_llama(h, 7), options); });
  };
  CHECK(refused([](LlamaHyper& h) { h.dense.resize(5); }, {.config = "nano"}).find("layers with or without experts, found 5") != std::string::npos);
  CHECK(refused([](LlamaHyper&) {}, {.config = "nano", .format_of = {"blk.1.ffn_up_shexp=mxfp4"}}).find("format of ffn_up of the shared expert in layer 1") != std::string::npos);
  CHECK(refused([](LlamaHyper&) {}, {.config = "nano", .format_of = {"blk.2.ffn_gate_inp_shexp=mxfp4"}}).find("format of ffn_gate_inp_shexp in layer 2") != std::string::npos);
}
