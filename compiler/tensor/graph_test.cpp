#include "check.hpp"

#include "rewrite.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

std::string refusal(Op op, const std::vector<Shape>& inputs, const Attrs& attrs, DType type = DType::f32) {
  Graph g;
  std::vector<ValueId> in;
  for (const Shape& s : inputs) in.push_back(g.input("i" + std::to_string(in.size()), type, s));
  try {
    g.add(op, "layer.7", in, attrs);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("what does not fit is refused by the node's name") {
  CHECK(refusal(Op::add, {{2, 3}, {4}}, {}) == "tensor: node layer.7 (add): shapes, found [2, 3] and [4], expected ones that broadcast");
  CHECK(refusal(Op::matmul, {{2, 3}, {4, 3}}, {}) == "tensor: node layer.7 (matmul): inner sizes, found 3 and 4, expected equal ones");
  CHECK(refusal(Op::reshape, {{2, 3}}, {.shape = {5}}) == "tensor: node layer.7 (reshape): shape, found [5], expected as many elements as [2, 3]");
  CHECK(refusal(Op::gather, {{2, 3}, {1}}, {}) == "tensor: node layer.7 (gather): indices, found f32, expected i32");
  CHECK(refusal(Op::softmax, {{2, 3}}, {.axis = 2}) == "tensor: node layer.7 (softmax): axis, found 2, expected one of a tensor of rank 2");
  CHECK(refusal(Op::slice, {{4}}, {.shape = {3}, .starts = {2}, .steps = {1}}) ==
        "tensor: node layer.7 (slice): axis 0, found 2 by 1 to 4, expected at least one element, all inside [4]");
  CHECK(refusal(Op::top_k, {{4}}, {.count = 5}) == "tensor: node layer.7 (top_k): count, found 5, expected 1 to 4");
  CHECK(refusal(Op::unfold, {{4}}, {.starts = {3, 1, 2}}) == "tensor: node layer.7 (unfold): window of 5, found an axis of 4, expected one at least as long");
  CHECK(refusal(Op::exp, {{2}, {2}}, {}) == "tensor: node layer.7 (exp): inputs, found 2, expected 1");
  CHECK(refusal(Op::select, {{2}, {2}, {2}}, {}) == "tensor: node layer.7 (select): condition, found f32, expected bool");
  CHECK_THROWS_WITH_AS(Graph().input("x", DType::f32, {0}), "tensor: input x, found shape [0], expected sizes of 1 or more, 2^30 elements at most", Error);
  CHECK_THROWS_WITH_AS(Graph().constant("w", {3}, {1, 2}), "tensor: constant w, found 2 values, expected 3 for [3]", Error);
}

TEST_CASE("composites mean the same when they are decomposed") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {2, 5, 8}), w = g.constant("w", {8}, random_values({8}, 5)), b = g.constant("b", {8}, random_values({8}, 6));
  const ValueId q = g.input("q", DType::f32, {1, 4, 3, 8}), k = g.input("k", DType::f32, {1, 2, 6, 8}), v = g.input("v", DType::f32, {1, 2, 6, 5});
  g.output("softmax", g.add(Op::softmax, "s", {x}, {.axis = 1}));
  g.output("layer", g.add(Op::layer_norm, "l", {x, w, b}, {.axis = -1, .value = 1e-5f}));
  g.output("rms", g.add(Op::rms_norm, "r", {x, w}, {.axis = 1, .value = 1e-6f}));
  g.output("attention", g.add(Op::attention, "a", {q, k, v}, {.causal = true, .offset = 3, .value = 0.35f, .softcap = 4}));
  const Tensors in = {{"x", random_values({2, 5, 8}, 1)}, {"q", random_values({1, 4, 3, 8}, 2)}, {"k", random_values({1, 2, 6, 8}, 3)}, {"v", random_values({1, 2, 6, 5}, 4)}};
  // Attention leaves a softmax.
  const Graph simple = decompose(decompose(g, {Op::layer_norm, Op::rms_norm, Op::attention}), {Op::softmax});
  for (const Node& n : simple.nodes()) CHECK(n.op < Op::softmax);
  const Tensors a = evaluate(g, in), c = evaluate(simple, in);
  for (const auto& [name, values] : a) CHECK(worst(c.at(name), values, 1e-2) < 1e-5);
}

TEST_CASE("constants are computed, what no output needs is left out") {
  Graph g;
  const ValueId x = g.input("x", DType::f32, {3});
  const ValueId two = g.add(Op::exp, "two", {g.constant("c", {3}, {0, 1, 2})});
  g.add(Op::mul, "unused", {x, x});
  g.output("y", g.add(Op::add, "sum", {x, two}));
  const Graph f = fold_constants(g);
  REQUIRE(f.nodes().size() == 1);
  CHECK(f.nodes()[0].name == "sum");
  CHECK((*f.value(f.nodes()[0].inputs[1]).data)[1] == doctest::Approx(2.7182817f));
}
