#include "reference.hpp"

#include <algorithm>
#include <cmath>

#include "../passes/quantize.hpp"

namespace jogak::encoder {
namespace {

using Rows = std::vector<double>;

std::size_t size(int x) { return static_cast<std::size_t>(x); }

// Weights [k][n] without padding: of k each group of `each` columns was padded to `padded`.
Rows transposed(const Dense& d, int each, int padded) {
  const std::size_t n = static_cast<std::size_t>(d.w->n);
  const std::vector<float> w = d.exact ? *d.exact : passes::dequantize(*d.w);
  const std::size_t row = w.size() / n, wide = d.exact ? size(each) : size(padded), k = row / wide * size(each);
  Rows t(n * k);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = 0; i < k; ++i) t[i * n + j] = static_cast<double>(w[j * row + i / size(each) * wide + i % size(each)]);
  return t;
}

Rows times(const Dense& d, const Rows& x, int rows, int each, int padded) {
  const Rows w = transposed(d, each, padded);
  const std::size_t n = static_cast<std::size_t>(d.w->n), k = w.size() / n;
  Rows y(size(rows) * n);
  for (std::size_t r = 0; r < size(rows); ++r) {
    double* sums = y.data() + r * n;
    for (std::size_t j = 0; j < n; ++j) sums[j] = d.bias.empty() ? 0 : static_cast<double>(d.bias[j]);
    for (std::size_t i = 0; i < k; ++i) {
      const double a = x[r * k + i];
      const double* column = w.data() + i * n;
      for (std::size_t j = 0; j < n; ++j) sums[j] += a * column[j];
    }
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

// The pixels of every patch, channel by channel and line by line.
Rows patches(const Embedding& e, const std::vector<float>& pixels) {
  const std::size_t n = size(e.patch_size), image = size(e.image), side = image / n;
  Rows out;
  for (std::size_t i = 0; i < side * side; ++i)
    for (std::size_t c = 0; c < size(e.channels); ++c)
      for (std::size_t y = 0; y < n; ++y)
        for (std::size_t x = 0; x < n; ++x) out.push_back(static_cast<double>(pixels[(c * image + i / side * n + y) * image + i % side * n + x]));
  return out;
}

Rows embedded(const Encoder& m, const ReferenceInput& in) {
  const Embedding& e = m.embedding;
  const bool image = e.source == Source::patches;
  const std::size_t width = size(m.width), rows = image ? size(m.context) : in.ids.size();
  Rows x(rows * width);
  if (image) {
    const Rows made = times(e.patch, patches(e, in.pixels), m.context - 1);
    std::copy(made.begin(), made.end(), x.begin() + static_cast<std::ptrdiff_t>(width));
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < width; ++i) {
      double& sum = x[r * width + i] += e.positions[r * width + i];
      if (e.source == Source::tokens) sum += e.words[size(in.ids[r]) * width + i];
      if (e.type_count > 0) sum += e.types[size(in.types.empty() ? 0 : in.types[r]) * width + i];
    }
  return e.normed ? normed(e.norm, x, m.eps) : x;
}

Rows headed(const Encoder& m, Rows x) {
  const std::size_t width = size(m.width), rows = m.head.rows == HeadRows::all ? x.size() / width : 1;
  if (m.head.rows == HeadRows::first) x.resize(width);
  if (m.head.rows == HeadRows::mean) {
    const double count = static_cast<double>(x.size() / width);
    for (std::size_t i = width; i < x.size(); ++i) x[i % width] += x[i];
    x.resize(width);
    for (double& v : x) v /= count;
  }
  if (m.head.rows == HeadRows::last) x.erase(x.begin(), x.end() - static_cast<std::ptrdiff_t>(width));
  for (std::size_t i = 0; i < m.head.steps.size(); ++i) {
    const HeadStep& step = m.head.steps[i];
    x = times(step.dense, x, static_cast<int>(rows));
    if (step.activated)
      for (double& v : x) v = activated(step.activation, v);
    if (step.normed) x = normed(step.norm, x, m.eps);
  }
  return x;
}

}  // namespace

std::vector<double> reference(const Encoder& m, const ReferenceInput& input, Trace* trace) {
  const Rows x = embedded(m, input);
  Rows last = reference(m, std::vector<float>(x.begin(), x.end()), static_cast<int>(x.size() / size(m.width)), trace);
  return headed(m, m.norm_first && !m.head.steps.empty() ? normed(m.layers.back().end, last, m.eps) : last);
}

std::vector<double> reference(const Encoder& e, const std::vector<float>& input, int rows, Trace* trace) {
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
    if (trace) trace->push_back(x);
  }
  return x;
}

}  // namespace jogak::encoder
