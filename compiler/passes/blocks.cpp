#include "blocks.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "numerics.hpp"

namespace jogak::passes {
namespace {

using ir::DType;

constexpr BlockLayout kLayouts[] = {{DType::q4_0, 32, 18},  {DType::q4_1, 32, 20},  {DType::q5_0, 32, 22},   {DType::q5_1, 32, 24},
                                    {DType::q8_0, 32, 34},  {DType::q2_k, 256, 84}, {DType::q3_k, 256, 110}, {DType::q4_k, 256, 144},
                                    {DType::q5_k, 256, 176}, {DType::q6_k, 256, 210}, {DType::iq4_nl, 32, 18}, {DType::iq4_xs, 256, 136},
                                    {DType::mxfp4, 32, 17}};
constexpr float kE2m1[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
constexpr int kUneven[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};  // levels of IQ4

using Bytes = const std::uint8_t*;

float half(Bytes at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, 2);
  return std::bit_cast<float>(num::f16_to_f32(bits));
}
float number(int code) { return static_cast<float>(code); }

// 32 codes of 4 bits: low nibbles are the first half.
int nibble(Bytes q, int i) { return i < 16 ? q[i] & 15 : q[i - 16] >> 4; }
int bit(Bytes mask, int i) { return mask[i / 8] >> i % 8 & 1; }

void q4(Bytes b, float* y, bool offset) {
  const float d = half(b), m = offset ? half(b + 2) : 0;
  for (int i = 0; i < 32; ++i) y[i] = offset ? number(nibble(b + 4, i)) * d + m : number(nibble(b + 2, i) - 8) * d;
}

void q5(Bytes b, float* y, bool offset) {
  const float d = half(b), m = offset ? half(b + 2) : 0;
  const Bytes high = b + (offset ? 4 : 2), q = high + 4;
  for (int i = 0; i < 32; ++i) {
    const int code = nibble(q, i) | bit(high, i) << 4;
    y[i] = offset ? number(code) * d + m : number(code - 16) * d;
  }
}

void q8(Bytes b, float* y) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) y[i] = number(static_cast<std::int8_t>(b[2 + i])) * d;
}

void iq4_nl(Bytes b, float* y) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) y[i] = d * number(kUneven[nibble(b + 2, i)]);
}

void mxfp4(Bytes b, float* y) {
  const float s = std::bit_cast<float>(num::e8m0_to_f32(b[0]));
  for (int i = 0; i < 32; ++i) y[i] = s * kE2m1[nibble(b + 1, i)];
}

// 16 groups of 16 values: codes of 2 bits in four planes of 32 bytes for each half of the block.
int plane2(Bytes q, int i) { return q[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3; }

void q2_k(Bytes b, float* y) {
  const Bytes scales = b, q = b + 16;
  const float d = half(b + 80), low = half(b + 82);
  for (int i = 0; i < 256; ++i) {
    const int s = scales[i / 16];
    y[i] = d * number(s & 15) * number(plane2(q, i)) - low * number(s >> 4);
  }
}

// The third bit of a code lies in a mask of its own: without it 4 is taken away. Scales have 6 bits, 32 is their 0.
void q3_k(Bytes b, float* y) {
  const Bytes mask = b, q = b + 32, scales = b + 96;
  const float d = half(b + 108);
  for (int i = 0; i < 256; ++i) {
    const int g = i / 16, low = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4, high = scales[8 + g % 4] >> g / 4 * 2 & 3;
    const int code = plane2(q, i) - (mask[i % 32] >> i / 32 & 1 ? 0 : 4);
    y[i] = d * number((low | high << 4) - 32) * number(code);
  }
}

// Scale and minimum of group g of 8, six bits each in 12 bytes.
struct Pair {
  int scale, low;
};
Pair pair(Bytes s, int g) {
  if (g < 4) return {s[g] & 63, s[g + 4] & 63};
  return {(s[g + 4] & 15) | s[g - 4] >> 6 << 4, s[g + 4] >> 4 | s[g] >> 6 << 4};
}

// 8 groups of 32: two groups share 32 bytes of nibbles; Q5_K has the fifth bits in 32 bytes, a bit per group.
void q45_k(Bytes b, float* y, bool five) {
  const float d = half(b), low = half(b + 2);
  const Bytes fifth = b + 16, q = b + (five ? 48 : 16);
  for (int i = 0; i < 256; ++i) {
    const int g = i / 32, byte = q[g / 2 * 32 + i % 32];
    const int code = (g % 2 == 0 ? byte & 15 : byte >> 4) + (five && (fifth[i % 32] >> g & 1) ? 16 : 0);
    const Pair p = pair(b + 4, g);
    y[i] = d * number(p.scale) * number(code) - low * number(p.low);
  }
}

// Each half of the block: 64 bytes of low nibbles, 32 bytes with two high bits for four values each; 16 scales of 16 values.
void q6_k(Bytes b, float* y) {
  const Bytes low = b, high = b + 128, scales = b + 192;
  const float d = half(b + 208);
  for (int i = 0; i < 256; ++i) {
    const int part = i / 128, row = i % 128 / 32, l = i % 32;
    const int byte = low[part * 64 + row % 2 * 32 + l], code = (row < 2 ? byte & 15 : byte >> 4) | (high[part * 32 + l] >> row * 2 & 3) << 4;
    y[i] = d * number(static_cast<std::int8_t>(scales[i / 16])) * number(code - 32);
  }
}

void iq4_xs(Bytes b, float* y) {
  const float d = half(b);
  const int high = b[2] | b[3] << 8;
  for (int i = 0; i < 256; ++i) {
    const int g = i / 32, scale = (b[4 + g / 2] >> g % 2 * 4 & 15) | (high >> g * 2 & 3) << 4;
    y[i] = d * number(scale - 32) * number(kUneven[nibble(b + 8 + g * 16, i % 32)]);
  }
}

}  // namespace

const BlockLayout* block_layout(DType type) {
  for (const BlockLayout& l : kLayouts)
    if (l.type == type) return &l;
  return nullptr;
}

void decode_block(DType type, const std::byte* block, float* values) {
  const auto* b = reinterpret_cast<Bytes>(block);
  switch (type) {
    case DType::q4_0: return q4(b, values, false);
    case DType::q4_1: return q4(b, values, true);
    case DType::q5_0: return q5(b, values, false);
    case DType::q5_1: return q5(b, values, true);
    case DType::q8_0: return q8(b, values);
    case DType::q2_k: return q2_k(b, values);
    case DType::q3_k: return q3_k(b, values);
    case DType::q4_k: return q45_k(b, values, false);
    case DType::q5_k: return q45_k(b, values, true);
    case DType::q6_k: return q6_k(b, values);
    case DType::iq4_nl: return iq4_nl(b, values);
    case DType::iq4_xs: return iq4_xs(b, values);
    case DType::mxfp4: return mxfp4(b, values);
    default: return;  // no block format
  }
}

}  // namespace jogak::passes
