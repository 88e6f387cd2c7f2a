// Resolved commands: what engines execute. Every register field is its value.
#pragma once

#include <variant>

#include "state.hpp"

namespace jogak::model {

// load and store share one box; gather, idx only mean something for load.
struct DmaBox {
  u32 win;
  spec::Space space;
  bool gather;
  u32 da, ca, len, n1, ds1, cs1, n2, ds2, cs2, idx;

  bool empty() const { return len == 0 || n1 == 0 || n2 == 0; }
  u64 onchip(u64 i2, u64 i1) const { return ca + i2 * cs2 + i1 * cs1; }
  u64 dram(u64 i2, u64 j) const { return da + i2 * ds2 + j * ds1; }
  // One past the last on-chip byte, and the last DRAM byte that is known before the run.
  u64 onchip_end() const { return onchip(n2 - 1, n1 - 1) + len; }
  u64 dram_end() const { return dram(n2 - 1, gather ? 0 : n1 - 1) + len; }
};
struct LoadCmd : DmaBox {};
struct StoreCmd : DmaBox {};

struct MmCmd {
  spec::Wfmt wfmt;
  spec::Wscale wscale;
  spec::Ascale ascale;
  bool acc, colload, sparse;
  u32 w, ws, wn, wk, a, am, o, om, on, m, kb, nb, wi;

  bool empty() const { return m == 0 || kb == 0 || nb == 0; }
  bool int8() const { return wfmt == spec::Wfmt::int8; }
  bool has_wscale() const { return wscale != spec::Wscale::one; }
  u32 scale_bytes() const { return wscale == spec::Wscale::e8m0 ? 1 : 2; }
  u32 tile_bytes(u32 cols) const { return (int8() ? spec::limit::block : spec::limit::block / 2) * cols; }
  u32 scale_set_bytes(u32 cols) const { return scale_bytes() * cols; }
  // Tile offset >> shift is its scales' offset: log2(tile bytes / scale set bytes).
  u32 scale_shift() const { return (int8() ? 5 : 4) - (scale_bytes() == 2 ? 1 : 0); }
  u64 tile(u64 jn, u64 jk) const { return w + jn * wn + jk * wk; }
  u64 scales(u64 jn, u64 jk) const { return ws + ((jn * wn + jk * wk) >> scale_shift()); }
  // Values of k that a stored tile stands for, and the indices that choose among them: 2 bits a stored value.
  u32 depth() const { return sparse ? 2 * spec::limit::block : spec::limit::block; }
  static u32 index_bytes(u32 cols) { return spec::limit::block / 4 * cols; }
  u64 indices(u64 jn, u64 jk) const { return wi + ((jn * wn + jk * wk) >> (int8() ? 2 : 1)); }
  u64 act(u64 i, u64 jk) const { return a + i * am + jk * depth(); }
  u64 out(u64 i, u64 jn) const { return o + i * om + jn * on; }
};

struct VecCmd {
  spec::Vop op;
  spec::Bmode bmode;
  spec::Vfunc func;
  spec::Vred red;
  bool wr, nega, negb, absa, swap, masked, linc;
  u32 dst, ds, a, as, b, bs, s, lim, r, rows, cols;

  bool empty() const { return rows == 0 || cols == 0; }
  // mad multiplies by s and adds y; the others combine x and y: all read b.
  bool reads_b() const { return bmode != spec::Bmode::scalar; }
  u32 b_cols() const { return bmode == spec::Bmode::vector ? cols : 1; }
  bool reduces() const { return red != spec::Vred::none; }
};

struct QntCmd {
  spec::Qgroup group;
  u32 dst, ds, a, as, r, rows, cols;

  bool empty() const { return rows == 0 || cols == 0; }
  bool by_row() const { return group == spec::Qgroup::row; }
  // Columns that share a scale.
  u32 group_cols() const { return by_row() ? cols : group == spec::Qgroup::pair ? 2 * spec::limit::block : spec::limit::block; }
  u32 blocks() const { return (cols + spec::limit::block - 1) / spec::limit::block; }
};

using Command = std::variant<LoadCmd, StoreCmd, MmCmd, VecCmd, QntCmd>;

}  // namespace jogak::model
