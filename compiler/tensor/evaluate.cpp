#include "evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "view.hpp"

namespace jogak::tensor {
namespace {

using Data = std::vector<float>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Data read(const View& v, const Data& x) {
  Data out;
  out.reserve(at(elements(v.sizes)));
  each(v, [&](std::int64_t i) { out.push_back(x[at(i)]); });
  return out;
}

double one(const Node& n, double x) {
  if (n.op != Op::cast) return scalar(n.op, x);
  return n.attrs.dtype == DType::boolean ? x != 0 : n.attrs.dtype == DType::i32 ? std::trunc(x) : x;
}

class Evaluation {
 public:
  Evaluation(const Graph& g, const Node& n, const std::vector<const Data*>& in) : g_(g), n_(n), a_(n.attrs), in_(in) {
    for (const ValueId id : n.inputs) shapes_.push_back(g.shape(id));
    out_ = g.shape(n.outputs[0]);
  }

  std::vector<Data> run() const {
    if (n_.op <= Op::equal) return {binary()};
    if (n_.op <= Op::cast) return {unary()};
    switch (n_.op) {
      case Op::select: return {select()};
      case Op::matmul: return {matmul()};
      case Op::reshape: return {*in_[0]};
      case Op::transpose:
      case Op::expand:
      case Op::slice:
      case Op::unfold: return {read(view_of(n_, shapes_[0]), *in_[0])};
      case Op::concat:
      case Op::pad: return {place()};
      case Op::gather: return {gather()};
      case Op::top_k: return top_k();
      case Op::softmax: return {softmax()};
      case Op::layer_norm:
      case Op::rms_norm: return {norm()};
      case Op::attention: return {attention()};
      default: return {reduce()};
    }
  }

 private:
  Data spread(std::size_t i, const Shape& to) const { return read(broadcast_view(shapes_[i], to), *in_[i]); }
  Data binary() const {
    const bool whole = g_.value(n_.outputs[0]).dtype == DType::i32;
    Data a = spread(0, out_);
    const Data b = spread(1, out_);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(scalar(n_.op, a[i], b[i], whole));
    return a;
  }
  Data unary() const {
    Data x = *in_[0];
    for (float& v : x) v = static_cast<float>(one(n_, v));
    return x;
  }
  Data select() const {
    Data c = spread(0, out_);
    const Data a = spread(1, out_), b = spread(2, out_);
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = c[i] != 0 ? a[i] : b[i];
    return c;
  }
  Data reduce() const {
    const View x = row_major(shapes_[0]);
    View outer = x, inner = x;  // kept axes, reduced axes
    for (std::size_t d = x.sizes.size(); d-- > 0;) {
      const bool gone = std::binary_search(a_.axes.begin(), a_.axes.end(), static_cast<std::int64_t>(d));
      View& drop = gone ? outer : inner;
      drop.sizes.erase(drop.sizes.begin() + static_cast<std::ptrdiff_t>(d));
      drop.strides.erase(drop.strides.begin() + static_cast<std::ptrdiff_t>(d));
    }
    Data out;
    each(outer, [&](std::int64_t from) {
      double sum = 0, most = -INFINITY, least = INFINITY;
      each(inner, [&](std::int64_t i) {
        const double v = (*in_[0])[at(from + i)];
        sum += v;
        most = std::max(most, v);
        least = std::min(least, v);
      });
      const auto count = static_cast<double>(elements(inner.sizes));
      const double r = n_.op == Op::reduce_sum ? sum : n_.op == Op::reduce_mean ? sum / count : n_.op == Op::reduce_max ? most : least;
      out.push_back(static_cast<float>(r));
    });
    return out;
  }
  Data matmul() const {
    const std::size_t r = out_.size();
    const std::int64_t m = out_[r - 2], n = out_[r - 1], k = shapes_[0][shapes_[0].size() - (a_.transpose_a ? 2 : 1)];
    const Shape batch(out_.begin(), out_.end() - 2);
    const auto heads = [&](std::size_t i) {  // start of each product's operand
      std::vector<std::int64_t> starts;
      const Shape lead(shapes_[i].begin(), shapes_[i].end() - 2);
      each(broadcast_view(lead, batch), [&](std::int64_t p) { starts.push_back(p * (i == 0 ? m : n) * k); });
      return starts;
    };
    const auto a0 = heads(0), b0 = heads(1);
    Data out;
    out.reserve(at(elements(out_)));
    for (std::size_t p = 0; p < a0.size(); ++p)
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          double sum = 0;
          for (std::int64_t q = 0; q < k; ++q)
            sum += double((*in_[0])[at(a0[p] + (a_.transpose_a ? q * m + i : i * k + q))]) *
                   double((*in_[1])[at(b0[p] + (a_.transpose_b ? j * k + q : q * n + j))]);
          out.push_back(static_cast<float>(sum));
        }
    return out;
  }
  Data place() const {
    Data out(at(elements(out_)), a_.value);
    for (std::size_t i = 0; i < in_.size(); ++i) {
      std::size_t from = 0;
      each(target_of(n_, shapes_, i, out_), [&](std::int64_t to) { out[at(to)] = (*in_[i])[from++]; });
    }
    return out;
  }
  // Sizes before, at and behind attrs.axis.
  struct Axis {
    std::int64_t outer = 1, size = 1, inner = 1;
  };
  Axis axis() const {
    Axis x;
    const Shape& s = shapes_[0];
    for (std::size_t d = 0; d < s.size(); ++d) (d < at(a_.axis) ? x.outer : d == at(a_.axis) ? x.size : x.inner) *= s[d];
    return x;
  }
  Data gather() const {
    const Axis x = axis();
    Data out;
    for (std::int64_t o = 0; o < x.outer; ++o)
      for (const float index : *in_[1]) {
        auto j = static_cast<std::int64_t>(index);
        j = std::clamp<std::int64_t>(j < 0 ? j + x.size : j, 0, x.size - 1);
        for (std::int64_t i = 0; i < x.inner; ++i) out.push_back((*in_[0])[at((o * x.size + j) * x.inner + i)]);
      }
    return out;
  }
  std::vector<Data> top_k() const {
    const Axis x = axis();
    Data values(at(elements(out_))), indices(values.size());
    for (std::int64_t o = 0; o < x.outer; ++o)
      for (std::int64_t i = 0; i < x.inner; ++i) {
        const auto v = [&](std::int64_t j) { return (*in_[0])[at((o * x.size + j) * x.inner + i)]; };
        std::vector<std::int64_t> order(at(x.size));
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](auto p, auto q) { return a_.largest ? v(p) > v(q) : v(p) < v(q); });
        for (std::int64_t c = 0; c < a_.count; ++c) {
          const std::size_t to = at((o * a_.count + c) * x.inner + i);
          values[to] = v(order[at(c)]);
          indices[to] = static_cast<float>(order[at(c)]);
        }
      }
    return {values, indices};
  }
  static void softmax_row(std::vector<double>& row) {
    const double most = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (double& x : row) sum += x = std::exp(x - most);
    for (double& x : row) x /= sum;
  }
  Data softmax() const {
    const Axis x = axis();
    Data out(in_[0]->size());
    for (std::int64_t o = 0; o < x.outer; ++o)
      for (std::int64_t i = 0; i < x.inner; ++i) {
        std::vector<double> row;
        for (std::int64_t j = 0; j < x.size; ++j) row.push_back((*in_[0])[at((o * x.size + j) * x.inner + i)]);
        softmax_row(row);
        for (std::int64_t j = 0; j < x.size; ++j) out[at((o * x.size + j) * x.inner + i)] = static_cast<float>(row[at(j)]);
      }
    return out;
  }
  Data norm() const {
    const Axis x = axis();
    const std::int64_t width = x.size * x.inner;
    const Shape tail(out_.begin() + a_.axis, out_.end());
    const Data scale = spread(1, tail), bias = in_.size() > 2 ? spread(2, tail) : Data(at(width), 0.0f);
    Data out;
    for (std::int64_t o = 0; o < x.outer; ++o) {
      const float* row = in_[0]->data() + o * width;
      double mean = 0, square = 0;
      for (std::int64_t j = 0; j < width; ++j) mean += row[j];
      mean = n_.op == Op::layer_norm ? mean / double(width) : 0;
      for (std::int64_t j = 0; j < width; ++j) square += (row[j] - mean) * (row[j] - mean);
      const double r = 1 / std::sqrt(square / double(width) + a_.value);
      for (std::int64_t j = 0; j < width; ++j) out.push_back(static_cast<float>((row[j] - mean) * r * scale[at(j)] + bias[at(j)]));
    }
    return out;
  }
  Data attention() const {
    const Shape &q = shapes_[0], &k = shapes_[1], &v = shapes_[2];
    const std::int64_t heads = q[1], m = q[2], d = q[3], n = k[2], e = v[3];
    const bool masked = in_.size() == 4, logic = masked && g_.value(n_.inputs[3]).dtype == DType::boolean;
    const Data mask = masked ? spread(3, {q[0], heads, m, n}) : Data();
    Data out;
    for (std::int64_t b = 0; b < q[0] * heads; ++b) {
      const std::int64_t g = b / heads * k[1] + b % heads / (heads / k[1]);
      for (std::int64_t i = 0; i < m; ++i) {
        std::vector<double> s(at(n), 0.0);
        for (std::int64_t j = 0; j < n; ++j) {
          for (std::int64_t c = 0; c < d; ++c) s[at(j)] += double((*in_[0])[at((b * m + i) * d + c)]) * (*in_[1])[at((g * n + j) * d + c)];
          s[at(j)] *= a_.value;
          if (a_.softcap > 0) s[at(j)] = a_.softcap * std::tanh(s[at(j)] / a_.softcap);
          if (masked) s[at(j)] = logic ? (mask[at((b * m + i) * n + j)] != 0 ? s[at(j)] : -INFINITY) : s[at(j)] + mask[at((b * m + i) * n + j)];
          if (a_.causal && j > i + a_.offset) s[at(j)] = -INFINITY;
        }
        softmax_row(s);
        for (std::int64_t c = 0; c < e; ++c) {
          double sum = 0;
          for (std::int64_t j = 0; j < n; ++j) sum += s[at(j)] * (*in_[2])[at((g * n + j) * e + c)];
          out.push_back(static_cast<float>(sum));
        }
      }
    }
    return out;
  }

  const Graph& g_;
  const Node& n_;
  const Attrs& a_;
  const std::vector<const Data*>& in_;
  std::vector<Shape> shapes_;
  Shape out_;
};

}  // namespace

double scalar(Op op, double a, double b, bool whole) {
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::div: return whole ? std::trunc(a / b) : a / b;
    case Op::min: return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
    case Op::max: return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
    case Op::less: return a < b;
    case Op::less_equal: return a <= b;
    default: return a == b;
  }
}

double scalar(Op op, double x) {
  switch (op) {
    case Op::neg: return -x;
    case Op::abs: return std::fabs(x);
    case Op::round: return std::nearbyint(x);
    case Op::floor: return std::floor(x);
    case Op::trunc: return std::trunc(x);
    case Op::exp: return std::exp(x);
    case Op::log: return std::log(x);
    case Op::recip: return 1 / x;
    case Op::sqrt: return std::sqrt(x);
    case Op::rsqrt: return 1 / std::sqrt(x);
    case Op::erf: return std::erf(x);
    case Op::tanh: return std::tanh(x);
    case Op::sigmoid: return 1 / (1 + std::exp(-x));
    case Op::sin: return std::sin(x);
    case Op::cos: return std::cos(x);
    default: return x;
  }
}

std::vector<Data> evaluate(const Graph& graph, const Node& node, const std::vector<const Data*>& inputs) {
  return Evaluation(graph, node, inputs).run();
}

Tensors evaluate(const Graph& graph, const Tensors& inputs) {
  std::vector<Data> values(graph.values().size());
  for (const Port& p : graph.inputs()) {
    const auto found = inputs.find(p.name);
    const auto need = static_cast<std::size_t>(elements(graph.shape(p.value)));
    if (found == inputs.end() || found->second.size() != need)
      throw Error("tensor", "input " + p.name, found == inputs.end() ? "nothing" : std::to_string(found->second.size()) + " values", std::to_string(need));
    values[at(p.value)] = found->second;
  }
  const auto data = [&](ValueId id) { return graph.value(id).constant() ? graph.value(id).data.get() : &values[at(id)]; };
  for (const Node& n : graph.nodes()) {
    std::vector<const Data*> in;
    for (const ValueId id : n.inputs) in.push_back(data(id));
    std::vector<Data> out = evaluate(graph, n, in);
    for (std::size_t i = 0; i < out.size(); ++i) values[at(n.outputs[i])] = std::move(out[i]);
  }
  Tensors out;
  for (const Port& p : graph.outputs()) out[p.name] = *data(p.value);
  return out;
}

}  // namespace jogak::tensor
