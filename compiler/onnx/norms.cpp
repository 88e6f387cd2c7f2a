// Normalisations.
#include <cmath>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Val ones(Build& b, const Val& x, std::int64_t axis) {
  return b.filled(Shape(x.shape.begin() + axis, x.shape.end()), 1);
}

// (x - mean) * rsqrt(var + eps) over these axes.
struct Moments {
  Val mean, inverse, centred;
};
Moments moments(Build& b, const Val& x, const std::vector<std::int64_t>& axes, float eps) {
  Moments m;
  m.mean = b.reduce(Op::reduce_mean, x, axes, true);
  m.centred = b.sub(x, m.mean);
  m.inverse = b.unary(Op::rsqrt, b.add(b.reduce(Op::reduce_mean, b.mul(m.centred, m.centred), axes, true), eps));
  return m;
}

void layer_norm_node(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0), bias = c.has(2) ? c.in(2) : Val{};
  const auto axis = c.axis(c.integer("axis", -1), x.rank());
  const float eps = c.number("epsilon", 1e-5f);
  if (!c.wants(1) && !c.wants(2)) {
    c.out(layer_norm(b, x, axis, c.in(1), bias, eps));
    return;
  }
  const Moments m = moments(b, x, range(axis, x.rank()), eps);
  Val y = b.mul(b.mul(m.centred, m.inverse), c.in(1));
  c.out(0, bias ? b.add(y, bias) : y);
  c.out(1, m.mean);
  c.out(2, m.inverse);
}

void rms_norm_node(Context& c) {
  const Val x = c.in(0);
  const auto axis = c.axis(c.integer("axis", -1), x.rank());
  c.out(rms_norm(c.b, x, axis, c.in(1), c.number("epsilon", 1e-5f)));
  if (c.wants(1)) c.refuse("output 1", "its use", "no use: only the first output is made");
}

void batch_norm(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto rank = x.rank();
  Val mean = c.in(3), variance = c.in(4);
  if (c.integer("training_mode", 0) != 0) {
    auto axes = range(0, rank);
    axes.erase(axes.begin() + 1);
    const double keep = c.number("momentum", 0.9f);
    const Val centred = b.sub(x, b.reduce(Op::reduce_mean, x, axes, true));
    const Val now = b.reduce(Op::reduce_mean, x, axes, false), spread = b.reduce(Op::reduce_mean, b.mul(centred, centred), axes, false);
    c.out(1, b.add(b.mul(mean, keep), b.mul(now, 1 - keep)));
    c.out(2, b.add(b.mul(variance, keep), b.mul(spread, 1 - keep)));
    mean = now;
    variance = spread;
  }
  const Val inverse = b.unary(Op::rsqrt, b.add(variance, c.number("epsilon", 1e-5f)));
  const Val scale = b.mul(c.in(1), inverse), shift = b.sub(c.in(2), b.mul(mean, scale));
  c.out(b.add(b.mul(x, along(b, scale, 1, rank)), along(b, shift, 1, rank)));
}

void instance_norm(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const Moments m = moments(b, x, range(2, x.rank()), c.number("epsilon", 1e-5f));
  const Val y = b.mul(b.mul(m.centred, m.inverse), along(b, c.in(1), 1, x.rank()));
  c.out(b.add(y, along(b, c.in(2), 1, x.rank())));
}

void group_norm(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto groups = c.integer("num_groups", 0), channels = x.shape.at(1);
  if (groups < 1 || channels % groups != 0) c.refuse("attribute num_groups", std::to_string(groups), "a divisor of " + std::to_string(channels));
  const Val flat = b.reshape(x, {x.shape[0], groups, x.size() / x.shape[0] / groups});
  const Moments m = moments(b, flat, {2}, c.number("epsilon", 1e-5f));
  Val y = b.mul(m.centred, m.inverse), scale = c.in(1), bias = c.in(2);
  if (scale.size() == channels) {
    y = b.reshape(y, x.shape);
    c.out(b.add(b.mul(y, along(b, scale, 1, x.rank())), along(b, bias, 1, x.rank())));
  } else {
    c.out(b.reshape(b.add(b.mul(y, along(b, scale, 1, 3)), along(b, bias, 1, 3)), x.shape));
  }
}

// Squares of neighbouring channels add up.
void local_response(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto size = c.integer("size", 1);
  const double alpha = c.number("alpha", 1e-4f), beta = c.number("beta", 0.75f), bias = c.number("bias", 1);
  Shape before(x.shape.size(), 0), after = before;
  before[1] = (size - 1) / 2;
  after[1] = size - 1 - before[1];
  const Val squares = b.pad(b.mul(x, x), before, after, 0);
  Val sum = b.part(squares, 1, 0, x.shape[1]);
  for (std::int64_t i = 1; i < size; ++i) sum = b.add(sum, b.part(squares, 1, i, i + x.shape[1]));
  const Val base = b.add(b.mul(sum, alpha / static_cast<double>(size)), bias);
  c.out(b.mul(x, b.unary(Op::exp, b.mul(b.unary(Op::log, base), -beta))));
}

void lp_norm(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto axis = c.axis(c.integer("axis", -1), x.rank()), p = c.integer("p", 2);
  if (p != 1 && p != 2) c.refuse("attribute p", std::to_string(p), "1 or 2");
  Val size = b.reduce(Op::reduce_sum, p == 1 ? b.unary(Op::abs, x) : b.mul(x, x), {axis}, true);
  if (p == 2) size = b.unary(Op::sqrt, size);
  // All-zero rows stay zero.
  const Val safe = b.select(b.equal(size, b.scalar(0)), b.scalar(1), size);
  c.out(b.div(x, safe));
}

void mean_variance(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const Moments m = moments(b, x, c.axes(c.integers("axes", {0, 2, 3}), x.rank()), 0);
  const Val deviation = b.unary(Op::recip, m.inverse);
  c.out(b.div(m.centred, b.add(deviation, 1e-9)));
}

}  // namespace

Val along(Build& b, const Val& v, std::int64_t axis, std::int64_t rank) {
  if (v.rank() != 1 || rank == 0) return v;
  if (v.size() == 1) return b.reshape(v, {});
  Shape shape(at(rank), 1);
  shape[at(axis)] = v.size();
  return b.reshape(v, shape);
}

Val layer_norm(Build& b, const Val& x, std::int64_t axis, const Val& scale, const Val& bias, float eps) {
  Attrs attrs;
  attrs.axis = axis;
  attrs.value = eps;
  std::vector<Val> in{x, scale ? scale : ones(b, x, axis)};
  if (bias) in.push_back(bias);
  return b.op(Op::layer_norm, in, attrs);
}

Val rms_norm(Build& b, const Val& x, std::int64_t axis, const Val& scale, float eps) {
  Attrs attrs;
  attrs.axis = axis;
  attrs.value = eps;
  return b.op(Op::rms_norm, {x, scale ? scale : ones(b, x, axis)}, attrs);
}

void register_norms(Registry& r) {
  r[":LayerNormalization"] = layer_norm_node;
  r[":RMSNormalization"] = rms_norm_node;
  r[":SimplifiedLayerNormalization"] = rms_norm_node;
  r["com.microsoft:SimplifiedLayerNormalization"] = rms_norm_node;
  r["com.microsoft:LayerNormalization"] = layer_norm_node;
  r[":BatchNormalization"] = batch_norm;
  r[":InstanceNormalization"] = instance_norm;
  r[":GroupNormalization"] = group_norm;
  r[":LRN"] = local_response;
  r[":LpNormalization"] = lp_norm;
  r[":MeanVarianceNormalization"] = mean_variance;
}

}  // namespace jogak::onnx
