// Where a decoder of a given shape would lie in DRAM: the compiler's own plan, made without weights.
#pragma once
#include <string>
#include <vector>

#include "compile.hpp"
#include "import/shapes.hpp"

namespace jogak {

struct MemoryRegion {
  std::string name;
  std::uint32_t window = 0;
  std::uint64_t offset = 0, bytes = 0;  // in the window
};

struct MemoryPlan {
  std::string model, config;
  int context = 0, rows = 0;  // tokens of the KV cache; most of a launch
  std::size_t instructions = 0, most_instructions = 0;  // of the program; of the configuration's memory
  std::vector<MemoryRegion> regions;  // in the order of window and first offset; regions of the KV cache have a part in each layer
  std::vector<std::uint64_t> windows; // bytes of each, all below 4 GiB: a program's offsets have 32 bits

  std::uint64_t bytes() const;
  // A table: window, offset, bytes, what. The last line is the sum.
  std::string text() const;
};

// Of the options counts what a plan depends on. Throws jogak::Error for a shape that this configuration cannot run.
MemoryPlan plan_memory(const import::Shape& shape, const CompileOptions& options);

}  // namespace jogak
