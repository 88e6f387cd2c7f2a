#include "check.hpp"

#include "rewrite.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

struct Sizes {
  std::int64_t b, h, g, m, n, d, e;
};

double attend(const Sizes& s, Attrs attrs, const Shape& mask = {}, bool logic = false, double error = 3e-6) {
  CAPTURE(text({s.b, s.h, s.g, s.m, s.n, s.d, s.e}));
  CAPTURE(text(mask));
  Graph g;
  const ValueId q = g.input("q", DType::f32, {s.b, s.h, s.m, s.d}), k = g.input("k", DType::f32, {s.b, s.g, s.n, s.d}), v = g.input("v", DType::f32, {s.b, s.g, s.n, s.e});
  std::vector<ValueId> in = {q, k, v};
  Tensors values;
  unsigned seed = 0;
  for (const char* name : {"q", "k", "v"}) values[name] = random_values(g.shape(in[seed]), seed + 1), ++seed;
  if (!mask.empty()) {
    in.push_back(g.input("mask", logic ? DType::boolean : DType::f32, mask));
    values["mask"] = random_values(mask, 9);
    // Every row sees its first key.
    for (std::size_t i = 0; logic && i < values["mask"].size(); ++i) values["mask"][i] = i % static_cast<std::size_t>(mask.back()) == 0 || values["mask"][i] > 0;
  }
  attrs.value = 1 / std::sqrt(static_cast<float>(s.d));
  g.output("y", g.add(Op::attention, "node", in, attrs));
  return compare(g, values, {.error = error, .floor = 1});
}

}  // namespace

TEST_CASE("attention: heads, groups, sizes that fill no piece") {
  double most = 0;
  for (const Sizes& s : std::vector<Sizes>{{1, 1, 1, 1, 1, 1, 1}, {1, 2, 2, 5, 7, 8, 8}, {2, 4, 2, 33, 65, 40, 24}, {1, 3, 1, 70, 130, 64, 64}, {1, 1, 1, 1, 300, 96, 33}})
    most = std::max(most, attend(s, {}));
  MESSAGE("worst error relative to 1 or the result " << most);
}

TEST_CASE("causal attention, from the start and behind a cache") {
  attend({1, 2, 1, 70, 70, 16, 16}, {.causal = true});
  attend({2, 2, 2, 9, 90, 16, 16}, {.causal = true, .offset = 81});
  attend({1, 1, 1, 3, 200, 16, 16}, {.causal = true, .offset = 0});
}

TEST_CASE("masks of every shape that broadcasts, to add or true and false") {
  for (const Shape& mask : std::vector<Shape>{{2, 4, 35, 70}, {2, 1, 1, 70}, {1, 4, 1, 70}, {35, 70}, {70}, {2, 1, 35, 1}, {2, 4, 1, 1}})
    for (const bool logic : {false, true}) attend({2, 4, 2, 35, 70, 16, 16}, {}, mask, logic);
  attend({2, 4, 2, 35, 70, 16, 16}, {.causal = true, .offset = 35}, {2, 1, 1, 70}, true);
}

TEST_CASE("softcap, and heads too wide for the chip, by the operators it is made of") {
  attend({1, 2, 1, 9, 40, 16, 16}, {.softcap = 3});
  attend({1, 1, 1, 5, 40, 700, 16}, {});
}

TEST_CASE("int8 attention stays close") {
  const double error = attend({1, 2, 2, 33, 100, 64, 64}, {.precision = Precision::int8}, {}, false, 0.03);
  CHECK(error > 1e-5);
}

TEST_CASE("no tensor of queries by keys is in DRAM") {
  Graph g;
  const ValueId q = g.input("q", DType::f32, {1, 1, 2000, 32}), k = g.input("k", DType::f32, {1, 1, 2000, 32});
  g.output("y", g.add(Op::attention, "node", {q, k, k}, {.value = 0.2f}));
  CHECK(lower(g, {.config = "edge"}).window_bytes[1] < 2000 * 2000);
}
