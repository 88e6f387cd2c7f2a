// AVX-512, sixteen lanes: the integer steps of numerics.hpp one by one. Lanes that are no ordinary numbers (NaN, zero,
// infinity, results out of range) are few; they take the scalar code.
#include "functions_fast.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define JOGAK_AVX512 [[gnu::target("avx512f,avx512dq,bmi2")]]
#endif

namespace jogak::model {

namespace {

using num::u32;
using num::u64;

#if defined(__x86_64__)

constexpr u64 kLanes = 16;

bool has_avx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2");
  return has;
}

struct Results {
  __m512i value;
  __mmask16 ordinary;
};

JOGAK_AVX512 inline __m512i all(u32 v) { return _mm512_set1_epi32(static_cast<int>(v)); }

// Lanes 0, 2, 4, ... and 1, 3, 5, ... as 64-bit numbers, joined again from their low halves.
JOGAK_AVX512 inline __m512i odd_lanes(__m512i v) { return _mm512_srli_epi64(v, 32); }
JOGAK_AVX512 inline __m512i joined(__m512i even, __m512i odd) {
  return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
}

// The ROM by columns, so that a register holds sixteen entries of one.
struct Columns {
  alignas(64) u32 c0[512], c1[512], c2[512];
};
constexpr Columns kRom = [] {
  Columns rom{};
  for (u32 i = 0; i < 512; ++i) {
    const num::FunctionEntry& e = num::FunctionRom<>::entries[i];
    rom.c0[i] = e.c0, rom.c1[i] = static_cast<u32>(e.c1), rom.c2[i] = e.c2;
  }
  return rom;
}();

// column[segment] for segments below 128: permutations of registers, several times as fast as a gather.
JOGAK_AVX512 inline __m512i segment_of(const u32* column, __m512i segment) {
  __m512i pair[4];
  for (int i = 0; i < 4; ++i) pair[i] = _mm512_permutex2var_epi32(_mm512_load_si512(column + 32 * i), segment, _mm512_load_si512(column + 32 * i + 16));
  const __mmask16 bit5 = _mm512_test_epi32_mask(segment, all(32)), bit6 = _mm512_test_epi32_mask(segment, all(64));
  return _mm512_mask_blend_epi32(bit6, _mm512_mask_blend_epi32(bit5, pair[0], pair[1]), _mm512_mask_blend_epi32(bit5, pair[2], pair[3]));
}

// Of the 128 entries behind them in lanes of `next`.
template <bool Two>
JOGAK_AVX512 inline __m512i entries(const u32* column, __m512i segment, __mmask16 next) {
  const __m512i one = segment_of(column, segment);
  return Two ? _mm512_mask_blend_epi32(next, one, segment_of(column + 128, segment)) : one;
}

// num::interpolate: c0 + r (c1 + r c2) with 23 fraction bits, of the 128 entries from `first`; in lanes of `next` of the 128 behind them.
template <bool Two = false>
JOGAK_AVX512 inline __m512i interpolated(u32 first, __m512i segment, __m512i r, __mmask16 next = 0) {
  const __m512i c0 = entries<Two>(kRom.c0 + first, segment, next), c1 = entries<Two>(kRom.c1 + first, segment, next);
  const __m512i c2 = entries<Two>(kRom.c2 + first, segment, next);
  const __m512i curve = _mm512_srai_epi32(_mm512_mullo_epi32(r, c2), 17);
  const __m512i slope = _mm512_srai_epi32(_mm512_add_epi32(c1, curve), 4);
  const __m512i low = _mm512_srai_epi64(_mm512_mul_epi32(r, slope), 11);
  const __m512i high = _mm512_srai_epi64(_mm512_mul_epi32(odd_lanes(r), odd_lanes(slope)), 11);
  const __m512i even = _mm512_add_epi64(_mm512_and_si512(c0, _mm512_set1_epi64(0xFFFFFFFF)), low);
  return joined(_mm512_srli_epi64(even, 7), _mm512_srli_epi64(_mm512_add_epi64(odd_lanes(c0), high), 7));
}

JOGAK_AVX512 inline __m512i exponents(__m512i x) { return _mm512_and_si512(_mm512_srli_epi32(x, 23), all(0xFF)); }

// Position inside a segment, from the low 16 bits of the mantissa.
JOGAK_AVX512 inline __m512i centred(__m512i x) {
  return _mm512_slli_epi32(_mm512_sub_epi32(_mm512_and_si512(x, all(0xFFFF)), all(0x8000)), 2);
}

JOGAK_AVX512 inline __m512i segment(__m512i x) { return _mm512_and_si512(_mm512_srli_epi32(x, 16), all(0x7F)); }

// field * 2^23 + y, and where that is a normal number.
JOGAK_AVX512 inline Results packed(__m512i field, __m512i y) {
  const __m512i value = _mm512_add_epi32(_mm512_slli_epi32(field, 23), y);
  const __m512i top = _mm512_add_epi32(field, _mm512_srai_epi32(y, 23));
  return {value, static_cast<__mmask16>(_mm512_cmpgt_epi32_mask(top, all(0)) & _mm512_cmplt_epi32_mask(top, all(255)))};
}

// Neither zero nor subnormal nor infinity nor NaN.
JOGAK_AVX512 inline __mmask16 normal(__m512i exponent) {
  return static_cast<__mmask16>(_mm512_cmpgt_epi32_mask(exponent, all(0)) & _mm512_cmplt_epi32_mask(exponent, all(255)));
}

JOGAK_AVX512 inline Results recip16(__m512i x) {
  const __m512i exponent = exponents(x);
  const __m512i y = interpolated(num::kRomRecip, segment(x), centred(x));
  Results r = packed(_mm512_sub_epi32(all(252), exponent), y);
  r.value = _mm512_or_si512(r.value, _mm512_and_si512(x, all(num::kSign)));
  r.ordinary = static_cast<__mmask16>(r.ordinary & normal(exponent));
  return r;
}

JOGAK_AVX512 inline Results rsqrt16(__m512i x) {
  const __m512i exponent = exponents(x);
  const __mmask16 odd = _mm512_testn_epi32_mask(exponent, all(1));  // the bias is odd
  const __m512i y = interpolated<true>(num::kRomRsqrt, segment(x), centred(x), odd);
  Results r = packed(_mm512_sub_epi32(all(189), _mm512_srai_epi32(_mm512_add_epi32(exponent, all(1)), 1)), y);
  r.ordinary = static_cast<__mmask16>(r.ordinary & normal(exponent) & _mm512_cmpge_epi32_mask(x, all(0)));
  return r;
}

// |a| log2(e) with 25 fraction bits, of the even lanes of a significand.
JOGAK_AVX512 inline __m512i powers(__m512i significand, __m512i shift) {
  const __m512i product = _mm512_mul_epu32(significand, _mm512_set1_epi64(num::log2e_q31));
  const __m512i kept = _mm512_srlv_epi64(product, _mm512_and_si512(shift, _mm512_set1_epi64(0xFF)));
  return _mm512_srli_epi64(_mm512_add_epi64(kept, _mm512_set1_epi64(1)), 1);
}

JOGAK_AVX512 inline Results exp16(__m512i x) {
  const __m512i exponent = exponents(x), shift = _mm512_sub_epi32(all(155), exponent);
  const __m512i significand = _mm512_or_si512(_mm512_and_si512(x, all(0x7FFFFF)), all(0x800000));
  const __mmask16 negative = _mm512_movepi32_mask(x);
  const __mmask8 below_even = static_cast<__mmask8>(_pext_u32(negative, 0x5555)), below_odd = static_cast<__mmask8>(_pext_u32(negative, 0xAAAA));
  const __m512i zero = _mm512_setzero_si512();
  __m512i even = powers(significand, shift), odd = powers(odd_lanes(significand), odd_lanes(shift));
  even = _mm512_mask_sub_epi64(even, below_even, zero, even);
  odd = _mm512_mask_sub_epi64(odd, below_odd, zero, odd);
  const __m512i fraction = _mm512_and_si512(joined(_mm512_and_si512(even, _mm512_set1_epi64(0xFFFFFFFF)), odd), all(0x1FFFFFF));
  const __m512i whole = joined(_mm512_and_si512(_mm512_srai_epi64(even, 25), _mm512_set1_epi64(0xFFFFFFFF)), _mm512_srai_epi64(odd, 25));
  const __m512i position = _mm512_sub_epi32(_mm512_and_si512(fraction, all(0x3FFFF)), all(0x20000));
  Results r = packed(_mm512_add_epi32(whole, all(126)), interpolated(num::kRomExp, _mm512_srli_epi32(fraction, 18), position));
  r.ordinary = static_cast<__mmask16>(r.ordinary & _mm512_cmpgt_epi32_mask(exponent, all(99)) & _mm512_cmplt_epi32_mask(exponent, all(134)));
  return r;
}

template <spec::Vfunc Func>
JOGAK_AVX512 [[gnu::noinline]] u64 sixteens(u32* x, u64 n) {
  u64 i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m512i v = _mm512_loadu_si512(x + i);
    const Results r = Func == spec::Vfunc::exp ? exp16(v) : Func == spec::Vfunc::recip ? recip16(v) : rsqrt16(v);
    _mm512_mask_storeu_epi32(x + i, r.ordinary, r.value);
    for (u32 rest = static_cast<u32>(~r.ordinary & 0xFFFF); rest != 0; rest &= rest - 1) {
      u32& lane = x[i + static_cast<u64>(__builtin_ctz(rest))];
      lane = apply_function(Func, lane);
    }
  }
  return i;
}

u64 vectors(spec::Vfunc func, u32* x, u64 n) {
  if (!has_avx512()) return 0;
  switch (func) {
    case spec::Vfunc::exp: return sixteens<spec::Vfunc::exp>(x, n);
    case spec::Vfunc::recip: return sixteens<spec::Vfunc::recip>(x, n);
    case spec::Vfunc::rsqrt: return sixteens<spec::Vfunc::rsqrt>(x, n);
    case spec::Vfunc::none: break;
  }
  return n;
}

#else

u64 vectors(spec::Vfunc, u32*, u64) { return 0; }

#endif

}  // namespace

void apply_function(spec::Vfunc func, u32* x, u64 n) {
  if (func == spec::Vfunc::none) return;
  for (u64 i = vectors(func, x, n); i < n; ++i) x[i] = apply_function(func, x[i]);
}

}  // namespace jogak::model
