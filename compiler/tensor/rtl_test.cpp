#include "check.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

// The RTL gives the model's bits.
void same_bits(const Graph& g, const Tensors& inputs) {
  const Program p = lower(g, {.config = "nano"});
  TensorSession model(p, "model"), rtl(p, "rtl");
  for (const auto& [name, values] : inputs)
    for (TensorSession* s : {&model, &rtl}) s->set(name, std::span<const float>(values));
  const LaunchRecord a = model.run(), b = rtl.run();
  for (const TensorPort& port : model.outputs()) {
    const auto x = model.get(port.name), y = rtl.get(port.name);
    CHECK(std::memcmp(x.data(), y.data(), x.size() * 4) == 0);
  }
  CHECK(a[spec::Counter::macs] == b[spec::Counter::macs]);
  CHECK(a[spec::Counter::store_bytes] == b[spec::Counter::store_bytes]);
  MESSAGE(b[spec::Counter::cycles] << " cycles, " << b[spec::Counter::instructions] << " instructions");
}

}  // namespace

TEST_CASE("functions, moves and rows on the RTL") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {5, 19}), i = g.input("i", DType::i32, {3});
  g.output("erf", g.add(Op::erf, "erf", {x}));
  g.output("log", g.add(Op::log, "log", {g.add(Op::abs, "abs", {x})}));
  g.output("select", g.add(Op::select, "select", {g.add(Op::less, "less", {x, g.scalar(0.5f)}), x, g.scalar(7)}));
  g.output("transpose", g.add(Op::transpose, "transpose", {x}, {.axes = {1, 0}}));
  g.output("gather", g.add(Op::gather, "gather", {x, i}, {.axis = 1}));
  g.output("softmax", g.add(Op::softmax, "softmax", {x}, {.axis = 1}));
  g.output("best", g.add_all(Op::top_k, "best", {x}, {.axis = 1, .count = 3})[1]);
  same_bits(g, {{"x", random_values({5, 19}, 1)}, {"i", {18, 0, -2}}});
}

TEST_CASE("products on the RTL: three limbs, one limb, a computed operand") {
  Graph g;
  const ValueId a = g.input("a", DType::f32, {2, 9, 40}), b = g.input("b", DType::f32, {2, 40, 11}), w = g.constant("w", {40, 20}, random_values({40, 20}, 3));
  g.output("constant", g.add(Op::matmul, "constant", {a, w}));
  g.output("live", g.add(Op::matmul, "live", {a, b}));
  g.output("int8", g.add(Op::matmul, "int8", {a, w}, {.precision = Precision::int8}));
  g.output("mxfp4", g.add(Op::matmul, "mxfp4", {a, w}, {.precision = Precision::mxfp4}));
  same_bits(g, {{"a", random_values({2, 9, 40}, 1)}, {"b", random_values({2, 40, 11}, 2)}});
}

TEST_CASE("attention on the RTL: causal, with a mask, two pieces of keys") {
  Graph g;
  const ValueId q = g.input("q", DType::f32, {1, 2, 9, 16}), k = g.input("k", DType::f32, {1, 1, 70, 16}), mask = g.input("mask", DType::boolean, {1, 1, 1, 70});
  g.output("y", g.add(Op::attention, "attention", {q, k, k, mask}, {.causal = true, .offset = 61, .value = 0.25f}));
  std::vector<float> seen(70, 1.0f);
  seen[3] = seen[66] = 0;
  same_bits(g, {{"q", random_values({1, 2, 9, 16}, 1)}, {"k", random_values({1, 1, 70, 16}, 2)}, {"mask", seen}});
}
