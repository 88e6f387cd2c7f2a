#include <algorithm>
#include <cmath>
#include <functional>

#include "build.hpp"
#include "error.hpp"
#include "tensor/evaluate.hpp"

namespace jogak::onnx {

namespace {

using Numbers = std::vector<double>;

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// Calls visit(offset) for every index of `shape` in row-major order; offset = start + sum of index * stride.
template <class Visit>
void walk(const Shape& shape, const Shape& strides, std::int64_t start, Visit visit) {
  if (count(shape) == 0) return;
  Shape index(shape.size(), 0);
  std::int64_t at = start;
  for (;;) {
    visit(at);
    std::size_t axis = shape.size();
    while (axis-- > 0) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (shape.empty()) return;
  }
}

Numbers view(const Numbers& x, const Shape& shape, const Shape& strides, std::int64_t start) {
  Numbers out;
  out.reserve(static_cast<std::size_t>(count(shape)));
  walk(shape, strides, start, [&](std::int64_t at) { out.push_back(x[static_cast<std::size_t>(at)]); });
  return out;
}

Numbers expanded(const Numbers& x, const Shape& from, const Shape& to) {
  Shape strides(to.size(), 0);
  const Shape own = strides_of(from);
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[from.size() - 1 - i] != 1) strides[to.size() - 1 - i] = own[from.size() - 1 - i];
  return view(x, to, strides, 0);
}

// NumPy's rule with sizes of 0.
Shape joint(const std::vector<const Array*>& in) {
  Shape out;
  for (const Array* a : in) {
    if (a->shape.size() > out.size()) out.insert(out.begin(), a->shape.size() - out.size(), 1);
    for (std::size_t i = 0; i < a->shape.size(); ++i) {
      std::int64_t& size = out[out.size() - 1 - i];
      const std::int64_t other = a->shape[a->shape.size() - 1 - i];
      if (size == 1) size = other;
      else if (other != 1 && other != size)
        throw Error("onnx", "shapes of constants", to_string(a->shape), "one that broadcasts to " + to_string(out));
    }
  }
  return out;
}

Array elementwise(Op op, const std::vector<const Array*>& in, Type type) {
  const Shape shape = joint(in);
  std::vector<Numbers> x;
  for (const Array* a : in) x.push_back(expanded(a->values(), a->shape, shape));
  Numbers out(x[0].size());
  const bool whole = integral(in[0]->type);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (op == Op::select) out[i] = x[0][i] != 0 ? x[1][i] : x[2][i];
    else if (in.size() != 2) out[i] = tensor::scalar(op, x[0][i]);
    else if (whole && op == Op::div && x[1][i] == 0) out[i] = 0;  // ONNX leaves it open
    else out[i] = tensor::scalar(op, x[0][i], x[1][i], whole);
  }
  return make_array(type, shape, out);
}

Array reduced(Op op, const Array& x, const Attrs& attrs, Type type) {
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  std::vector<bool> gone(x.shape.size(), attrs.axes.empty());
  for (const auto axis : attrs.axes) gone[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = true;
  Shape kept, full, strides(x.shape.size(), 0);
  std::int64_t step = 1;
  for (std::size_t i = x.shape.size(); i-- > 0;) {
    if (gone[i]) continue;
    strides[i] = step;
    step *= x.shape[i];
  }
  for (std::size_t i = 0; i < x.shape.size(); ++i) {
    if (!gone[i]) kept.push_back(x.shape[i]);
    full.push_back(gone[i] ? 1 : x.shape[i]);
  }
  const double start = op == Op::reduce_max ? (integral(type) ? lowest(type) : -HUGE_VAL)
                       : op == Op::reduce_min ? (integral(type) ? highest(type) : HUGE_VAL) : 0;
  Numbers out(static_cast<std::size_t>(count(kept)), start);
  const Numbers values = x.values();
  std::size_t next = 0;
  walk(x.shape, strides, 0, [&](std::int64_t at) {
    double& to = out[static_cast<std::size_t>(at)];
    const double value = values[next++];
    to = op == Op::reduce_max ? std::max(to, value) : op == Op::reduce_min ? std::min(to, value) : to + value;
  });
  if (op == Op::reduce_mean)
    for (double& y : out) y /= static_cast<double>(values.size()) / static_cast<double>(out.size());
  return make_array(type, attrs.keep ? full : kept, out);
}

Array moved(Op op, const Array& x, const Attrs& attrs, Type type) {
  const Numbers values = x.values();
  const Shape own = strides_of(x.shape);
  if (op == Op::reshape) return make_array(type, attrs.shape, values);
  if (op == Op::expand) {
    Array target{type, attrs.shape, {}};
    const Shape shape = joint({&x, &target});
    return make_array(type, shape, expanded(values, x.shape, shape));
  }
  Shape shape, strides;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < x.shape.size(); ++i) {
    const auto axis = op == Op::transpose ? static_cast<std::size_t>(attrs.axes[i]) : i;
    shape.push_back(op == Op::transpose ? x.shape[axis] : attrs.shape[i]);
    strides.push_back(own[axis] * (op == Op::slice ? attrs.steps[i] : 1));
    if (op == Op::slice) start += own[axis] * attrs.starts[i];
  }
  return make_array(type, shape, view(values, shape, strides, start));
}

Array joined(const std::vector<const Array*>& in, const Attrs& attrs, Type type) {
  const auto rank = static_cast<std::int64_t>(in[0]->shape.size());
  const auto axis = static_cast<std::size_t>(attrs.axis < 0 ? attrs.axis + rank : attrs.axis);
  Shape shape = in[0]->shape;
  shape[axis] = 0;
  std::vector<Numbers> values;
  for (const Array* a : in) {
    shape[axis] += a->shape[axis];
    values.push_back(a->values());
  }
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
  Numbers out;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::size_t p = 0; p < in.size(); ++p) {
      const auto run = in[p]->shape[axis] * inner;
      out.insert(out.end(), values[p].begin() + o * run, values[p].begin() + (o + 1) * run);
    }
  return make_array(type, shape, out);
}

Array gathered(const Array& x, const Array& indices, const Attrs& attrs, Type type) {
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  const auto axis = static_cast<std::size_t>(attrs.axis < 0 ? attrs.axis + rank : attrs.axis);
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < x.shape.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : x.shape[i];
  const Numbers values = x.values();
  Numbers out;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i : indices.integers()) {
      if (i < 0) i += x.shape[axis];
      if (i < 0 || i >= x.shape[axis])
        throw Error("onnx", "index of a constant", std::to_string(i), "0 to " + std::to_string(x.shape[axis] - 1));
      const auto from = values.begin() + (o * x.shape[axis] + i) * inner;
      out.insert(out.end(), from, from + inner);
    }
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
  return make_array(type, shape, out);
}

}  // namespace

std::optional<Array> fold(Op op, const std::vector<const Array*>& in, const Attrs& attrs, Type type) {
  switch (op) {
    case Op::cast: {
      Numbers values = in[0]->values();
      return make_array(type, in[0]->shape, values);
    }
    case Op::reduce_sum: case Op::reduce_max: case Op::reduce_min: case Op::reduce_mean: return reduced(op, *in[0], attrs, type);
    case Op::transpose: case Op::reshape: case Op::expand: case Op::slice: return moved(op, *in[0], attrs, type);
    case Op::concat: return joined(in, attrs, type);
    case Op::gather: return gathered(*in[0], *in[1], attrs, type);
    default: break;
  }
  if (op <= Op::select) return elementwise(op, in, type);
  return std::nullopt;
}

}  // namespace jogak::onnx
