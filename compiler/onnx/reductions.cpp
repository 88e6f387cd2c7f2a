// Reductions over axes.
#include <cmath>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

struct Reduction {
  Val x;
  std::vector<std::int64_t> axes;
  bool keep = true, nothing = false;
};

Reduction read(Context& c) {
  Reduction r{c.in(0), {}, c.integer("keepdims", 1) != 0, false};
  r.axes = c.axes(c.integers(1, "axes", {}), r.x.rank());
  if (r.axes.empty()) {
    r.nothing = c.integer("noop_with_empty_axes", 0) != 0;
    r.axes = range(0, r.x.rank());
  }
  return r;
}

Val reduced(Build& b, const Reduction& r, Op op, const Val& x) { return r.nothing ? x : b.reduce(op, x, r.axes, r.keep); }

Handler plain(Op op) {
  return [op](Context& c) {
    const Reduction r = read(c);
    const bool logic = r.x.type == Type::boolean;
    const Val x = logic ? c.b.cast(r.x, Type::u8) : r.x;
    const Val y = reduced(c.b, r, op, x);
    c.out(logic ? c.b.cast(y, Type::boolean) : y);
  };
}

void mean(Context& c) {
  const Reduction r = read(c);
  if (!integral(r.x.type)) {
    c.out(reduced(c.b, r, Op::reduce_mean, r.x));
    return;
  }
  c.out(c.b.cast(reduced(c.b, r, Op::reduce_mean, c.b.cast(r.x, Type::f32)), r.x.type));
}

// Halves meet until one is left.
Val product(Build& b, Val x, std::int64_t axis) {
  const auto at = static_cast<std::size_t>(axis);
  if (x.shape[at] == 0) {
    Shape shape = x.shape;
    shape[at] = 1;
    return b.filled(shape, 1, x.type);
  }
  while (x.shape[at] > 1) {
    const auto n = x.shape[at], half = n / 2;
    const Val rest = b.part(x, axis, 2 * half, n);
    x = b.mul(b.part(x, axis, 0, half), b.part(x, axis, half, 2 * half));
    if (n % 2) x = b.concat({x, rest}, axis);
  }
  return x;
}

void prod(Context& c) {
  const Reduction r = read(c);
  Val x = r.x;
  Shape shape;
  std::vector<bool> gone(x.shape.size(), false);
  for (const auto axis : r.axes) gone[static_cast<std::size_t>(axis)] = !r.nothing;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) x = product(c.b, x, static_cast<std::int64_t>(i));
    if (!gone[i] || r.keep) shape.push_back(x.shape[i]);
  }
  c.out(c.b.reshape(x, shape));
}

void l1(Context& c) {
  const Reduction r = read(c);
  c.out(reduced(c.b, r, Op::reduce_sum, c.b.unary(Op::abs, r.x)));
}
Val squares(Context& c, const Reduction& r) { return reduced(c.b, r, Op::reduce_sum, c.b.mul(r.x, r.x)); }
void l2(Context& c) {
  const Reduction r = read(c);
  const Val sum = squares(c, r);
  c.out(c.b.cast(c.b.unary(Op::sqrt, c.b.cast(sum, Type::f32)), r.x.type));
}
void log_sum(Context& c) {
  const Reduction r = read(c);
  c.out(c.b.unary(Op::log, reduced(c.b, r, Op::reduce_sum, r.x)));
}

// The largest value comes out first, so that nothing overflows.
void log_sum_exp(Context& c) {
  Build& b = c.b;
  const Reduction r = read(c);
  if (r.nothing || r.x.size() == 0) {
    c.out(b.unary(Op::log, reduced(b, r, Op::reduce_sum, b.unary(Op::exp, r.x))));
    return;
  }
  const Val top = b.reduce(Op::reduce_max, r.x, r.axes, true);
  const Val sum = b.reduce(Op::reduce_sum, b.unary(Op::exp, b.sub(r.x, top)), r.axes, true);
  const Val y = b.add(b.unary(Op::log, sum), top);
  Shape shape;
  std::vector<bool> gone(r.x.shape.size(), false);
  for (const auto axis : r.axes) gone[static_cast<std::size_t>(axis)] = true;
  for (std::size_t i = 0; i < gone.size(); ++i)
    if (!gone[i] || r.keep) shape.push_back(y.shape[i]);
  c.out(b.reshape(y, shape));
}

}  // namespace

void register_reductions(Registry& r) {
  r[":ReduceSum"] = plain(Op::reduce_sum);
  r[":ReduceMax"] = plain(Op::reduce_max);
  r[":ReduceMin"] = plain(Op::reduce_min);
  r[":ReduceMean"] = mean;
  r[":ReduceProd"] = prod;
  r[":ReduceL1"] = l1;
  r[":ReduceL2"] = l2;
  r[":ReduceSumSquare"] = [](Context& c) { c.out(squares(c, read(c))); };
  r[":ReduceLogSum"] = log_sum;
  r[":ReduceLogSumExp"] = log_sum_exp;
}

}  // namespace jogak::onnx
