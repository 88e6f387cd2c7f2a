// The error behind every layer.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "evaluate.hpp"
#include "passes/truncate.hpp"
#include "tests/models/float_llama.hpp"

namespace jogak::eval {
namespace {

// In int8 exact: its block scale is a power of two.
constexpr float kUnit = 127.0f / 128.0f;

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// The last norm and head of a decoder.
struct Tail {
  ir::Node *norm = nullptr, *head = nullptr;
};
Tail tail(ir::Graph& graph) {
  Tail t;
  for (ir::Node& n : graph.nodes) {
    if (n.layer < 0 && n.op == ir::Op::rms_norm) t.norm = &n;
    if (n.layer < 0 && n.op == ir::Op::linear) t.head = &n;
  }
  if (t.norm == nullptr || t.head == nullptr || &graph.nodes[static_cast<std::size_t>(t.head->inputs.at(0))] != t.norm || t.head->weights.size() != 1)
    throw Error("eval", "end of the graph", "another one", "a norm and a head without bias, behind which layers can be read");
  return t;
}

struct Sums {
  double difference = 0, whole = 0;
  double error() const { return whole == 0 ? 0 : std::sqrt(difference / whole); }
};

void measure(const ir::Graph& graph, const CompileOptions& options, const std::string& backend, const Texts& texts, std::size_t features, Sums& sums) {
  Session session(compile(graph, options).program, backend);
  tests::FloatLlama exact(graph);
  const auto vocab = static_cast<std::size_t>(session.model().vocab);
  for (const auto& ids : texts) {
    exact.reset();
    const auto fed = std::span(ids).first(std::min(ids.size() - 1, static_cast<std::size_t>(session.model().context)));
    const std::vector<float> found = logits_of(session, fed);
    for (std::size_t i = 0; i < fed.size(); ++i) {
      const std::vector<float> expected = exact.step(fed[i]);
      for (std::size_t f = 0; f < features; ++f) {
        const double e = static_cast<double>(expected[f]), d = static_cast<double>(found[i * vocab + f]) - e;
        sums.difference += d * d;
        sums.whole += e * e;
      }
    }
  }
}

// Rules of formats that name matrices which are there; the head that reads is int8.
CompileOptions options_for(const ir::Graph& reading, CompileOptions options) {
  std::string head;
  const auto named = [&](const std::string& rule) {
    const std::string name = rule.substr(0, rule.rfind('='));
    return std::any_of(reading.nodes.begin(), reading.nodes.end(), [&](const ir::Node& n) {
      return (n.op == ir::Op::linear || n.op == ir::Op::experts) && n.name.find(name) != std::string::npos;
    });
  };
  std::erase_if(options.format_of, [&](const std::string& rule) { return !named(rule); });
  for (const ir::Node& n : reading.nodes)
    if (n.layer < 0 && n.op == ir::Op::linear) head = n.name;
  options.format_of.push_back(head + "=int8");
  options.parallel = "auto";  // so few layers may not be a pipeline, nor have experts
  return options;
}

// A matrix, or the last ones of experts, and their bias become zero.
void silence(ir::Graph& graph, ir::Node& node) {
  if (node.op != ir::Op::linear && node.op != ir::Op::experts) return;
  const auto zero = [&](std::size_t which) {
    const ir::Tensor& old = graph.tensors[static_cast<std::size_t>(node.weights.at(which))];
    std::size_t count = 1;
    for (const auto d : old.shape) count *= static_cast<std::size_t>(d);
    node.weights[which] = static_cast<int>(graph.tensors.size());
    graph.tensors.push_back({old.name, old.shape, ir::DType::f32, std::vector<std::byte>(count * 4)});
  };
  const bool experts = node.op == ir::Op::experts;
  zero(experts ? 2 : 0);
  if (node.weights.size() > (experts ? 3u : 1u)) zero(experts ? 5 : 1);
}

}  // namespace

ir::Graph reading_graph(const ir::Graph& graph, int layers, int first) {
  ir::Graph out = passes::first_layers(graph, std::max(layers, 1));
  const auto put = [&](ir::Node& node, const std::string& name, std::vector<std::int64_t> shape, const std::vector<float>& values) {
    node.weights = {static_cast<int>(out.tensors.size())};
    out.tensors.push_back({name, std::move(shape), ir::DType::f32, bytes_of(values)});
  };
  const auto width = static_cast<std::size_t>(out.width);
  std::vector<float> head(static_cast<std::size_t>(out.vocab) * width);
  for (std::size_t i = 0; i < static_cast<std::size_t>(out.vocab) && i + static_cast<std::size_t>(first) < width; ++i)
    head[i * width + i + static_cast<std::size_t>(first)] = kUnit;
  const Tail t = tail(out);
  put(*t.norm, "output_norm.weight", {out.width}, std::vector<float>(width, 1.0f));
  put(*t.head, "output.weight", {out.vocab, out.width}, head);
  // No layers: one whose additions to the stream are zero.
  for (const ir::Node& sum : out.nodes) {
    if (layers > 0 || sum.layer != 0 || sum.op != ir::Op::add) continue;
    for (const int i : sum.inputs) silence(out, out.nodes[static_cast<std::size_t>(i)]);
  }
  return out;
}

std::vector<LayerError> layer_errors(const ir::Graph& graph, const CompileOptions& options, const std::string& backend, const Texts& texts) {
  std::vector<LayerError> errors;
  double before = 0;
  for (int layers = 0; layers <= graph.layers; ++layers) {
    Sums sums;
    for (int first = 0; first < graph.width; first += graph.vocab) {
      const ir::Graph reading = reading_graph(graph, layers, first);
      measure(reading, options_for(reading, options), backend, texts, static_cast<std::size_t>(std::min(graph.vocab, graph.width - first)), sums);
    }
    const double square = sums.error() * sums.error();
    errors.push_back({layers - 1, layers == 0 ? "reading alone" : "blk." + std::to_string(layers - 1), sums.error(),
                      layers == 0 ? 0 : std::sqrt(std::max(0.0, square - before))});
    before = square;
  }
  return errors;
}

const LayerError* worst(const std::vector<LayerError>& errors) {
  const LayerError* w = nullptr;
  for (const LayerError& e : errors)
    if (e.layer >= 0 && (w == nullptr || e.added > w->added)) w = &e;
  return w;
}

}  // namespace jogak::eval
