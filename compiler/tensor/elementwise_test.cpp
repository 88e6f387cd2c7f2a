#include "check.hpp"

using namespace jogak::tensor;

namespace {

struct Function {
  Op op;
  float low, high;
  double error;
};

// Bounds are the documented ones (docs/tensor-graphs.md), relative.
constexpr Function kFunctions[] = {{Op::neg, -9, 9, 0}, {Op::abs, -9, 9, 0}, {Op::round, -9, 9, 0}, {Op::floor, -9, 9, 0}, {Op::trunc, -9, 9, 0},
    {Op::exp, -80, 80, 1.3e-7}, {Op::log, 0, 4, 4e-7}, {Op::recip, -3, 3, 1.2e-7}, {Op::sqrt, 0, 50, 1.6e-7}, {Op::rsqrt, 0.01f, 50, 1.3e-7},
    {Op::erf, -5, 5, 5e-7}, {Op::tanh, -10, 10, 5e-7}, {Op::sigmoid, -20, 20, 5e-7}, {Op::sin, -10, 10, 3e-6}, {Op::cos, -10, 10, 3e-6}};

double unary(Op op, const std::vector<float>& x, double error, double floor = 1e-30, DType to = DType::f32) {
  Graph g;
  const ValueId in = g.input("x", DType::f32, {static_cast<std::int64_t>(x.size())});
  g.output("y", g.add(op, "node", {in}, {.dtype = to}));
  return compare(g, {{"x", x}}, {.error = error, .floor = floor});
}

Tensors pair(const Shape& a, const Shape& b) { return {{"a", random_values(a, 1)}, {"b", random_values(b, 2)}}; }

double binary(Op op, const Shape& a, const Shape& b, double error, const Tensors& values) {
  Graph g;
  const ValueId x = g.input("a", DType::f32, a), y = g.input("b", DType::f32, b);
  g.output("y", g.add(op, "node", {x, y}));
  return compare(g, values, {.error = error});
}

}  // namespace

TEST_CASE("functions of one operand") {
  for (const Function& f : kFunctions) {
    CAPTURE(std::string(name(f.op)));
    std::vector<float> x = random_values({20011}, 7, f.low, f.high);
    // Near zero and powers of two, where ranges are cut.
    for (int i = 0; i < 200; ++i) x[static_cast<std::size_t>(i)] *= std::pow(10.0f, static_cast<float>(-i % 12));
    // Zeros of sin and cos are a matter of the rounding of x.
    const bool wave = f.op == Op::sin || f.op == Op::cos;
    const double most = unary(f.op, x, f.error, wave ? 0.1 : 1e-30);
    MESSAGE(std::string(name(f.op)) << " worst relative error " << most);
  }
}

TEST_CASE("functions at the ends of their domain") {
  const float big = 3e38f, inf = INFINITY;
  unary(Op::log, {0.0f, inf, 1.0f, 1e-37f, big, 0.5f, 2.0f, 0.70710677f, -1.0f, 1.0000001f, 0.99999994f}, 4e-7);
  unary(Op::sqrt, {0.0f, inf, 1.0f, 1.2e-38f, big, -1.0f}, 2e-7);
  unary(Op::exp, {0.0f, inf, -inf, 100.0f, -200.0f, -1.0f}, 1.3e-7);
  unary(Op::sigmoid, {0.0f, inf, -inf, 60.0f, -60.0f}, 5e-7);
  unary(Op::tanh, {0.0f, inf, -inf, 60.0f, -60.0f, 1e-20f}, 5e-7);
  unary(Op::erf, {0.0f, inf, -inf, 60.0f, -60.0f, 1e-20f}, 5e-7);
  unary(Op::round, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 8388607.5f, 8388609.0f, 1e30f, -1e30f, inf, 0.49999997f}, 0);
  unary(Op::floor, {0.5f, -0.5f, -1.0f, 1.0f, 4194303.75f, -4194303.75f, 1e30f, -inf}, 0);
  unary(Op::trunc, {0.9f, -0.9f, -1.0f, 1.0f, 4194303.75f, -4194303.75f, 1e30f, -inf}, 0);
  unary(Op::cast, {0.9f, -1.9f, 100.5f, -100.5f, 0.0f}, 0, 1, DType::i32);
  unary(Op::cast, {0.9f, -1.9f, 1e-37f, 0.0f, -0.0f, inf}, 0, 1, DType::boolean);
}

TEST_CASE("binary operators, with broadcasting") {
  const Shape shapes[][2] = {{{3, 5, 7}, {3, 5, 7}}, {{3, 5, 7}, {7}}, {{3, 5, 7}, {5, 1}}, {{3, 1, 7}, {5, 1}}, {{2, 3, 4, 5}, {3, 1, 5}}, {{13}, {}}, {{}, {}}, {{1}, {4, 1}}};
  for (const auto& s : shapes) {
    CAPTURE(text(s[0]) + " " + text(s[1]));
    for (const Op op : {Op::add, Op::sub, Op::mul, Op::min, Op::max}) binary(op, s[0], s[1], 1e-7, pair(s[0], s[1]));
    binary(Op::div, s[0], s[1], 2e-7, pair(s[0], s[1]));
    for (const Op op : {Op::less, Op::less_equal, Op::equal}) binary(op, s[0], s[1], 0, pair(s[0], s[1]));
  }
}

TEST_CASE("large tensors are cut into pieces") {
  binary(Op::add, {300, 401}, {300, 401}, 1e-7, pair({300, 401}, {300, 401}));
  binary(Op::mul, {3, 70, 401}, {3, 1, 401}, 1e-7, pair({3, 70, 401}, {3, 1, 401}));
  binary(Op::div, {17, 9001}, {17, 1}, 2e-7, pair({17, 9001}, {17, 1}));
}

TEST_CASE("comparisons are exact") {
  const float inf = INFINITY;
  const std::vector<float> a = {1, 1, 2, -1, 0, -0.0f, inf, -inf, inf, 1.0000001f, 1e-30f, 3e38f, -3e38f}, b = {1, 2, 1, 1, -0.0f, 0, inf, inf, 1, 1, 0, -3e38f, 3e38f};
  const Shape s = {static_cast<std::int64_t>(a.size())};
  for (const Op op : {Op::less, Op::less_equal, Op::equal}) binary(op, s, s, 0, {{"a", a}, {"b", b}});
}

TEST_CASE("operands of one element, constant or not, on either side") {
  for (const Op op : {Op::add, Op::sub, Op::mul, Op::div, Op::min, Op::max, Op::less, Op::less_equal, Op::equal})
    for (const bool constant : {false, true})
      for (const bool first : {false, true}) {
        CAPTURE(std::string(name(op)));
        Graph g;
        const ValueId x = g.input("x", DType::f32, {5, 9});
        Tensors in = {{"x", random_values({5, 9}, 3)}};
        const float number = in["x"][4];
        ValueId s = 0;
        if (constant) s = g.scalar(number);
        else s = g.input("s", DType::f32, {1, 1}), in["s"] = {number};
        g.output("y", g.add(op, "node", first ? std::vector<ValueId>{s, x} : std::vector<ValueId>{x, s}));
        compare(g, in, {.error = 2e-7});
      }
}

TEST_CASE("integers divide towards zero") {
  Graph g;
  const ValueId a = g.input("a", DType::i32, {9}), b = g.input("b", DType::i32, {9});
  g.output("y", g.add(Op::div, "node", {a, b}));
  compare(g, {{"a", {7, -7, 7, -7, 16777216, 99, 100, 0, 12345}}, {"b", {2, 2, -2, -2, 3, 100, 100, 5, 1}}}, {});
}

TEST_CASE("select takes whole branches, infinities too") {
  const float inf = INFINITY;
  Graph g;
  const ValueId c = g.input("c", DType::boolean, {6}), a = g.input("a", DType::f32, {2, 6}), b = g.input("b", DType::f32, {2, 1});
  g.output("y", g.add(Op::select, "node", {c, a, b}));
  g.output("z", g.add(Op::select, "node", {c, g.scalar(-inf), a}));
  compare(g, {{"c", {1, 0, 1, 0, 1, 0}}, {"a", {1, 2, inf, inf, -inf, -inf, 3e38f, -3e38f, 1e-37f, 0, -1, 5}}, {"b", {inf, -4}}}, {});
}

TEST_CASE("neighbours run together: chains, diamonds, broadcasts on the way") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {40, 70}), b = g.input("b", DType::f32, {70}), s = g.input("s", DType::f32, {1});
  const ValueId h = g.add(Op::add, "bias", {x, b});
  const ValueId e = g.add(Op::erf, "erf", {g.add(Op::mul, "scaled", {h, g.scalar(0.70710678f)})});
  const ValueId y = g.add(Op::mul, "gelu", {g.add(Op::mul, "half", {h, g.scalar(0.5f)}), g.add(Op::add, "one", {e, g.scalar(1)})});
  g.output("gelu", y);
  const ValueId t = g.add(Op::exp, "row", {b});  // of another shape: by itself
  const ValueId z = g.add(Op::max, "z", {g.add(Op::mul, "w", {g.add(Op::sub, "v", {h, t}), s}), g.add(Op::tanh, "u", {y})});
  g.output("z", g.add(Op::select, "choice", {g.add(Op::less, "less", {z, s}), z, h}));
  const Tensors in = {{"x", random_values({40, 70}, 1)}, {"b", random_values({70}, 2)}, {"s", {0.75f}}};
  compare(g, in, {.error = 1e-6, .floor = 1});
  // bias and row stay: they are needed apart. Their results are all that DRAM holds besides the ports.
  CHECK(lower(g, {.config = "nano"}).window_bytes[1] <= 40 * 70 * 4 + 70 * 4 + 2 * 64);
}
