// Host fast path: the bits of numerics.hpp from the processor's own floats.
//
// x86 with AVX2 and FMA computes round-to-nearest, FTZ and DAZ exactly as the
// machine does; only NaNs need mending. Anything else runs the exact code.
// C++20, host only. Results are the same either way; numerics_test compares.
#pragma once

#include <cstddef>
#include <span>

#include "numerics.hpp"

#if defined(__FAST_MATH__)
#error "numerics_fast: built with -ffast-math, expected strict floating point"
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#define JOGAK_FAST_X86 1
#define JOGAK_FAST_KERNEL [[gnu::target("avx2,fma"), gnu::noinline]] inline
#else
#define JOGAK_FAST_X86 0
#endif

namespace jogak::num::fast {

// True when the processor's floats are used.
inline bool available() {
#if JOGAK_FAST_X86
  static const bool yes = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return yes;
#else
  return false;
#endif
}

// Sets nearest-even, FTZ and DAZ, all exceptions masked, for this thread and
// restores the application's control register. Every kernel below asks for one.
class FtzScope {
 public:
  FtzScope() {
#if JOGAK_FAST_X86
    saved_ = _mm_getcsr();
    _mm_setcsr(0x9FC0u);
#endif
  }
  ~FtzScope() {
#if JOGAK_FAST_X86
    _mm_setcsr(saved_);
#endif
  }
  FtzScope(const FtzScope&) = delete;
  FtzScope& operator=(const FtzScope&) = delete;

 private:
  [[maybe_unused]] unsigned saved_ = 0;
};

#if JOGAK_FAST_X86
// Kernels are not inlined, so that no operation moves out of its FtzScope, and
// are over whole groups of eight; they return how many values they did.
namespace detail {

constexpr std::size_t kGroup = 8;

[[gnu::target("avx2,fma")]] inline __m256 load(const u32* p) {
  return _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

// Stores v with every NaN replaced by the NaN.
[[gnu::target("avx2,fma")]] inline void store(u32* p, __m256 v) {
  const __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(kNan)));
  const __m256 mended = _mm256_blendv_ps(v, nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_castps_si256(mended));
}

// The product, hidden from the compiler so that it cannot fuse it with a sum.
[[gnu::target("avx2,fma")]] inline __m256 rounded_product(__m256 a, __m256 b) {
  __m256 product = _mm256_mul_ps(a, b);
  asm("" : "+x"(product));
  return product;
}

JOGAK_FAST_KERNEL std::size_t add(u32* out, const u32* a, const u32* b, std::size_t n) {
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) store(out + i, _mm256_add_ps(load(a + i), load(b + i)));
  return i;
}

// Sums of neighbours.
JOGAK_FAST_KERNEL std::size_t add_pairs(u32* out, const u32* in, std::size_t n) {
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) {
    const __m256 a = load(in + 2 * i), b = load(in + 2 * i + kGroup);
    const __m256 sums = _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xDD));
    store(out + i, _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(sums), 0xD8)));
  }
  return i;
}

JOGAK_FAST_KERNEL std::size_t mul(u32* out, const u32* a, const u32* b, std::size_t n) {
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) store(out + i, rounded_product(load(a + i), load(b + i)));
  return i;
}

JOGAK_FAST_KERNEL std::size_t fma(u32* out, const u32* a, const u32* b, const u32* c,
                                  std::size_t n) {
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) {
    store(out + i, _mm256_fmadd_ps(load(a + i), load(b + i), load(c + i)));
  }
  return i;
}

JOGAK_FAST_KERNEL std::size_t foot(u32* acc, const i32* isum, u32 sa, const u32* sw,
                                   std::size_t n) {
  const __m256 row = _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(sa)));
  std::size_t i = 0;
  for (; i + kGroup <= n; i += kGroup) {
    const __m256i sums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(isum + i));
    const __m256 scale = rounded_product(row, load(sw + i));
    const __m256 term = rounded_product(_mm256_cvtepi32_ps(sums), scale);
    store(acc + i, _mm256_add_ps(load(acc + i), term));
  }
  return i;
}

}  // namespace detail
#endif

// out[i] = fadd(a[i], b[i]) for all of out; a and b are at least as long. out
// may be a or b itself but must not overlap them otherwise. So for all below.
inline void fadd(const FtzScope&, std::span<u32> out, std::span<const u32> a,
                 std::span<const u32> b) {
  std::size_t i = 0;
#if JOGAK_FAST_X86
  if (available()) i = detail::add(out.data(), a.data(), b.data(), out.size());
#endif
  for (; i < out.size(); ++i) out[i] = num::fadd(a[i], b[i]);
}

// out[i] = fadd(in[2 i], in[2 i + 1]) for all of out, which may begin where in does.
inline void fadd_pairs(const FtzScope&, std::span<u32> out, std::span<const u32> in) {
  std::size_t i = 0;
#if JOGAK_FAST_X86
  if (available()) i = detail::add_pairs(out.data(), in.data(), out.size());
#endif
  for (; i < out.size(); ++i) out[i] = num::fadd(in[2 * i], in[2 * i + 1]);
}

inline void fmul(const FtzScope&, std::span<u32> out, std::span<const u32> a,
                 std::span<const u32> b) {
  std::size_t i = 0;
#if JOGAK_FAST_X86
  if (available()) i = detail::mul(out.data(), a.data(), b.data(), out.size());
#endif
  for (; i < out.size(); ++i) out[i] = num::fmul(a[i], b[i]);
}

// out[i] = ffma(a[i], b[i], c[i])
inline void ffma(const FtzScope&, std::span<u32> out, std::span<const u32> a,
                 std::span<const u32> b, std::span<const u32> c) {
  std::size_t i = 0;
#if JOGAK_FAST_X86
  if (available()) i = detail::fma(out.data(), a.data(), b.data(), c.data(), out.size());
#endif
  for (; i < out.size(); ++i) out[i] = num::ffma(a[i], b[i], c[i]);
}

// One block of one row into its columns: acc[c] = foot_step(acc[c], isum[c],
// foot_scale(sa, sw[c])) for all of acc.
inline void foot_row(const FtzScope&, std::span<u32> acc, std::span<const i32> isum, u32 sa,
                     std::span<const u32> sw) {
  std::size_t i = 0;
#if JOGAK_FAST_X86
  if (available()) i = detail::foot(acc.data(), isum.data(), sa, sw.data(), acc.size());
#endif
  for (; i < acc.size(); ++i) acc[i] = num::foot_step(acc[i], isum[i], num::foot_scale(sa, sw[i]));
}

}  // namespace jogak::num::fast

#undef JOGAK_FAST_KERNEL
#undef JOGAK_FAST_X86
