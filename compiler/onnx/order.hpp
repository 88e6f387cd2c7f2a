// Order of nodes.
#pragma once
#include "model.hpp"

namespace jogak::onnx {

// Puts makers before users, keeping the file's order where it is right. Throws jogak::Error naming the node for a cycle,
// a value that nobody makes and one made twice.
void sort_nodes(Graph& graph);

}  // namespace jogak::onnx
