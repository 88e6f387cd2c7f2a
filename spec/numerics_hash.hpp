// One number over a large deterministic set of results: two builds agree on it
// exactly when they compute the same bits. A change of it changes the machine.
#pragma once

#include "numerics.hpp"

namespace jogak { namespace num {

constexpr u64 kNumericsHash = 0x1f1c41852f7daff1ull;  // of numerics_hash(200000)

// Operands that meet the rules' corners, each with both signs.
constexpr u32 kEdges[] = {
    0x00000000u, 0x00000001u, 0x007FFFFFu, 0x00800000u, 0x00800001u, 0x00FFFFFFu, 0x01000000u,
    0x0D800000u, 0x147FF4AEu, 0x2B8005A9u, 0x33000000u, 0x33800000u, 0x3F000000u, 0x3F7FFFFFu,
    0x3F800000u, 0x3F800001u, 0x3FC00000u, 0x40000000u, 0x40490FDBu, 0x42B17218u, 0x42AEAC50u,
    0x42FE0000u, 0x477FE000u, 0x477FF000u, 0x4AFFFFFFu, 0x4B000001u, 0x4EFFFFFFu, 0x4F000000u,
    0x7E800000u, 0x7EFFFFFFu, 0x7F7FFFFFu, 0x7F800000u, 0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu};
constexpr u32 kEdgeCount = 2 * sizeof(kEdges) / sizeof(kEdges[0]);
inline constexpr u32 edge(u32 i) { return kEdges[i / 2] ^ ((i & 1u) != 0 ? kSign : 0u); }

// xorshift64*, and operands whose exponents lie close enough to interact.
struct Random {
  u64 state;
  constexpr u32 bits() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<u32>((state * 0x2545F4914F6CDD1Dull) >> 32);
  }
  // The same value with its exponent moved at most `reach` away from `centre`.
  constexpr u32 near(u32 centre, u32 reach) {
    const u32 field = (centre - reach + bits() % (2 * reach + 1)) & 0xFFu;
    return (bits() & 0x807FFFFFu) | (field << 23);
  }
};

namespace detail {

struct Hash {
  u64 value = 0xCBF29CE484222325ull;
  constexpr void add(u64 x) { value = ((value ^ x) * 0x9E3779B97F4A7C15ull) ^ (value >> 29); }
};

inline constexpr void add_all(Hash& h, u32 a, u32 b, u32 c) {
  h.add(fadd(a, b));
  h.add(fsub(a, b));
  h.add(fmul(a, b));
  h.add(ffma(a, b, c));
  h.add(fmax(a, b));
  h.add(fmin(a, b));
  h.add(u64(feq(a, b)) + 2 * u64(flt(a, b)) + 4 * u64(fle(a, b)));
  h.add(static_cast<u32>(order_key(a)));
  h.add(fexp(a));
  h.add(frecip(a));
  h.add(frsqrt(a));
  h.add(i32_to_f32(static_cast<i32>(a)));
  h.add(static_cast<u32>(f32_to_i32(a)));
  h.add(static_cast<u8>(f32_to_i8_clamped(a)));
  h.add(f32_to_bf16(a));
  h.add(f32_to_bf16_up(a));
  h.add(f32_to_f16(a));
  h.add(bf16_to_f32(static_cast<u16>(a)));
  h.add(f16_to_f32(static_cast<u16>(a)));
  const QuantScale q = quant_scale(magnitude(a));
  h.add(q.scale);
  h.add(q.recip);
  h.add(static_cast<u8>(quant_value(b, q.recip)));
  h.add(foot_step(c, static_cast<i32>(b) >> 11, a));
}

}  // namespace detail

inline constexpr u64 numerics_hash(u32 count) {
  detail::Hash h;
  TreeSum sum;
  for (u32 i = 0; i < kEdgeCount * kEdgeCount; ++i) {
    detail::add_all(h, edge(i / kEdgeCount), edge(i % kEdgeCount), edge(i % 7));
  }
  Random random{0x6A6F67616Bull};
  for (u32 i = 0; i < count; ++i) {
    const u32 a = (i & 1u) != 0 ? random.bits() : random.near(127, 8);
    const u32 b = (i & 2u) != 0 ? random.bits() : random.near(254 - (a >> 23 & 0xFFu), 26);
    const u32 c = (i & 4u) != 0 ? random.bits() : random.near(127, 40);
    detail::add_all(h, a, b, c);
    sum.push(random.near(127, 4));
    if (i % 97 == 0) h.add(sum.result());
  }
  for (u32 i = 0; i < 256; ++i) h.add(e8m0_to_f32(static_cast<u8>(i)));
  for (u32 i = 0; i < 16; ++i) h.add(static_cast<u8>(e2m1_doubled(static_cast<u8>(i))));
  return h.value;
}

}}  // namespace jogak::num
