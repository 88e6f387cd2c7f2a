// A format for every matrix, chosen by what each costs in bytes and in accuracy.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../ir/graph.hpp"

namespace jogak::passes {

// What a format would cost matrices that share one.
struct Candidate {
  ir::Format format = ir::Format::int8;
  std::uint64_t bytes = 0;
  double error = 0;  // measured with these matrices alone in this format
};
struct Choice {
  std::string name;                  // "blk.2.ffn_gate_up": layer and role, for people
  std::vector<std::string> matrices; // names of linear nodes
  int layer = -1;
  std::string role;                  // the same in every layer
  std::vector<Candidate> candidates;
};

// Exactly one of them is above 0: bytes of all matrices, or the sum of the errors.
struct Budget {
  std::uint64_t bytes = 0;
  double error = 0;
};

struct Mixture {
  std::vector<std::size_t> picked;  // candidate of each choice
  std::uint64_t bytes = 0;
  double error = 0;                 // sum
};

// From the smallest candidates on, step by step the one that takes away most error per byte; then back where bytes were spent for nothing.
// Within a budget of bytes the error is small, within one of error the bytes are few. Throws jogak::Error for a budget that no choice meets.
Mixture choose_formats(const std::vector<Choice>& choices, const Budget& budget);

// One choice per role for all layers together, for programs that cannot hold a body for every kind of layer.
std::vector<Choice> merge_layers(const std::vector<Choice>& choices);
// Bodies of code that the layers need: runs of layers whose formats, and those of the layer behind, are the same.
int bodies(const std::vector<Choice>& choices, const Mixture& mixture);

// Rules "NAME=FORMAT" for CompileOptions::format_of.
std::vector<std::string> format_rules(const std::vector<Choice>& choices, const Mixture& mixture);

// Bytes of a matrix with padded k in the array's format, scales included.
std::uint64_t format_bytes(ir::Format format, std::int64_t n, std::int64_t k);

}  // namespace jogak::passes
