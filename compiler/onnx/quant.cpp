// Quantised operators. Integers are whole numbers in fp32; products of them come off the array within half a unit and are
// rounded to the whole number they are.
#include <algorithm>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Val real(Build& b, const Val& v) { return b.cast(v, Type::f32); }
Val or_zero(Context& c, std::size_t i) { return c.has(i) ? real(c.b, c.in(i)) : c.b.scalar(0); }

// Scales or zero points as a shape that broadcasts with x: one for all, one for each place of an axis, or one for each
// block of an axis.
Val spread(Context& c, const Val& v, const Val& x) {
  Build& b = c.b;
  const auto given = c.integer("axis", 1), block = c.integer("block_size", 0);
  if (v.size() == 1 && block == 0) return b.reshape(v, {});
  const auto axis = c.axis(given, x.rank());
  if (v.rank() == 1 && block == 0) {
    if (v.size() != x.shape[at(axis)]) c.refuse("scales", to_string(v.shape), "one, or one for each of " + std::to_string(x.shape[at(axis)]));
    return along(b, v, axis, x.rank());
  }
  if (v.rank() != x.rank()) c.refuse("scales", to_string(v.shape), "the rank of " + to_string(x.shape));
  const auto size = x.shape[at(axis)], blocks = v.shape[at(axis)];
  const auto each = block != 0 ? block : (size + blocks - 1) / std::max<std::int64_t>(blocks, 1);
  if (each < 1 || (size + each - 1) / each != blocks) c.refuse("attribute block_size", std::to_string(each), std::to_string(blocks) + " blocks of " + std::to_string(size));
  Shape single = v.shape, wide, joined = v.shape;
  single.insert(single.begin() + axis + 1, 1);
  wide = single;
  wide[at(axis + 1)] = each;
  joined[at(axis)] = blocks * each;
  return b.part(b.reshape(b.expand(b.reshape(v, single), wide), joined), axis, 0, size);
}

// y + zero point, saturated: rounded to whole numbers for integer types. Small floats round where the result is stored.
Val saturated(Build& b, const Val& y, const Val& zero, Type type) {
  Val q = b.add(integral(type) ? b.unary(Op::round, y) : y, zero);
  q = b.min(b.max(q, b.scalar(lowest(type))), b.scalar(highest(type)));
  return b.cast(q, type);
}

void quantize(Context& c) {
  Build& b = c.b;
  const Val x = real(b, c.in(0)), scale = real(b, c.in(1));
  const auto wanted = c.integer("output_dtype", 0);
  const Type type = c.has(2) ? c.in(2).type : wanted != 0 ? static_cast<Type>(wanted) : Type::u8;
  if (!known(type)) c.refuse("output type", name(type) + std::string(" ") + std::to_string(wanted), "an integer or float type");
  if (!integral(type) && c.integer("saturate", 1) == 0) c.refuse("attribute saturate", "0", "1");
  const Val zero = c.has(2) ? spread(c, real(b, c.in(2)), x) : b.scalar(0);
  c.out(saturated(b, b.div(x, spread(c, scale, x)), zero, type));
}

void dequantize(Context& c) {
  Build& b = c.b;
  const Val x = real(b, c.in(0)), scale = c.in(1);
  const auto wanted = c.integer("output_dtype", 0);
  const Type type = wanted != 0 ? static_cast<Type>(wanted) : scale.type;
  const Val centred = c.has(2) ? b.sub(x, spread(c, real(b, c.in(2)), x)) : x;
  c.out(b.cast(b.mul(centred, spread(c, real(b, scale), x)), type));
}

void dynamic_quantize(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0), zero = b.scalar(0);
  const Val top = b.max(b.reduce(Op::reduce_max, x, range(0, x.rank()), false), zero);
  const Val low = b.min(b.reduce(Op::reduce_min, x, range(0, x.rank()), false), zero);
  const Val scale = b.mul(b.sub(top, low), 1.0 / 255);
  const Val point = b.min(b.max(b.unary(Op::round, b.div(b.unary(Op::neg, low), scale)), zero), b.scalar(255));
  c.out(0, saturated(b, b.div(x, scale), point, Type::u8));
  c.out(1, scale);
  c.out(2, b.cast(point, Type::u8));
}

// One value for each row of a becomes a column; one for each column of b stays as it is.
Val by_row(Build& b, const Val& v, const Val& a) {
  return v.rank() == 1 && v.size() != 1 && a.rank() > 1 ? b.reshape(v, {v.size(), 1}) : v.size() == 1 ? b.reshape(v, {}) : v;
}
Val by_column(Build& b, const Val& v) { return v.size() == 1 ? b.reshape(v, {}) : v; }

Val whole_product(Context& c, const Val& a, const Val& za, const Val& w, const Val& zw) {
  Build& b = c.b;
  const Val left = b.sub(real(b, a), by_row(b, za, a)), right = b.sub(real(b, w), by_column(b, zw));
  return b.unary(Op::round, numpy_matmul(c, left, right));
}

void matmul_integer(Context& c) {
  c.out(c.b.cast(whole_product(c, c.in(0), or_zero(c, 2), c.in(1), or_zero(c, 3)), Type::i32));
}

void qlinear_matmul(Context& c) {
  Build& b = c.b;
  const Val product = whole_product(c, c.in(0), or_zero(c, 2), c.in(3), or_zero(c, 5));
  Val scaled = b.mul(product, by_row(b, real(b, c.in(1)), c.in(0)));
  scaled = b.mul(scaled, by_column(b, real(b, c.in(4))));
  const Val out_scale = by_row(b, real(b, c.in(6)), c.in(0));
  c.out(saturated(b, b.div(scaled, out_scale), by_row(b, or_zero(c, 7), c.in(0)), c.in(7).type));
}

Val whole_convolution(Context& c, const Val& x, const Val& zx, const Val& w, const Val& zw) {
  Build& b = c.b;
  const Val left = b.sub(real(b, x), b.reshape(zx, {})), right = b.sub(real(b, w), along(b, zw, 0, w.rank()));
  return b.unary(Op::round, convolve(c, left, right));
}

void conv_integer(Context& c) {
  c.out(c.b.cast(whole_convolution(c, c.in(0), or_zero(c, 2), c.in(1), or_zero(c, 3)), Type::i32));
}

void qlinear_conv(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  Val y = whole_convolution(c, x, or_zero(c, 2), c.in(3), or_zero(c, 5));
  if (c.has(8)) y = b.add(y, along(b, real(b, c.in(8)), 1, x.rank()));
  const Val scale = b.div(b.mul(b.reshape(c.in(1), {}), along(b, c.in(4), 1, x.rank())), b.reshape(c.in(6), {}));
  c.out(saturated(b, b.mul(y, scale), b.reshape(or_zero(c, 7), {}), c.in(7).type));
}

}  // namespace

void register_quant(Registry& r) {
  r[":QuantizeLinear"] = quantize;
  r[":DequantizeLinear"] = dequantize;
  r[":DynamicQuantizeLinear"] = dynamic_quantize;
  r[":MatMulInteger"] = matmul_integer;
  r[":QLinearMatMul"] = qlinear_matmul;
  r[":ConvInteger"] = conv_integer;
  r[":QLinearConv"] = qlinear_conv;
  r["com.microsoft:QuantizeLinear"] = quantize;
  r["com.microsoft:DequantizeLinear"] = dequantize;
}

}  // namespace jogak::onnx
