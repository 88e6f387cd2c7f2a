// 2:4 sparse weights: of each four neighbouring values of k at most two are not zero, and only two are stored.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "../ir/graph.hpp"

namespace jogak::passes {

// Stored values of k values: 32 for every 64 begun.
inline std::int64_t stored_of(std::int64_t k) { return (k + 63) / 64 * 32; }

// One row of w, k values -> stored_of(k) values and the index (0..3) of each among its four, ascending within a pair and never twice.
// Where fewer than two are not zero, zeros are stored. False, with nothing promised, where a four has more than two.
bool compress_row(std::span<const float> w, std::span<float> stored, std::span<std::uint8_t> index);

// Keeps the two largest magnitudes of each four, of equal ones the first.
void prune_row(std::span<float> w);

// A matrix [n][k] compressed.
struct TwoOfFour {
  ir::Tensor stored;                // fp32 [n][stored_of(k)]
  std::vector<std::uint8_t> index;  // the same shape
};

// Nothing where the tensor (2-D) does not have the pattern.
std::optional<TwoOfFour> compress(const ir::Tensor& tensor);

// The same quantised. Nothing for a matrix that lacks the pattern, whose blocks carry over, or whose k is no multiple of 64.
std::optional<ir::QMatrix> quantize_two_of_four(const ir::Tensor& tensor, ir::Format format);

// A decoder's float matrices that have the pattern are quantised so: where gate and up both have it, and, of attention's output, heads of
// whole 64. Mixtures of experts stay dense. Behind quantize_graph, whose formats they keep.
void use_two_of_four(ir::Graph& graph);

// Gives all those matrices the pattern. Throws jogak::Error for one whose blocks carry over.
void prune_two_of_four(ir::Graph& graph);

// Indices of a tile of `cols` columns as the array takes them (docs/isa.md): 8 * cols bytes, zero at first. index: 32 of column c.
void put_indices(std::span<const std::uint8_t> index, int c, int cols, std::byte* out);

}  // namespace jogak::passes
