// The Llama decoder in fp32, written plainly: what the machine's arithmetic is measured against.
#pragma once

#include <cmath>
#include <map>
#include <vector>

#include "error.hpp"
#include "ir/graph.hpp"
#include "passes/quantize.hpp"

namespace jogak::tests {

class FloatLlama {
 public:
  explicit FloatLlama(const ir::Graph& graph) : vocab_(graph.vocab), width_(graph.width) {
    for (const ir::Tensor& t : graph.tensors) tensors_[t.name] = passes::to_float(t);
    for (const ir::Node& n : graph.nodes) {
      if (n.op == ir::Op::rms_norm) eps_ = n.eps;
      if (n.op == ir::Op::rope) theta_ = n.theta;
      if (n.op == ir::Op::attention) heads_ = n.heads, kv_heads_ = n.kv_heads, head_ = n.head_dim;
    }
    layers_.resize(static_cast<std::size_t>(graph.layers));
    ffn_ = static_cast<int>(tensor("blk.0.ffn_gate.weight").size()) / width_;
  }

  // Forgets all tokens.
  void reset() {
    for (Layer& l : layers_) l = {};
    position_ = 0;
  }

  // One token in, vocab logits out.
  std::vector<float> step(int token) {
    const auto& table = tensor("token_embd.weight");
    std::vector<float> x(table.begin() + static_cast<std::ptrdiff_t>(token) * width_, table.begin() + static_cast<std::ptrdiff_t>(token + 1) * width_);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const std::string b = "blk." + std::to_string(i) + ".";
      add(x, attention(b, layers_[i], norm(x, b + "attn_norm.weight")));
      add(x, feed_forward(b, norm(x, b + "ffn_norm.weight")));
    }
    ++position_;
    const bool tied = !tensors_.contains("output.weight");
    return linear(norm(x, "output_norm.weight"), tied ? "token_embd.weight" : "output.weight", vocab_);
  }

 private:
  using Vector = std::vector<float>;
  struct Layer {
    std::vector<Vector> k, v;  // per token
  };

  const Vector& tensor(const std::string& name) const {
    const auto it = tensors_.find(name);
    if (it == tensors_.end()) throw Error("reference decoder", "tensor", "none", name);
    return it->second;
  }
  static void add(Vector& x, const Vector& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }
  Vector norm(const Vector& x, const std::string& weight) const {
    const Vector& w = tensor(weight);
    double sum = 0;
    for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
    const float r = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(x.size()) + static_cast<double>(eps_)));
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * r * w[i];
    return y;
  }
  Vector linear(const Vector& x, const std::string& weight, int n) const {
    const Vector& w = tensor(weight);
    Vector y(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < y.size(); ++i) {
      const float* row = &w[i * x.size()];
      float parts[8] = {};
      std::size_t j = 0;
      for (; j + 8 <= x.size(); j += 8)
        for (std::size_t p = 0; p < 8; ++p) parts[p] += row[j + p] * x[j + p];
      for (; j < x.size(); ++j) parts[0] += row[j] * x[j];
      y[i] = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    }
    return y;
  }
  // Pairs (0, 1), (2, 3), ... of each head turn by position * theta^(-2i / head).
  void rotate(Vector& x) const {
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const double angle = position_ * std::pow(static_cast<double>(theta_), -static_cast<double>(i % static_cast<std::size_t>(head_)) / head_);
      const float c = static_cast<float>(std::cos(angle)), s = static_cast<float>(std::sin(angle)), a = x[i], b = x[i + 1];
      x[i] = a * c - b * s;
      x[i + 1] = a * s + b * c;
    }
  }
  Vector attention(const std::string& b, Layer& cache, const Vector& x) const {
    Vector q = linear(x, b + "attn_q.weight", heads_ * head_), k = linear(x, b + "attn_k.weight", kv_heads_ * head_);
    rotate(q), rotate(k);
    cache.k.push_back(k);
    cache.v.push_back(linear(x, b + "attn_v.weight", kv_heads_ * head_));
    Vector out(q.size());
    for (int h = 0; h < heads_; ++h) mix(q, cache, static_cast<std::size_t>(h * head_), static_cast<std::size_t>(h / (heads_ / kv_heads_) * head_), out);
    return linear(out, b + "attn_output.weight", width_);
  }
  // One head: q at qo of its vector, k and v at ko.
  void mix(const Vector& q, const Layer& cache, std::size_t qo, std::size_t ko, Vector& out) const {
    const auto d = static_cast<std::size_t>(head_);
    Vector p(cache.k.size());
    float top = -INFINITY, sum = 0;
    for (std::size_t t = 0; t < p.size(); ++t) {
      for (std::size_t i = 0; i < d; ++i) p[t] += q[qo + i] * cache.k[t][ko + i];
      p[t] /= std::sqrt(static_cast<float>(head_));
      top = std::max(top, p[t]);
    }
    for (float& v : p) sum += v = std::exp(v - top);
    for (std::size_t t = 0; t < p.size(); ++t)
      for (std::size_t i = 0; i < d; ++i) out[qo + i] += p[t] / sum * cache.v[t][ko + i];
  }
  Vector feed_forward(const std::string& b, const Vector& x) const {
    Vector g = linear(x, b + "ffn_gate.weight", ffn_);
    const Vector u = linear(x, b + "ffn_up.weight", ffn_);
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = g[i] / (1 + std::exp(-g[i])) * u[i];
    return linear(g, b + "ffn_down.weight", width_);
  }

  std::map<std::string, Vector> tensors_;
  std::vector<Layer> layers_;
  int vocab_, width_, ffn_ = 0, heads_ = 1, kv_heads_ = 1, head_ = 1, position_ = 0;
  float eps_ = 1e-5f, theta_ = 10000.0f;
};

// -ln of the probability that logits give to a token.
inline double surprise(std::span<const float> logits, int token) {
  double top = -INFINITY, sum = 0;
  for (const float x : logits) top = std::max(top, static_cast<double>(x));
  for (const float x : logits) sum += std::exp(static_cast<double>(x) - top);
  return top + std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

}  // namespace jogak::tests
