// The fast way through a row of vec: whole rows at a time, the same bits.
#pragma once

#include <span>

#include "commands.hpp"
#include "numerics_fast.hpp"

namespace jogak::model {

class Lanes {
 public:
  // fast: false makes run() decline every row.
  Lanes(const VecCmd& command, bool fast);

  // The row's values into out (cols long); columns from open on get the mask's value. out may be the row of a or b itself.
  // False, and out untouched, where there is no fast path.
  bool run(const std::vector<u32>& vmem, u64 row, u64 open, std::span<u32> out);
  // The row's reduction of what run() gave.
  u32 reduce(std::span<const u32> out);

 private:
  // The operands of the row's first n columns, where they lie if they need no change.
  std::span<const u32> fetch_a(const u32* a, u64 n);
  std::span<const u32> fetch_b(const std::vector<u32>& vmem, u64 row, u64 n);

  const VecCmd& c_;
  bool fast_;
  num::fast::FtzScope scope_;
  std::vector<u32> x_, y_, s_, sums_;
  bool scalar_there_ = false;  // y_ holds the scalar
};

}  // namespace jogak::model
