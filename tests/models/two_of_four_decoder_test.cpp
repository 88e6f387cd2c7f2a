// Decoders whose matrices have two zeros of each four, where the array takes them so.
#include <cmath>

#include "float_llama.hpp"
#include "import/synthetic.hpp"
#include "order.hpp"
#include "passes/two_of_four.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

// Heads of 64; 5 times 64 hidden columns.
LlamaHyper base() { return {.layers = 3, .width = 128, .heads = 4, .kv_heads = 2, .ffn = 320, .context = 64, .vocab = 100, .head_dim = 64}; }

ir::Graph pruned(const LlamaHyper& h) {
  ir::Graph graph = import::synthetic_llama(h, 7);
  passes::prune_two_of_four(graph);
  return graph;
}

}  // namespace

TEST_CASE("2:4 sparse decoders: like the pruned fp32 decoder, the same bits on two configurations and for every cut, engines in order") {
  const auto ids = some_ids(30);
  std::vector<LlamaHyper> kinds(4, base());
  kinds[1].qkv_bias = kinds[1].qk_norm = true, kinds[1].context = 576;
  kinds[2].layer_norm = kinds[2].parallel = kinds[2].qkv_bias = kinds[2].output_bias = kinds[2].ffn_bias = true, kinds[2].gated = false;
  kinds[3].post_norm = true, kinds[3].window = 9, kinds[3].sliding = {true, false, true}, kinds[3].head_dim = 32;  // attention's output stays dense
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CAPTURE(i);
    const ir::Graph graph = pruned(kinds[i]);
    const auto exact = expected_rows(graph, ids);
    for (const char* format : {"int8", "int8c", "mxint8", "mxfp4"}) {
      CAPTURE(format);
      const Program small = compile(graph, {.config = "nano24", .format = format}).program;
      Session edge(compile(graph, {.config = "edge24", .format = format}).program, "model"), nano(small, "model");
      const auto a = edge.feed_all(ids);
      CHECK(same_bits(a, nano.feed_all(ids)));
      CHECK(error(a, exact) < (std::string(format) == "mxfp4" ? 0.4 : 0.05));
      edge.reset();
      edge.limit_rows(4);
      CHECK(same_bits(a, edge.feed_all(ids)));
      check_order(small);
    }
  }
}

TEST_CASE("2:4 sparse decoders: one in which nothing can be pruned is refused, not compiled as it is") {
  LlamaHyper h = base();
  h.mixture.experts = 4, h.mixture.top = 2;
  CHECK_THROWS_WITH_AS(pruned(h), doctest::Contains("prune: matrices of the decoder, found none"), Error);
}

TEST_CASE("2:4 sparse decoders: a token loads half the weights and their indices, and a matrix without the pattern stays dense") {
  LlamaHyper h = base();
  h.layers = 2, h.width = 512, h.heads = 8, h.kv_heads = 8, h.ffn = 1536;
  const ir::Graph graph = pruned(h);
  const auto loaded = [&](const ir::Graph& g, const char* config, const char* format) {
    Session s(compile(g, {.config = config, .context = 32, .format = format}).program, "model");
    (void)s.feed(std::vector<int>{5});
    return static_cast<double>(s.steps().back().record[spec::Counter::load_bytes]);
  };
  // Of 64 values: codes 64, scales 4; stored 32, indices 8, scales 2. MXFP4: 34; 16, 8, 1.
  CHECK(loaded(graph, "edge24", "int8") / loaded(graph, "edge", "int8") < 0.65);
  CHECK(loaded(graph, "edge24", "mxfp4") / loaded(graph, "edge", "mxfp4") < 0.77);
  ir::Graph mixed = graph;
  for (ir::Tensor& t : mixed.tensors)
    if (t.name == "blk.1.ffn_up.weight") std::memcpy(t.data.data(), std::vector<float>(8, 0.01f).data(), 32);
  const double some = loaded(mixed, "edge24", "int8");
  CHECK(some > loaded(graph, "edge24", "int8") + 0.3 * 2 * 512 * 1536);  // gate and up share slots: both dense
  const auto ids = some_ids(9);
  Session a(compile(mixed, {.config = "edge24"}).program, "model"), b(compile(mixed, {.config = "nano24"}).program, "model");
  const auto found = a.feed_all(ids);
  CHECK(same_bits(found, b.feed_all(ids)));
  CHECK(error(found, expected_rows(mixed, ids)) < 0.05);
}

TEST_CASE("2:4 sparse decoders: the RTL has the model's bits, with a place for adapters too") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  LlamaHyper h = base();
  h.layers = 2;
  for (const char* format : {"int8", "mxfp4"}) {
    const Program p = compile(pruned(h), {.config = "nano24", .format = format, .lora = 8}).program;
    Session rtl(p, "rtl"), model(p, "model");
    const auto ids = some_ids(4);
    CHECK(same_bits(rtl.feed_all(ids), model.feed_all(ids)));
    CHECK(rtl.kv_cache() == model.kv_cache());
  }
}
