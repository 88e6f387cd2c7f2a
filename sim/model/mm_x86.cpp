// The mm kernels for x86: AVX2 (pairs of int16) and AVX-512 VNNI (groups of four bytes).
// Signs: VNNI multiplies unsigned by signed, so weights get 128 added and 128 times the sum of
// the moving block is taken off again. Products never saturate in either form.
#include "mm_kernel.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <cstring>

namespace jogak::model {

namespace {

constexpr std::uint32_t kDepth = 32;

#define JOGAK_AVX2 [[gnu::target("avx2,fma,f16c")]]
#define JOGAK_VNNI [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]]

std::uint32_t dword(const std::int8_t* p) {
  std::uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}

__m128i doubled_codes() { return _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12); }

// 8 bytes of codes to 16 int8, low nibble first.
JOGAK_AVX2 inline __m128i expand16(__m128i codes) {
  const __m128i low = _mm_set1_epi8(15);
  const __m128i even = _mm_and_si128(codes, low);
  const __m128i odd = _mm_and_si128(_mm_srli_epi16(codes, 4), low);
  return _mm_shuffle_epi8(doubled_codes(), _mm_unpacklo_epi8(even, odd));
}

// ---- AVX2, 8 columns: int16 pairs of k, 32 bytes for 8 columns -----------------------------

constexpr std::uint32_t kWidth2 = 8;

JOGAK_AVX2 void pack_avx2(const std::int8_t* rows, std::size_t stride, std::uint8_t* packed) {
  for (std::uint32_t k = 0; k < kDepth; k += 2) {
    const __m128i even = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows + k * stride));
    const __m128i odd = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows + (k + 1) * stride));
    const __m256i pairs = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(even, odd));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(packed + k * 16), pairs);
  }
}

JOGAK_AVX2 void expand_avx2(const std::uint8_t* codes, std::size_t stride, std::int8_t* rows) {
  for (std::uint32_t k = 0; k < kDepth; ++k) {
    std::uint32_t four;
    std::memcpy(&four, codes + k * stride, 4);
    const __m128i values = expand16(_mm_cvtsi32_si128(static_cast<int>(four)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(rows + k * kWidth2), values);
  }
}

// Integer sums of one block: two chains keep the adders busy.
JOGAK_AVX2 inline __m256i block_avx2(const std::int8_t* act, const std::uint8_t* tile) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  alignas(32) std::int16_t wide[kDepth];
  for (int half = 0; half < 2; ++half) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(act + 16 * half));
    _mm256_store_si256(reinterpret_cast<__m256i*>(wide) + half, _mm256_cvtepi8_epi16(bytes));
  }
  for (std::uint32_t p = 0; p < kDepth / 2; p += 2) {
    const auto* w = reinterpret_cast<const __m256i*>(tile) + p;
    std::int32_t pair[2];
    std::memcpy(pair, wide + 2 * p, 8);
    even = _mm256_add_epi32(even, _mm256_madd_epi16(_mm256_loadu_si256(w), _mm256_set1_epi32(pair[0])));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(_mm256_loadu_si256(w + 1), _mm256_set1_epi32(pair[1])));
  }
  return _mm256_add_epi32(even, odd);
}

JOGAK_AVX2 inline __m256 load8(const std::uint32_t* p) {
  return _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

template <std::uint32_t Depth>
JOGAK_AVX2 [[gnu::noinline]] void multiply_avx2_by(const Strip& s) {
  const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000));
  for (std::uint32_t i = 0; i < s.m; ++i) {
    std::uint32_t* out = s.out + i * s.out_stride;
    __m256 acc = s.accumulate ? load8(out) : _mm256_setzero_ps();
    for (std::uint32_t k = 0; k < s.kb; ++k) {
      const std::int8_t* act = s.act + i * s.act_stride + k * Depth;
      const std::uint8_t* tile = s.packed + k * Depth * 16;
      __m256i isum = block_avx2(act, tile);
      if (Depth > kDepth) isum = _mm256_add_epi32(isum, block_avx2(act + kDepth, tile + kDepth * 16));
      const __m256 sa = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(s.act_scale[i * s.kb + k])));
      const __m256 scale = _mm256_mul_ps(sa, load8(s.scale + k * kWidth2));
      acc = _mm256_add_ps(acc, _mm256_mul_ps(_mm256_cvtepi32_ps(isum), scale));
    }
    acc = _mm256_blendv_ps(acc, nan, _mm256_cmp_ps(acc, acc, _CMP_UNORD_Q));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_castps_si256(acc));
  }
}

void multiply_avx2(const Strip& s) { s.depth == kDepth ? multiply_avx2_by<kDepth>(s) : multiply_avx2_by<2 * kDepth>(s); }

// Bytes with 128 added, summed by eights.
JOGAK_AVX2 void sums_avx2(const std::int8_t* act, std::uint32_t blocks, std::int32_t* out) {
  const __m256i flip = _mm256_set1_epi8(-128), zero = _mm256_setzero_si256();
  for (std::uint32_t b = 0; b < blocks; ++b) {
    const __m256i bytes = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(act + b * kDepth)), flip);
    const __m256i four = _mm256_sad_epu8(bytes, zero);
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    out[b] = _mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 2) - 128 * static_cast<int>(kDepth);
  }
}

// The conversion heeds neither DAZ nor FTZ.
JOGAK_AVX2 void halves_avx2(const std::uint16_t* h, std::uint32_t* out) {
  const __m256 x = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h)));
  const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000));
  const __m256 mended = _mm256_blendv_ps(x, nan, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_castps_si256(mended));
}

// ---- AVX-512 VNNI, 16 columns: groups of 4 k, 64 bytes for 16 columns ----------------------

constexpr std::uint32_t kWidth5 = 16;

JOGAK_VNNI void pack_vnni(const std::int8_t* rows, std::size_t stride, std::uint8_t* packed) {
  const __m128i flip = _mm_set1_epi8(-128);
  for (std::uint32_t k = 0; k < kDepth; k += 4) {
    __m128i r[4];
    for (std::uint32_t j = 0; j < 4; ++j) {
      const auto* row = reinterpret_cast<const __m128i*>(rows + (k + j) * stride);
      r[j] = _mm_xor_si128(_mm_loadu_si128(row), flip);
    }
    const __m128i a = _mm_unpacklo_epi8(r[0], r[1]), b = _mm_unpackhi_epi8(r[0], r[1]);
    const __m128i c = _mm_unpacklo_epi8(r[2], r[3]), d = _mm_unpackhi_epi8(r[2], r[3]);
    auto* out = reinterpret_cast<__m128i*>(packed + k * kWidth5);
    _mm_storeu_si128(out, _mm_unpacklo_epi16(a, c));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(a, c));
    _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(b, d));
    _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(b, d));
  }
}

// The same with one permutation of bytes for four rows.
#define JOGAK_VBMI [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi,avx2,fma")]]
JOGAK_VBMI void pack_vbmi(const std::int8_t* rows, std::size_t stride, std::uint8_t* packed) {
  alignas(64) static constexpr auto kOrder = [] {
    std::array<std::uint8_t, 64> from{};
    for (std::uint32_t i = 0; i < 64; ++i) from[i] = static_cast<std::uint8_t>(i % 4 * kWidth5 + i / 4);
    return from;
  }();
  const __m512i order = _mm512_load_si512(kOrder.data()), flip = _mm512_set1_epi8(-128);
  const auto row = [&](std::uint32_t k) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + k * stride)); };
  for (std::uint32_t k = 0; k < kDepth; k += 4) {
    __m512i four;
    if (stride == kWidth5) {
      four = _mm512_loadu_si512(rows + k * stride);
    } else {
      four = _mm512_inserti32x4(_mm512_castsi128_si512(row(k)), row(k + 1), 1);
      four = _mm512_inserti32x4(_mm512_inserti32x4(four, row(k + 2), 2), row(k + 3), 3);
    }
    _mm512_storeu_si512(packed + k * kWidth5, _mm512_xor_si512(_mm512_permutexvar_epi8(order, four), flip));
  }
}

JOGAK_VNNI void expand_vnni(const std::uint8_t* codes, std::size_t stride, std::int8_t* rows) {
  for (std::uint32_t k = 0; k < kDepth; ++k) {
    const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + k * stride));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(rows + k * kWidth5), expand16(eight));
  }
}

JOGAK_VNNI inline __m512 load16(const std::uint32_t* p) {
  return _mm512_castsi512_ps(_mm512_loadu_si512(p));
}

// Rows first..first+Rows-1 of the strip.
template <int Rows, std::uint32_t Depth>
JOGAK_VNNI inline void rows_vnni(const Strip& s, std::uint32_t first) {
  const std::int8_t* act = s.act + first * s.act_stride;
  std::uint32_t* out = s.out + first * s.out_stride;
  __m512 acc[Rows];
  for (int i = 0; i < Rows; ++i) {
    acc[i] = s.accumulate ? load16(out + i * s.out_stride) : _mm512_setzero_ps();
  }
  for (std::uint32_t k = 0; k < s.kb; ++k) {
    __m512i isum[Rows];
    for (int i = 0; i < Rows; ++i) isum[i] = _mm512_set1_epi32(-128 * s.act_sum[(first + i) * s.kb + k]);
    const std::uint8_t* tile = s.packed + k * Depth * kWidth5;
    for (std::uint32_t g = 0; g < Depth / 4; ++g) {
      const __m512i w = _mm512_loadu_si512(tile + g * 64);
      for (int i = 0; i < Rows; ++i) {
        const std::int8_t* a = act + i * s.act_stride + k * Depth + g * 4;
        isum[i] = _mm512_dpbusd_epi32(isum[i], w, _mm512_set1_epi32(static_cast<int>(dword(a))));
      }
    }
    const __m512 sw = load16(s.scale + k * kWidth5);
    for (int i = 0; i < Rows; ++i) {
      const int bits = static_cast<int>(s.act_scale[(first + i) * s.kb + k]);
      const __m512 scale = _mm512_mul_ps(_mm512_castsi512_ps(_mm512_set1_epi32(bits)), sw);
      acc[i] = _mm512_add_ps(acc[i], _mm512_mul_ps(_mm512_cvtepi32_ps(isum[i]), scale));
    }
  }
  const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7FC00000));
  for (int i = 0; i < Rows; ++i) {
    const __mmask16 bad = _mm512_cmp_ps_mask(acc[i], acc[i], _CMP_UNORD_Q);
    _mm512_storeu_si512(out + i * s.out_stride, _mm512_castps_si512(_mm512_mask_mov_ps(acc[i], bad, nan)));
  }
}

template <std::uint32_t Depth>
JOGAK_VNNI [[gnu::noinline]] void multiply_vnni_by(const Strip& s) {
  std::uint32_t i = 0;
  for (; i + 8 <= s.m; i += 8) rows_vnni<8, Depth>(s, i);
  for (; i + 4 <= s.m; i += 4) rows_vnni<4, Depth>(s, i);
  for (; i < s.m; ++i) rows_vnni<1, Depth>(s, i);
}
void multiply_vnni(const Strip& s) { s.depth == kDepth ? multiply_vnni_by<kDepth>(s) : multiply_vnni_by<2 * kDepth>(s); }

JOGAK_VNNI void halves_vnni(const std::uint16_t* h, std::uint32_t* out) {
  const __m512 x = _mm512_maskz_cvtph_ps(0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(h)));
  const __mmask16 bad = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  _mm512_storeu_si512(out, _mm512_mask_mov_epi32(_mm512_castps_si512(x), bad, _mm512_set1_epi32(0x7FC00000)));
}

}  // namespace

const MmKernel* mm_kernel_avx2(std::uint32_t cols) {
  static constexpr MmKernel kernel{kWidth2, kDepth * kWidth2 * 2, true, pack_avx2, expand_avx2, multiply_avx2, sums_avx2, halves_avx2};
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  return has && cols % kWidth2 == 0 ? &kernel : nullptr;
}

const MmKernel* mm_kernel_vnni(std::uint32_t cols) {
  static constexpr MmKernel plain{kWidth5, kDepth * kWidth5, true, pack_vnni, expand_vnni, multiply_vnni, sums_avx2, halves_vnni};
  static constexpr MmKernel permuting{kWidth5, kDepth * kWidth5, true, pack_vbmi, expand_vnni, multiply_vnni, sums_avx2, halves_vnni};
  static const MmKernel& kernel = __builtin_cpu_supports("avx512vbmi") ? permuting : plain;
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
  return has && cols % kWidth5 == 0 ? &kernel : nullptr;
}

}  // namespace jogak::model

#else

namespace jogak::model {
const MmKernel* mm_kernel_avx2(std::uint32_t) { return nullptr; }
const MmKernel* mm_kernel_vnni(std::uint32_t) { return nullptr; }
}  // namespace jogak::model

#endif
