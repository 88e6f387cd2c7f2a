// Contexts whose keys attention takes in chunks.
#include <cmath>
#include <cstring>

#include "float_llama.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

LlamaHyper shape(int heads, int kv_heads, int head_dim, int context) {
  return {.layers = 2, .width = 64, .heads = heads, .kv_heads = kv_heads, .ffn = 96, .context = context, .vocab = 100, .head_dim = head_dim};
}

std::vector<int> some_ids(int count) {
  std::vector<int> ids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>((1 + i * i * 37 + i / 7) % 100);
  return ids;
}

}  // namespace

// Chunks are of 256, 256 and 64 keys; groups of one head, of all heads, and between; heads that fill their padding and others.
TEST_CASE("past several chunks: like the fp32 decoder, the same bits on two configurations and however the text is cut") {
  for (const LlamaHyper& h : {shape(4, 2, 16, 768), shape(4, 1, 24, 768), shape(2, 2, 40, 768), shape(2, 1, 160, 544)}) {
    CAPTURE(h.head_dim);
    const ir::Graph graph = import::synthetic_llama(h, 9);
    const auto ids = some_ids(h.head_dim == 160 ? 200 : 600);
    FloatLlama reference(graph);
    std::vector<float> expected;
    for (const int id : ids) {
      const auto row = reference.step(id);
      expected.insert(expected.end(), row.begin(), row.end());
    }
    Session edge(compile(graph, {.config = "edge"}).program, "model"), nano(compile(graph, {.config = "nano"}).program, "model");
    CHECK(edge.model().context == h.context);
    const auto a = edge.feed_all(ids), b = nano.feed_all(ids);
    CHECK(same_bits(a, b));
    CHECK(error(a, expected) < 0.03);
    CHECK(error(std::span(a).last(6400), std::span(expected).last(6400)) < 0.03);
    const auto kv = edge.kv_cache();
    for (const int rows : {1, 17}) {
      CAPTURE(rows);
      edge.reset();
      edge.limit_rows(rows);
      CHECK(same_bits(edge.feed_all(ids), a));
      CHECK(edge.kv_cache() == kv);
    }
  }
}

TEST_CASE("a chunk that begins within a launch: rows before it are as if it were not there") {
  const ir::Graph graph = import::synthetic_llama(shape(4, 2, 16, 768), 9);
  Session s(compile(graph, {.config = "edge", .max_rows = 64}).program, "model");
  const auto ids = some_ids(300);
  const auto whole = s.feed_all(ids);
  // The second chunk starts at row 1, 31 and 63 of the last launch.
  for (const int before : {255, 225, 193}) {
    CAPTURE(before);
    s.reset();
    (void)s.feed(std::span(ids).first(static_cast<std::size_t>(before)));
    const auto rest = s.feed_all(std::span(ids).subspan(static_cast<std::size_t>(before)));
    CHECK(same_bits(rest, std::span(whole).last(rest.size())));
  }
}

TEST_CASE("with channel scales, biases and head norms, with and without the optional passes: the same bits") {
  LlamaHyper h = shape(4, 2, 16, 768);
  h.qkv_bias = h.qk_norm = true;
  const ir::Graph graph = import::synthetic_llama(h, 9);
  const auto ids = some_ids(280);
  for (const char* format : {"int8c", "mxfp4"}) {
    CAPTURE(format);
    const auto logits = [&](const std::vector<std::string>& without) {
      Session s(compile(graph, {.config = "edge", .format = format, .disabled = without}).program, "model");
      return s.feed_all(ids);
    };
    const auto full = logits({});
    CHECK(same_bits(logits({"weight-ring", "double-kv", "double-output", "hoist"}), full));
    FloatLlama reference(graph);
    std::vector<float> expected;
    for (const int id : ids) expected = reference.step(id);
    CHECK(error(std::span(full).last(100), expected) < (std::string(format) == "mxfp4" ? 0.45 : 0.03));
  }
}

// Windows within a chunk, over several, and longer than some of the texts; in all layers, in every second one, in all but the last.
TEST_CASE("sliding windows: like the fp32 decoder, the same bits on two configurations and however the text is cut") {
  const auto ids = some_ids(560);
  for (const auto& [window, sliding] : {std::pair{10, std::vector<bool>{}}, std::pair{300, std::vector<bool>{true, false, true}},
                                        std::pair{33, std::vector<bool>{true, true, false}}, std::pair{256, std::vector<bool>{false, true, false}}}) {
    CAPTURE(window);
    LlamaHyper h = shape(4, 2, 16, 576);
    h.layers = 3, h.window = window, h.sliding = sliding;
    const ir::Graph graph = import::synthetic_llama(h, 9);
    FloatLlama reference(graph);
    std::vector<float> expected;
    for (const int id : ids) {
      const auto row = reference.step(id);
      expected.insert(expected.end(), row.begin(), row.end());
    }
    Session edge(compile(graph, {.config = "edge"}).program, "model"), nano(compile(graph, {.config = "nano"}).program, "model");
    const auto a = edge.feed_all(ids), b = nano.feed_all(ids);
    CHECK(same_bits(a, b));
    CHECK(error(a, expected) < 0.05);
    CHECK(error(std::span(a).last(6400), std::span(expected).last(6400)) < 0.05);
    edge.reset();
    edge.limit_rows(11);
    CHECK(same_bits(edge.feed_all(ids), a));
    h.window = 0, h.sliding = {};
    Session all(compile(import::synthetic_llama(h, 9), {.config = "edge"}).program, "model");
    CHECK(error(all.feed_all(ids), a) > 0.05);  // the window matters
  }
}

TEST_CASE("behind its window a sliding layer's loads and products do not grow with the text") {
  LlamaHyper h = shape(4, 2, 16, 2048);
  h.window = 64;
  Session s(compile(import::synthetic_llama(h, 9), {.config = "edge"}).program, "model");
  const auto ids = some_ids(1800);
  const int one = 5;
  const auto cost = [&](int position) {
    s.reset();
    (void)s.feed(std::span(ids).first(static_cast<std::size_t>(position)));
    (void)s.feed(std::span(&one, 1));
    const auto& r = s.steps().back().record;
    return std::pair(r[spec::Counter::load_bytes], r[spec::Counter::macs]);
  };
  CHECK(cost(500) == cost(1780));
  CHECK(cost(500) > cost(20));
}

TEST_CASE("a context is not tied to any memory on chip") {
  for (const char* config : {"nano", "edge"}) {
    const Program p = compile(import::synthetic_llama(shape(4, 2, 16, 131072), 9), {.config = config, .context = 131072}).program;
    CHECK(p.find("tokens")->shape[0] == 131072);
    CHECK(p.find("logits")->shape[0] >= 16);
  }
  // Without a wish a long one is cut to 4096 tokens, since the cache is memory of the machine.
  CHECK(compile(import::synthetic_llama(shape(4, 2, 16, 131072), 9), {}).program.find("tokens")->shape[0] == 4096);
}

TEST_CASE("the RTL has the model's bits past a chunk") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  LlamaHyper h = shape(2, 1, 16, 544);
  h.layers = 1, h.qk_norm = h.qkv_bias = true;
  const Program program = compile(import::synthetic_llama(h, 9), {.config = "nano"}).program;
  Session rtl(program, "rtl"), model(program, "model");
  const auto ids = some_ids(270);
  CHECK(same_bits(rtl.feed(ids), model.feed(ids)));
  CHECK(rtl.kv_cache() == model.kv_cache());
}
