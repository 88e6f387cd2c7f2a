// Layers of different kinds in one program.
#include <cmath>
#include <cstring>

#include "float_llama.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

double correlation(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ab += double(a[i]) * b[i], aa += double(a[i]) * a[i], bb += double(b[i]) * b[i];
  return ab / std::sqrt(aa * bb);
}

std::vector<float> logits(const ir::Graph& graph, const std::string& config, const std::vector<std::string>& rules, const std::vector<int>& ids,
                          const std::string& format = "int8") {
  Session session(compile(graph, {.config = config, .context = 64, .format = format, .format_of = rules}).program, "model");
  const auto last = session.feed(ids);
  return {last.begin(), last.end()};
}

}  // namespace

// Wrong order or the wrong body for one layer would leave nothing of the likeness.
TEST_CASE("int8 and MXFP4 layers in turn, or matrices in each: like the fp32 decoder, the same bits on two configurations") {
  const ir::Graph graph = import::synthetic_llama({.layers = 7, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64, .vocab = 96}, 3);
  const std::vector<int> ids = {1, 17, 4, 60, 33};
  FloatLlama reference(graph);
  std::vector<float> expected;
  for (const int id : ids) expected = reference.step(id);
  const std::vector<std::vector<std::string>> mixtures = {
      {"blk.1.=mxfp4", "blk.3.=mxfp4", "blk.5.=mxfp4"}, {"ffn_up=mxfp4", "ffn_gate=mxfp4", "output=mxfp4"}, {"attn=mxint8", "ffn_down=mxint8"}};
  for (const auto& rules : mixtures) {
    CAPTURE(rules.front());
    const auto nano = logits(graph, "nano", rules, ids), edge = logits(graph, "edge", rules, ids);
    CHECK(std::memcmp(nano.data(), edge.data(), nano.size() * 4) == 0);
    CHECK(correlation(edge, expected) > 0.95);  // what MXFP4 leaves of random weights
  }
  CHECK(correlation(logits(graph, "edge", {}, ids), expected) > 0.999);
}

// Wide feed-forwards split k: their channel scales come with the first part only. A head of 20 pads every row of k.
TEST_CASE("int8c alone or beside other formats: like the fp32 decoder, the same bits on two configurations and for every chunk") {
  const ir::Graph graph = import::synthetic_llama({.layers = 4, .width = 80, .heads = 4, .kv_heads = 2, .ffn = 3200, .context = 64, .vocab = 301}, 4);
  const std::vector<int> ids = {1, 17, 4, 60, 33};
  FloatLlama reference(graph);
  std::vector<float> expected;
  for (const int id : ids) expected = reference.step(id);
  const std::vector<std::vector<std::string>> mixtures = {
      {}, {"blk.1.=int8", "blk.3.=int8"}, {"attn_output=int8", "output=int8"}, {"ffn_down=int8", "attn_v=int8"}, {"ffn_gate=mxfp4", "ffn_up=mxfp4"}, {"ffn=mxint8", "attn_k=mxint8", "output=mxint8"}};
  for (const auto& rules : mixtures) {
    const std::string first = rules.empty() ? "int8c alone" : rules.front();
    CAPTURE(first);
    const auto nano = logits(graph, "nano", rules, ids, "int8c"), edge = logits(graph, "edge", rules, ids, "int8c");
    CHECK(std::memcmp(nano.data(), edge.data(), nano.size() * 4) == 0);
    CHECK(correlation(edge, expected) > (first.find("mxfp4") != std::string::npos ? 0.95 : first.find("mxint8") != std::string::npos ? 0.998 : 0.999));
    Session one(compile(graph, {.config = "edge", .context = 64, .format = "int8c", .format_of = rules}).program, "model");
    std::span<const float> last;
    for (const int id : ids) last = one.feed(std::span(&id, 1));
    CHECK(std::memcmp(last.data(), edge.data(), edge.size() * 4) == 0);
  }
}

// Every kind, and every change of kind within reach of the weight ring, costs a body of code.
TEST_CASE("more kinds of layers than instruction memory holds are refused in one sentence") {
  const ir::Graph graph = import::synthetic_llama({.layers = 9, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64, .vocab = 96}, 3);
  CHECK_THROWS_WITH_AS(compile(graph, {.config = "nano", .context = 64, .format_of = {"blk.2.=mxfp4", "blk.5.ffn=mxfp4", "blk.7.attn=mxfp4"}}),
                       doctest::Contains("at most 2048 on nano"), Error);
}

TEST_CASE("a second window for the tables where the first one is full: the same bits") {
  const ir::Graph graph = import::synthetic_llama({.layers = 2, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64, .vocab = 960}, 3);
  const Program whole = compile(graph, {.config = "nano"}).program, two = compile(graph, {.config = "nano", .window_bytes = 300000}).program;
  REQUIRE(whole.window_bytes[7] == 0);
  REQUIRE(two.window_bytes[7] != 0);
  CHECK(two.window_bytes[0] + two.window_bytes[7] == whole.window_bytes[0]);
  Session a(whole, "model"), b(two, "model");
  const std::vector<int> ids = {1, 700, 4};
  const auto x = a.feed(ids), y = b.feed(ids);
  CHECK(std::memcmp(x.data(), y.data(), x.size() * 4) == 0);
  CHECK_THROWS_WITH_AS(compile(graph, {.config = "nano", .window_bytes = 100000}), doctest::Contains("weights window, found "), Error);
}
