// Arithmetic, element by element.
#include <cmath>

#include "handlers.hpp"
#include "patterns.hpp"

namespace jogak::onnx {

namespace {

Handler unary(Op op) {
  return [op](Context& c) { c.out(c.b.op(op, {c.in(0)})); };
}
Handler binary(Op op) {
  return [op](Context& c) {
    if (c.has("broadcast")) c.refuse("attribute broadcast", "the rules of operator sets before 7", "a model converted to operator set 13");
    c.out(c.b.op(op, {c.in(0), c.in(1)}));
  };
}
// Any number of operands, joined from the left.
Handler variadic(Op op) {
  return [op](Context& c) {
    Val y = c.in(0);
    for (std::size_t i = 1; i < c.inputs(); ++i) y = c.b.op(op, {y, c.in(i)});
    c.out(y);
  };
}

void mean(Context& c) {
  Val y = c.in(0);
  for (std::size_t i = 1; i < c.inputs(); ++i) y = c.b.add(y, c.in(i));
  c.out(c.b.mul(y, 1.0 / static_cast<double>(c.inputs())));
}

Val sign(Build& b, const Val& x) {
  const Val zero = b.scalar(0, x.type);
  return b.sub(b.cast(b.less(zero, x), x.type), b.cast(b.less(x, zero), x.type));
}

// x mod size for size > 0, in 0 .. size: x - size * floor(x / size), mended where the quotient was one off. An endless
// size leaves what is not negative and turns the rest into infinity.
Val remainder(Build& b, const Val& x, const Val& size) {
  const Val zero = b.scalar(0), finite = b.min(size, b.scalar(highest(Type::f32)));
  Val r = b.sub(x, b.mul(finite, b.unary(Op::floor, b.div(x, finite))));
  r = b.select(b.less(r, zero), b.add(r, finite), r);
  r = b.select(b.op(Op::less_equal, {finite, r}), b.sub(r, finite), r);
  const Val endless = b.select(b.less(x, zero), b.scalar(INFINITY), x);
  return b.select(b.equal(size, b.scalar(INFINITY)), endless, r);
}

// The divisor's sign.
Val floor_mod(Build& b, const Val& a, const Val& d) {
  const Val x = b.cast(a, Type::f32), y = b.cast(d, Type::f32), turn = sign(b, y);
  return b.cast(b.mul(remainder(b, b.mul(x, turn), b.unary(Op::abs, y)), turn), a.type);
}

// As C's fmod: the dividend's sign.
Val c_mod(Build& b, const Val& a, const Val& d) {
  const Val x = b.cast(a, Type::f32), size = b.unary(Op::abs, b.cast(d, Type::f32));
  const Val r = remainder(b, b.unary(Op::abs, x), size);
  return b.cast(b.mul(r, b.select(b.less(x, 0), b.scalar(-1), b.scalar(1))), a.type);
}

void mod(Context& c) {
  const Val a = c.in(0), d = c.in(1);
  c.out(c.integer("fmod", 0) != 0 ? c_mod(c.b, a, d) : floor_mod(c.b, a, d));
}

// x to a whole power by repeated squaring.
Val whole_power(Build& b, const Val& x, std::int64_t n) {
  if (n == 1) return x;
  const Val half = whole_power(b, x, n / 2), square = b.mul(half, half);
  return n % 2 ? b.mul(square, x) : square;
}

std::optional<Val> known_power(Build& b, const Val& x, const Val& exponent) {
  if (!exponent.data || exponent.size() != 1) return std::nullopt;
  const double n = exponent.data->values()[0];
  if (n == 0) return b.add(b.mul(x, 0), 1);
  if (n == std::floor(n) && n >= 1 && n <= 16) return whole_power(b, x, static_cast<std::int64_t>(n));
  if (integral(x.type)) return std::nullopt;
  if (n == std::floor(n) && n < 0 && n >= -16) return b.unary(Op::recip, whole_power(b, x, static_cast<std::int64_t>(-n)));
  if (n == 0.5) return b.unary(Op::sqrt, x);
  if (n == -0.5) return b.unary(Op::rsqrt, x);
  return std::nullopt;
}

// exp(n log |x|), negative for negative x and odd n. Negative x with a broken n gives NaN by the root of -1.
Val general_power(Build& b, const Val& base, const Val& exponent) {
  const Val x = b.cast(base, Type::f32), n = b.cast(exponent, Type::f32), one = b.scalar(1);
  constexpr double kTiny = 0x1p-126;
  const Val size = b.unary(Op::abs, x), negative = b.cast(b.less(x, 0), Type::f32);
  const Val magnitude = b.unary(Op::exp, b.mul(n, b.unary(Op::log, b.max(size, b.scalar(kTiny)))));
  const Val vanishes = b.mul(b.cast(b.less(size, kTiny), Type::f32), b.cast(b.less(b.scalar(0), n), Type::f32));
  const Val half = b.mul(n, 0.5);
  const Val odd = b.logical_not(b.equal(half, b.unary(Op::floor, half))), whole = b.equal(n, b.unary(Op::floor, n));
  const Val turned = b.mul(negative, b.cast(odd, Type::f32));
  const Val broken = b.mul(negative, b.cast(b.logical_not(whole), Type::f32));
  Val y = b.mul(b.mul(magnitude, b.sub(one, b.mul(turned, 2))), b.sub(one, vanishes));
  y = b.add(y, b.mul(b.unary(Op::sqrt, b.sub(one, b.mul(broken, 2))), 0));
  return b.cast(integral(base.type) ? b.unary(Op::round, y) : y, base.type);
}

void pow(Context& c) {
  const Val x = c.in(0), n = c.in(1);
  const auto simple = known_power(c.b, x, n);
  c.out(simple ? c.b.expand(*simple, tensor::Shape(c.b.op(Op::add, {x, c.b.cast(n, x.type)}).shape))
               : general_power(c.b, x, n));
}

void cast_to(Context& c, Type to) {
  if (!known(to)) c.refuse("target type", name(to), "a float, integer or boolean type");
  c.out(c.b.cast(c.in(0), to, c.integer("saturate", 1) != 0));
}

void clip(Context& c) {
  Val x = c.in(0);
  if (c.opset() < 11) {
    const float low = c.number("min", -INFINITY), high = c.number("max", INFINITY);
    if (low > -3.4e38f) x = c.b.max(x, c.b.scalar(low));
    if (high < 3.4e38f) x = c.b.min(x, c.b.scalar(high));
    c.out(x);
    return;
  }
  const auto useful = [&](std::size_t i, double edge) {
    if (!c.has(i)) return false;
    const Val v = c.in(i);
    return !v.data || v.size() != 1 || std::fabs(v.data->values()[0]) < std::fabs(edge);
  };
  if (useful(1, lowest(x.type)) || (c.has(1) && lowest(x.type) == 0)) x = c.b.max(x, c.in(1));
  if (useful(2, highest(x.type))) x = c.b.min(x, c.in(2));
  c.out(x);
}

void identity(Context& c) { c.out(c.in(0)); }

void dropout(Context& c) {
  const Val x = c.in(0);
  if (c.has(2)) {
    const Array& training = c.known(2, "training mode");
    const bool on = training.values().at(0) != 0;
    if (on && !(c.has(1) && c.known(1, "ratio").values().at(0) == 0))
      c.refuse("training mode", "on", "off: export for inference");
  }
  c.out(x);
  c.out(1, c.b.filled(x.shape, 1, c.opset() < 10 ? x.type : Type::boolean));
}

}  // namespace

void register_math(Registry& r) {
  r[":Add"] = [](Context& c) {
    for (const std::size_t bias : {1, 0})
      if (c.inputs() == 2)
        if (const auto whole = fused_layer_norm(c.b, c.in(1 - bias), c.in(bias))) return c.out(*whole);
    binary(Op::add)(c);
  };
  r[":Sub"] = binary(Op::sub);
  r[":Mul"] = binary(Op::mul);
  r[":Div"] = binary(Op::div);
  r[":Sum"] = variadic(Op::add);
  r[":Min"] = variadic(Op::min);
  r[":Max"] = variadic(Op::max);
  r[":Mean"] = mean;
  r[":Neg"] = unary(Op::neg);
  r[":Abs"] = unary(Op::abs);
  r[":Exp"] = unary(Op::exp);
  r[":Log"] = unary(Op::log);
  r[":Sqrt"] = unary(Op::sqrt);
  r[":Reciprocal"] = unary(Op::recip);
  r[":Floor"] = unary(Op::floor);
  r[":Round"] = unary(Op::round);
  r[":Erf"] = unary(Op::erf);
  r[":Sin"] = unary(Op::sin);
  r[":Cos"] = unary(Op::cos);
  r[":Ceil"] = [](Context& c) { c.out(c.b.unary(Op::neg, c.b.unary(Op::floor, c.b.unary(Op::neg, c.in(0))))); };
  r[":Tan"] = [](Context& c) { c.out(c.b.div(c.b.unary(Op::sin, c.in(0)), c.b.unary(Op::cos, c.in(0)))); };
  r[":Sign"] = [](Context& c) { c.out(sign(c.b, c.in(0))); };
  r[":Pow"] = pow;
  r[":Mod"] = mod;
  r[":Cast"] = [](Context& c) { cast_to(c, static_cast<Type>(c.integer("to", 0))); };
  r[":CastLike"] = [](Context& c) { cast_to(c, c.in(1).type); };
  r[":Clip"] = clip;
  r[":Identity"] = identity;
  r[":Dropout"] = dropout;
}

}  // namespace jogak::onnx
