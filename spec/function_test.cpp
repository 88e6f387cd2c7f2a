// The function pipelines: error bounds, special values, widths of the text.
//
// JOGAK_EXHAUSTIVE=1 sweeps all 2^32 inputs instead of a stride.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <initializer_list>

#include "numerics.hpp"

namespace num = jogak::num;
using num::i32;
using num::i64;
using num::kInf;
using num::kNan;
using num::kOne;
using num::kSign;
using num::u32;
using num::u64;

namespace {

float to_float(u32 bits) { return std::bit_cast<float>(bits); }

struct Worst {
  double ulp = 0;
  u32 input = 0;
};

// Distance of result from exact in units of the exact value's last place. The
// flush and overflow rules count as exact where rounding makes them so.
double distance(u32 result, double exact) {
  if (num::is_inf(result)) return std::fabs(exact) > 0x1.FFFFFCp+127 ? 0 : HUGE_VAL;
  if (num::is_zero(result)) return std::fabs(exact) < 0x1.000004p-126 ? 0 : HUGE_VAL;
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::fabs(double(to_float(result)) - exact) * std::ldexp(1.0, 24 - exponent);
}

template <class Function, class Reference>
Worst sweep(Function function, Reference reference) {
  const bool all = std::getenv("JOGAK_EXHAUSTIVE") != nullptr;
  const u64 stride = all ? 1 : 251;
  Worst worst;
  for (u64 i = 0; i < u64(1) << 32; i += stride) {
    const u32 a = static_cast<u32>(i);
    if (num::is_nan(a) || num::is_inf(a) || num::is_zero(a)) continue;
    const double exact = reference(double(to_float(a)));
    const u32 result = function(a);
    if (exact != exact) {
      REQUIRE(result == kNan);
      continue;
    }
    const double ulp = distance(result, exact);
    if (ulp > worst.ulp) worst = {ulp, a};
  }
  MESSAGE("stride " << stride << ": largest error " << worst.ulp << " ulp at input " << worst.input);
  return worst;
}

}  // namespace

TEST_CASE("exp: within 1.04 ulp") {
  CHECK(sweep(num::fexp, [](double x) { return std::exp(x); }).ulp < 1.04);
}

TEST_CASE("recip: within 0.97 ulp") {
  CHECK(sweep(num::frecip, [](double x) { return 1 / x; }).ulp < 0.97);
}

TEST_CASE("rsqrt: within 0.82 ulp") {
  CHECK(sweep(num::frsqrt, [](double x) { return 1 / std::sqrt(x); }).ulp < 0.82);
}

TEST_CASE("exp: special values") {
  for (const u32 zero : {0u, kSign, 0x00000001u, 0x807FFFFFu}) CHECK(num::fexp(zero) == kOne);
  CHECK(num::fexp(kInf) == kInf);
  CHECK(num::fexp(kSign | kInf) == 0u);
  CHECK(num::fexp(num::kLowest) == 0u);
  CHECK(num::fexp(0x42B17217u) != kInf);
  CHECK(num::fexp(0x42B17218u) == kInf);
  CHECK(num::fexp(0x43000000u) == kInf);
  CHECK(num::fexp(0xC2AEAC4Fu) != 0u);
  CHECK(num::fexp(0xC2AEAC51u) == 0u);
  CHECK(num::fexp(0x31FFFFFFu) == kOne);  // around the shortcut for small inputs
  CHECK(num::fexp(0x32000000u) == kOne);
  CHECK(num::fexp(0xB1FFFFFFu) == kOne);
  CHECK(num::fexp(0xB2000000u) == kOne);
}

TEST_CASE("recip: special values and powers of two") {
  CHECK(num::frecip(0u) == kInf);
  CHECK(num::frecip(0x80000001u) == (kSign | kInf));
  CHECK(num::frecip(kInf) == 0u);
  CHECK(num::frecip(kSign | kInf) == kSign);
  for (u32 field = 1; field < 255; ++field) {
    const u32 expected = field == 254 ? 0u : (254 - field) << 23;
    CHECK(num::frecip(field << 23) == expected);
    CHECK(num::frecip(kSign | field << 23) == (kSign | expected));
  }
}

TEST_CASE("rsqrt: special values and powers of four") {
  CHECK(num::frsqrt(0u) == kInf);
  CHECK(num::frsqrt(kSign) == kInf);
  CHECK(num::frsqrt(0x807FFFFFu) == kInf);
  CHECK(num::frsqrt(0x80800000u) == kNan);
  CHECK(num::frsqrt(kSign | kInf) == kNan);
  CHECK(num::frsqrt(kInf) == 0u);
  for (u32 field = 1; field < 255; field += 2) {
    CHECK(num::frsqrt(field << 23) == (127 - (field - 127) / 2) << 23);
  }
}

TEST_CASE("interpolator: y stays in its 25 bits, slope in 18") {
  u32 outside = 0;
  for (u32 address = 0; address < 512; ++address) {
    const i32 step = address < num::kRomRecip ? 7 : 4;
    for (i32 r = -0x20000; r < 0x20000; r += step) {
      const num::FunctionEntry& entry = num::FunctionRom<>::entries[address];
      const i32 slope = (entry.c1 + ((r * i32(entry.c2)) >> 17)) >> 4;
      const i64 y = num::interpolate(address, r);
      const bool fits = slope >= -0x20000 && slope < 0x20000 && y >= 1 << 23 && y <= 1 << 24;
      outside += fits ? 0 : 1;
    }
  }
  CHECK(outside == 0);
}

TEST_CASE("recip falls over a whole binade") {
  u32 previous = num::frecip(kOne);
  u32 rises = 0;
  for (u32 a = kOne + 1; a < 0x40000000u; ++a) {
    const u32 result = num::frecip(a);
    rises += result > previous ? 1 : 0;
    previous = result;
  }
  CHECK(rises == 0);
}
