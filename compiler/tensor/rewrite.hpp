// Passes over tensor graphs: a new graph is built node by node.
#pragma once
#include <functional>

#include "graph.hpp"
#include "npu_spec.hpp"

namespace jogak::tensor {

// Copies inputs, the constants that are used, then calls `node` for each node that an output needs: it adds what takes the node's
// place to `to`, given the new values of its inputs, and returns those of its outputs.
using Replace = std::function<std::vector<ValueId>(Graph& to, const Node& node, const std::vector<ValueId>& inputs)>;
Graph rewrite(const Graph& from, const Replace& node);

// What lower() needs: constants computed, composites without a kernel decomposed, reductions of neighbouring axes only, rows that
// fit the configuration.
Graph legalize(const Graph& graph, const spec::Config& config);

}  // namespace jogak::tensor
