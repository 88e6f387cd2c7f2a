// Operators that choose values by index.
#include <algorithm>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Negative indices count from the end.
Val wrapped(Build& b, const Val& indices, std::int64_t size) {
  const Val i = b.retype(indices, Type::i64);
  return b.select(b.less(i, 0), b.add(i, static_cast<double>(size)), i);
}

void gather(Context& c) {
  const Val x = c.in(0);
  c.out(c.b.gather(x, c.in(1), c.axis(c.integer("axis", 0), x.rank())));
}

// Flat position in x of [i0, .., index, ..]: the index times its axis' stride plus what the other coordinates add.
void gather_elements(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0), indices = c.in(1);
  const auto axis = c.axis(c.integer("axis", 0), x.rank());
  if (indices.rank() != x.rank()) c.refuse("indices", to_string(indices.shape), "the rank of " + to_string(x.shape));
  std::vector<std::int64_t> base(at(indices.size()), 0);
  std::int64_t stride = 1, own = 1, repeat = 1;
  for (std::int64_t i = x.rank(); i-- > 0;) {
    if (i == axis) own = stride;
    for (std::size_t k = 0; k < base.size() && i != axis; ++k)
      base[k] += static_cast<std::int64_t>(k) / repeat % indices.shape[at(i)] * stride;
    repeat *= indices.shape[at(i)];
    stride *= x.shape[at(i)];
  }
  Val flat = b.mul(wrapped(b, indices, x.shape[at(axis)]), static_cast<double>(own));
  flat = b.add(flat, b.integers(indices.shape, base));
  c.out(b.gather(b.reshape(x, {x.size()}), flat, 0));
}

void gather_nd(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0), indices = c.in(1);
  if (indices.rank() == 0) c.refuse("indices", "a scalar", "tuples along the last axis");
  const auto batch = c.integer("batch_dims", 0), depth = indices.shape.back();
  if (batch < 0 || batch + depth > x.rank() || batch >= indices.rank()) c.refuse("indices", to_string(indices.shape), "tuples for " + to_string(x.shape));
  std::int64_t batches = 1, inner = 1, rows = 1;
  for (std::int64_t i = 0; i < batch; ++i) batches *= x.shape[at(i)];
  for (std::int64_t i = batch; i < batch + depth; ++i) rows *= x.shape[at(i)];
  for (std::int64_t i = batch + depth; i < x.rank(); ++i) inner *= x.shape[at(i)];
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  const std::int64_t tuples = indices.size() / depth;
  const Val list = b.reshape(indices, {tuples, depth});
  Val flat;
  for (std::int64_t d = 0; d < depth; ++d) {
    const Val column = wrapped(b, b.reshape(b.part(list, 1, d, d + 1), {tuples}), x.shape[at(batch + d)]);
    flat = d == 0 ? column : b.add(b.mul(flat, static_cast<double>(x.shape[at(batch + d)])), column);
  }
  std::vector<std::int64_t> first(at(tuples));
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::int64_t>(i) / (tuples / batches) * rows;
  flat = b.add(flat, b.integers({tuples}, first));
  shape.insert(shape.end(), x.shape.begin() + batch + depth, x.shape.end());
  c.out(b.reshape(b.gather(b.reshape(x, {batches * rows, inner}), flat, 0), shape));
}

void top_k(Context& c) {
  const Val x = c.in(0);
  const auto k = c.has(1) ? c.integer(1, "k") : c.integer("k", 1);
  const auto axis = c.axis(c.integer("axis", -1), x.rank());
  if (k < 1 || k > x.shape[at(axis)]) c.refuse("k", std::to_string(k), "1 to " + std::to_string(x.shape[at(axis)]));
  const auto both = c.b.top_k(x, k, axis, c.integer("largest", 1) != 0);
  c.out(0, both[0]);
  c.out(1, both[1]);
}

// The index of the best along an axis; the last of equals by looking from the end.
void arg(Context& c, bool largest) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto axis = c.axis(c.integer("axis", 0), x.rank());
  const bool last = c.integer("select_last_index", 0) != 0;
  Val index = b.top_k(last ? b.reversed(x, axis) : x, 1, axis, largest)[1];
  if (last) index = b.sub(b.scalar(static_cast<double>(x.shape[at(axis)] - 1), Type::i64), index);
  Shape shape = index.shape;
  if (c.integer("keepdims", 1) == 0) shape.erase(shape.begin() + axis);
  c.out(b.reshape(index, shape));
}

Val counting(Build& b, std::int64_t n, std::int64_t axis, std::int64_t rank) {
  Shape shape(at(rank), 1);
  shape[at(axis)] = n;
  return b.integers(shape, range(0, n));
}

void hardmax(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto [flat, along_axis] = c.along(x);
  const Val y = b.reshape(x, flat), best = b.top_k(y, 1, along_axis, true)[1];
  c.out(b.reshape(b.cast(b.equal(counting(b, flat[at(along_axis)], along_axis, y.rank()), best), x.type), x.shape));
}

void one_hot(Context& c) {
  Build& b = c.b;
  const Val indices = c.in(0), values = c.in(2);
  const auto depth = static_cast<std::int64_t>(c.known(1, "depth").values().at(0));
  const auto axis = c.axis(c.integer("axis", -1), indices.rank() + 1);
  Shape shape = indices.shape;
  shape.insert(shape.begin() + axis, 1);
  const Val place = b.reshape(wrapped(b, b.cast(indices, Type::i64), depth), shape);
  const Val hit = b.equal(place, counting(b, depth, axis, indices.rank() + 1));
  c.out(b.select(hit, b.reshape(b.part(values, 0, 1, 2), {}), b.reshape(b.part(values, 0, 0, 1), {})));
}

void trilu(Context& c) {
  const Val x = c.in(0);
  if (x.rank() < 2) c.refuse("input", to_string(x.shape), "matrices");
  const auto shift = c.has(1) ? c.integer(1, "k") : 0;
  const bool upper = c.integer("upper", 1) != 0;
  const auto rows = x.shape[at(x.rank() - 2)], columns = x.shape[at(x.rank() - 1)];
  std::vector<double> mask;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) mask.push_back(upper ? j - i >= shift : j - i <= shift);
  c.out(c.b.select(c.b.constant(make_array(Type::boolean, {rows, columns}, mask)), x, c.b.scalar(0, x.type)));
}

// A product with a triangle of ones.
void cumulative_sum(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto axis = c.axis(c.integer(1, "axis"), x.rank());
  const auto n = x.shape[at(axis)];
  const bool exclusive = c.integer("exclusive", 0) != 0, reverse = c.integer("reverse", 0) != 0;
  std::vector<float> ones;
  for (std::int64_t from = 0; from < n; ++from)
    for (std::int64_t to = 0; to < n; ++to)
      ones.push_back((exclusive ? from != to : true) && (reverse ? from >= to : from <= to) ? 1.0f : 0.0f);
  std::vector<std::int64_t> order = range(0, x.rank());
  std::swap(order[at(axis)], order.back());
  const Val turned = b.transpose(b.cast(x, Type::f32), order);
  const Val rows = b.reshape(turned, {x.size() / n, n});
  const Val sums = b.reshape(b.matmul(rows, b.constant(make_floats({n, n}, ones))), turned.shape);
  const Val y = b.transpose(sums, order);
  c.out(b.cast(integral(x.type) ? b.unary(Op::round, y) : y, x.type));
}

}  // namespace

void register_indexing(Registry& r) {
  r[":Gather"] = gather;
  r[":GatherElements"] = gather_elements;
  r[":GatherND"] = gather_nd;
  r[":TopK"] = top_k;
  r[":ArgMax"] = [](Context& c) { arg(c, true); };
  r[":ArgMin"] = [](Context& c) { arg(c, false); };
  r[":Hardmax"] = hardmax;
  r[":OneHot"] = one_hot;
  r[":Trilu"] = trilu;
  r[":CumSum"] = cumulative_sum;
}

}  // namespace jogak::onnx
