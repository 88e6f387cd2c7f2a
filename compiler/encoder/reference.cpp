#include "reference.hpp"

#include <algorithm>
#include <cmath>

#include "../passes/quantize.hpp"

namespace jogak::encoder {
namespace {

using Rows = std::vector<double>;

std::size_t size(int x) { return static_cast<std::size_t>(x); }

// Columns of the matrix in groups of `each`, padded to `padded`; x has them without padding.
Rows times(const Dense& d, const Rows& x, int rows, int each, int padded) {
  const std::vector<float> w = passes::dequantize(*d.w);
  const std::size_t n = static_cast<std::size_t>(d.w->n), row = w.size() / n, k = row / size(padded) * size(each);
  Rows y(size(rows) * n);
  for (std::size_t r = 0; r < size(rows); ++r)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = d.bias.empty() ? 0 : d.bias[j];
      for (std::size_t i = 0; i < k; ++i) sum += x[r * k + i] * w[j * row + i / size(each) * size(padded) + i % size(each)];
      y[r * n + j] = sum;
    }
  return y;
}
Rows times(const Dense& d, const Rows& x, int rows) { return times(d, x, rows, static_cast<int>(d.w->k), static_cast<int>(d.w->k)); }

Rows normed(const Norm& n, const Rows& x, double eps) {
  const std::size_t width = n.weight.size();
  Rows y(x.size());
  for (std::size_t r = 0; r < x.size(); r += width) {
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < width; ++i) mean += x[r + i] / static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) square += (x[r + i] - mean) * (x[r + i] - mean) / static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) y[r + i] = (x[r + i] - mean) / std::sqrt(square + eps) * n.weight[i] + n.bias[i];
  }
  return y;
}

double activated(Activation a, double x) {
  switch (a) {
    case Activation::gelu: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh: return 0.5 * x * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case Activation::gelu_quick: return x / (1 + std::exp(-1.702 * x));
    case Activation::tanh: return std::tanh(x);
  }
  return x;
}

Rows attend(const Encoder& e, const Layer& l, const Rows& h, int rows) {
  const Rows q = times(l.q, h, rows), k = times(l.k, h, rows), v = times(l.v, h, rows);
  const std::size_t width = size(e.heads * e.head_dim), head = size(e.head_dim);
  Rows out(size(rows) * width);
  std::vector<double> p(size(rows));
  for (std::size_t at = 0; at < width; at += head)
    for (std::size_t i = 0; i < size(rows); ++i) {
      const std::size_t seen = e.causal ? i + 1 : size(rows);
      double most = -1e300, sum = 0;
      for (std::size_t j = 0; j < seen; ++j) {
        p[j] = 0;
        for (std::size_t c = 0; c < head; ++c) p[j] += q[i * width + at + c] * k[j * width + at + c];
        most = std::max(most, p[j] /= std::sqrt(static_cast<double>(head)));
      }
      for (std::size_t j = 0; j < seen; ++j) sum += p[j] = std::exp(p[j] - most);
      for (std::size_t j = 0; j < seen; ++j)
        for (std::size_t c = 0; c < head; ++c) out[i * width + at + c] += p[j] / sum * v[j * width + at + c];
    }
  return times(l.o, out, rows, e.head_dim, (e.head_dim + 31) / 32 * 32);
}

void add(Rows& x, const Rows& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

}  // namespace

std::vector<double> reference(const Encoder& e, const std::vector<float>& input, int rows) {
  Rows x(input.begin(), input.end());
  for (std::size_t i = 0; i < e.layers.size(); ++i) {
    const Layer& l = e.layers[i];
    add(x, attend(e, l, e.norm_first ? normed(i == 0 ? e.first : e.layers[i - 1].end, x, e.eps) : x, rows));
    const Rows between = normed(l.middle, x, e.eps);
    if (!e.norm_first) x = between;
    Rows h = times(l.up, between, rows);
    for (double& v : h) v = activated(e.activation, v);
    add(x, times(l.down, h, rows));
    if (!e.norm_first) x = normed(l.end, x, e.eps);
  }
  return x;
}

}  // namespace jogak::encoder
