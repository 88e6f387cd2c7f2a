// qnt: fp32 rows to int8 blocks with a scale per block or per row.
#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "execute.hpp"
#include "numerics_fast.hpp"

namespace jogak::model {

using spec::Counter;
using spec::Fault;

namespace {

constexpr u32 kBlock = spec::limit::block;

bool shape_ok(const QntCmd& c) {
  if (c.rows > spec::limit::count_max || c.cols > spec::limit::count_max) return false;
  return !c.by_row() || c.cols <= spec::limit::quant_cols_max;
}

bool on_chip(const QntCmd& c, const Env& env) {
  const u64 last = c.rows - 1, words = env.memories.vmem.size();
  if (c.a + last * c.as + c.cols > words) return false;
  if (c.dst + last * c.ds + u64(c.blocks()) * kBlock > env.memories.aspm.size()) return false;
  return !c.by_row() || u64(c.r) + c.rows <= words;
}

// n values to a block of 32 int8; what is missing gives 0.
void put_block(const u32* x, u64 n, u32 recip, u8* block) {
  for (u64 k = 0; k < kBlock; ++k) {
    block[k] = k < n ? static_cast<u8>(num::quant_value(x[k], recip)) : 0;
  }
}

// The same with host floats: subnormals round to 0 anyway, so only NaNs need care. Adding 1.5 * 2^23 leaves
// the integer, rounded to nearest even, in the low bits.
void put_block_fast(const u32* x, u64 n, u32 recip, u8* block) {
  constexpr float kRound = 12582912.0f;
  const float r = std::bit_cast<float>(recip);
  float v[kBlock] = {};
  std::memcpy(v, x, n * 4);
  for (u64 k = 0; k < kBlock; ++k) {
    const float p = v[k] * r;
    const float clamped = p > 127.0f ? 127.0f : p < -127.0f ? -127.0f : p;
    const u32 q = std::bit_cast<u32>(clamped + kRound);
    block[k] = p == p ? static_cast<u8>(q) : 0;
  }
}

#if defined(__x86_64__)
// The same for a whole block, sixteen values at a time.
[[gnu::target("avx512f")]] void put_block_avx512(const u32* x, u64, u32 recip, u8* block) {
  const __m512 r = _mm512_set1_ps(std::bit_cast<float>(recip)), top = _mm512_set1_ps(127.0f), low = _mm512_set1_ps(-127.0f);
  for (u64 k = 0; k < kBlock; k += 16) {
    const __m512 p = _mm512_mul_ps(_mm512_loadu_ps(x + k), r);
    const __mmask16 number = _mm512_cmp_ps_mask(p, p, _CMP_ORD_Q);
    const __m512 clamped = _mm512_maskz_min_ps(number, _mm512_maskz_max_ps(number, p, low), top);
    const __m128i q = _mm512_maskz_cvtepi32_epi8(0xFFFF, _mm512_maskz_cvtps_epi32(0xFFFF, clamped));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(block + k), q);
  }
}
const auto put_whole_block = __builtin_cpu_supports("avx512f") ? put_block_avx512 : put_block_fast;
#else
const auto put_whole_block = put_block_fast;
#endif

void put_scale(Memories& memories, u64 address, u16 scale) {
  u8* entry = &memories.asc[address / kBlock * 2];
  entry[0] = static_cast<u8>(scale);
  entry[1] = static_cast<u8>(scale >> 8);
}

void quantise_row(const QntCmd& c, Memories& memories, u64 row, bool exact) {
  const u32* x = &memories.vmem[c.a + row * c.as];
  num::QuantScale scale = num::quant_scale(num::absmax(x, c.by_row() ? c.cols : 0));
  for (u64 block = 0; block < c.blocks(); ++block) {
    const u32* values = x + block * kBlock;
    const u64 left = c.cols - block * kBlock, n = std::min<u64>(kBlock, left);
    const u64 address = c.dst + row * c.ds + block * kBlock;
    if (!c.by_row()) {
      if (block * kBlock % c.group_cols() == 0) scale = num::quant_scale(num::absmax(values, std::min<u64>(c.group_cols(), left)));
      put_scale(memories, address, scale.scale);
    }
    (exact ? put_block : n == kBlock ? put_whole_block : put_block_fast)(values, n, scale.recip, &memories.aspm[address]);
  }
  if (c.by_row()) memories.vmem[c.r + row] = num::bf16_to_f32(scale.scale);
}

}  // namespace

Fault check(const QntCmd& c, const Env& env) {
  if (misaligned(kBlock, c.dst, c.ds)) return Fault::align;
  if (misaligned(env.config.cols, c.a, c.as)) return Fault::align;
  if (!shape_ok(c)) return Fault::shape;
  return c.empty() || on_chip(c, env) ? Fault::none : Fault::onchip;
}

EngineFault execute(const QntCmd& c, Env& env) {
  ++env.counters[Counter::cmd_qnt];
  env.counters[Counter::vec_elems] += u64(c.rows) * c.cols;
  if (c.empty()) return {};
  const num::fast::FtzScope nearest;
  for (u64 row = 0; row < c.rows; ++row) quantise_row(c, env.memories, row, env.exact);
  return {};
}

}  // namespace jogak::model
