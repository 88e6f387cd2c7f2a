// Stationary tiles, as docs/isa.md lays them out.
#pragma once
#include <cstddef>
#include <span>

#include "../ir/graph.hpp"

namespace jogak::schedule {

// Row n of a matrix as a column of a tile; null or a row outside the matrix: zeros. bias: the value at its side, where the plan has biases.
struct Column {
  const ir::QMatrix* matrix = nullptr;
  std::int64_t n = -1;
  float bias = 0;
};

// Writes row n of m (columns 32 kb .. 32 kb + 31) as column c of a zeroed row-order tile of `cols` columns, and its block's scale (int8c has none).
// Nothing for n or kb outside the matrix: zeros stay.
void put_column(const ir::QMatrix& m, std::int64_t n, int kb, int c, int cols, std::byte* tile, std::byte* scales);

// The same for all columns of a tile at once, which have one format.
void put_tile(std::span<const Column> columns, int kb, std::byte* tile, std::byte* scales);

// Indices of a tile of 2:4 sparse matrices, into zeros.
void put_tile_indices(std::span<const Column> columns, int kb, std::byte* indices);

}  // namespace jogak::schedule
