// ONNX Runtime's operators against the same mathematics in ONNX's own.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "import.hpp"
#include "make_model.hpp"
#include "tensor/evaluate.hpp"

using namespace jogak;
using namespace jogak::onnx;

namespace {

pb::Attribute* attribute(pb::Node* n, const std::string& name, std::int64_t value) {
  auto* a = n->add_attribute();
  a->set_name(name);
  a->set_type(2);
  a->set_i(value);
  return a;
}

pb::Model model(const std::vector<std::pair<std::string, std::vector<std::string>>>& inputs) {
  pb::Model m = empty_model(24);
  auto* ms = m.add_opset_import();
  ms->set_domain("com.microsoft");
  ms->set_version(1);
  m.mutable_graph()->clear_input();
  for (const auto& [name, shape] : inputs) port(m.mutable_graph()->add_input(), name, shape);
  return m;
}

pb::Node* contrib(pb::Model& m, const std::string& op, const std::vector<std::string>& in, const std::vector<std::string>& out) {
  pb::Node* n = node(m, op, in, out);
  n->set_domain("com.microsoft");
  return n;
}

tensor::Tensors values(const tensor::Graph& g) {
  std::mt19937 gen(7);
  std::uniform_real_distribution<float> d(-1, 1);
  tensor::Tensors t;
  for (const auto& p : g.inputs()) {
    auto& v = t[p.name];
    v.resize(static_cast<std::size_t>(tensor::elements(g.shape(p.value))));
    for (float& x : v) x = d(gen);
  }
  return t;
}

void same(const pb::Model& a, const pb::Model& b) {
  const Imported x = import_model(parsed(a), {}), y = import_model(parsed(b), {});
  const tensor::Tensors in = values(x.graph);
  const auto found = tensor::evaluate(x.graph, in).at("y"), expected = tensor::evaluate(y.graph, in).at("y");
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

void lengths(pb::Model& m, const std::vector<std::int64_t>& last) { integers(m, "last", last); }

}  // namespace

TEST_CASE("grouped-query attention with a past is causal attention behind it") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> inputs{
      {"q", {"2", "3", "16"}}, {"k", {"2", "3", "8"}}, {"v", {"2", "3", "8"}}, {"pk", {"2", "2", "5", "4"}}, {"pv", {"2", "2", "5", "4"}}};
  pb::Model a = model(inputs), b = model(inputs);
  lengths(a, {7, 7});
  integers(a, "total", {8});
  pb::Node* n = contrib(a, "GroupQueryAttention", {"q", "k", "v", "pk", "pv", "last", "total"}, {"y"});
  attribute(n, "num_heads", 4);
  attribute(n, "kv_num_heads", 2);
  n = node(b, "Attention", {"q", "k", "v", "", "pk", "pv"}, {"y"});
  attribute(n, "q_num_heads", 4);
  attribute(n, "kv_num_heads", 2);
  attribute(n, "is_causal", 1);
  same(a, b);
}

TEST_CASE("grouped-query attention turns queries and keys, and sees a window") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> inputs{
      {"q", {"1", "5", "8"}}, {"k", {"1", "5", "4"}}, {"v", {"1", "5", "4"}}, {"c", {"5", "2"}}, {"s", {"5", "2"}}};
  pb::Model a = model(inputs), b = model(inputs);
  lengths(a, {4});
  integers(a, "total", {5});
  integers(b, "ids", {0, 1, 2, 3, 4});
  b.mutable_graph()->mutable_initializer(0)->clear_dims();
  for (const std::int64_t d : {1, 5}) b.mutable_graph()->mutable_initializer(0)->add_dims(d);
  pb::Node* n = contrib(a, "GroupQueryAttention", {"q", "k", "v", "", "", "last", "total", "c", "s"}, {"y"});
  attribute(n, "num_heads", 2);
  attribute(n, "kv_num_heads", 1);
  attribute(n, "do_rotary", 1);
  attribute(n, "local_window_size", 2);
  attribute(node(b, "RotaryEmbedding", {"q", "c", "s", "ids"}, {"rq"}), "num_heads", 2);
  attribute(contrib(b, "RotaryEmbedding", {"k", "ids", "c", "s"}, {"rk"}), "num_heads", 1);
  n = node(b, "Attention", {"rq", "rk", "v"}, {"y"});
  attribute(n, "q_num_heads", 2);
  attribute(n, "kv_num_heads", 1);
  attribute(n, "is_causal", 1);
  attribute(n, "left_window_size", 1);
  same(a, b);
}

TEST_CASE("norms with a skip are a sum and a norm") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> inputs{{"x", {"2", "3", "8"}}, {"s", {"2", "3", "8"}}, {"g", {"8"}}, {"e", {"8"}}};
  pb::Model a = model(inputs), b = model(inputs);
  contrib(a, "SkipSimplifiedLayerNormalization", {"x", "s", "g", "e"}, {"y"});
  node(b, "Add", {"x", "s"}, {"t"});
  node(b, "Add", {"t", "e"}, {"u"});
  node(b, "RMSNormalization", {"u", "g"}, {"y"});
  same(a, b);
}

TEST_CASE("activations by their other names") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> inputs{{"x", {"2", "8"}}, {"e", {"8"}}};
  for (const char* op : {"BiasGelu", "FastGelu"}) {
    pb::Model a = model(inputs), b = model(inputs);
    contrib(a, op, {"x", "e"}, {"y"});
    node(b, "Add", {"x", "e"}, {"t"});
    auto* form = node(b, "Gelu", {"t"}, {"y"})->add_attribute();
    form->set_name("approximate");
    form->set_type(3);
    form->set_s(std::string(op) == "FastGelu" ? "tanh" : "none");
    same(a, b);
  }
  pb::Model a = model(inputs), b = model(inputs);
  contrib(a, "QuickGelu", {"x"}, {"y"});
  auto* alpha = node(b, "Swish", {"x"}, {"y"})->add_attribute();
  alpha->set_name("alpha");
  alpha->set_type(1);
  alpha->set_f(1.702f);
  same(a, b);
  attribute(contrib(a = model({{"p", {"3", "4"}}, {"q", {"5", "4"}}}), "FusedMatMul", {"p", "q"}, {"y"}), "transB", 1);
  attribute(node(b = model({{"p", {"3", "4"}}, {"q", {"5", "4"}}}), "Gemm", {"p", "q"}, {"y"}), "transB", 1);
  same(a, b);
}
