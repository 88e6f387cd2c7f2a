#include "mm_fast.hpp"

#include <algorithm>
#include <cstring>

#include "numerics_fast.hpp"

namespace jogak::model {

namespace {

constexpr u32 kBlock = spec::limit::block;
constexpr u32 kWidest = 16;  // columns of the widest kernel

// num::fmul(x, 0.5) without branches: one less in the exponent, flushed.
u32 halved(u32 x) {
  const u32 magnitude = num::magnitude(x);
  const u32 lower = magnitude < 2 * num::kMinNormal ? 0 : magnitude - num::kMinNormal;
  return num::sign_of(x) | (magnitude >= num::kInf ? magnitude : lower);
}

class Multiplier {
 public:
  Multiplier(const MmCmd& c, Env& env, const MmKernel& kernel)
      : c_(c), env_(env), kernel_(kernel), cols_(env.config.cols) {
    grow(packed_, u64(c.kb) * tile_packed());
    grow(scales_, u64(c.kb) * kernel.width);
    grow(rows_, u64(kBlock) * kernel.width);
    fetch_rows();
  }

  void run() {
    for (u64 jn = 0; jn < c_.nb; ++jn) {
      for (u32 first = 0; first < cols_; first += kernel_.width) strip(jn, first);
    }
  }

 private:
  u64 halves() const { return c_.depth() / kBlock; }
  u64 tile_packed() const { return halves() * kernel_.packed_bytes; }

  // Scales and sums of what every moving row meets of a tile.
  void fetch_rows() {
    const u64 blocks = u64(c_.m) * c_.kb;
    grow(act_scale_, blocks);
    grow(act_sum_, blocks + (halves() - 1) * c_.kb);
    if (c_.ascale == spec::Ascale::one) std::fill_n(act_scale_.begin(), blocks, num::kOne);
    for (u64 i = 0; i < c_.m; ++i) {
      const u64 address = c_.act(i, 0), first = i * c_.kb;
      kernel_.sums(reinterpret_cast<const i8*>(&env_.memories.aspm[address]), static_cast<u32>(c_.kb * halves()), &act_sum_[first]);
      for (u64 k = 0; halves() > 1 && k < c_.kb; ++k) act_sum_[first + k] = act_sum_[first + 2 * k] + act_sum_[first + 2 * k + 1];
      if (c_.ascale == spec::Ascale::one) continue;
      const u8* entry = &env_.memories.asc[address / kBlock * 2];
      bf16_row(entry, c_.kb, 2 * halves(), &act_scale_[first]);
    }
  }

  // As num::bf16_to_f32, without branches.
  static void bf16_row(const u8* entries, u64 n, u64 step, u32* out) {
    for (u64 k = 0; k < n; ++k) {
      u16 half;
      std::memcpy(&half, entries + step * k, 2);
      const u32 wide = u32(half) << 16, magnitude = num::magnitude(wide);
      const u32 flushed = magnitude < num::kMinNormal ? num::sign_of(wide) : wide;
      out[k] = magnitude > num::kInf ? num::kNan : flushed;
    }
  }

  void pack(const u8* tile, u32 first, u8* packed) {
    const u32 width = kernel_.width;
    if (!c_.int8()) {
      kernel_.expand(tile + first / 2, cols_ / 2, rows_.data());
      kernel_.pack(rows_.data(), width, packed);
    } else if (c_.colload) {
      const auto* columns = reinterpret_cast<const i8*>(tile) + u64(first) * kBlock;
      for (u32 k = 0; k < kBlock; ++k) {
        for (u32 col = 0; col < width; ++col) rows_[k * width + col] = columns[col * kBlock + k];
      }
      kernel_.pack(rows_.data(), width, packed);
    } else {
      kernel_.pack(reinterpret_cast<const i8*>(tile) + first, cols_, packed);
    }
  }

  // As pack(), of a sparse tile, spread to the 64 values of k that it stands for.
  void spread(const u8* tile, const u8* indices, u32 first, u8* packed) {
    const u32 width = kernel_.width;
    const auto* values = reinterpret_cast<const i8*>(tile) + first;
    u32 stride = cols_;
    if (!c_.int8()) {
      kernel_.expand(tile + first / 2, cols_ / 2, rows_.data());
      values = rows_.data();
      stride = width;
    }
    i8 dense[2 * kBlock * kWidest] = {};
    for (u32 k = 0; k < kBlock; ++k) {
      for (u32 col = 0; col < width; ++col) {
        const u32 index = k * cols_ + first + col;
        i8& place = dense[(k / 2 * 4 + ((indices[index / 4] >> (index % 4 * 2)) & 3)) * width + col];
        place = static_cast<i8>(place + values[k * stride + col]);
      }
    }
    kernel_.pack(dense, width, packed);
    kernel_.pack(dense + kBlock * width, width, packed + kernel_.packed_bytes);
  }

  void decode_scales(const u8* set, u32 first, u32* out) const {
    const u32 n = kernel_.width;
    const u8* bytes = set + u64(first) * c_.scale_bytes();
    if (c_.wscale == spec::Wscale::e8m0) {
      for (u32 i = 0; i < n; ++i) out[i] = num::e8m0_to_f32(bytes[i]);
      return;
    }
    u16 halves[kWidest];
    std::memcpy(halves, bytes, 2 * n);
    if (c_.wscale == spec::Wscale::fp16) {
      kernel_.halves(halves, out);
    } else {
      for (u32 i = 0; i < n; ++i) out[i] = u32(halves[i]) << 16;
    }
  }

  void fetch_scales(u64 jn, u64 jk, u32 first) {
    u32* out = &scales_[jk * kernel_.width];
    if (c_.has_wscale()) {
      decode_scales(&env_.memories.wsc[c_.scales(jn, jk)], first, out);
    } else {
      std::fill_n(out, kernel_.width, num::kOne);
    }
    if (c_.int8()) return;
    for (u32 i = 0; i < kernel_.width; ++i) out[i] = halved(out[i]);
  }

  void strip(u64 jn, u32 first) {
    for (u64 jk = 0; jk < c_.kb; ++jk) {
      const u8* tile = &env_.memories.wspm[c_.tile(jn, jk)];
      u8* packed = &packed_[jk * tile_packed()];
      if (c_.sparse) spread(tile, &env_.memories.wspm[c_.indices(jn, jk)], first, packed);
      else pack(tile, first, packed);
      fetch_scales(jn, jk, first);
    }
    kernel_.multiply({.kb = c_.kb, .m = c_.m, .depth = c_.depth(), .packed = packed_.data(), .scale = scales_.data(),
                      .act = reinterpret_cast<const i8*>(&env_.memories.aspm[c_.a]),
                      .act_stride = c_.am, .act_scale = act_scale_.data(),
                      .act_sum = act_sum_.data(), .out = &env_.memories.vmem[c_.out(0, jn) + first],
                      .out_stride = c_.om, .accumulate = c_.acc});
  }

  template <class T>
  static void grow(std::vector<T>& v, u64 size) {
    if (v.size() < size) v.resize(size);
  }

  const MmCmd& c_;
  Env& env_;
  const MmKernel& kernel_;
  u32 cols_;
  // Kept from command to command: small ones would spend their time on fresh memory.
  static thread_local std::vector<u8> packed_;
  static thread_local std::vector<i8> rows_;
  static thread_local std::vector<u32> scales_, act_scale_;
  static thread_local std::vector<i32> act_sum_;
};

thread_local std::vector<u8> Multiplier::packed_;
thread_local std::vector<i8> Multiplier::rows_;
thread_local std::vector<u32> Multiplier::scales_, Multiplier::act_scale_;
thread_local std::vector<i32> Multiplier::act_sum_;

}  // namespace

bool mm_fast_takes(const MmCmd& c, const Env& env) {
  const u32 cols = env.config.cols, bits = c.int8() ? 8 : 4;
  const auto stored = [&](const u8* tile, u32 at) { return c.int8() ? tile[at] : (tile[at / 2] >> (at % 2 * bits)) & 7; };
  for (u64 jn = 0; jn < c.nb; ++jn) {
    for (u64 jk = 0; jk < c.kb; ++jk) {
      const u8 *tile = &env.memories.wspm[c.tile(jn, jk)], *indices = &env.memories.wspm[c.indices(jn, jk)];
      const auto index = [&](u32 at) { return (indices[at / 4] >> (at % 4 * 2)) & 3; };
      for (u32 k = 0; k < kBlock; k += 2) {
        for (u32 even = k * cols, odd = even + cols; even < (k + 1) * cols; ++even, ++odd) {
          if (index(even) == index(odd) && stored(tile, even) != 0 && stored(tile, odd) != 0) return false;
        }
      }
    }
  }
  return true;
}

void mm_fast(const MmCmd& c, Env& env, const MmKernel& kernel) {
  Multiplier multiplier(c, env, kernel);
  if (!kernel.host_floats) return multiplier.run();
  const num::fast::FtzScope scope;
  multiplier.run();
}

}  // namespace jogak::model
