#include "attend.hpp"

#include <cmath>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

constexpr double kHidden = -1e30;  // added to a score: no weight is left

bool boolean(const Val& v) { return v.type == Type::boolean; }

// What is added to scores: 0 where seen.
Val added(Build& b, const Val& mask) {
  return boolean(mask) ? b.select(mask, b.scalar(0), b.scalar(kHidden)) : mask;
}

// 1 for queries that see a key; absent where that is plain.
Val sighted(Build& b, const Attend& a) {
  if (!a.mask) return {};
  const auto n = a.k.shape[2], m = a.q.shape[2];
  Val mask = boolean(a.mask) ? a.mask : b.less(b.scalar(kHidden / 2), a.mask);
  if (a.causal) mask = both(b, mask, band(b, m, n, a.offset, -1, 0));
  const Val any = b.reduce(Op::reduce_max, b.cast(mask, Type::f32), {mask.rank() - 1}, true);
  if (any.data) {
    bool all = true;
    for (const double x : any.data->values()) all &= x != 0;
    if (all) return {};
  }
  return any;
}

// Query heads beside the key head that they share.
Val grouped(Build& b, const Val& x, std::int64_t groups) {
  return b.reshape(x, {x.shape[0], groups, x.shape[1] / groups, x.shape[2], x.shape[3]});
}
Val product(Build& b, const Val& heads, const Val& shared, bool turn) {
  const auto groups = shared.shape[1];
  const Val y = b.matmul(grouped(b, heads, groups), grouped(b, shared, groups), false, turn);
  return b.reshape(y, {heads.shape[0], heads.shape[1], y.shape[3], y.shape[4]});
}

Attended in_steps(Build& b, const Attend& a) {
  Attended r;
  r.raw = product(b, b.mul(a.q, a.scale), a.k, true);
  r.capped = a.softcap > 0 ? b.mul(b.unary(Op::tanh, b.mul(r.raw, 1 / a.softcap)), a.softcap) : r.raw;
  r.biased = r.capped;
  if (a.mask) r.biased = b.add(r.biased, added(b, a.mask));
  if (a.causal) r.biased = b.add(r.biased, added(b, band(b, a.q.shape[2], a.k.shape[2], a.offset, -1, 0)));
  r.weights = b.softmax(b.max(r.biased, b.scalar(kHidden)), 3);
  return r;
}

}  // namespace

Val both(Build& b, const Val& x, const Val& y) {
  if (!x || !y) return x ? x : y;
  if (boolean(x) && boolean(y)) return b.select(x, y, b.scalar(0, Type::boolean));
  return b.add(added(b, x), added(b, y));
}

Val band(Build& b, std::int64_t m, std::int64_t n, std::int64_t offset, std::int64_t left, std::int64_t right) {
  std::vector<double> seen;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      seen.push_back((left < 0 || j >= i + offset - left) && (right < 0 || j <= i + offset + right));
  return b.constant(make_array(Type::boolean, {m, n}, seen));
}

Attended attend(Build& b, const Attend& a, bool scores) {
  Attended r;
  const Val any = sighted(b, a);
  const bool blind = a.causal && a.offset < 0;
  if (scores || blind) {
    r = in_steps(b, a);
    Val seen = any;
    if (blind) seen = b.reduce(Op::reduce_max, b.cast(both(b, a.mask && boolean(a.mask) ? a.mask : Val{}, band(b, a.q.shape[2], a.k.shape[2], a.offset, -1, 0)), Type::f32), {-1}, true);
    if (seen) r.weights = b.select(b.cast(seen, Type::boolean), r.weights, b.scalar(0));
    r.y = product(b, r.weights, a.v, false);
    return r;
  }
  Attrs attrs;
  attrs.value = static_cast<float>(a.scale);
  attrs.causal = a.causal;
  attrs.offset = a.offset;
  attrs.softcap = static_cast<float>(a.softcap);
  std::vector<Val> in{a.q, a.k, a.v};
  // Where a query may see nothing its scores stay finite: no 0 / 0.
  if (a.mask) in.push_back(boolean(a.mask) && !any ? a.mask : b.max(added(b, a.mask), b.scalar(kHidden)));
  r.y = b.op(Op::attention, in, attrs);
  if (any) r.y = b.select(b.cast(any, Type::boolean), r.y, b.scalar(0));
  return r;
}

Val to_heads(Context& c, const Val& x, std::int64_t heads) {
  if (x.rank() != 3 || heads < 1 || x.shape[2] % heads != 0)
    c.refuse("input", to_string(x.shape) + " for " + std::to_string(heads) + " heads", "[batch, sequence, heads * size]");
  return c.b.transpose(c.b.reshape(x, {x.shape[0], x.shape[1], heads, x.shape[2] / heads}), {0, 2, 1, 3});
}
Val from_heads(Build& b, const Val& x) {
  return b.reshape(b.transpose(x, {0, 2, 1, 3}), {x.shape[0], x.shape[2], x.shape[1] * x.shape[3]});
}

Val rotate(Build& b, const Val& x, const Val& cosines, const Val& sines, bool interleaved) {
  const auto half = cosines.shape.back(), turned = 2 * half, size = x.shape[3], s = x.shape[2];
  const auto rows = [&](const Val& v) { return b.reshape(v, {v.size() / half / s, 1, s, half}); };
  const Val cosine = rows(cosines), sine = rows(sines);
  const Val part = b.part(x, 3, 0, turned);
  Shape halves = x.shape, joined = x.shape;
  joined[3] = turned;
  halves[3] = half;
  Val first, second;
  if (interleaved) {
    const Shape steps{1, 1, 1, 2};
    first = b.slice(part, {0, 0, 0, 0}, steps, halves);
    second = b.slice(part, {0, 0, 0, 1}, steps, halves);
  } else {
    first = b.part(part, 3, 0, half);
    second = b.part(part, 3, half, turned);
  }
  const Val real = b.sub(b.mul(first, cosine), b.mul(second, sine));
  const Val imaginary = b.add(b.mul(first, sine), b.mul(second, cosine));
  Val y;
  if (interleaved) {
    halves.push_back(1);
    y = b.reshape(b.concat({b.reshape(real, halves), b.reshape(imaginary, halves)}, 4), joined);
  } else {
    y = b.concat({real, imaginary}, 3);
  }
  return turned == size ? y : b.concat({y, b.part(x, 3, turned, size)}, 3);
}

}  // namespace jogak::onnx
