#include "tensors.hpp"

#include <cmath>
#include <cstring>

#include "error.hpp"
#include "passes/quantize.hpp"
#include "tensor/evaluate.hpp"

namespace jogak::eval {
namespace {

using tensor::Graph;
using tensor::Node;
using tensor::Op;
using tensor::Precision;

constexpr ir::Format kCandidates[] = {ir::Format::int8, ir::Format::mxint8, ir::Format::mxfp4};

Precision precision_of(ir::Format f) { return f == ir::Format::mxfp4 ? Precision::mxfp4 : f == ir::Format::mxint8 ? Precision::mxint8 : Precision::int8; }

// The second operand as matrices [n][k].
struct Matrix {
  std::int64_t batches = 1, n = 0, k = 0;
  bool transposed = false;  // [n][k] in memory
  std::size_t at(std::int64_t b, std::int64_t i, std::int64_t j) const {
    return static_cast<std::size_t>(b * n * k + (transposed ? i * k + j : j * n + i));
  }
};
Matrix matrix_of(const Graph& g, const Node& node) {
  const auto& shape = g.shape(node.inputs[1]);
  const std::int64_t last = shape[shape.size() - 1], before = shape[shape.size() - 2];
  Matrix m{1, node.attrs.transpose_b ? before : last, node.attrs.transpose_b ? last : before, node.attrs.transpose_b};
  m.batches = tensor::elements(shape) / (m.n * m.k);
  return m;
}

std::vector<std::size_t> products(const Graph& g) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < g.nodes().size(); ++i)
    if (g.nodes()[i].op == Op::matmul && g.value(g.nodes()[i].inputs[1]).constant()) found.push_back(i);
  return found;
}

std::uint64_t bytes_of(const Graph& g, std::size_t i, ir::Format f) {
  const Matrix m = matrix_of(g, g.nodes()[i]);
  return passes::format_bytes(f, m.batches * m.n, m.k);
}

// Along k, as the array has them.
std::vector<float> rounded(const std::vector<float>& w, const Matrix& m, ir::Format format) {
  ir::Tensor t{"weights", {m.batches * m.n, m.k}, ir::DType::f32, std::vector<std::byte>(w.size() * 4)};
  std::vector<float> rows(w.size()), out(w.size());
  std::size_t at = 0;
  for (std::int64_t b = 0; b < m.batches; ++b)
    for (std::int64_t i = 0; i < m.n; ++i)
      for (std::int64_t j = 0; j < m.k; ++j) rows[at++] = w[m.at(b, i, j)];
  std::memcpy(t.data.data(), rows.data(), rows.size() * 4);
  const std::vector<float> values = passes::dequantize(passes::quantize(t, format));
  at = 0;
  for (std::int64_t b = 0; b < m.batches; ++b)
    for (std::int64_t i = 0; i < m.n; ++i)
      for (std::int64_t j = 0; j < m.k; ++j) out[m.at(b, i, j)] = values[at++];
  return out;
}

class TensorProbe : public Probe {
 public:
  TensorProbe(const Graph& graph, const Labelled& data) : whole_(graph), graph_(graph), port_(graph.inputs().at(0)), data_(data) {
    exact_ = results();
  }
  void set(const std::string& matrix, ir::Format format) override {
    const Node& node = whole_.nodes()[std::stoul(matrix)];
    graph_.replace(node.inputs[1], rounded(*whole_.value(node.inputs[1]).data, matrix_of(whole_, node), format));
  }
  void reset(const std::string& matrix) override {
    const Node& node = whole_.nodes()[std::stoul(matrix)];
    graph_.replace(node.inputs[1], *whole_.value(node.inputs[1]).data);
  }
  double divergence() override {
    const auto found = results();
    double off = 0, all = 0;
    for (std::size_t i = 0; i < found.size(); ++i) off += std::pow(double(found[i]) - double(exact_[i]), 2), all += std::pow(double(exact_[i]), 2);
    return off / std::max(all, 1e-300);
  }

 private:
  // The first output of all examples; the last run is filled up with the first ones again.
  std::vector<float> results() const {
    const std::int64_t values = tensor::elements(graph_.shape(port_.value)), each = values / data_.features;
    std::vector<float> all;
    for (std::int64_t at = 0; at < data_.size(); at += each) {
      std::vector<float> x;
      for (std::int64_t i = 0; i < each; ++i) {
        const auto first = data_.values.begin() + (at + i) % data_.size() * data_.features;
        x.insert(x.end(), first, first + data_.features);
      }
      const auto y = tensor::evaluate(graph_, {{port_.name, x}}).at(graph_.outputs().at(0).name);
      all.insert(all.end(), y.begin(), y.end());
    }
    return all;
  }

  const Graph& whole_;
  Graph graph_;
  const tensor::Port& port_;
  const Labelled& data_;
  std::vector<float> exact_;
};

}  // namespace

Mixed mix_tensors(const Graph& graph, const Labelled& data, const passes::Budget& budget, const Progress& progress) {
  if (graph.inputs().size() != 1) throw Error("calibrate", "inputs of " + graph.title, std::to_string(graph.inputs().size()), "one; --bind makes the others constants");
  if (tensor::elements(graph.shape(graph.inputs()[0].value)) % data.features != 0)
    throw Error("calibrate", "values of an example", std::to_string(data.features), "a part of the input's " + tensor::text(graph.shape(graph.inputs()[0].value)));
  std::vector<passes::Choice> choices;
  for (const std::size_t i : products(graph)) {
    const Node& node = graph.nodes()[i];
    choices.push_back({node.name.empty() ? "node " + std::to_string(i) : node.name, {std::to_string(i)}, static_cast<int>(choices.size()), "", {}});
    for (const ir::Format f : kCandidates) choices.back().candidates.push_back({f, bytes_of(graph, i, f), 0});
  }
  if (choices.empty()) throw Error("calibrate", "products with constant matrices in " + graph.title, "none", "one at least");
  TensorProbe probe(graph, data);
  return mix(probe, std::move(choices), budget, 0, progress, {});
}

void apply(Graph& graph, const Mixed& mixed) {
  for (std::size_t i = 0; i < mixed.choices.size(); ++i)
    graph.set_precision(std::stoul(mixed.choices[i].matrices.at(0)), precision_of(mixed.choices[i].candidates[mixed.picked.picked[i]].format));
}

std::uint64_t int8_bytes(const Graph& graph) {
  std::uint64_t bytes = 0;
  for (const std::size_t i : products(graph)) bytes += bytes_of(graph, i, ir::Format::int8);
  return bytes;
}

}  // namespace jogak::eval
