#include "math.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace jogak::tensor {

using spec::Vfunc;
using spec::Vop;

namespace {

constexpr float kInfinity = INFINITY;
constexpr float kHuge = 0x1p127f;   // times the smallest normal number: 2
constexpr float kWhole = 0x1p23f;   // from here on every number is an integer

}  // namespace

Slot Math::buffer() {
  const auto free = std::find(used_.begin(), used_.end(), false);
  const auto slot = static_cast<Slot>(free - used_.begin());
  if (free == used_.end()) used_.push_back(true);
  else *free = true;
  return slot;
}

void Math::vec(Vop op, Slot out, Slot a, Arg b, float s, Flags f) {
  if (!code_) return;
  spec::Vec v{};
  v.op = op;
  v.bmode = b.buffer >= 0 ? spec::Bmode::vector : spec::Bmode::scalar;
  v.func = f.func;
  v.wr = true;
  v.nega = f.nega;
  v.negb = f.negb;
  v.absa = f.absa;
  v.dst = code_->k(at(out).word);
  v.a = code_->k(at(a).word);
  v.b = b.buffer >= 0 ? code_->k(at(b.buffer).word) : b.reg >= 0 ? static_cast<Reg>(b.reg) : code_->kf(b.number);
  if (op == Vop::mad) v.s = code_->kf(s);
  v.rows = code_->k(1);
  v.cols = count_();
  code_->vec(v);
}

void Math::bring(Slot out, Arg a) {
  if (a.buffer >= 0) return max(out, a.buffer, a.buffer);
  // out - out would be NaN for garbage: a masked operation writes zeros whatever it reads.
  if (code_)
    code_->vec({.op = Vop::mul, .bmode = spec::Bmode::scalar, .wr = true, .masked = true, .dst = code_->k(at(out).word), .a = code_->k(at(out).word),
                .rows = code_->k(1), .cols = count_()});
  mad(out, out, 1.0f, a);
}

void Math::horner(Slot out, Slot z, std::initializer_list<float> c) {
  auto at_c = c.end();
  const float top = *--at_c, next = *--at_c;
  mad(out, z, top, next);
  while (at_c != c.begin()) {
    mul(out, out, z);
    mad(out, out, 1.0f, *--at_c);
  }
}

void Math::step(Slot x) {
  mul(x, x, kHuge);
  max(x, x, 0.0f);
  min(x, x, 1.0f);
}

void Math::sign(Slot out, Slot x) {
  mul(out, x, kHuge);
  max(out, out, -1.0f);
  min(out, out, 1.0f);
}

void Math::finite(Slot out, Arg x) {
  if (x.buffer < 0) return bring(out, x.reg >= 0 ? x : Arg(std::clamp(x.number, -FLT_MAX, FLT_MAX)));
  min(out, x.buffer, FLT_MAX);
  max(out, out, -FLT_MAX);
}

void Math::less(Slot out, Arg a, Arg b) {
  Temp u(*this), v(*this);
  finite(u, a);
  finite(v, b);
  sub(out, v, u);
  step(out);
}

void Math::equal(Slot out, Arg a, Arg b) {
  Temp u(*this), v(*this);
  finite(u, a);
  finite(v, b);
  sub(out, v, u);
  to_bool(out, out);
  mad(out, out, -1.0f, 1.0f);
}

void Math::to_bool(Slot out, Slot x) {
  vec(Vop::mul, out, x, kHuge, 0, {.absa = true});
  min(out, out, 1.0f);
}

// high + low = x, both of 12 bits.
void Math::split(Slot high, Slot low, Slot x) {
  mul(high, x, 4097.0f);
  sub(low, high, x);
  sub(high, high, low);
  sub(low, x, high);
}

// q = a / b from the reciprocal is a few units off in the last place; the remainder a - q b, exact by halves, mends it: quotients
// that fp32 holds come out as they are. Beyond 2^114, where halves would overflow, q stays.
void Math::divide(Slot out, Arg a, Arg b, bool whole) {
  constexpr float kMost = 0x1p114f;
  Temp q(*this), r(*this), y(*this);
  bring(y, b);
  if (whole) {
    bring(q, a);
    return divide_whole(out, q, y);
  }
  apply(Vfunc::recip, r, y);
  mul(q, r, a);
  int exponent = 0;
  if (b.buffer < 0 && b.reg < 0 && std::frexp(b.number, &exponent) == 0.5f) return max(out, q, q);
  Temp good(*this), e(*this), qh(*this), ql(*this), yh(*this), yl(*this);
  abs(good, q);
  abs(e, y);
  max(good, good, e);
  mad(good, good, -1.0f, kMost);
  step(good);
  min(y, y, kMost);
  max(y, y, -kMost);
  min(e, q, kMost);
  max(e, e, -kMost);
  split(yh, yl, y);
  split(qh, ql, e);
  mul(y, e, y);
  mul(e, qh, yh);
  sub(e, e, y);
  mul(qh, qh, yl);
  mad(e, e, 1.0f, qh);
  mul(yh, ql, yh);
  mad(e, e, 1.0f, yh);
  mul(yl, ql, yl);
  mad(e, e, 1.0f, yl);          // y + e: q b
  finite(qh, a);
  sub(qh, qh, y);
  sub(qh, qh, e);
  finite(r, Arg(r));
  mul(qh, qh, r);
  finite(qh, Arg(qh));
  mul(qh, qh, good);
  mad(out, q, 1.0f, qh);
}

// |a| / |b| is at most one off; the remainder is exact and says where.
void Math::divide_whole(Slot out, Slot a, Slot b) {
  Temp q(*this), r(*this), s(*this);
  abs(s, b);
  apply(Vfunc::recip, r, s);
  vec(Vop::mul, q, a, r, 0, {.absa = true});
  round_magnitude(q, q);
  mul(r, q, s);
  vec(Vop::mad, r, a, r, 1, {.negb = true, .absa = true});  // |a| - q |b|
  min(r, r, 0.0f);
  sign(r, r);                                               // -1 where q is too large
  mad(q, r, 1.0f, q);
  sign(r, a);
  mul(q, q, r);
  sign(r, b);
  mul(out, q, r);
}

void Math::round_magnitude(Slot out, Slot x) {
  Temp t(*this), rest(*this);
  abs(t, x);
  max(rest, t, t);
  min(t, t, kWhole);
  sub(rest, rest, t);  // what lies above 2^23 has no fraction
  mad(t, t, 1.0f, kWhole);
  mad(t, t, 1.0f, -kWhole);
  mad(out, t, 1.0f, rest);
}

void Math::round(Op op, Slot out, Slot x) {
  Temp s(*this), r(*this), d(*this);
  sign(s, x);
  round_magnitude(r, x);
  if (op == Op::trunc) {
    Temp m(*this);
    abs(m, x);
    less(d, m, r);
    sub(r, r, d);
  }
  mul(r, r, s);
  if (op == Op::floor) {
    less(d, x, r);
    sub(r, r, d);
  }
  max(out, r, r);
}

void Math::sqrt(Slot out, Slot x) {
  Temp r(*this);
  apply(Vfunc::rsqrt, r, x);
  min(r, r, 0x1p64f);   // x = 0
  max(r, r, 0x1p-65f);  // x = infinity
  mul(out, r, x);
}

// Powers of two are taken out by comparison; then log y = 2 artanh((y - 1) / (y + 1)) for y in [sqrt 1/2, sqrt 2].
void Math::log(Slot out, Slot x) {
  Temp y(*this), e(*this), g(*this), f(*this);
  apply(Vfunc::rsqrt, f, x);      // infinity for 0, NaN below
  min(g, f, 0x1p64f);
  sub(f, f, g);
  min(y, x, FLT_MAX);
  sub(e, x, y);                   // infinity for infinity
  sub(out, e, f);                 // what is added at the end
  mad(g, y, -0x1p25f, 0x1p25f);   // positive where y < 1
  max(g, g, 0.0f);
  min(g, g, 1.0f);
  mul(e, g, -126.0f);
  mul(f, g, 0x1p126f);
  max(f, f, 1.0f);
  mul(y, y, f);
  for (int s = 64; s >= 1; s /= 2) {
    const float limit = std::nextafter(std::ldexp(1.0f, s), 0.0f), k = std::ldexp(1.0f, 25 - s);
    mad(g, y, k, -limit * k);     // positive where y >= 2^s, and then at least 2
    max(g, g, 0.0f);
    min(g, g, 1.0f);
    mad(f, g, -1.0f, 1.0f);
    max(f, f, std::ldexp(1.0f, -s));
    mul(y, y, f);
    mad(e, g, static_cast<float>(s), e);
  }
  mad(g, y, 0x1p25f, -1.41421354f * 0x1p25f);
  max(g, g, 0.0f);
  min(g, g, 1.0f);
  mad(f, g, -0.5f, 1.0f);
  mul(y, y, f);
  mad(e, g, 1.0f, e);
  vec(Vop::mad, f, y, 1.0f, 1.0f, {.func = Vfunc::recip});
  mad(y, y, 1.0f, -1.0f);
  mul(y, y, f);                   // s
  mul(g, y, y);
  horner(f, g, {2.0f, 2.0f / 3, 2.0f / 5, 2.0f / 7, 2.0f / 9});
  mul(y, y, f);
  mad(y, e, 1.42860677e-06f, y);  // ln 2 = 0.693145752 + 1.42860677e-06
  mad(y, e, 0.693145752f, y);
  mad(out, y, 1.0f, out);
}

// x P(x^2) / Q(x^2) for |x| <= most, beyond it the value there; never beyond 1.
void Math::rational(Slot out, Slot x, float most, std::initializer_list<float> p, std::initializer_list<float> q) {
  Temp y(*this), z(*this), n(*this), d(*this);
  min(y, x, most);
  max(y, y, -most);
  mul(z, y, y);
  horner(n, z, p);
  horner(d, z, q);
  apply(Vfunc::recip, d, d);
  mul(n, n, y);
  mul(n, n, d);
  min(n, n, 1.0f);
  max(out, n, -1.0f);
}

void Math::sigmoid(Slot out, Slot x) {
  vec(Vop::mul, out, x, 1.0f, 0, {.nega = true, .func = Vfunc::exp});
  vec(Vop::mad, out, out, 1.0f, 1.0f, {.func = Vfunc::recip});
}

// x = (k [+ 1/2]) pi + r with r in [-pi/2, pi/2]; |x| up to 2^22 pi.
void Math::sine(Slot out, Slot x, bool cosine) {
  constexpr float kMagic = 0x1.8p23f, kPi[] = {3.140625f, 9.67502593994140625e-4f, 1.50995788e-7f};
  Temp k(*this), r(*this), h(*this);
  mad(k, x, 0.318309886f, cosine ? -0.5f : 0.0f);
  mad(k, k, 1.0f, kMagic);
  mad(k, k, 1.0f, -kMagic);
  mad(h, k, 1.0f, cosine ? 0.5f : 0.0f);
  mad(r, h, -kPi[0], x);
  mad(r, h, -kPi[1], r);
  mad(r, h, -kPi[2], r);
  mad(h, k, 0.5f, kMagic);
  mad(h, h, 1.0f, -kMagic);
  mad(k, h, -2.0f, k);            // -1, 0 or 1
  abs(k, k);
  mad(k, k, cosine ? 2.0f : -2.0f, cosine ? -1.0f : 1.0f);
  mul(k, k, r);
  mul(h, r, r);
  horner(r, h, {1.0f, -0.166666567f, 0.0083330255f, -0.000198074267f, 2.60191587e-6f});
  mul(out, r, k);
}

void Math::binary(Op op, Slot out, Arg a, Arg b, bool whole) {
  if (op == Op::div) return divide(out, a, b, whole);
  if (op == Op::less) return less(out, a, b);
  if (op == Op::equal) return equal(out, a, b);
  if (op == Op::less_equal) {
    less(out, b, a);
    return mad(out, out, -1.0f, 1.0f);
  }
  if (a.buffer < 0 && b.buffer >= 0 && op != Op::sub) std::swap(a, b);
  if (a.buffer < 0) {
    if (op == Op::sub && b.buffer >= 0) return vec(Vop::mad, out, b.buffer, a, 1, {.nega = true});
    bring(out, a);
    a = Arg(out);
  }
  switch (op) {
    case Op::add: return mad(out, a.buffer, 1.0f, b);
    case Op::sub: return sub(out, a.buffer, b);
    case Op::mul: return mul(out, a.buffer, b);
    case Op::min: return min(out, a.buffer, b);
    default: return max(out, a.buffer, b);
  }
}

void Math::unary(Op op, DType to, Slot out, Slot x) {
  switch (op) {
    case Op::neg: return vec(Vop::mul, out, x, 1.0f, 0, {.nega = true});
    case Op::abs: return abs(out, x);
    case Op::round:
    case Op::floor:
    case Op::trunc: return round(op, out, x);
    case Op::exp: return apply(Vfunc::exp, out, x);
    case Op::recip: return apply(Vfunc::recip, out, x);
    case Op::rsqrt: return apply(Vfunc::rsqrt, out, x);
    case Op::sqrt: return sqrt(out, x);
    case Op::log: return log(out, x);
    case Op::erf:
      return rational(out, x, 3.92f, {1.12837911f, 0.190394998f, 0.0527470112f, 0.0037650757f, 0.000284862443f, 2.05006768e-6f},
                      {1.0f, 0.502065897f, 0.114104196f, 0.0149681335f, 0.00116238941f, 3.8090453e-5f});
    case Op::tanh:
      return rational(out, x, 9.01f, {1.0f, 0.136803657f, 0.00386889256f, 2.80188597e-5f, 3.06124619e-8f, -1.22238435e-11f},
                      {1.0f, 0.470136970f, 0.0272479057f, 0.00039396272f, 1.28816339e-6f});
    case Op::sigmoid: return sigmoid(out, x);
    case Op::sin: return sine(out, x, false);
    case Op::cos: return sine(out, x, true);
    default: return to == DType::boolean ? to_bool(out, x) : to == DType::i32 ? round(Op::trunc, out, x) : max(out, x, x);
  }
}

void Math::index(Slot x, std::int64_t size) {
  Temp t(*this);
  const auto n = static_cast<float>(size);
  max(t, x, -1.0f);
  min(t, t, 0.0f);        // -1 where it counts from the end
  mad(x, t, -n, x);
  max(x, x, 0.0f);
  min(x, x, n - 1.0f);
  mad(x, x, 1.0f, kWhole);
}

// Each branch is replaced by -infinity where it is not chosen.
void Math::select(Slot out, Slot condition, Arg a, Arg b) {
  Temp t(*this), u(*this);
  mad(t, condition, 1.0f, -0.5f);
  mul(t, t, kInfinity);
  min(u, t, a);
  vec(Vop::min, t, t, b, 0, {.nega = true});
  max(out, t, u);
}

}  // namespace jogak::tensor
