// One column of one stationary tile, as docs/isa.md lays it out.
#pragma once
#include <cstddef>

#include "../ir/graph.hpp"

namespace jogak::schedule {

// Writes row n of m (columns 32 kb .. 32 kb + 31) as column c of a zeroed row-order tile of `cols` columns, and its block's scale (int8c has none).
// Nothing for n or kb outside the matrix: zeros stay.
void put_column(const ir::QMatrix& m, std::int64_t n, int kb, int c, int cols, std::byte* tile, std::byte* scales);

}  // namespace jogak::schedule
