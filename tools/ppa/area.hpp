// Area from structure: each block is a sum of a few sizes (cells of the array, feet, lanes, port bytes ...), each times
// what one costs. The costs are fitted to the synthesis results of ppa.yaml whenever the model is made.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "scaling.hpp"

namespace jogak::ppa {

struct Memory {
  std::string name, part;
  double count, word_bits, words;
};
// Every npu_ram of the RTL.
std::vector<Memory> memories(const Shape& shape);

struct BlockArea {
  std::string name, part;
  double logic_um2 = 0, ram_um2 = 0, flop_bits = 0, ungated_bits = 0;  // ungated: clocked in every cycle
};

class AreaModel {
 public:
  explicit AreaModel(const Constants& constants);

  // At 45 nm; throws Error for an unknown block.
  double logic(const std::string& block, const Shape& shape) const { return value(block, shape, 0); }
  std::vector<BlockArea> blocks(const Shape& shape) const;
  // "um2 of each" by term, for one block.
  std::vector<std::pair<std::string, double>> costs(const std::string& block) const;
  const std::vector<SynthesisRun>& runs() const { return constants_.runs; }
  const Constants& constants() const { return constants_; }

 private:
  double value(const std::string& block, const Shape& shape, std::size_t what) const;
  Constants constants_;
  std::map<std::string, std::array<std::vector<double>, 3>> costs_;
};

// Least squares: rows of terms, targets, and the unit in which the error of each counts. As many coefficients as terms.
// Throws Error where the rows do not determine them.
std::vector<double> least_squares(const std::vector<std::vector<double>>& terms, const std::vector<double>& targets, const std::vector<double>& units);

}  // namespace jogak::ppa
