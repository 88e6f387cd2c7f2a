#include "check.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

double one(Op op, const Shape& shape, const Attrs& attrs, const Bound& bound, unsigned seed = 1) {
  CAPTURE(std::string(name(op)) + " " + text(shape));
  Graph g;
  const ValueId x = g.input("x", DType::f32, shape);
  const auto outputs = g.add_all(op, "node", {x}, attrs);
  for (std::size_t i = 0; i < outputs.size(); ++i) g.output("y" + std::to_string(i), outputs[i]);
  return compare(g, {{"x", random_values(shape, seed)}}, bound);
}

}  // namespace

TEST_CASE("reductions over any axes") {
  for (const Op op : {Op::reduce_sum, Op::reduce_max, Op::reduce_min, Op::reduce_mean}) {
    const Bound bound{.error = op == Op::reduce_sum || op == Op::reduce_mean ? 1e-6 : 0, .floor = 0.3};
    for (const auto& axes : std::vector<Shape>{{0}, {1}, {2}, {-1}, {0, 1}, {1, 2}, {0, 2}, {}, {0, 1, 2, 3}, {1, 3}})
      one(op, {3, 5, 7, 4}, {.axes = axes}, bound);
    one(op, {5, 1, 3}, {.axes = {1}, .keep = true}, bound);
    one(op, {1}, {}, bound);
    const Bound longer{.error = bound.error, .floor = op == Op::reduce_sum ? 5 : 0.3};
    one(op, {40, 301}, {.axes = {1}}, longer);
    one(op, {301, 40}, {.axes = {0}, .keep = true}, longer);
  }
}

TEST_CASE("rows longer than the chip are reduced in parts") {
  one(Op::reduce_sum, {2, 20001}, {.axes = {1}}, {.error = 1e-6, .floor = 100});
  one(Op::reduce_mean, {20001, 2}, {.axes = {0}}, {.error = 1e-6, .floor = 0.1});
  one(Op::reduce_min, {20001}, {}, {});
  one(Op::softmax, {2, 9001}, {.axis = 1}, {.error = 2e-6});
}

TEST_CASE("softmax along any axis") {
  double most = 0;
  for (const std::int64_t axis : {0, 1, 2}) most = std::max(most, one(Op::softmax, {5, 9, 11}, {.axis = axis}, {.error = 1.5e-6}));
  most = std::max(most, one(Op::softmax, {200, 197}, {.axis = 1}, {.error = 1.5e-6}));
  MESSAGE("softmax worst relative error " << most);
  Graph g;
  const ValueId x = g.input("x", DType::f32, {2, 4});
  g.output("y", g.add(Op::softmax, "masked", {x}, {.axis = 1}));
  compare(g, {{"x", {1, -INFINITY, 2, -INFINITY, -INFINITY, 88, -INFINITY, -INFINITY}}}, {.error = 1e-6});
}

TEST_CASE("norms") {
  for (const std::int64_t axis : {1, 2}) {
    Graph g;
    const Shape tail = axis == 1 ? Shape{9, 33} : Shape{33};
    const ValueId x = g.input("x", DType::f32, {7, 9, 33});
    const ValueId w = g.constant("w", tail, random_values(tail, 2)), b = g.input("b", DType::f32, tail), s = g.input("s", DType::f32, {33});
    g.output("layer", g.add(Op::layer_norm, "l", {x, w, b}, {.axis = axis, .value = 1e-5f}));
    g.output("plain", g.add(Op::layer_norm, "p", {x, s}, {.axis = axis, .value = 1e-5f}));
    g.output("rms", g.add(Op::rms_norm, "r", {x, w}, {.axis = axis, .value = 1e-6f}));
    const double most = compare(g, {{"x", random_values({7, 9, 33}, 1)}, {"b", random_values(tail, 3)}, {"s", random_values({33}, 4)}}, {.error = 3e-6, .floor = 0.1});
    MESSAGE("norms worst error " << most);
  }
  Graph g;
  const ValueId x = g.input("x", DType::f32, {3, 6000});
  g.output("y", g.add(Op::rms_norm, "long", {x, g.scalar(2)}, {.axis = 1, .value = 1e-6f}));
  compare(g, {{"x", random_values({3, 6000}, 1)}}, {.error = 3e-6, .floor = 0.1});
}

TEST_CASE("top-k: best first, the lowest index among equals, either end, any axis") {
  one(Op::top_k, {4, 50}, {.axis = 1, .count = 5}, {});
  one(Op::top_k, {4, 50}, {.axis = 1, .largest = false, .count = 50}, {});
  one(Op::top_k, {3, 6, 5}, {.axis = 1, .count = 2}, {});
  one(Op::top_k, {3, 1}, {.axis = 1, .count = 1}, {});
  one(Op::top_k, {70, 130}, {.axis = 0, .count = 3}, {});
  Graph g;
  const ValueId x = g.input("x", DType::f32, {3, 6});
  const auto y = g.add_all(Op::top_k, "equal", {x}, {.axis = 1, .count = 4});
  const auto z = g.add_all(Op::top_k, "least", {x}, {.axis = 1, .largest = false, .count = 3});
  g.output("values", y[0]);
  g.output("indices", y[1]);
  g.output("low", z[1]);
  compare(g, {{"x", {1, 5, 5, -2, 5, 1, 0, 0, 0, 0, 0, 0, -3e38f, 3e38f, 1.0000001f, 1, -1, 1}}}, {});
}

TEST_CASE("an axis longer than the chip: the best of parts, then of those") {
  one(Op::top_k, {2, 10000}, {.axis = 1, .count = 3}, {});
  one(Op::top_k, {9001, 2}, {.axis = 0, .largest = false, .count = 1}, {});
  Graph g;
  const ValueId x = g.input("x", DType::f32, {9000});
  g.output("y", g.add_all(Op::top_k, "equal", {x}, {.count = 5})[1]);
  compare(g, {{"x", std::vector<float>(9000, 1.0f)}}, {});
}

TEST_CASE("a top-k that cannot be cut is refused by name") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {5000});
  g.output("y", g.add(Op::top_k, "sort", {x}, {.count = 5000}));
  CHECK_THROWS_WITH_AS(lower(g, {.config = "nano"}), "tensor: node sort (top_k): axis and count, found 5000 and 5000, expected an axis of at most 4096, or a smaller count", Error);
}
