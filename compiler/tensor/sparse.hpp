// Products whose constant second operand has tiles of zeros: what is zero is neither stored, loaded nor multiplied. The sequencer walks
// lists in vector memory.
#pragma once
#include <optional>

#include "packing.hpp"

namespace jogak::tensor {

// A packed operand without its tiles of zeros (32 values of k by C columns, zero in every limb):
//   lists    per group of `group` column blocks: its tiles; then per column block a count, then byte offsets into a row of the other operand
//   groups   per group: [limb][tile] codes, [limb][tile] scales
struct Sparse {
  std::int64_t columns = 0, group = 1, groups = 0;  // column blocks; of a group; groups, the last one padded with column blocks without tiles
  std::int64_t kept = 0, all = 0, most = 0;         // tiles; without skipping; of the largest group
  std::int64_t words() const { return groups * (1 + group) + kept; }
  std::int64_t list_bytes() const { return (words() * 4 + 63) / 64 * 64; }
};

struct SparseOperand {
  Sparse form;
  std::vector<std::uint8_t> bytes;
};

// `packed` is the operand with all its tiles. Empty where less than a quarter of them is zero, or lists or tiles do not fit on chip.
std::optional<SparseOperand> sparse_operand(const std::vector<std::uint8_t>& packed, const Packing& packing, const spec::Config& config);

// Rows of the other operand at once; 0: they do not fit.
std::int64_t sparse_rows(const Packing& a, const spec::Config& config);

// out [rows][columns] = a times the operand at `b`.
void emit_sparse_product(const Site& site, const Packing& a, const Place& a_at, const Packing& b, const Place& b_at, const Sparse& form, const Place& out,
                         std::int64_t rows, std::int64_t columns);

}  // namespace jogak::tensor
