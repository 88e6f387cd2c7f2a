// What exporters take apart becomes one operator again, with the same values.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "import.hpp"
#include "make_model.hpp"
#include "tensor/evaluate.hpp"

using namespace jogak;
using namespace jogak::onnx;

namespace {

const std::vector<std::string> kQuery{"1", "2", "3", "8"}, kKeys{"1", "2", "5", "8"};

pb::Model attention_model() {
  pb::Model m = empty_model(23);
  m.mutable_graph()->clear_input();
  for (const char* name : {"q", "k", "v"}) port(m.mutable_graph()->add_input(), name, *name == 'q' ? kQuery : kKeys);
  m.mutable_graph()->mutable_output(0)->Clear();
  port(m.mutable_graph()->mutable_output(0), "y", kQuery);
  return m;
}

void permutation(pb::Node* n, const std::vector<std::int64_t>& order) {
  auto* a = n->add_attribute();
  a->set_name("perm");
  a->set_type(7);
  for (const auto i : order) a->add_ints(i);
}

// scale · q kᵀ as "scores".
void scores(pb::Model& m) {
  permutation(node(m, "Transpose", {"k"}, {"kt"}), {0, 1, 3, 2});
  node(m, "MatMul", {"q", "kt"}, {"product"});
  weights(m, "root", {}, {2.0f});
  node(m, "Div", {"product", "root"}, {"scores"});
}

void values(pb::Model& m, const std::string& masked) {
  node(m, "Softmax", {masked}, {"p"})->add_attribute()->set_name("axis");
  auto* axis = m.mutable_graph()->mutable_node(m.graph().node_size() - 1)->mutable_attribute(0);
  axis->set_type(2), axis->set_i(-1);
  node(m, "MatMul", {"p", "v"}, {"y"});
}

// Rows are queries, columns keys; the third query sees nothing.
const std::vector<float> kSeen{1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0};

void condition(pb::Model& m) { port(m.mutable_graph()->add_input(), "seen", {"1", "1", "3", "5"}, Type::boolean); }

tensor::Tensors random_inputs(const tensor::Graph& g, const std::vector<float>& seen) {
  std::mt19937 gen(3);
  std::uniform_real_distribution<float> d(-1, 1);
  tensor::Tensors t;
  for (const auto& p : g.inputs()) {
    auto& v = t[p.name];
    if (p.name == "seen") {
      v = seen;
      continue;
    }
    v.resize(static_cast<std::size_t>(tensor::elements(g.shape(p.value))));
    for (float& x : v) x = d(gen);
  }
  return t;
}

int count(const tensor::Graph& g, tensor::Op op) {
  return static_cast<int>(std::count_if(g.nodes().begin(), g.nodes().end(), [&](const tensor::Node& n) { return n.op == op; }));
}

// softmax(scores) v by hand, scores hidden where `seen` is 0; a row that sees nothing weighs all keys alike.
std::vector<double> reference(const tensor::Tensors& in, const std::vector<float>& seen) {
  std::vector<double> y(2 * 3 * 8);
  for (int h = 0; h < 2; ++h)
    for (int i = 0; i < 3; ++i) {
      double sum = 0, weight[5];
      const bool none = std::all_of(seen.begin() + i * 5, seen.begin() + i * 5 + 5, [](float s) { return s == 0; });
      for (int j = 0; j < 5; ++j) {
        double dot = 0;
        for (int c = 0; c < 8; ++c) dot += double(in.at("q")[(h * 3 + i) * 8 + c]) * in.at("k")[(h * 5 + j) * 8 + c];
        weight[j] = none ? 1 : seen[i * 5 + j] != 0 ? std::exp(dot / 2) : 0;
        sum += weight[j];
      }
      for (int j = 0; j < 5; ++j)
        for (int c = 0; c < 8; ++c) y[(h * 3 + i) * 8 + c] += weight[j] / sum * in.at("v")[(h * 5 + j) * 8 + c];
    }
  return y;
}

void check(const pb::Model& m, const std::vector<float>& given, const std::vector<float>& seen) {
  const Imported imported = import_model(parsed(m), {});
  const tensor::Graph g = tensor::decompose(imported.graph, {});
  CHECK(count(g, tensor::Op::attention) == 1);
  CHECK(count(g, tensor::Op::softmax) == 0);
  const tensor::Tensors in = random_inputs(g, given);
  const auto found = tensor::evaluate(g, in).at("y");
  const auto expected = reference(in, seen);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("scores, softmax and product are one attention") {
  pb::Model m = attention_model();
  scores(m);
  values(m, "scores");
  check(m, {}, std::vector<float>(15, 1.0f));
}

TEST_CASE("a condition hides scores, whichever branch it chooses them by, and whatever stands for hidden") {
  for (const float very_negative : {-10000.0f, -65504.0f, -3.4028235e38f, -INFINITY}) {
    for (const bool counts : {true, false}) {
      pb::Model m = attention_model();
      scores(m);
      condition(m);
      weights(m, "low", {}, {very_negative});
      node(m, "Where", counts ? std::vector<std::string>{"seen", "scores", "low"} : std::vector<std::string>{"seen", "low", "scores"}, {"masked"});
      values(m, "masked");
      std::vector<float> given = kSeen;
      if (!counts) for (float& x : given) x = 1 - x;
      check(m, given, kSeen);
    }
  }
}

TEST_CASE("a number that does not hide leaves softmax and product as they are") {
  pb::Model m = attention_model();
  scores(m);
  condition(m);
  weights(m, "low", {}, {-3.0f});
  node(m, "Where", {"seen", "scores", "low"}, {"masked"});
  values(m, "masked");
  const tensor::Graph g = tensor::decompose(import_model(parsed(m), {}).graph, {});
  CHECK(count(g, tensor::Op::attention) == 0);
  CHECK(count(g, tensor::Op::softmax) == 1);
}
