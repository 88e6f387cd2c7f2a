// mm: block-scaled matrix product, the definition. Each block of 32 is summed as integers,
// scaled, and added in fp32 in ascending order of kb.
#include "mm_fast.hpp"
#include "numerics.hpp"

namespace jogak::model {

using spec::Counter;
using spec::Fault;

namespace {

Fault check_align(const MmCmd& c, u32 cols) {
  if (misaligned(spec::limit::block, c.a, c.am)) return Fault::align;
  if (misaligned(c.tile_bytes(cols), c.w, c.wn, c.wk)) return Fault::align;
  if (c.sparse && misaligned(c.index_bytes(cols), c.wi)) return Fault::align;
  if (c.has_wscale() && misaligned(c.scale_set_bytes(cols), c.ws)) return Fault::align;
  return misaligned(cols, c.o, c.om, c.on) ? Fault::align : Fault::none;
}

// Counts in range, and no two output rows touch the same word.
bool shape_ok(const MmCmd& c, u64 cols) {
  if (c.m > spec::limit::count_max || c.kb > spec::limit::count_max || c.nb > spec::limit::count_max) return false;
  if (c.m > 1 && c.om < cols) return false;
  if (c.nb > 1 && c.on < cols) return false;
  if (c.m <= 1 || c.nb <= 1) return true;
  return (c.m - 1) * u64(c.om) + cols <= c.on || (c.nb - 1) * u64(c.on) + cols <= c.om;
}

bool on_chip(const MmCmd& c, const Env& env) {
  const u64 cols = env.config.cols;
  const u64 jn = c.nb - 1, jk = c.kb - 1, i = c.m - 1;
  if (c.act(i, jk) + c.depth() > env.memories.aspm.size()) return false;
  if (c.tile(jn, jk) + c.tile_bytes(cols) > env.memories.wspm.size()) return false;
  if (c.sparse && c.indices(jn, jk) + c.index_bytes(env.config.cols) > env.memories.wspm.size()) return false;
  if (c.has_wscale() && c.scales(jn, jk) + c.scale_set_bytes(cols) > env.memories.wsc.size()) {
    return false;
  }
  return c.out(i, jn) + cols <= env.memories.vmem.size();
}

// One stationary tile with its scales.
class Tile {
 public:
  Tile(const MmCmd& c, const Env& env, u64 jn, u64 jk)
      : c_(c), cols_(env.config.cols), values_(&env.memories.wspm[c.tile(jn, jk)]) {
    if (c.has_wscale()) scales_ = &env.memories.wsc[c.scales(jn, jk)];
    if (c.sparse) indices_ = &env.memories.wspm[c.indices(jn, jk)];
  }

  i32 value(u32 k, u32 col) const {
    if (c_.colload) return static_cast<i8>(values_[col * spec::limit::block + k]);
    const u32 index = k * cols_ + col;
    if (c_.int8()) return static_cast<i8>(values_[index]);
    return num::e2m1_doubled((values_[index / 2] >> (index % 2 * 4)) & 0xF);
  }

  // Which of the tile's values of k the stored value k of a column belongs to.
  u32 position(u32 k, u32 col) const {
    if (indices_ == nullptr) return k;
    const u32 index = k * cols_ + col;
    return k / 2 * 4 + ((indices_[index / 4] >> (index % 4 * 2)) & 3);
  }

  u32 scale(u32 col) const {
    const u32 sw = decoded(col);
    return c_.int8() ? sw : num::fmul(sw, kHalf);
  }

 private:
  static constexpr u32 kHalf = 0x3F000000;

  u32 half_word(u32 col) const { return scales_[2 * col] | u32(scales_[2 * col + 1]) << 8; }
  u32 decoded(u32 col) const {
    switch (c_.wscale) {
      case spec::Wscale::fp16: return num::f16_to_f32(half_word(col));
      case spec::Wscale::bf16: return num::bf16_to_f32(half_word(col));
      case spec::Wscale::e8m0: return num::e8m0_to_f32(scales_[col]);
      case spec::Wscale::one: break;
    }
    return num::kOne;
  }

  const MmCmd& c_;
  u32 cols_;
  const u8* values_;
  const u8* scales_ = nullptr;
  const u8* indices_ = nullptr;
};

u32 act_scale(const MmCmd& c, const Env& env, u64 address) {
  if (c.ascale == spec::Ascale::one) return num::kOne;
  const u8* entry = &env.memories.asc[address / spec::limit::block * 2];
  return num::bf16_to_f32(entry[0] | u32(entry[1]) << 8);
}

void row_times_tile(const MmCmd& c, Env& env, const Tile& tile, u64 i, u64 jn, u64 jk) {
  const u64 act = c.act(i, jk);
  const u32 sa = act_scale(c, env, act);
  for (u32 col = 0; col < env.config.cols; ++col) {
    i32 isum = 0;
    for (u32 k = 0; k < spec::limit::block; ++k) {
      isum += static_cast<i8>(env.memories.aspm[act + tile.position(k, col)]) * tile.value(k, col);
    }
    u32& out = env.memories.vmem[c.out(i, jn) + col];
    const u32 acc = jk == 0 && !c.acc ? 0 : out;
    const u32 p = num::fmul(num::i32_to_f32(isum), num::fmul(sa, tile.scale(col)));
    out = num::fadd(acc, p);
  }
}

void mm_exact(const MmCmd& c, Env& env) {
  for (u64 jn = 0; jn < c.nb; ++jn) {
    for (u64 jk = 0; jk < c.kb; ++jk) {
      const Tile tile(c, env, jn, jk);
      for (u64 i = 0; i < c.m; ++i) row_times_tile(c, env, tile, i, jn, jk);
    }
  }
}

}  // namespace

Fault check(const MmCmd& c, const Env& env) {
  const Fault align = check_align(c, env.config.cols);
  if (align != Fault::none) return align;
  if (!shape_ok(c, env.config.cols)) return Fault::shape;
  return c.empty() || on_chip(c, env) ? Fault::none : Fault::onchip;
}

EngineFault execute(const MmCmd& c, Env& env) {
  ++env.counters[Counter::cmd_mm];
  env.counters[Counter::macs] += u64(c.m) * c.kb * c.nb * spec::limit::block * env.config.cols;
  if (c.empty()) return {};
  if (env.exact || (c.sparse && !mm_fast_takes(c, env))) {
    mm_exact(c, env);
  } else {
    mm_fast(c, env, mm_kernel(env.config.cols));
  }
  return {};
}

}  // namespace jogak::model
