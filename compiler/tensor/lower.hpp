// A tensor graph to a program: every operator on the machine, one after the other, all values in DRAM.
#pragma once
#include <optional>

#include "graph.hpp"
#include "program.hpp"

namespace jogak::tensor {

struct LowerOptions {
  std::string config = "edge";
  std::optional<Precision> precision = {};  // of every matmul and attention, whatever the nodes say; mxfp4, mxint8: int8 where b is computed
  bool two_of_four = true;  // constant matrices with 2:4 sparsity are stored and multiplied so where the configuration can
};

// The program's symbols "input/NAME" and "output/NAME" are the graph's ports (runtime/tensor_session.hpp); where the code is longer
// than the instruction memory it is several launches. Throws jogak::Error naming the node that cannot be lowered.
Program lower(const Graph& graph, const LowerOptions& options);

// Gives every constant second operand of a matmul the 2:4 pattern: of each four values along k the two largest stay. Returns how many there are.
std::size_t prune_two_of_four(Graph& graph);

}  // namespace jogak::tensor
