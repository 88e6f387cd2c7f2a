#include "view.hpp"

namespace jogak::tensor {

View row_major(const Shape& shape) {
  View v{shape, std::vector<std::int64_t>(shape.size(), 1), 0};
  for (std::size_t i = shape.size(); i-- > 1;) v.strides[i - 1] = v.strides[i] * shape[i];
  return v;
}

View broadcast_view(const Shape& x, const Shape& to) {
  const View from = row_major(x);
  View v{to, std::vector<std::int64_t>(to.size(), 0), 0};
  const std::size_t missing = to.size() - x.size();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] != 1) v.strides[missing + i] = from.strides[i];
  return v;
}

View view_of(const Node& node, const Shape& input) {
  const Attrs& a = node.attrs;
  const View x = row_major(input);
  View v = x;
  switch (node.op) {
    case Op::transpose:
      for (std::size_t i = 0; i < input.size(); ++i) {
        v.sizes[i] = x.sizes[static_cast<std::size_t>(a.axes[i])];
        v.strides[i] = x.strides[static_cast<std::size_t>(a.axes[i])];
      }
      return v;
    case Op::expand: return broadcast_view(input, a.shape);
    case Op::slice:
      for (std::size_t i = 0; i < input.size(); ++i) {
        v.sizes[i] = a.shape[i];
        v.strides[i] = x.strides[i] * a.steps[i];
        v.offset += x.strides[i] * a.starts[i];
      }
      return v;
    case Op::unfold: {
      const auto axis = static_cast<std::size_t>(a.axis);
      const std::int64_t size = a.starts[0], step = a.starts[1], dilation = a.starts[2], reach = (size - 1) * dilation + 1;
      v.sizes[axis] = (x.sizes[axis] - reach) / step + 1;
      v.strides[axis] = x.strides[axis] * step;
      v.sizes.insert(v.sizes.begin() + a.axis + 1, size);
      v.strides.insert(v.strides.begin() + a.axis + 1, x.strides[axis] * dilation);
      return v;
    }
    default: return row_major(a.shape);  // reshape
  }
}

View target_of(const Node& node, const std::vector<Shape>& inputs, std::size_t which, const Shape& result) {
  View v = row_major(result);
  v.sizes = inputs[which];
  if (node.op == Op::concat) {
    const auto axis = static_cast<std::size_t>(node.attrs.axis);
    for (std::size_t i = 0; i < which; ++i) v.offset += inputs[i][axis] * v.strides[axis];
  } else {
    for (std::size_t d = 0; d < v.sizes.size(); ++d) v.offset += node.attrs.starts[d] * v.strides[d];
  }
  return v;
}

void collapse(std::vector<View>& views) {
  View& lead = views.front();
  for (std::size_t d = lead.sizes.size(); d-- > 0;) {
    bool drop = lead.sizes[d] == 1 && lead.sizes.size() > 1;
    bool merge = !drop && d + 1 < lead.sizes.size();
    for (const View& v : views)
      if (merge) merge = v.strides[d] == v.strides[d + 1] * v.sizes[d + 1];
    if (!drop && !merge) continue;
    for (View& v : views) {
      if (merge) v.sizes[d + 1] *= v.sizes[d];
      v.sizes.erase(v.sizes.begin() + static_cast<std::ptrdiff_t>(d));
      v.strides.erase(v.strides.begin() + static_cast<std::ptrdiff_t>(d));
    }
  }
  for (View& v : views)
    if (v.sizes.empty()) v.sizes = {1}, v.strides = {1};
}

}  // namespace jogak::tensor
