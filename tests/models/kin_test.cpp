// What GPT-2, Phi and the newer Gemmas add to the plain Llama decoder: each by itself, keys as a whole and in chunks, alone and in batches.
#include <cmath>
#include <cstring>

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

LlamaHyper base() { return {.layers = 3, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100}; }

std::vector<Variant> variants() {
  std::vector<Variant> list;
  const auto add = adds_to(list, base());
  add("LayerNorm", [](LlamaHyper& h) { h.layer_norm = true; });
  add("no gate, biases", [](LlamaHyper& h) { h.gated = false, h.ffn_bias = true, h.activation = ir::Activation::gelu_tanh, h.ffn = 100; });
  add("gpt2", [](LlamaHyper& h) {
    h.layer_norm = h.positions = h.qkv_bias = h.output_bias = h.ffn_bias = true, h.gated = false, h.activation = ir::Activation::gelu_tanh;
  });
  add("phi", [](LlamaHyper& h) {
    h.layer_norm = h.parallel = h.qkv_bias = h.output_bias = h.ffn_bias = h.head_bias = true, h.gated = false, h.activation = ir::Activation::gelu_tanh, h.rotary_dims = 8;
  });
  add("parallel, with gates", [](LlamaHyper& h) { h.parallel = true; });
  add("norms behind", [](LlamaHyper& h) { h.post_norm = true; });
  add("caps", [](LlamaHyper& h) { h.score_cap = 1.5f, h.logit_cap = 1, h.query_scale = 0.4f; });
  add("two rotary bases", [](LlamaHyper& h) { h.sliding_theta = 30, h.window = 4096, h.sliding = {true, false, true}; });
  add("a head's bias", [](LlamaHyper& h) { h.head_bias = true; });
  return list;
}

// Close to fp32; the same bits on both configurations and in launches of `rows`.
void check(const LlamaHyper& h, const std::vector<int>& ids, const char* format, int rows) {
  CAPTURE(format);
  const ir::Graph graph = import::synthetic_llama(h, 7);
  Session edge(compile(graph, {.config = "edge", .format = format}).program, "model"), nano(compile(graph, {.config = "nano", .format = format}).program, "model");
  const auto a = edge.feed_all(ids), b = nano.feed_all(ids);
  CHECK(same_bits(a, b));
  CHECK(error(a, expected_rows(graph, ids)) < 0.04);
  edge.reset();
  edge.limit_rows(rows);
  CHECK(same_bits(a, edge.feed_all(ids)));
}

}  // namespace

TEST_CASE("kin of llama: like the fp32 decoder, the same bits on two configurations and in chunks, formats") {
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    for (const char* format : {"int8", "int8c"}) check(v.hyper, some_ids(37), format, 5);
  }
}

TEST_CASE("kin of llama: none is the plain decoder") {
  const auto ids = some_ids(20);
  const auto plain = expected_rows(import::synthetic_llama(base(), 7), ids);
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    CHECK(error(expected_rows(import::synthetic_llama(v.hyper, 7), ids), plain) > 0.01);
  }
}

TEST_CASE("kin of llama: keys in chunks, windows of some layers") {
  for (const Variant& v : variants()) {
    const std::string name = v.name;
    if (name != "gpt2" && name != "caps" && name != "two rotary bases" && name != "norms behind") continue;
    CAPTURE(name);
    LlamaHyper h = v.hyper;
    h.context = 544, h.layers = 2;
    if (name != "gpt2") h.window = 33, h.sliding = {true, false};
    check(h, some_ids(290), "int8", 41);
  }
}

TEST_CASE("kin of llama: no two engines touch the same memory without order, passes change no bit") {
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    const ir::Graph graph = import::synthetic_llama(v.hyper, 7);
    for (const char* format : {"int8", "int8c"}) check_order(compile(graph, {.config = "nano", .format = format}).program);
    const auto logits = [&](const std::vector<std::string>& without) {
      Session s(compile(graph, {.config = "nano", .disabled = without}).program, "model");
      return s.feed_all(some_ids(12));
    };
    CHECK(same_bits(logits({}), logits({"weight-ring", "double-kv", "double-output", "hoist"})));
  }
}

TEST_CASE("kin of llama: a batch has the bits of each sequence alone") {
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    const ir::Graph graph = import::synthetic_llama(v.hyper, 7);
    BatchSession batch(compile(graph, {.config = "nano", .sequences = 2}).program, "model");
    const auto ids = some_ids(20);
    const std::vector<int> first(ids.begin(), ids.begin() + 13), second(ids.begin() + 5, ids.end());
    const int a = batch.add(), b = batch.add();
    (void)batch.step({{a, {first.begin(), first.begin() + 4}}, {b, {second.begin(), second.begin() + 9}}});
    const auto found = batch.step({{a, {first.begin() + 4, first.end()}}, {b, {second.begin() + 9, second.end()}}});
    Session alone(compile(graph, {.config = "nano"}).program, "model");
    for (std::size_t i = 0; i < 2; ++i) {
      alone.reset();
      const auto all = alone.feed_all(i == 0 ? first : second);
      CHECK(same_bits(found[i], std::span(all).last(100)));
    }
  }
}

TEST_CASE("kin of llama: GPT-2, Phi-2, Gemma 2 2B and Gemma 3 1B fit edge") {
  const auto planned = [](LlamaHyper h, int context) {
    h.context = context;
    return plan_memory({.name = "shape", .architecture = "llama", .hyper = h, .tied = true}, {.config = "edge"});
  };
  LlamaHyper gpt2{.layers = 12, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 3072, .vocab = 50257};
  gpt2.layer_norm = gpt2.positions = gpt2.qkv_bias = gpt2.output_bias = gpt2.ffn_bias = true, gpt2.gated = false;
  LlamaHyper phi = gpt2;
  phi.layers = 32, phi.width = 2560, phi.heads = phi.kv_heads = 32, phi.ffn = 10240, phi.vocab = 51200;
  phi.positions = false, phi.parallel = phi.head_bias = true;
  LlamaHyper gemma2{.layers = 26, .width = 2304, .heads = 8, .kv_heads = 4, .ffn = 9216, .vocab = 256000, .head_dim = 256};
  gemma2.post_norm = true, gemma2.window = 4096, gemma2.score_cap = 50, gemma2.logit_cap = 30;
  LlamaHyper gemma3{.layers = 26, .width = 1152, .heads = 4, .kv_heads = 1, .ffn = 6912, .vocab = 262144, .head_dim = 256};
  gemma3.post_norm = gemma3.qk_norm = true, gemma3.window = 512, gemma3.sliding_theta = 10000;
  for (int i = 0; i < gemma3.layers; ++i) gemma3.sliding.push_back(i % 6 != 5);
  CHECK(planned(gpt2, 1024).rows >= 8);
  CHECK(planned(phi, 2048).rows >= 1);
  CHECK(planned(gemma2, 4096).rows >= 2);
  CHECK(planned(gemma3, 4096).rows >= 4);
}

TEST_CASE("kin of llama: what does not go together is refused by name") {
  const auto refused = [](auto&& change, const CompileOptions& options) {
    LlamaHyper h = base();
    change(h);
    return refusal([&] { (void)compile(import::synthetic_llama(h, 7), options); });
  };
  CHECK(refused([](LlamaHyper& h) { h.head_bias = true; }, {.config = "nano", .format_of = {"output=int8c"}}).find("format of the head") != std::string::npos);
  CHECK(refused([](LlamaHyper& h) { h.post_norm = h.output_bias = true; }, {.config = "nano"}).find("norms behind attention") != std::string::npos);
}
