// The mm kernel for any host: loops the compiler vectorises, and the exact fp32 code.
#include "mm_kernel.hpp"
#include "numerics.hpp"

namespace jogak::model {

namespace {

constexpr std::uint32_t kWidth = 8;
constexpr std::uint32_t kDepth = 32;

void pack(const std::int8_t* rows, std::size_t stride, std::uint8_t* packed) {
  auto* out = reinterpret_cast<std::int8_t*>(packed);
  for (std::uint32_t k = 0; k < kDepth; ++k) {
    for (std::uint32_t c = 0; c < kWidth; ++c) out[k * kWidth + c] = rows[k * stride + c];
  }
}

void expand(const std::uint8_t* codes, std::size_t stride, std::int8_t* rows) {
  for (std::uint32_t k = 0; k < kDepth; ++k) {
    for (std::uint32_t c = 0; c < kWidth; ++c) {
      const std::uint8_t pair = codes[k * stride + c / 2];
      rows[k * kWidth + c] = num::e2m1_doubled((pair >> (c % 2 * 4)) & 0xF);
    }
  }
}

void block(const std::int8_t* act, const std::int8_t* tile, std::uint32_t depth, std::int32_t* isum) {
  std::int32_t sum[kWidth] = {};
  for (std::uint32_t k = 0; k < depth; ++k) {
    const std::int32_t a = act[k];
    for (std::uint32_t c = 0; c < kWidth; ++c) sum[c] += a * tile[k * kWidth + c];
  }
  for (std::uint32_t c = 0; c < kWidth; ++c) isum[c] = sum[c];
}

void multiply(const Strip& s) {
  for (std::uint32_t i = 0; i < s.m; ++i) {
    std::uint32_t* out = s.out + i * s.out_stride;
    for (std::uint32_t c = 0; !s.accumulate && c < kWidth; ++c) out[c] = 0;
    for (std::uint32_t k = 0; k < s.kb; ++k) {
      std::int32_t isum[kWidth];
      const auto* tile = reinterpret_cast<const std::int8_t*>(s.packed) + k * s.depth * kWidth;
      block(s.act + i * s.act_stride + k * s.depth, tile, s.depth, isum);
      const std::uint32_t sa = s.act_scale[i * s.kb + k];
      for (std::uint32_t c = 0; c < kWidth; ++c) {
        out[c] = num::foot_step(out[c], isum[c], num::foot_scale(sa, s.scale[k * kWidth + c]));
      }
    }
  }
}

void sums(const std::int8_t* act, std::uint32_t blocks, std::int32_t* out) {
  for (std::uint32_t b = 0; b < blocks; ++b) {
    out[b] = 0;
    for (std::uint32_t k = 0; k < kDepth; ++k) out[b] += act[b * kDepth + k];
  }
}

void halves(const std::uint16_t* h, std::uint32_t* out) {
  for (std::uint32_t c = 0; c < kWidth; ++c) out[c] = num::f16_to_f32(h[c]);
}

}  // namespace

const MmKernel& mm_kernel_plain() {
  static constexpr MmKernel kernel{kWidth, kDepth * kWidth, false, pack, expand, multiply, sums, halves};
  return kernel;
}

const MmKernel& mm_kernel(std::uint32_t cols) {
  if (const MmKernel* kernel = mm_kernel_vnni(cols)) return *kernel;
  if (const MmKernel* kernel = mm_kernel_avx2(cols)) return *kernel;
  return mm_kernel_plain();
}

}  // namespace jogak::model
