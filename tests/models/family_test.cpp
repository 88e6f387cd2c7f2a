// Decoders beside the plain Llama: biases, norms of heads, other head sizes, partial and scaled rotation, windows.
#include <cmath>
#include <cstring>

#include "float_llama.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"
#include "variants.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;
using import::RopeScaling;

namespace {

LlamaHyper base() { return {.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100}; }

std::vector<Variant> variants() {
  std::vector<Variant> list;
  const auto add = adds_to(list, base());
  add("biases (qwen2)", [](LlamaHyper& h) { h.qkv_bias = h.half_split = true, h.theta = 1e6f; });
  add("head norms (qwen3)", [](LlamaHyper& h) { h.qk_norm = h.half_split = true, h.head_dim = 32, h.theta = 1e6f; });
  add("biases and head norms, an odd head", [](LlamaHyper& h) { h.qkv_bias = h.qk_norm = true, h.head_dim = 20; });
  add("half of the head turns", [](LlamaHyper& h) { h.rotary_dims = 8, h.half_split = true; });
  add("linear scaling", [](LlamaHyper& h) { h.scaling = {.kind = RopeScaling::Kind::linear, .factor = 4}; });
  add("llama3 scaling", [](LlamaHyper& h) { h.scaling = {.kind = RopeScaling::Kind::llama3, .factor = 8, .original = 32}; });
  add("YaRN", [](LlamaHyper& h) { h.scaling = {.kind = RopeScaling::Kind::yarn, .factor = 8, .original = 32}; });
  add("a window as long as the context", [](LlamaHyper& h) { h.window = 64; });
  return list;
}

std::vector<int> some_ids(int count) {
  std::vector<int> ids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>((1 + i * 37) % 100);
  return ids;
}

}  // namespace

TEST_CASE("every variant: like the fp32 decoder, the same bits on two configurations, in chunks, and in every format") {
  const auto ids = some_ids(37);
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    const ir::Graph graph = import::synthetic_llama(v.hyper, 7);
    const auto expected = expected_rows(graph, ids);
    for (const char* format : {"int8", "int8c"}) {
      CAPTURE(format);
      Session edge(compile(graph, {.config = "edge", .format = format}).program, "model"), nano(compile(graph, {.config = "nano", .format = format}).program, "model");
      const auto a = edge.feed_all(ids), b = nano.feed_all(ids);
      CHECK(std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
      CHECK(error(a, expected) < 0.03);
      edge.reset();
      edge.limit_rows(5);
      const auto chunks = edge.feed_all(ids);
      CHECK(std::memcmp(a.data(), chunks.data(), a.size() * 4) == 0);
    }
  }
}

// What each variant adds matters: the plain decoder with the same weights gives something else.
TEST_CASE("no variant is the plain decoder") {
  const auto ids = some_ids(37);
  const auto last = [&](const LlamaHyper& h) {
    FloatLlama f(import::synthetic_llama(h, 7));
    std::vector<float> y;
    for (const int id : ids) y = f.step(id);
    return y;
  };
  const auto plain = last(base());
  for (const Variant& v : variants()) {
    if (v.hyper.window > 0) continue;
    CAPTURE(v.name);
    CHECK(error(last(v.hyper), plain) > 0.01);
  }
}

TEST_CASE("without optional passes the bits stay the same with biases and head norms") {
  LlamaHyper h = base();
  h.qkv_bias = h.qk_norm = true;
  const ir::Graph graph = import::synthetic_llama(h, 7);
  const auto ids = some_ids(12);
  const auto logits = [&](const std::vector<std::string>& without) {
    Session s(compile(graph, {.config = "nano", .disabled = without}).program, "model");
    return s.feed_all(ids);
  };
  const auto full = logits({}), less = logits({"weight-ring", "double-kv", "double-output", "hoist"});
  CHECK(std::memcmp(full.data(), less.data(), full.size() * 4) == 0);
}

TEST_CASE("weights that are no numbers are refused by name") {
  for (const char* name : {"token_embd.weight", "blk.1.attn_q.weight", "blk.1.attn_k.bias", "blk.0.attn_q_norm.weight", "blk.1.ffn_norm.weight"}) {
    LlamaHyper h = base();
    h.qkv_bias = h.qk_norm = true;
    ir::Graph graph = import::synthetic_llama(h, 7);
    const float nan = NAN;
    for (ir::Tensor& t : graph.tensors)
      if (t.name == name) std::memcpy(t.data.data() + 8, &nan, 4);
    CAPTURE(name);
    CHECK(refusal([&] { (void)compile(graph, {.config = "nano"}); }).find(std::string("a weight of ") + name) != std::string::npos);
  }
}
