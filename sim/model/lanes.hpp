// The fast way through a row of vec: whole rows at a time, the same bits.
#pragma once

#include "commands.hpp"
#include "numerics_fast.hpp"

namespace jogak::model {

class Lanes {
 public:
  // fast: false makes run() decline every row.
  Lanes(const VecCmd& command, bool fast);

  // The row's values into out (cols long); columns from open on get the mask's value.
  // False, and out untouched, where there is no fast path.
  bool run(const std::vector<u32>& vmem, u64 row, u64 open, std::vector<u32>& out);
  // The row's reduction of what run() gave.
  u32 reduce(const std::vector<u32>& out);

 private:
  void fetch_a(const u32* a, u64 n);
  void fetch_b(const std::vector<u32>& vmem, u64 row, u64 n);

  const VecCmd& c_;
  bool fast_;
  num::fast::FtzScope scope_;
  std::vector<u32> x_, y_, s_;
};

}  // namespace jogak::model
