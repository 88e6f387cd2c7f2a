// One emitter per group of operators: reads its inputs from DRAM, leaves its outputs there.
#pragma once
#include <functional>
#include <optional>

#include "code.hpp"
#include "graph.hpp"
#include "tiles.hpp"

namespace jogak::tensor {

struct Sparse;         // sparse.hpp
struct SparseOperand;

struct Site {
  const Graph& graph;
  const Node& node;
  Code& code;
  std::function<Place(ValueId)> place;                  // of a value; of a constant only if it is kept as it is
  std::function<Place(const std::string&)> table;       // of the tables that plan.hpp names
  std::function<Place()> scratch;                       // DRAM of this node's own, as large as ..._scratch() says
  std::function<Place(ValueId)> packed;                 // of a constant second operand of matmul, in tiles
  std::function<const Sparse*(ValueId)> sparse = {};    // how it lies where tiles of zeros were left out; null where none were

  std::function<bool(ValueId)> two_of_four = {};        // whether it lies 2:4 sparse

  const Value& input(std::size_t i) const { return graph.value(node.inputs[i]); }
  const Value& output(std::size_t i = 0) const { return graph.value(node.outputs[i]); }
  Operand whole(ValueId id) const { return {place(id), row_major(graph.shape(id))}; }
};

// Nodes of one shape, in order, whose results but the last one's stay on chip.
void lower_elementwise(const Site& site, const std::vector<const Node*>& nodes);
// By node: the node whose kernel it is part of (itself, if it has its own). Only element-wise nodes join others, behind which they
// are not needed.
std::vector<std::size_t> fuse(const Graph& graph);
void lower_move(const Site& site);     // transpose, expand, slice, unfold, concat, pad
void lower_copy(Code& code, const Operand& from, const Operand& to);
void lower_gather(const Site& site);
void lower_reduce(const Site& site);
void lower_softmax(const Site& site);
void lower_norm(const Site& site);     // layer_norm, rms_norm
void lower_top_k(const Site& site);
void lower_matmul(const Site& site);
void lower_attention(const Site& site);
// Whether lower_attention takes it; else it is decomposed.
bool attention_fits(const Graph& graph, const Node& node, const spec::Config& config);

// Longest row that the rows kernels take: reductions, softmax, norms; top-k.
std::int64_t longest_row(const spec::Config& config);
std::int64_t longest_top_k(const spec::Config& config);

// DRAM that a node needs besides its values, bytes.
std::uint64_t matmul_scratch(const Graph& graph, const Node& matmul, const spec::Config& config, bool two_of_four);
std::uint64_t attention_scratch(const Graph& graph, const Node& attention, const spec::Config& config);
// Whether a constant second operand may leave out tiles of zeros; then sparse_constant does it, where it is worth it.
bool may_be_sparse(const Graph& graph, const Node& node, const spec::Config& config);
std::optional<SparseOperand> sparse_constant(const Graph& graph, const Node& node, const spec::Config& config, const std::vector<std::uint8_t>& packed);
// Whether a constant second operand may be 2:4 sparse; then its bytes, empty where it does not have the pattern.
bool may_be_two_of_four(const Graph& graph, const Node& node, const spec::Config& config);
std::optional<std::vector<std::uint8_t>> pack_two_of_four(const Graph& graph, const Node& node, const spec::Config& config);
// Second operand of matmul in tiles: bytes, for a constant.
std::vector<std::uint8_t> pack_constant(const Graph& graph, const Node& node, const spec::Config& config);
// Tables that kernels load: "identity" (minus one on the diagonal, in tiles), "ramp" (0, 1, 2 .. as long as longest_top_k).
std::vector<std::uint8_t> table_bytes(const std::string& name, const spec::Config& config);

}  // namespace jogak::tensor
