// A matrix product whose second operand has blocks of zeros: they are neither stored, loaded nor multiplied.
#pragma once
#include <vector>

#include "gemm.hpp"

namespace jogak::schedule {

// Which tiles (32 values of k by `cols` columns) of B are kept: per column block the k blocks in ascending order, one at least.
using BlockLists = std::vector<std::vector<int>>;

// Tiles with a code that is not zero.
BlockLists kept_blocks(const ir::QMatrix& b, int cols);
std::size_t kept_count(const BlockLists& lists);

// Windows as for lower_gemm: 0 holds B as pack_sparse_b gives it, 1 A, 2 C. The result has the bits of the product with all blocks, as
// long as A's scales are finite: what is left out adds +0. Throws jogak::Error when a row block of A, two slots of B or the lists do not fit.
emit::Emitter lower_sparse_gemm(const Gemm& gemm, const BlockLists& lists);

// The lists (per column block a count, then byte offsets into a row of A), then per column block its tiles and their scales.
std::vector<std::byte> pack_sparse_b(const Gemm& gemm, const ir::QMatrix& b, const BlockLists& lists);

}  // namespace jogak::schedule
