// Operands of the matrix engine in DRAM: int8 blocks of 32 values along k with a scale each, "limbs": x = q0 s0 + q1 s1 + q2 s2, each limb
// what quantising the rest of the one before leaves. A packed operand is
//   rows (moving):         [batch][limb][row][block][32 bytes]
//   columns (stationary):  [batch][limb][block][column][32 or 16 bytes], columns padded to C
// and then the scales in the same order, a sixteenth of the bytes (a thirty-second for mxint8); so a product is boxes of bytes. What lies in padding is never stored.
// 2:4 sparse columns: a block is 32 stored values of 64 along k, tiles are in row order, and the indices follow the scales, 8 bytes for the codes of a
// column's block. The other operand's rows are then quantised by pairs of blocks.
#pragma once
#include "kernels.hpp"

namespace jogak::tensor {

// A stack of matrices in DRAM: element (batch, row, k) at batch * rows * k + row * row_stride + k * k_stride, in elements.
struct Matrices {
  std::int64_t rows = 0, k = 0, row_stride = 0, k_stride = 0, batches = 1;
  std::int64_t each() const { return rows * k; }
};

struct BlockFormat {
  int limbs = 3;
  std::int64_t code_bytes = 32, scale_bytes = 2;  // of a block
  bool e2m1 = false;
  bool two_of_four = false;  // columns: 2:4 sparse; rows: for such columns, blocks in pairs that share a scale
  std::int64_t share() const { return code_bytes / scale_bytes; }  // bytes of codes for one of scales
  std::int64_t index_share() const { return code_bytes / 8; }      // for one of indices
};

struct Packing {
  std::int64_t blocks = 0, rows = 0, batches = 1;  // rows as stored
  BlockFormat format;
  // k: of the matrices, for sparse columns what is stored of it.
  Packing(const Matrices& m, std::int64_t stored_rows, BlockFormat f) : blocks((m.k + 31) / 32), rows(stored_rows), batches(m.batches), format(f) {}
  std::int64_t limb() const { return blocks * rows * format.code_bytes; }  // bytes of a limb's codes, of a batch's codes
  std::int64_t codes() const { return limb() * format.limbs; }
  std::int64_t scales_at() const { return codes() * batches; }
  std::int64_t indices_at() const { return (scales_at() + scales_at() / 16 + 63) / 64 * 64; }
  std::int64_t bytes() const { return indices_at() + (format.two_of_four ? scales_at() / format.index_share() + 63 : 0) / 64 * 64; }
};

// Packs on the machine, to `at`.
void emit_packing(const Site& site, const Matrices& from, const Place& source, const Packing& to, const Place& at, bool columns);

// Loads the tiles of minus the identity that emit_residual multiplies by, to the weight scratchpad at `chip`.
void load_identity(const Site& site, std::int64_t chip);
// What a limb leaves: the `count` (a register) groups of blocks at `codes` (bytes of the activation scratchpad), times minus the identity,
// added to the words at `words`, where they were quantised. A group is blocks_per_group() blocks.
void emit_residual(Code& code, std::int64_t identity, std::int64_t codes, std::int64_t words, Reg count);
std::int64_t blocks_per_group(const Code& code);
std::int64_t identity_bytes(const Code& code);

// A register with the address of a piece: `relative` (bytes of codes from the start of a batch's first limb), of codes (share 1), of
// indices (share 2 or 4) or of scales (share 16 or 32).
Reg packed_address(Code& code, Reg relative, std::int64_t limb, std::int64_t share, const Place& at, const Packing& packing);

// One limb of a block on the host, as qnt makes it; the rest stays in x.
void quantise_limb(float* x, std::int64_t count, std::int8_t* codes, std::uint16_t& scale);

}  // namespace jogak::tensor
