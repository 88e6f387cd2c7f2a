// Codes and scales of a quantised matrix, wherever they lie.
#pragma once
#include <optional>

#include "../ir/graph.hpp"

namespace jogak::passes {

// The array's format of a type whose blocks are those of the array: 32 integer codes and an fp16 scale (Q8_0, Q4_0, Q5_0, IQ4_NL), or MXFP4.
// Nothing for all others.
std::optional<ir::Format> kept_format(ir::DType type);

// Codes of block kb of row n and its scale (0 for int8c); n and kb lie inside the matrix.
struct Block {
  const std::int8_t* codes;  // 32
  std::uint16_t scale;
};
// `room` takes the codes where they have to be made.
Block block_of(const ir::QMatrix& m, std::int64_t n, std::int64_t kb, std::int8_t (&room)[32]);

}  // namespace jogak::passes
