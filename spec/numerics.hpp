// The arithmetic of the machine, bit for bit (docs/numerics.md).
//
// fp32 values travel as their bits in uint32_t. Nothing here uses the host's
// floating point, so compiler, flags and processor cannot change a result.
// C++14, freestanding. Signed >> is the arithmetic shift (true of every
// compiler in use, and guaranteed from C++20 on).
#pragma once

#include <cstdint>

#include "function_tables.hpp"

namespace jogak { namespace num {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

static_assert((-3 >> 1) == -2, "num: signed right shift must be arithmetic");

constexpr u32 kNan = 0x7FC00000u;  // the only NaN that is ever produced
constexpr u32 kInf = 0x7F800000u;
constexpr u32 kOne = 0x3F800000u;
constexpr u32 kSign = 0x80000000u;
constexpr u32 kMinNormal = 0x00800000u;
constexpr u32 kLowest = 0xFF7FFFFFu;  // -FLT_MAX, where a running maximum starts
constexpr u32 kInv127 = 0x3C010204u;  // 1/127 rounded to nearest
constexpr u16 kBf16Nan = 0x7FC0u;
constexpr u16 kF16Nan = 0x7E00u;

// ---- fields -----------------------------------------------------------------

constexpr u32 sign_of(u32 a) { return a & kSign; }
constexpr u32 magnitude(u32 a) { return a & ~kSign; }
constexpr bool is_nan(u32 a) { return magnitude(a) > kInf; }
constexpr bool is_inf(u32 a) { return magnitude(a) == kInf; }
// Zero as the machine sees it: subnormals are zeros.
constexpr bool is_zero(u32 a) { return magnitude(a) < kMinNormal; }
constexpr i32 exponent_of(u32 a) { return static_cast<i32>((a >> 23) & 0xFFu); }
constexpr u32 significand_of(u32 a) { return (a & 0x7FFFFFu) | 0x800000u; }

// How any operand is read: subnormal -> zero of its sign, NaN -> the NaN.
constexpr u32 canonical(u32 a) { return is_nan(a) ? kNan : is_zero(a) ? sign_of(a) : a; }

// ---- rounding ---------------------------------------------------------------

inline constexpr int leading_zeros(u64 m) {
#if defined(__GNUC__)
  return __builtin_clzll(m);
#else
  int n = 0;
  for (int step = 32; step > 0; step /= 2) {
    if ((m >> (64 - step)) == 0) {
      n += step;
      m <<= step;
    }
  }
  return n;
#endif
}

// Exponent and significand were rounded with unbounded exponent; value is
// (field << 23) with the significand's carry added. Too small -> signed zero.
inline constexpr u32 range_check(u32 sign, i64 value) {
  if (value >= static_cast<i64>(kInf)) return sign | kInf;
  if (value < static_cast<i64>(kMinNormal)) return sign;
  return sign | static_cast<u32>(value);
}

// m * 2^exponent, m != 0, bit 0 of m sticky, rounded to nearest even, flushed.
inline constexpr u32 round_pack(u32 sign, i32 exponent, u64 m) {
  const int shift = leading_zeros(m);
  m <<= shift;
  const u64 kept = m >> 40;
  const u64 rest = m & ((u64(1) << 40) - 1);
  const u64 half = u64(1) << 39;
  const bool up = rest > half || (rest == half && (kept & 1) != 0);
  const i64 field = i64(exponent) - shift + 63 + 127;
  return range_check(sign, (field - 1) * (1 << 23) + static_cast<i64>(kept + (up ? 1 : 0)));
}

// m >> distance with every lost bit gathered in bit 0.
inline constexpr u64 shift_right_sticky(u64 m, i32 distance) {
  if (distance > 63) return m != 0 ? 1 : 0;
  const u64 shifted = m >> distance;
  return shifted | ((shifted << distance) != m ? 1 : 0);
}

// A nonzero addend: magnitude * 2^exponent with the leading one at bit 61.
struct Term {
  u32 sign;
  i32 exponent;
  u64 magnitude;
};

inline constexpr u32 add_terms(Term a, Term b) {
  if (b.exponent > a.exponent || (b.exponent == a.exponent && b.magnitude > a.magnitude)) {
    const Term larger = b;
    b = a;
    a = larger;
  }
  const u64 aligned = shift_right_sticky(b.magnitude, a.exponent - b.exponent);
  if (a.sign == b.sign) return round_pack(a.sign, a.exponent, a.magnitude + aligned);
  const u64 difference = a.magnitude - aligned;
  return difference == 0 ? 0u : round_pack(a.sign, a.exponent, difference);
}

inline constexpr Term term_of(u32 a) {
  return Term{sign_of(a), exponent_of(a) - 150 - 38, u64(significand_of(a)) << 38};
}

// Sum of two zeros: -0 only when both are negative.
inline constexpr u32 zero_sum(u32 sign_a, u32 sign_b) { return sign_a & sign_b; }

// ---- arithmetic -------------------------------------------------------------

inline constexpr u32 fadd(u32 a, u32 b) {
  if (is_nan(a) || is_nan(b)) return kNan;
  if (is_inf(a)) return is_inf(b) && a != b ? kNan : a;
  if (is_inf(b)) return b;
  if (is_zero(a)) return is_zero(b) ? zero_sum(sign_of(a), sign_of(b)) : b;
  if (is_zero(b)) return a;
  return add_terms(term_of(a), term_of(b));
}

// Flips the sign; a NaN stays the NaN.
inline constexpr u32 fneg(u32 a) { return is_nan(a) ? kNan : canonical(a) ^ kSign; }
inline constexpr u32 fabs(u32 a) { return is_nan(a) ? kNan : magnitude(canonical(a)); }
inline constexpr u32 fsub(u32 a, u32 b) { return fadd(a, fneg(b)); }

inline constexpr u32 fmul(u32 a, u32 b) {
  const u32 sign = sign_of(a ^ b);
  if (is_nan(a) || is_nan(b)) return kNan;
  if (is_inf(a) || is_inf(b)) return is_zero(a) || is_zero(b) ? kNan : sign | kInf;
  if (is_zero(a) || is_zero(b)) return sign;
  const u64 product = u64(significand_of(a)) * significand_of(b);
  return round_pack(sign, exponent_of(a) + exponent_of(b) - 300, product);
}

// a * b + c rounded once.
inline constexpr u32 ffma(u32 a, u32 b, u32 c) {
  const u32 sign = sign_of(a ^ b);
  if (is_nan(a) || is_nan(b) || is_nan(c)) return kNan;
  if (is_inf(a) || is_inf(b)) {
    const bool invalid = is_zero(a) || is_zero(b) || (is_inf(c) && sign_of(c) != sign);
    return invalid ? kNan : sign | kInf;
  }
  if (is_inf(c)) return c;
  if (is_zero(a) || is_zero(b)) return is_zero(c) ? zero_sum(sign, sign_of(c)) : c;
  const u64 product = u64(significand_of(a)) * significand_of(b);
  const i32 exponent = exponent_of(a) + exponent_of(b) - 300;
  if (is_zero(c)) return round_pack(sign, exponent, product);
  const int up = leading_zeros(product) - 2;
  return add_terms(Term{sign, exponent - up, product << up}, term_of(c));
}

// ---- order ------------------------------------------------------------------

// Signed integers in the order of the values, -0 below +0, any NaN lowest.
// argmax and top-k compare these keys; equal keys go to the lowest index.
inline constexpr i32 order_key(u32 a) {
  if (is_nan(a)) return INT32_MIN;
  const i32 size = static_cast<i32>(magnitude(canonical(a)));
  return sign_of(a) != 0 ? -1 - size : size;
}

inline constexpr u32 fmax(u32 a, u32 b) {
  if (is_nan(a) || is_nan(b)) return kNan;
  return canonical(order_key(a) >= order_key(b) ? a : b);
}
inline constexpr u32 fmin(u32 a, u32 b) {
  if (is_nan(a) || is_nan(b)) return kNan;
  return canonical(order_key(a) <= order_key(b) ? a : b);
}

// Compares with a NaN are false; the two zeros are equal.
inline constexpr bool feq(u32 a, u32 b) {
  if (is_nan(a) || is_nan(b)) return false;
  return canonical(a) == canonical(b) || (is_zero(a) && is_zero(b));
}
inline constexpr bool flt(u32 a, u32 b) {
  if (is_nan(a) || is_nan(b) || feq(a, b)) return false;
  return order_key(a) < order_key(b);
}
inline constexpr bool fle(u32 a, u32 b) { return flt(a, b) || feq(a, b); }

// ---- function pipelines -----------------------------------------------------

constexpr u32 kRomExp = 0;
constexpr u32 kRomRecip = 128;
constexpr u32 kRomRsqrt = 256;  // 256: even exponent, 384: odd exponent

// y = c0 + r * (c1 + r * c2) with 23 fraction bits; r has 18 bits, 25 fraction.
// Each shift truncates; the halves that round are inside the coefficients.
inline constexpr i64 interpolate(u32 address, i32 r) {
  const FunctionEntry& entry = FunctionRom<>::entries[address];
  const i32 curve = (r * i32(entry.c2)) >> 17;      // 31-bit product -> 20 fraction bits
  const i32 slope = (entry.c1 + curve) >> 4;        // 18 bits, 16 fraction
  const i64 rise = (i64(r) * slope) >> 11;          // 36-bit product -> 30 fraction bits
  return (i64(entry.c0) + rise) >> 7;               // 25 bits, 23 fraction
}

// Position inside a segment from 16 mantissa bits, counted from its centre.
inline constexpr i32 centred(u32 low16) { return (i32(low16) - 0x8000) * 4; }

inline constexpr u32 frecip(u32 a) {
  if (is_nan(a)) return kNan;
  if (is_zero(a)) return sign_of(a) | kInf;
  if (is_inf(a)) return sign_of(a);
  const u32 fraction = a & 0x7FFFFFu;
  const i64 y = interpolate(kRomRecip + (fraction >> 16), centred(fraction & 0xFFFFu));
  return range_check(sign_of(a), i64(252 - exponent_of(a)) * (1 << 23) + y);
}

inline constexpr u32 frsqrt(u32 a) {
  if (is_nan(a)) return kNan;
  if (is_zero(a)) return kInf;  // -0 too: it is a zero, not a negative number
  if (sign_of(a) != 0) return kNan;
  if (is_inf(a)) return 0u;
  const u32 fraction = a & 0x7FFFFFu;
  const i32 exponent = exponent_of(a);
  const u32 odd = (exponent & 1) == 0 ? 128u : 0u;  // the bias is odd
  const i64 y = interpolate(kRomRsqrt + odd + (fraction >> 16), centred(fraction & 0xFFFFu));
  return range_check(0u, i64(189 - ((exponent + 1) >> 1)) * (1 << 23) + y);
}

inline constexpr u32 fexp(u32 a) {
  if (is_nan(a)) return kNan;
  const bool negative = sign_of(a) != 0;
  const i32 exponent = exponent_of(a);
  if (exponent >= 134) return negative ? 0u : kInf;  // |a| >= 128, infinities too
  if (exponent <= 99) return kOne;                   // |a| < 2^-27, zeros too
  const u64 product = u64(significand_of(a)) * log2e_q31;        // 56 bits
  const i64 size = i64(((product >> (155 - exponent)) + 1) >> 1);  // |a| log2(e), 25 fraction bits
  const i64 t = negative ? -size : size;
  const u32 fraction = u32(t) & 0x1FFFFFFu;
  const i64 y = interpolate(kRomExp + (fraction >> 18), i32(fraction & 0x3FFFFu) - 0x20000);
  return range_check(0u, ((t >> 25) + 126) * (1 << 23) + y);
}

// ---- integers ---------------------------------------------------------------

inline constexpr u32 i32_to_f32(i32 v) {
  if (v == 0) return 0u;
  const u32 size = v < 0 ? 0u - static_cast<u32>(v) : static_cast<u32>(v);
  return round_pack(v < 0 ? kSign : 0u, 0, size);
}

// m >> distance (1 to 63) rounded to nearest even.
inline constexpr u64 shift_right_even(u64 m, int distance) {
  const u64 kept = m >> distance;
  const u64 rest = m & ((u64(1) << distance) - 1);
  const u64 half = u64(1) << (distance - 1);
  return kept + (rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0);
}

// Round to nearest even, saturate; NaN gives 0.
inline constexpr i32 f32_to_i32(u32 a) {
  const i32 exponent = exponent_of(a);
  if (is_nan(a) || exponent < 126) return 0;  // |a| < 1/2
  if (exponent >= 158) return sign_of(a) != 0 ? INT32_MIN : INT32_MAX;
  const i64 size = static_cast<i64>(shift_right_even(u64(significand_of(a)) << 32, 182 - exponent));
  return static_cast<i32>(sign_of(a) != 0 ? -size : size);
}

// Round to nearest even, clamp to -127..127; NaN gives 0.
inline constexpr i8 f32_to_i8_clamped(u32 a) {
  const i32 v = f32_to_i32(a);
  return static_cast<i8>(v > 127 ? 127 : v < -127 ? -127 : v);
}

// ---- narrow formats ---------------------------------------------------------

inline constexpr u16 f32_to_bf16(u32 a) {
  if (is_nan(a)) return kBf16Nan;
  const u32 c = canonical(a);
  return static_cast<u16>((c + 0x7FFFu + ((c >> 16) & 1u)) >> 16);
}

// Magnitude rounded up, for scales: the largest value still quantises to 127.
inline constexpr u16 f32_to_bf16_up(u32 a) {
  if (is_nan(a)) return kBf16Nan;
  return static_cast<u16>((canonical(a) + 0xFFFFu) >> 16);
}

inline constexpr u32 bf16_to_f32(u16 h) { return canonical(u32(h) << 16); }

// fp16 subnormals are produced; too large gives infinity.
inline constexpr u16 f32_to_f16(u32 a) {
  if (is_nan(a)) return kF16Nan;
  const u16 sign = static_cast<u16>(sign_of(a) >> 16);
  const i32 exponent = exponent_of(a);
  if (exponent < 102) return sign;  // below half of the smallest subnormal
  if (exponent < 113) {
    return static_cast<u16>(sign | shift_right_even(significand_of(a), 126 - exponent));
  }
  const u64 size = shift_right_even(magnitude(a) - (112u << 23), 13);
  return static_cast<u16>(sign | (size > 0x7C00u ? 0x7C00u : size));
}

// Exact, subnormals included.
inline constexpr u32 f16_to_f32(u16 h) {
  const u32 sign = u32(h & 0x8000u) << 16;
  const u32 exponent = (h >> 10) & 0x1Fu;
  const u32 fraction = h & 0x3FFu;
  if (exponent == 31) return fraction != 0 ? kNan : sign | kInf;
  if (exponent == 0) return fraction == 0 ? sign : round_pack(sign, -24, fraction);
  return sign | ((exponent + 112) << 23) | (fraction << 13);
}

// 2^(code - 127); code 0 is +0, 255 is NaN.
inline constexpr u32 e8m0_to_f32(u8 code) { return code == 255 ? kNan : u32(code) << 23; }

// Twice the value of an E2M1 code (sign in bit 3); the half goes into the scale.
inline constexpr i8 e2m1_doubled(u8 nibble) {
  const i32 exponent = (nibble >> 1) & 3;
  const i32 mantissa = nibble & 1;
  const i32 size = exponent == 0 ? mantissa : (2 + mantissa) << (exponent - 1);
  return static_cast<i8>((nibble & 8) != 0 ? -size : size);
}

// ---- quantise ---------------------------------------------------------------

struct QuantScale {
  u16 scale;  // bf16
  u32 recip;  // fp32, +0 when every value quantises to 0
};

// Scale and its reciprocal for a block whose largest magnitude is absmax.
inline constexpr QuantScale quant_scale(u32 absmax) {
  if (is_nan(absmax) || is_inf(absmax)) return QuantScale{kBf16Nan, 0u};
  const u16 scale = f32_to_bf16_up(fmul(magnitude(absmax), kInv127));
  if (bf16_to_f32(scale) < (27u << 23)) return QuantScale{0, 0u};  // below 2^-100
  return QuantScale{scale, frecip(bf16_to_f32(scale))};
}

inline constexpr i8 quant_value(u32 x, u32 recip) { return f32_to_i8_clamped(fmul(x, recip)); }

// Largest magnitude of n values; the NaN if one of them is a NaN; +0 for n = 0.
inline constexpr u32 absmax(const u32* x, u64 n) {
  u32 largest = 0;
  for (u64 i = 0; i < n; ++i) largest = magnitude(x[i]) > largest ? magnitude(x[i]) : largest;
  return canonical(largest);
}

// ---- dot block, sums --------------------------------------------------------

// Exact sum of n products, n <= 32 per block; 21 bits hold it.
inline constexpr i32 dot_block(const i8* a, const i8* w, u32 n) {
  i32 sum = 0;
  for (u32 k = 0; k < n; ++k) sum += i32(a[k]) * i32(w[k]);
  return sum;
}

inline constexpr u32 foot_scale(u32 sa, u32 sw) { return fmul(sa, sw); }

// One block into the accumulator: product and sum round separately.
inline constexpr u32 foot_step(u32 acc, i32 isum, u32 scale) {
  return fadd(acc, fmul(i32_to_f32(isum), scale));
}

// Sum in the order of the aligned binary tree over the indices, fed one value
// at a time; result() may be taken after any number of values. Sums nothing to +0.
struct TreeSum {
  u32 partial[32] = {};  // partial[l]: finished node of 2^l leaves, if bit l of count is set
  u32 count = 0;

  constexpr void push(u32 x) {
    u32 node = canonical(x);
    u32 level = 0;
    for (; ((count >> level) & 1u) != 0; ++level) node = fadd(partial[level], node);
    partial[level] = node;
    ++count;
  }
  constexpr u32 result() const {
    u32 sum = 0;
    bool any = false;
    for (u32 level = 0; level < 32; ++level) {
      if (((count >> level) & 1u) == 0) continue;
      sum = any ? fadd(partial[level], sum) : partial[level];
      any = true;
    }
    return sum;
  }
};

inline constexpr u32 tree_sum(const u32* x, u32 n) {
  TreeSum tree;
  for (u32 i = 0; i < n; ++i) tree.push(x[i]);
  return tree.result();
}

}}  // namespace jogak::num
