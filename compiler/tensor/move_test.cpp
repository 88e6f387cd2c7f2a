#include "check.hpp"

using namespace jogak::tensor;

namespace {

void move(Op op, const Shape& shape, const Attrs& attrs) {
  CAPTURE(std::string(name(op)) + " " + text(shape));
  Graph g;
  const ValueId x = g.input("x", DType::f32, shape);
  g.output("y", g.add(op, "node", {x}, attrs));
  compare(g, {{"x", random_values(shape, 1)}}, {});
}

void gather(const Shape& data, std::int64_t axis, const Shape& shape, const std::vector<float>& indices) {
  CAPTURE(text(data));
  for (const bool constant : {false, true}) {
    Graph g;
    const ValueId x = g.input("x", DType::f32, data);
    const ValueId i = constant ? g.constant("i", shape, indices, DType::i32) : g.input("i", DType::i32, shape);
    g.output("y", g.add(Op::gather, "node", {x, i}, {.axis = axis}));
    Tensors in = {{"x", random_values(data, 1)}};
    if (!constant) in["i"] = indices;
    compare(g, in, {});
  }
}

}  // namespace

TEST_CASE("transpose") {
  move(Op::transpose, {7, 9}, {.axes = {1, 0}});
  move(Op::transpose, {130, 150}, {.axes = {1, 0}});
  move(Op::transpose, {3, 4, 5}, {.axes = {0, 2, 1}});
  move(Op::transpose, {3, 4, 5}, {.axes = {2, 1, 0}});
  move(Op::transpose, {2, 5, 3, 7}, {.axes = {0, 2, 1, 3}});
  move(Op::transpose, {2, 3, 4, 5}, {.axes = {3, 2, 1, 0}});
  move(Op::transpose, {2, 3, 2, 3, 2, 2}, {.axes = {5, 4, 3, 2, 1, 0}});
}

TEST_CASE("reshape and expand") {
  move(Op::reshape, {4, 6}, {.shape = {2, 12}});
  move(Op::expand, {5, 1}, {.shape = {3, 5, 4}});
  move(Op::expand, {1}, {.shape = {3, 2}});
  move(Op::expand, {2, 1, 3}, {.shape = {2, 600, 3}});
}

TEST_CASE("slices with steps, upwards and downwards") {
  move(Op::slice, {9, 11}, {.shape = {3, 5}, .starts = {1, 0}, .steps = {2, 2}});
  move(Op::slice, {9, 11}, {.shape = {4, 11}, .starts = {8, 0}, .steps = {-2, 1}});
  move(Op::slice, {5, 11}, {.shape = {5, 11}, .starts = {4, 10}, .steps = {-1, -1}});
  move(Op::slice, {2, 3, 4}, {.shape = {2, 1, 4}, .starts = {0, 2, 3}, .steps = {1, 1, -1}});
}

TEST_CASE("padding") {
  move(Op::pad, {3, 4}, {.starts = {1, 2}, .ends = {0, 3}, .value = 0});
  move(Op::pad, {2, 3, 4, 2}, {.starts = {0, 1, 2, 0}, .ends = {1, 0, 0, 5}, .value = -INFINITY});
  move(Op::pad, {90, 300}, {.starts = {1, 1}, .ends = {1, 1}, .value = 2.5f});
}

TEST_CASE("unfold shows every window") {
  move(Op::unfold, {11}, {.axis = 0, .starts = {3, 2, 1}});
  move(Op::unfold, {2, 11, 3}, {.axis = 1, .starts = {3, 2, 2}});
  move(Op::unfold, {1, 2, 8, 9}, {.axis = 3, .starts = {4, 3, 1}});
}

TEST_CASE("concat") {
  Graph g;
  const ValueId a = g.input("a", DType::f32, {2, 3, 5}), b = g.input("b", DType::f32, {2, 1, 5}), c = g.constant("c", {2, 4, 5}, random_values({2, 4, 5}, 3));
  g.output("y", g.add(Op::concat, "node", {a, b, c}, {.axis = 1}));
  g.output("z", g.add(Op::concat, "last", {a, a}, {.axis = -1}));
  compare(g, {{"a", random_values({2, 3, 5}, 1)}, {"b", random_values({2, 1, 5}, 2)}}, {});
}

TEST_CASE("moves change no bit") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {2, 3});
  g.output("y", g.add(Op::transpose, "node", {x}, {.axes = {1, 0}}));
  const std::vector<float> odd = {1e-45f, -0.0f, INFINITY, -INFINITY, 3e-39f, 5};
  const Tensors out = run_checked(lower(g, {.config = "nano"}), {{"x", odd}});
  const std::vector<float> expected = {odd[0], odd[3], odd[1], odd[4], odd[2], odd[5]};
  CHECK(std::memcmp(out.at("y").data(), expected.data(), 24) == 0);
}

TEST_CASE("gather along any axis, negative indices count from the end, others are clamped") {
  gather({7, 5}, 0, {3}, {6, 0, 3});
  gather({7, 5}, 1, {2, 2}, {4, 0, -1, -5});
  gather({2, 3, 4}, 1, {1}, {99});
  gather({3}, 0, {}, {-2});
  std::vector<float> many(700);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i * 37 % 300);
  gather({300, 3}, 0, {700}, many);
  gather({2, 3, 20000}, 1, {2}, {2, 1});
}

TEST_CASE("outputs that are inputs, constants or one another") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {2, 3}), c = g.constant("c", {2}, {1, 2}), s = g.add(Op::neg, "n", {x});
  g.output("same", x);
  g.output("constant", c);
  g.output("a", s);
  g.output("b", s);
  g.output("flat", g.add(Op::reshape, "r", {s}, {.shape = {6}}));
  compare(g, {{"x", random_values({2, 3}, 1)}}, {});
}
