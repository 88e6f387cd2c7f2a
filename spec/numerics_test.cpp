// numerics.hpp against wide floats of the host, and the rules' corners.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <vector>

#include "numerics_fast.hpp"
#include "numerics_hash.hpp"

namespace num = jogak::num;
using num::i32;
using num::i64;
using num::kInf;
using num::kMinNormal;
using num::kNan;
using num::kOne;
using num::kSign;
using num::u16;
using num::u32;
using num::u64;
using num::u8;

namespace {

// At least 113 bits of significand: x86 has the type by this name, Arm's long
// double is one.
#if defined(__SIZEOF_FLOAT128__)
__extension__ using Wide = __float128;
#else
using Wide = long double;
#endif

float to_float(u32 bits) { return std::bit_cast<float>(bits); }
u32 to_bits(float value) { return std::bit_cast<u32>(value); }

// An operand as the machine reads it.
Wide read(u32 bits) {
  const float value = to_float(bits);
  return std::fpclassify(value) == FP_SUBNORMAL ? Wide(std::copysign(0.0F, value)) : Wide(value);
}

// high + low (|low| far below high's last place), not zero: to 24 bits, nearest
// even, exponent unbounded; then the flush.
u32 round_reference(Wide high, Wide low) {
  const u32 sign = high < 0 ? kSign : 0;
  if (high < 0) {
    high = -high;
    low = -low;
  }
  int exponent = 0;
  std::frexp(static_cast<double>(high), &exponent);
  if (high < Wide(std::ldexp(1.0, exponent - 1))) --exponent;  // double had rounded up
  const Wide scaled = high * Wide(std::ldexp(1.0, 24 - exponent));
  i64 kept = static_cast<i64>(scaled);
  const Wide rest = scaled - Wide(kept);
  const bool above = rest > Wide(0.5) || (rest == Wide(0.5) && low > 0);
  const bool tie = rest == Wide(0.5) && low == 0;
  if (above || (tie && kept % 2 != 0)) ++kept;
  const double result = std::ldexp(static_cast<double>(kept), exponent - 24);
  if (result < 0x1p-126) return sign;
  if (result >= 0x1p128) return sign | kInf;
  return sign | to_bits(static_cast<float>(result));
}

u32 special(Wide value) {
  if (value != value) return kNan;
  if (value == 0) return std::signbit(static_cast<double>(value)) ? kSign : 0;
  return value < 0 ? kSign | kInf : kInf;
}
bool ordinary(Wide v) { return v == v && v != 0 && v - v == 0; }

u32 sum_reference(Wide a, Wide b) {
  const Wide sum = a + b;
  if (!ordinary(sum)) return special(sum);
  const Wide part = sum - a;  // Knuth's two-sum: low is the exact rest
  const Wide low = (a - (sum - part)) + (b - part);
  return round_reference(sum, low);
}
u32 add_reference(u32 a, u32 b) { return sum_reference(read(a), read(b)); }
u32 fma_reference(u32 a, u32 b, u32 c) { return sum_reference(read(a) * read(b), read(c)); }
u32 mul_reference(u32 a, u32 b) {
  const Wide product = read(a) * read(b);
  return ordinary(product) ? round_reference(product, 0) : special(product);
}

void check_arithmetic(u32 a, u32 b, u32 c) {
  CAPTURE(a);
  CAPTURE(b);
  CAPTURE(c);
  REQUIRE(num::fadd(a, b) == add_reference(a, b));
  REQUIRE(num::fsub(a, b) == sum_reference(read(a), -read(b)));
  REQUIRE(num::fmul(a, b) == mul_reference(a, b));
  REQUIRE(num::ffma(a, b, c) == fma_reference(a, b, c));
}

// Operands whose sums cancel, products land near the ends, or anything.
struct Operands {
  u32 a, b, c;
};
Operands draw(num::Random& random, u32 kind) {
  switch (kind % 5) {
    case 0:
      return {random.bits(), random.bits(), random.bits()};
    case 1: {  // nearly cancelling: b is -a with a few low bits changed
      const u32 a = random.near(127, 20);
      return {a, a ^ kSign ^ (random.bits() & random.bits() & 7u), random.near(127, 2)};
    }
    case 2: {  // the product falls close to the smallest normal
      const u32 a = random.near(64, 30);
      const u32 b = random.near(127 - ((a >> 23 & 0xFFu) - 1), 2);
      return {a, b, random.near(2, 1)};
    }
    case 3: {  // the product nearly cancels c
      const u32 a = random.near(127, 30);
      const u32 b = random.near(127, 30);
      return {a, b, num::fneg(num::fmul(a, b)) ^ (random.bits() & 1u)};
    }
    default: {  // short significands: exact ties
      const u32 mask = 0xFFFFF000u;
      const u32 a = random.near(127, 13) & mask;
      return {a, random.near(127, 13) & mask, random.near(127, 26) & mask};
    }
  }
}

}  // namespace

TEST_CASE("add, subtract, multiply, fuse: every pair of corners") {
  for (u32 i = 0; i < num::kEdgeCount; ++i) {
    for (u32 j = 0; j < num::kEdgeCount; ++j) {
      for (u32 k = 0; k < num::kEdgeCount; k += 3) {
        check_arithmetic(num::edge(i), num::edge(j), num::edge(k));
      }
    }
  }
}

TEST_CASE("add, subtract, multiply, fuse: random operands, seed 1") {
  num::Random random{1};
  for (u32 i = 0; i < 400000; ++i) {
    const Operands o = draw(random, i);
    check_arithmetic(o.a, o.b, o.c);
  }
}

TEST_CASE("the flush comes after rounding with unbounded exponent") {
  // Gradual underflow would round this product up to 2^-126 and keep it.
  CHECK(num::fmul(0x2B8005A9u, 0x147FF4AEu) == 0u);
  CHECK(num::fmul(0xAB8005A9u, 0x147FF4AEu) == kSign);
  CHECK(num::fmul(0x3F7FFFFFu, kMinNormal) == 0u);
  CHECK(num::fmul(0x3FFFFFFFu, 0x00800001u) == 0x01000000u);
  CHECK(num::fadd(0x00800001u, 0x80800000u) == 0u);
  CHECK(num::fadd(0x007FFFFFu, 0x007FFFFFu) == 0u);
}

TEST_CASE("signs of zero") {
  CHECK(num::fadd(kOne, kSign | kOne) == 0u);
  CHECK(num::fadd(0u, kSign) == 0u);
  CHECK(num::fadd(kSign, kSign) == kSign);
  CHECK(num::fadd(0x80000001u, kSign) == kSign);
  CHECK(num::ffma(kOne, kSign, kSign) == kSign);
  CHECK(num::ffma(kOne, 0u, kSign) == 0u);
  CHECK(num::ffma(kOne, kOne, kSign | kOne) == 0u);
  CHECK(num::fsub(0u, 0u) == 0u);
  CHECK(num::fsub(kSign, 0u) == kSign);
}

TEST_CASE("one NaN") {
  for (const u32 nan : {0x7F800001u, 0x7FC00000u, 0xFFC00000u, 0xFFFFFFFFu}) {
    CHECK(num::fadd(nan, kOne) == kNan);
    CHECK(num::fmul(0u, nan) == kNan);
    CHECK(num::ffma(kOne, kOne, nan) == kNan);
    CHECK(num::fneg(nan) == kNan);
    CHECK(num::fabs(nan) == kNan);
    CHECK(num::fmax(nan, kOne) == kNan);
    CHECK(num::fmin(kOne, nan) == kNan);
    CHECK(num::fexp(nan) == kNan);
    CHECK(num::frecip(nan) == kNan);
    CHECK(num::frsqrt(nan) == kNan);
    CHECK(num::canonical(nan) == kNan);
    CHECK(num::f32_to_i32(nan) == 0);
    CHECK(num::f32_to_bf16(nan) == 0x7FC0);
    CHECK(num::f32_to_bf16_up(nan) == 0x7FC0);
    CHECK(num::f32_to_f16(nan) == 0x7E00);
    CHECK_FALSE(num::feq(nan, nan));
    CHECK_FALSE(num::flt(nan, kOne));
    CHECK_FALSE(num::fle(kOne, nan));
    CHECK(num::order_key(nan) < num::order_key(kSign | kInf));
  }
  CHECK(num::fadd(kInf, kSign | kInf) == kNan);
  CHECK(num::fmul(kInf, 0x00000001u) == kNan);
}

TEST_CASE("order: keys, maximum, minimum, compares") {
  const u32 ascending[] = {kSign | kInf, num::kLowest, 0xBF800000u, 0x80800000u, kSign,
                           0u,           kMinNormal,   kOne,        0x7F7FFFFFu, kInf};
  for (u32 i = 0; i < 10; ++i) {
    for (u32 j = 0; j < 10; ++j) {
      const u32 a = ascending[i];
      const u32 b = ascending[j];
      CHECK((num::order_key(a) < num::order_key(b)) == (i < j));
      CHECK(num::fmax(a, b) == (i < j ? b : a));
      CHECK(num::fmin(a, b) == (i < j ? a : b));
      CHECK(num::flt(a, b) == (to_float(a) < to_float(b)));
      CHECK(num::fle(a, b) == (to_float(a) <= to_float(b)));
      CHECK(num::feq(a, b) == (to_float(a) == to_float(b)));
    }
  }
  CHECK(num::fmax(0x80000001u, 0x00000005u) == 0u);
  CHECK(num::feq(0x80000001u, 0x00000005u));
}

TEST_CASE("integers to and from fp32") {
  num::Random random{2};
  for (u32 i = 0; i < 300000; ++i) {
    const i32 v = static_cast<i32>(random.bits()) >> (i % 31);
    REQUIRE(num::i32_to_f32(v) == to_bits(static_cast<float>(v)));
    const u32 a = (i & 1) != 0 ? random.bits() : random.near(142, 18);
    const double value = to_float(a);
    const double limited = std::fmin(std::fmax(std::nearbyint(value), -0x1p31), 0x1p31 - 1);
    const i32 expected = value != value ? 0 : static_cast<i32>(limited);
    CAPTURE(a);
    REQUIRE(num::f32_to_i32(a) == expected);
    REQUIRE(num::f32_to_i8_clamped(a) == std::max(-127, std::min(127, expected)));
  }
  CHECK(num::i32_to_f32(INT32_MIN) == 0xCF000000u);
  CHECK(num::f32_to_i32(0x3F000000u) == 0);
  CHECK(num::f32_to_i32(0x3FC00000u) == 2);
  CHECK(num::f32_to_i32(0xC0200000u) == -2);
  CHECK(num::f32_to_i8_clamped(0x42FE8000u) == 127);
}

TEST_CASE("bf16: nearest, and up in magnitude") {
  num::Random random{3};
  for (u32 i = 0; i < 300000; ++i) {
    const u32 a = num::canonical(random.bits());
    if (num::is_nan(a) || num::is_inf(a)) continue;
    const double value = to_float(a);
    const u32 down = a & 0xFFFF0000u;
    const double step = std::ldexp(1.0, num::exponent_of(a) - 127 - 7);
    const double rest = std::fabs(value) - std::fabs(double(to_float(down)));
    const bool odd = (a >> 16 & 1u) != 0;
    const bool nearest_up = rest > step / 2 || (rest == step / 2 && odd);
    REQUIRE(num::f32_to_bf16(a) == (down >> 16) + (nearest_up ? 1 : 0));
    REQUIRE(num::f32_to_bf16_up(a) == (down >> 16) + (rest > 0 ? 1 : 0));
  }
  CHECK(num::f32_to_bf16(0x7F7FFFFFu) == 0x7F80);
  CHECK(num::f32_to_bf16_up(0xFF7F0001u) == 0xFF80);
  CHECK(num::f32_to_bf16_up(kInf) == 0x7F80);
  CHECK(num::f32_to_bf16_up(0x007FFFFFu) == 0);
  for (u32 h = 0; h < 0x10000; ++h) {
    const u32 wide = num::bf16_to_f32(static_cast<u16>(h));
    REQUIRE(wide == num::canonical(h << 16));
    if (!num::is_nan(wide)) REQUIRE(num::f32_to_bf16(wide) == wide >> 16);
  }
}

TEST_CASE("fp16: all codes there, all roundings back") {
  const auto value = [](u32 h) {
    const int exponent = static_cast<int>(h >> 10 & 31u);
    const double fraction = h & 1023u;
    return exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  };
  for (u32 h = 0; h < 0x7C00; ++h) {
    const u32 exact = to_bits(static_cast<float>(value(h)));
    REQUIRE(num::f16_to_f32(static_cast<u16>(h)) == exact);
    REQUIRE(num::f16_to_f32(static_cast<u16>(h | 0x8000u)) == (exact | kSign));
    REQUIRE(num::f32_to_f16(exact) == h);
    // Half way to the next code goes to the even one, a hair more or less does not.
    const u32 middle = to_bits(static_cast<float>((value(h) + value(h + 1)) / 2));
    REQUIRE(num::f32_to_f16(middle) == ((h + 1) & ~1u));
    REQUIRE(num::f32_to_f16(middle + 1) == h + 1);
    REQUIRE(num::f32_to_f16((middle - 1) | kSign) == (h | 0x8000u));
  }
  CHECK(num::f16_to_f32(0xFC00) == (kSign | kInf));
  CHECK(num::f16_to_f32(0x7C01) == kNan);
  CHECK(num::f32_to_f16(0x477FEFFFu) == 0x7BFF);
  CHECK(num::f32_to_f16(0x7F7FFFFFu) == 0x7C00);
}

TEST_CASE("E8M0 and E2M1 codes") {
  CHECK(num::e8m0_to_f32(0) == 0u);
  CHECK(num::e8m0_to_f32(255) == kNan);
  for (int c = 1; c < 255; ++c) {
    CHECK(num::e8m0_to_f32(static_cast<u8>(c)) == to_bits(std::ldexp(1.0F, c - 127)));
  }
  const int doubled[] = {0, 1, 2, 3, 4, 6, 8, 12};
  for (int c = 0; c < 8; ++c) {
    CHECK(num::e2m1_doubled(static_cast<u8>(c)) == doubled[c]);
    CHECK(num::e2m1_doubled(static_cast<u8>(c + 8)) == -doubled[c]);
  }
}

TEST_CASE("quantise: the limits") {
  CHECK(num::quant_scale(0).scale == 0);
  CHECK(num::quant_scale(0).recip == 0u);
  CHECK(num::quant_scale(0x00000001u).recip == 0u);
  for (const u32 bad : {kInf, kNan, 0xFF800001u}) {
    CHECK(num::quant_scale(bad).scale == 0x7FC0);
    CHECK(num::quant_scale(bad).recip == 0u);
    CHECK(num::quant_value(bad, num::quant_scale(bad).recip) == 0);
  }
  // Scales just below and at 2^-100.
  CHECK(num::quant_scale(0x10FC0000u).scale == 0);
  CHECK(num::quant_scale(0x10FE0000u).scale == 0x0D80);
  CHECK(num::quant_value(0x10FE0000u, num::quant_scale(0x10FE0000u).recip) == 127);
}

TEST_CASE("quantise: the largest value is kept, the error is half a step") {
  num::Random random{4};
  for (u32 i = 0; i < 200000; ++i) {
    const u32 m = num::magnitude(random.near(127, 90));
    const num::QuantScale q = num::quant_scale(m);
    const double scale = to_float(num::bf16_to_f32(q.scale));
    CAPTURE(m);
    REQUIRE(scale * 127 >= double(to_float(m)) * (1 - 0x1p-23));
    const u32 x = num::fmul(m, random.near(120, 6)) ^ (random.bits() & kSign);
    if (num::magnitude(x) > m) continue;
    REQUIRE(std::fabs(num::quant_value(x, q.recip) - to_float(x) / scale) <= 0.5 + 127 * 0x1p-22);
  }
}

TEST_CASE("largest magnitude of a block") {
  const u32 x[] = {0x80000007u, 0xC0000000u, kOne, 0xFFC00001u};
  CHECK(num::absmax(x, 0) == 0u);
  CHECK(num::absmax(x, 1) == 0u);
  CHECK(num::absmax(x, 3) == 0x40000000u);
  CHECK(num::absmax(x, 4) == kNan);
}

TEST_CASE("a dot block is exact at its extremes") {
  num::i8 low[32];
  num::i8 high[32];
  for (int k = 0; k < 32; ++k) {
    low[k] = -128;
    high[k] = 127;
  }
  CHECK(num::dot_block(low, low, 32) == 32 * 128 * 128);
  CHECK(num::dot_block(low, high, 32) == -32 * 128 * 127);
}

TEST_CASE("tree sum: the tree of the index pairs") {
  std::vector<u32> x;
  num::Random random{5};
  CHECK(num::tree_sum(x.data(), 0) == 0u);
  for (u32 n = 1; n <= 300; ++n) {
    x.push_back(random.near(127, 10));
    std::vector<u32> level = x;
    while (level.size() > 1) {
      std::vector<u32> next;
      for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
        next.push_back(num::fadd(level[i], level[i + 1]));
      }
      if (level.size() % 2 != 0) next.push_back(level.back());
      level = next;
    }
    REQUIRE(num::tree_sum(x.data(), n) == level[0]);
  }
  const u32 minus_zero = kSign;
  const u32 subnormal = 0x80000001u;
  CHECK(num::tree_sum(&minus_zero, 1) == kSign);
  CHECK(num::tree_sum(&subnormal, 1) == kSign);
}

TEST_CASE("tree sum: aligned segments merge to the whole") {
  num::Random random{6};
  u32 x[64];
  for (u32& v : x) v = random.near(127, 10);
  const u32 halves = num::fadd(num::tree_sum(x, 32), num::tree_sum(x + 32, 32));
  CHECK(num::tree_sum(x, 64) == halves);
}

TEST_CASE("no contraction: product and sum round separately") {
  const u32 x = 0x3F800800u;  // x * x = 1 + 2^-11 + 2^-24
  const u32 square = num::fneg(num::fmul(x, x));
  CHECK(num::ffma(x, x, square) == 0x33800000u);
  CHECK(num::foot_step(square, 1, num::foot_scale(x, x)) == 0u);
  volatile float host = to_float(x);  // the compiler's flags, for code that does use floats
  const float value = host;
  const float rounded = to_float(square);
  const float sum = value * value + rounded;
  CHECK(to_bits(sum) == 0u);
}

TEST_CASE("all results together have the recorded hash") {
  CHECK(num::numerics_hash(200000) == num::kNumericsHash);
}
