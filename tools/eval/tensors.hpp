// Formats within a budget for the products of a tensor graph (ONNX) whose second operand is constant.
#pragma once
#include "examples.hpp"
#include "sensitivity.hpp"
#include "tensor/graph.hpp"

namespace jogak::eval {

// Each such product's matrix in int8, mxint8 and mxfp4, alone; the error is the square of the relative error of the first output, in the graph's own
// arithmetic (fp32) with these weights rounded. `data`: examples for the graph's only input, as many a run as its first dimension says.
// Throws jogak::Error for a graph with other inputs, without such products, or for a budget that no choice meets.
Mixed mix_tensors(const tensor::Graph& graph, const Labelled& data, const passes::Budget& budget, const Progress& progress);
// Gives the products of this graph, or of one imported alike, what was chosen.
void apply(tensor::Graph& graph, const Mixed& mixed);
// Bytes of all these matrices in int8.
std::uint64_t int8_bytes(const tensor::Graph& graph);

}  // namespace jogak::eval
