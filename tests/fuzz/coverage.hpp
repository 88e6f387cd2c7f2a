// What programs did: instruction by format, fault by instruction.
#pragma once

#include <map>

#include "case.hpp"

namespace jogak::fuzz {

class Coverage {
 public:
  void step(const model::Step& step);
  // insn: the one that the fault names, null past the end of the program or before it.
  void fault(spec::Fault fault, const spec::Insn* insn);
  void program(u32 loop_depth);
  void add(const std::string& cell, u64 n = 1) { cells_[cell] += n; }

  const std::map<std::string, u64>& cells() const { return cells_; }
  // Cells that a long enough run must have.
  static std::vector<std::string> wanted(const spec::Config& config);
  std::vector<std::string> missing(const spec::Config& config) const;

 private:
  std::map<std::string, u64> cells_;
};

}  // namespace jogak::fuzz
