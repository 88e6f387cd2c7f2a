// Where every tensor of a graph lies in DRAM.
#pragma once
#include <array>
#include <map>
#include <set>
#include <vector>

#include "kernels.hpp"
#include "sparse.hpp"
#include "program.hpp"

namespace jogak::tensor {

// Windows of a program.
inline constexpr std::uint32_t kConstants = 0, kArena = 1, kPorts = 2;

struct Plan {
  std::vector<Place> values;                  // by value; reshapes share their input's place
  std::vector<Place> scratch;                 // by node
  std::map<std::string, Place> tables;        // "identity", "ramp"
  std::map<std::pair<ValueId, int>, Place> packed;  // constant operands of matmul; key: how() of the node
  std::map<std::pair<ValueId, int>, Sparse> sparse;  // of those among them that leave out tiles of zeros
  std::set<std::pair<ValueId, int>> two_of_four;  // those among them that are 2:4 sparse
  std::vector<Place> inputs, outputs;         // ports
  std::vector<std::size_t> copies;            // outputs that no node writes in place
  std::array<std::uint64_t, spec::limit::windows> window_bytes{};
  std::vector<Segment> segments;
};

// In which form a matmul wants its second operand.
int how(const Node& matmul);

// Values live from their node to their last use and then leave their place to others; what stays within a unit (fuse()) has no place.
// Throws jogak::Error when a window would pass 4 GB.
// two_of_four: constants with that pattern may be stored so.
Plan make_plan(const Graph& graph, const std::vector<std::size_t>& units, const spec::Config& config, bool two_of_four);

}  // namespace jogak::tensor
