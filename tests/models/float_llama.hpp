// The decoder's graph in fp32, node by node and written plainly: what the machine's arithmetic is measured against.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "error.hpp"
#include "ir/graph.hpp"
#include "passes/quantize.hpp"

namespace jogak::tests {

class FloatLlama {
 public:
  explicit FloatLlama(const ir::Graph& graph) : nodes_(graph.nodes), caches_(nodes_.size()), values_(nodes_.size()) {
    for (const ir::Tensor& t : graph.tensors) tensors_.push_back(passes::to_float(t));
  }

  // Forgets all tokens.
  void reset() {
    caches_.assign(nodes_.size(), {});
    position_ = 0;
  }

  // Other weights for the linear node of this name, [n][k] as its own; none: its own again.
  void replace(const std::string& name, std::vector<float> weights) {
    if (weights.empty()) other_.erase(name);
    else other_[name] = std::move(weights);
  }

  // One token in, vocab logits out.
  std::vector<float> step(int token) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) values_[i] = evaluate(i, token);
    ++position_;
    return values_.back();
  }
  // What the node of this name gave for the last token.
  const std::vector<float>& value(const std::string& name) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].name == name) return values_[i];
    throw Error("reference decoder", "node", "none", name);
  }

  // Experts of the last token in this layer, the one with the largest logit first.
  const std::vector<std::size_t>& chosen(int layer) const { return chosen_.at(layer); }

 private:
  using Vector = std::vector<float>;
  struct Cache {
    std::vector<Vector> k, v;  // per token
  };

  const Vector& input(const ir::Node& n, std::size_t i) const { return values_[static_cast<std::size_t>(n.inputs.at(i))]; }
  const Vector& weight(const ir::Node& n, std::size_t i = 0) const { return tensors_[static_cast<std::size_t>(n.weights.at(i))]; }

  Vector evaluate(std::size_t at, int token) {
    const ir::Node& n = nodes_[at];
    switch (n.op) {
      case ir::Op::embed: return scaled(row(weight(n), token), n.scale);
      case ir::Op::positions: return sum(input(n, 0), position_row(weight(n)));
      case ir::Op::layer_norm: return layer_norm(input(n, 0), weight(n), weight(n, 1), n);
      case ir::Op::rms_norm: return norm(input(n, 0), weight(n), n);
      case ir::Op::linear: return linear(input(n, 0), n);
      case ir::Op::rope: return rotate(input(n, 0), n);
      case ir::Op::attention: return attention(n, caches_[at]);
      case ir::Op::swiglu: return swiglu(input(n, 0), n.inputs.size() > 1 ? input(n, 1) : Vector(), n.activation);
      case ir::Op::experts: return experts(n);
      case ir::Op::weigh: return scaled(input(n, 0), 1 / (1 + std::exp(-input(n, 1).at(0))));
      case ir::Op::add: return sum(input(n, 0), input(n, 1));
      case ir::Op::logits: return capped(input(n, 0), n.cap);
    }
    throw Error("reference decoder", "node " + n.name, ir::name(n.op), "an operator of a decoder");
  }
  // The width of the residual stream is that of the first norm.
  Vector row(const Vector& table, int token) const {
    const std::size_t width = weight(nodes_.at(nodes_.at(1).op == ir::Op::positions ? 2 : 1)).size();
    const auto from = table.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(token) * width);
    return {from, from + static_cast<std::ptrdiff_t>(width)};
  }
  Vector position_row(const Vector& table) const { return row(table, position_); }
  static Vector layer_norm(const Vector& x, const Vector& w, const Vector& b, const ir::Node& n) {
    const double width = static_cast<double>(x.size());
    double mean = 0, square = 0;
    for (const float v : x) mean += static_cast<double>(v) / width;
    for (const float v : x) square += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean) / width;
    const double r = 1 / std::sqrt(square + static_cast<double>(n.eps));
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>((static_cast<double>(x[i]) - mean) * r) * w[i] + b[i];
    return y;
  }
  static Vector capped(Vector x, float cap) {
    if (cap > 0)
      for (float& v : x) v = cap * std::tanh(v / cap);
    return x;
  }
  static Vector sum(Vector x, const Vector& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
    return x;
  }
  static Vector norm(const Vector& x, const Vector& w, const ir::Node& n) {
    const std::size_t group = n.heads > 0 ? static_cast<std::size_t>(n.head_dim) : x.size();
    Vector y(x.size());
    for (std::size_t g = 0; g < x.size(); g += group) {
      double squares = 0;
      for (std::size_t i = 0; i < group; ++i) squares += static_cast<double>(x[g + i]) * static_cast<double>(x[g + i]);
      const float r = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(group) + static_cast<double>(n.eps)));
      for (std::size_t i = 0; i < group; ++i) y[g + i] = x[g + i] * r * w[i];
    }
    return y;
  }
  Vector linear(const Vector& x, const ir::Node& n) const {
    const auto other = other_.find(n.name);
    const Vector& w = other == other_.end() ? weight(n) : other->second;
    Vector y(w.size() / x.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      const float* line = &w[i * x.size()];
      float parts[8] = {};
      std::size_t j = 0;
      for (; j + 8 <= x.size(); j += 8)
        for (std::size_t p = 0; p < 8; ++p) parts[p] += line[j + p] * x[j + p];
      for (; j < x.size(); ++j) parts[0] += line[j] * x[j];
      y[i] = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    }
    return n.weights.size() > 1 ? sum(std::move(y), weight(n, 1)) : y;
  }
  // Pairs (0, 1), (2, 3), ... of each head turn by position * frequency.
  Vector rotate(Vector x, const ir::Node& n) const {
    const auto head = static_cast<std::size_t>(n.head_dim);
    for (std::size_t h = 0; h < x.size(); h += head) {
      for (std::size_t p = 0; p < n.rotary->frequency.size(); ++p) {
        const double angle = position_ * n.rotary->frequency[p];
        const float c = static_cast<float>(n.rotary->magnitude * std::cos(angle)), s = static_cast<float>(n.rotary->magnitude * std::sin(angle));
        float &a = x[h + 2 * p], &b = x[h + 2 * p + 1];
        const float turned = a * s + b * c;
        a = a * c - b * s;
        b = turned;
      }
    }
    return x;
  }
  Vector attention(const ir::Node& n, Cache& cache) const {
    const Vector& q = input(n, 0);
    cache.k.push_back(input(n, 1));
    cache.v.push_back(input(n, 2));
    Vector out(q.size());
    const auto d = static_cast<std::size_t>(n.head_dim);
    for (int h = 0; h < n.heads; ++h) mix(n, q, cache, static_cast<std::size_t>(h) * d, static_cast<std::size_t>(h / (n.heads / n.kv_heads)) * d,
                                      n.weights.empty() ? -INFINITY : weight(n)[static_cast<std::size_t>(h)], out);
    return out;
  }
  // One head: q at qo of its vector, k and v at ko; the sink is a score of no value.
  static void mix(const ir::Node& n, const Vector& q, const Cache& cache, std::size_t qo, std::size_t ko, float sink, Vector& out) {
    const auto d = static_cast<std::size_t>(n.head_dim), keys = cache.k.size();
    const std::size_t first = n.window > 0 && keys > static_cast<std::size_t>(n.window) ? keys - static_cast<std::size_t>(n.window) : 0;
    Vector p(keys);
    float top = sink, total = 0;
    for (std::size_t t = first; t < keys; ++t) {
      for (std::size_t i = 0; i < d; ++i) p[t] += q[qo + i] * cache.k[t][ko + i];
      p[t] *= n.query_scale > 0 ? n.query_scale : 1 / std::sqrt(static_cast<float>(n.head_dim));
      if (n.cap > 0) p[t] = n.cap * std::tanh(p[t] / n.cap);
      top = std::max(top, p[t]);
    }
    for (std::size_t t = first; t < keys; ++t) total += p[t] = std::exp(p[t] - top);
    if (std::isfinite(sink)) total += std::exp(sink - top);
    for (std::size_t t = first; t < keys; ++t)
      for (std::size_t i = 0; i < d; ++i) out[qo + i] += p[t] / total * cache.v[t][ko + i];
  }
  // Row r of expert e of weight `which`, times x.
  float product(const ir::Node& n, std::size_t which, std::size_t row, const Vector& x) const {
    const float* w = &weight(n, which)[row * x.size()];
    double y = 0;
    for (std::size_t i = 0; i < x.size(); ++i) y += static_cast<double>(w[i]) * static_cast<double>(x[i]);
    return static_cast<float>(y);
  }
  Vector experts(const ir::Node& n) {
    const ir::Mixture& mix = n.mixture;
    const Vector &x = input(n, 0), &logits = input(n, 1);
    std::vector<std::size_t> order(logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
    chosen_[n.layer].assign(order.begin(), order.begin() + mix.top);
    const auto count = static_cast<std::size_t>(mix.over_chosen ? mix.top : mix.experts), top = static_cast<std::size_t>(mix.top);
    float total = 0;
    for (std::size_t i = 0; i < count; ++i) total += std::exp(logits[order[i]] - logits[order[0]]);
    Vector y(x.size());
    for (std::size_t i = 0; i < top; ++i) add_expert(n, x, order[i], std::exp(logits[order[i]] - logits[order[0]]) / total, y);
    return y;
  }
  void add_expert(const ir::Node& n, const Vector& x, std::size_t e, float share, Vector& y) const {
    const bool biased = n.weights.size() > 3;
    const std::size_t ffn = weight(n).size() / x.size() / static_cast<std::size_t>(n.mixture.experts);
    Vector hidden(ffn);
    for (std::size_t i = 0; i < ffn; ++i) {
      const float g = product(n, 0, e * ffn + i, x) + (biased ? weight(n, 3)[e * ffn + i] : 0);
      const float u = product(n, 1, e * ffn + i, x) + (biased ? weight(n, 4)[e * ffn + i] : 0);
      const float m = n.mixture.limit, gate = m > 0 ? std::min(g, m) : g, a = n.mixture.alpha;
      hidden[i] = gate / (1 + std::exp(-a * gate)) * (m > 0 ? std::clamp(u, -m, m) + 1 : u);
    }
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += share * (product(n, 2, e * y.size() + i, hidden) + (biased ? weight(n, 5)[e * y.size() + i] : 0));
  }
  static Vector swiglu(Vector g, const Vector& u, ir::Activation activation) {
    for (std::size_t i = 0; i < g.size(); ++i) {
      const float silu = g[i] / (1 + std::exp(-g[i]));
      const float gelu = 0.5f * g[i] * (1 + std::tanh(0.7978845608f * (g[i] + 0.044715f * g[i] * g[i] * g[i])));
      g[i] = (activation == ir::Activation::silu ? silu : gelu) * (u.empty() ? 1 : u[i]);
    }
    return g;
  }
  static Vector scaled(Vector x, float by) {
    for (float& v : x) v *= by;
    return x;
  }

  std::vector<ir::Node> nodes_;
  std::vector<Vector> tensors_;
  std::map<std::string, Vector> other_;
  std::vector<Cache> caches_;
  std::vector<Vector> values_;
  std::map<int, std::vector<std::size_t>> chosen_;  // by layer
  int position_ = 0;
};

// -ln of the probability that logits give to a token.
inline double surprise(std::span<const float> logits, int token) {
  double top = -INFINITY, sum = 0;
  for (const float x : logits) top = std::max(top, static_cast<double>(x));
  for (const float x : logits) sum += std::exp(static_cast<double>(x) - top);
  return top + std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

// Its logits behind each of the ids, one row after the other.
inline std::vector<float> expected_rows(const ir::Graph& graph, const std::vector<int>& ids) {
  FloatLlama reference(graph);
  std::vector<float> all;
  for (const int id : ids) {
    const auto row = reference.step(id);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

}  // namespace jogak::tests
