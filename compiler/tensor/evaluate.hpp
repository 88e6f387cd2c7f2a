// The reference: what a graph means, computed on the host.
#pragma once
#include <map>

#include "graph.hpp"

namespace jogak::tensor {

using Tensors = std::map<std::string, std::vector<float>>;

// One element of an element-wise operator of two values, or of one (another operator: x itself), in double; `whole`: of integers.
double scalar(Op op, double a, double b, bool whole);
double scalar(Op op, double x);
// One node: row-major inputs to row-major outputs. Sums and functions are computed in double, each result rounded to fp32.
std::vector<std::vector<float>> evaluate(const Graph& graph, const Node& node, const std::vector<const std::vector<float>*>& inputs);
// The whole graph. Throws jogak::Error for an input that is missing or has the wrong size.
Tensors evaluate(const Graph& graph, const Tensors& inputs);

}  // namespace jogak::tensor
