// Model graph in, program file out.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bound.hpp"
#include "ir/graph.hpp"
#include "package/board.hpp"
#include "program.hpp"

namespace jogak {

struct CompileOptions {
  std::string config = "edge";
  int context = 0;                // tokens the KV cache holds; 0: the model's, at most 4096
  int max_rows = 128;             // most tokens of one launch
  int sequences = 1;              // most sequences of one launch; above 1 for BatchSession, with a KV cache in pages
  int kv_tokens = 0;              // tokens of all sequences that the cache holds; 0: the context of each
  std::string format = "int8";    // of float weights, one of weight_formats(); quantised weights stay as they are
  std::vector<std::string> format_of = {};  // overrides "NAME=FORMAT": of the matrix NAME or of those that contain it; the last counts
  std::uint64_t expert_window = 0xffffffffu; // most bytes of a window of experts: 32-bit offsets reach no further
  std::uint32_t window_bytes = 0xffffffff;  // of DRAM that a window may have; what is behind it goes to a window of its own
  std::vector<std::string> disabled = {};   // optional passes to leave out, by name; the bits stay the same
  int merge_tokens = 0;           // images' encoders: rows that each layer merges
  int dies = 1;                   // of a package, which then runs the program together (docs/packages.md)
  std::string parallel = "auto";  // how it uses them: "tensor" (each layer on all dies), "experts" (each of them on one), "pipeline" (layers of their own), or what suits
  std::optional<package::Board> board = {};  // what the dies stand on, if more is known than how many they are
  int lora = 0;                   // highest rank of the LoRA adapters that the program can take; 0: none
};

// Names of the formats, in alphabetical order.
std::vector<std::string> weight_formats();

struct PassInfo {
  std::string name, summary;
  bool optional = false;
};
// In the order in which they run.
std::vector<PassInfo> compiler_passes();

struct PassTime {
  std::string name;
  double seconds = 0;
};

struct Compiled {
  Program program;
  std::vector<PassTime> passes;
  std::string explanation;        // what bounds each part, as text
  std::vector<Bound> bounds;
};

// Throws jogak::Error for a model this machine or configuration cannot run.
Compiled compile(ir::Graph graph, const CompileOptions& options);

}  // namespace jogak
