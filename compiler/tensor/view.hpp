// Strided views of row-major tensors: what the moving operators are.
#pragma once
#include "graph.hpp"

namespace jogak::tensor {

// Element (i0, i1, ..) lies at offset + sum i * stride, in elements. Strides may be 0 (repeated) or negative.
struct View {
  Shape sizes;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
};

View row_major(const Shape& shape);
// x as if it had shape `to`.
View broadcast_view(const Shape& x, const Shape& to);
// What transpose, expand, slice and unfold (and reshape) show of their input.
View view_of(const Node& node, const Shape& input);
// The part of the result that input `which` of concat or the input of pad fills.
View target_of(const Node& node, const std::vector<Shape>& inputs, std::size_t which, const Shape& result);

// The same elements in the same order for all views (of equal sizes) with as few axes as possible: no axis of size 1, neighbours
// merged where every view allows it. At least one axis.
void collapse(std::vector<View>& views);

// Calls f(offset) for every element in row-major order.
template <class F>
void each(const View& v, F&& f) {
  std::vector<std::int64_t> at(v.sizes.size(), 0);
  std::int64_t offset = v.offset;
  for (std::int64_t n = elements(v.sizes); n > 0; --n) {
    f(offset);
    for (std::size_t d = v.sizes.size(); d-- > 0;) {
      offset += v.strides[d];
      if (++at[d] < v.sizes[d]) break;
      offset -= v.strides[d] * v.sizes[d];
      at[d] = 0;
    }
  }
}

}  // namespace jogak::tensor
