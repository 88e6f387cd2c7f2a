// GGML's block formats: groups of values that share scales, one after the other along a row.
#pragma once
#include <cstddef>

#include "../ir/graph.hpp"

namespace jogak::passes {

struct BlockLayout {
  ir::DType type;
  int values, bytes;  // of a block
};
// Null for types without blocks.
const BlockLayout* block_layout(ir::DType type);

// The values of one block as fp32, as the format's definition gives them: products and differences rounded one by one.
void decode_block(ir::DType type, const std::byte* block, float* values);

}  // namespace jogak::passes
