// Types, folding and values that decide shapes.
#include <doctest/doctest.h>

#include <cmath>

#include "context.hpp"
#include "execute.hpp"
#include "import.hpp"
#include "make_model.hpp"
#include "minifloat.hpp"
#include "npy.hpp"
#include "tensor/evaluate.hpp"

using namespace jogak;
using namespace jogak::onnx;

TEST_CASE("small floats: every code comes back") {
  for (const Type type : {Type::f16, Type::bf16, Type::f8e4m3fn, Type::f8e4m3fnuz, Type::f8e5m2, Type::f8e5m2fnuz, Type::f4e2m1, Type::f8e8m0}) {
    const MiniFloat& format = *minifloat(type);
    for (std::uint32_t code = 0; code < (1u << bits(type)); ++code) {
      const double value = decode(format, code);
      const std::uint32_t back = encode(format, value);
      INFO(name(type) << " " << code << " " << value << " " << back);
      if (std::isnan(value)) CHECK(std::isnan(decode(format, back)));
      else if (!std::isinf(value) || bits(type) == 16) CHECK(back == code);
    }
  }
}

TEST_CASE("small floats: halves go to even, large values as told") {
  const MiniFloat& f16 = *minifloat(Type::f16);
  CHECK(decode(f16, encode(f16, 1 + 0x1p-11)) == 1);
  CHECK(decode(f16, encode(f16, 1 + 0x1.8p-10)) == 1 + 0x1p-9);
  CHECK(std::isinf(decode(f16, encode(f16, 65520))));
  CHECK(decode(f16, encode(f16, 65519)) == 65504);
  const MiniFloat& f8 = *minifloat(Type::f8e4m3fn);
  CHECK(decode(f8, encode(f8, 1e9)) == 448);
  CHECK(std::isnan(decode(f8, encode(f8, 1e9, false))));
  CHECK(largest(*minifloat(Type::f4e2m1)) == 6);
}

TEST_CASE("packed integers") {
  const Array a = make_array(Type::i4, {5}, std::vector<double>{-8, 7, -1, 0, 3});
  CHECK(a.data.size() == 3);
  CHECK(a.integers() == std::vector<std::int64_t>{-8, 7, -1, 0, 3});
  CHECK(make_array(Type::u2, {3}, std::vector<double>{3, 0, 2}).values() == std::vector<double>{3, 0, 2});
  CHECK(rounded(Type::u8, 257) == 1);
  CHECK(rounded(Type::i8, 200) == -56);
}

// x [2, 3] reshaped to (its first size, -1) as exporters write it.
TEST_CASE("the arithmetic of shapes vanishes") {
  pb::Model m = empty_model();
  integers(m, "zero", {0});
  integers(m, "rest", {-1});
  node(m, "Shape", {"x"}, {"s"});
  node(m, "Gather", {"s", "zero"}, {"first"});
  node(m, "Concat", {"first", "rest"}, {"target"})->add_attribute()->set_name("axis");
  m.mutable_graph()->mutable_node(2)->mutable_attribute(0)->set_type(2);
  node(m, "Reshape", {"x", "target"}, {"r"});
  node(m, "Relu", {"r"}, {"y"});
  const Imported model = import_model(parsed(m), {});
  CHECK(model.graph.nodes().size() == 1);
  CHECK(model.outputs.at(0).shape == Shape{2, 3});
}

TEST_CASE("an input that decides a shape is asked for by name, then bound") {
  pb::Model m = empty_model();
  port(m.mutable_graph()->add_input(), "target", {"2"}, Type::i64);
  node(m, "Reshape", {"x", "target"}, {"y"}, "view");
  try {
    import_model(parsed(m), {});
    FAIL("accepted");
  } catch (const NeedsValue& e) {
    CHECK(e.input == "target");
    CHECK(std::string(e.what()).find("view") != std::string::npos);
  }
  ImportOptions options;
  options.values["target"] = std::make_shared<Array>(make_integers({2}, {6, 1}));
  CHECK(import_model(parsed(m), options).outputs.at(0).shape == Shape{6, 1});
}

// Words that the model has and words that it has not; what runs are numbers.
TEST_CASE("texts: equal ones have equal numbers, and only Equal takes them") {
  pb::Model m = empty_model();
  m.mutable_graph()->clear_input();
  m.mutable_graph()->clear_output();
  port(m.mutable_graph()->add_input(), "words", {"2", "3"}, Type::text);
  port(m.mutable_graph()->add_output(), "y", {"2", "3"}, Type::boolean);
  pb::Tensor* t = m.mutable_graph()->add_initializer();
  t->set_name("known");
  t->set_data_type(8);
  t->add_dims(3);
  for (const char* word : {"jo", "gak", "jo"}) t->add_string_data(word);
  node(m, "Equal", {"words", "known"}, {"y"});
  const Imported model = import_model(parsed(m), {});
  CHECK(model.graph.nodes().size() == 1);
  Array words{Type::text, {2, 3}, {}};
  words.texts = {"jo", "jo", "new", "gak", "gak", "jo"};
  const Arrays out = run(model, {{"words", words}}, [&](const Floats& in) { return tensor::evaluate(model.graph, in); });
  CHECK(out.at("y").values() == std::vector<double>{1, 0, 0, 0, 1, 1});
  CHECK_THROWS_WITH_AS(run(model, {{"words", make_floats({2, 3}, std::vector<float>(6))}}, {}), doctest::Contains("words"), Error);
  m.mutable_graph()->mutable_node(0)->set_op_type("Mul");
  CHECK_THROWS_WITH_AS(import_model(parsed(m), {}), doctest::Contains("the_Equal"), Error);
  m.mutable_graph()->mutable_node(0)->set_op_type("Equal");
  t->mutable_string_data()->RemoveLast();
  CHECK_THROWS_WITH_AS(import_model(parsed(m), {}), doctest::Contains("known"), Error);
}

TEST_CASE("a branch whose condition is known takes its place") {
  for (const bool yes : {true, false}) {
    pb::Model m = empty_model();
    pb::Tensor* t = m.mutable_graph()->add_initializer();
    t->set_name("condition");
    t->set_data_type(9);
    t->add_int32_data(yes);
    pb::Node* choice = node(m, "If", {"condition"}, {"y"}, "choice");
    for (const auto& [name, op] : {std::pair{"then_branch", "Relu"}, {"else_branch", "Neg"}}) {
      auto* a = choice->add_attribute();
      a->set_name(name);
      a->set_type(5);
      auto* inner = a->mutable_g()->add_node();
      inner->set_op_type(op);
      inner->add_input("x");
      inner->add_output(std::string(name) + "_y");
      port(a->mutable_g()->add_output(), std::string(name) + "_y", {"2", "3"});
    }
    const Imported model = import_model(parsed(m), {});
    REQUIRE(model.graph.nodes().size() == 1);
    CHECK(model.graph.nodes()[0].op == (yes ? tensor::Op::max : tensor::Op::neg));
    m.mutable_graph()->clear_initializer();
    port(m.mutable_graph()->add_input(), "condition", {}, Type::boolean);
    CHECK_THROWS_WITH_AS(import_model(parsed(m), {}), doctest::Contains("choice"), NeedsValue);
  }
}

namespace {

int needed(const Imported& model, tensor::Op op) {
  int n = 0;
  const tensor::Graph live = tensor::decompose(model.graph, {});
  for (const auto& made : live.nodes()) n += made.op == op;
  return n;
}

}  // namespace

TEST_CASE("attention in pieces becomes one operator, whatever the mask") {
  for (const bool masked : {false, true}) {
    pb::Model m = empty_model();
    m.mutable_graph()->clear_input();
    for (const char* name : {"q", "k", "v"}) port(m.mutable_graph()->add_input(), name, {"1", "2", "3", "4"});
    port(m.mutable_graph()->add_input(), "mask", {"1", "1", "1", "3"});
    weights(m, "root", {}, {2});
    auto* perm = node(m, "Transpose", {"k"}, {"kt"})->add_attribute();
    perm->set_name("perm");
    perm->set_type(7);
    for (const int axis : {0, 1, 3, 2}) perm->add_ints(axis);
    node(m, "MatMul", {"q", "kt"}, {"s"});
    node(m, "Div", {"s", "root"}, {"d"});
    if (masked) node(m, "Add", {"d", "mask"}, {"a"});
    node(m, "Softmax", {masked ? "a" : "d"}, {"p"});
    node(m, "MatMul", {"p", "v"}, {"y"});
    const Imported model = import_model(parsed(m), {});
    CHECK(needed(model, tensor::Op::attention) == 1);
    CHECK(needed(model, tensor::Op::softmax) == 0);
    CHECK(needed(model, tensor::Op::matmul) == 0);
    CHECK(needed(model, tensor::Op::transpose) == 0);
    // Weights that the model shows stay, too.
    *m.mutable_graph()->add_output() = m.graph().output(0);
    m.mutable_graph()->mutable_output(1)->set_name("p");
    CHECK(needed(import_model(parsed(m), {}), tensor::Op::softmax) == 1);
  }
}

TEST_CASE("a layer norm in pieces becomes one operator") {
  pb::Model m = empty_model();
  weights(m, "two", {}, {2});
  weights(m, "eps", {}, {1e-5f});
  weights(m, "gamma", {3}, {1, 2, 3});
  weights(m, "beta", {3}, {4, 5, 6});
  const auto mean = [&](const char* from, const char* to) {
    auto* a = node(m, "ReduceMean", {from}, {to})->add_attribute();
    a->set_name("axes");
    a->set_type(7);
    a->add_ints(-1);
  };
  mean("x", "mean");
  node(m, "Sub", {"x", "mean"}, {"c"});
  node(m, "Pow", {"c", "two"}, {"square"});
  mean("square", "variance");
  node(m, "Add", {"variance", "eps"}, {"sum"});
  node(m, "Sqrt", {"sum"}, {"root"});
  node(m, "Div", {"c", "root"}, {"n"});
  node(m, "Mul", {"n", "gamma"}, {"g"});
  node(m, "Add", {"g", "beta"}, {"y"});
  const Imported model = import_model(parsed(m), {});
  CHECK(needed(model, tensor::Op::layer_norm) == 1);
  CHECK(tensor::decompose(model.graph, {}).nodes().size() == 1);
}

TEST_CASE("values keep their types at the border") {
  pb::Model m = empty_model();
  m.mutable_graph()->clear_input();
  port(m.mutable_graph()->add_input(), "x", {"4"}, Type::i64);
  node(m, "Add", {"x", "x"}, {"y"});
  const Imported model = import_model(parsed(m), {});
  const auto execute = [&](const Floats& in) { return tensor::evaluate(model.graph, in); };
  const Arrays out = run(model, {{"x", make_integers({4}, {1, -2, 3, 1 << 22})}}, execute);
  CHECK(out.at("y").type == Type::i64);
  CHECK(out.at("y").integers() == std::vector<std::int64_t>{2, -4, 6, 1 << 23});
  CHECK_THROWS_WITH_AS(run(model, {{"x", make_integers({4}, {1, 2, 3, (1 << 24) + 1})}}, execute), doctest::Contains("2^24"), Error);
  CHECK_THROWS_WITH_AS(run(model, {{"x", make_integers({3}, {1, 2, 3})}}, execute), doctest::Contains("[4]"), Error);
  CHECK_THROWS_WITH_AS(run(model, {}, execute), doctest::Contains("input 'x'"), Error);
}

TEST_CASE("NumPy files come back, broken ones are refused") {
  for (const Array& a : {make_floats({2, 2}, {1, -2, 3.5, 4}), make_integers({3}, {1, -2, 1 << 30}),
                         make_array(Type::f16, {}, std::vector<double>{0.5}), make_array(Type::boolean, {1, 0}, std::vector<double>{})}) {
    const auto file = to_npy(a);
    const Array b = parse_npy(file, "a");
    CHECK(b.type == a.type);
    CHECK(b.shape == a.shape);
    CHECK(b.data == a.data);
    for (std::size_t cut = 0; cut < file.size(); ++cut)
      if (!a.data.empty()) CHECK_THROWS_AS(parse_npy(std::span(file).subspan(0, cut), "a"), Error);
  }
  CHECK_THROWS_AS(parse_npz(to_npy(make_floats({1}, {1})), "a"), Error);
}
