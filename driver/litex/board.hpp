// What a board says about itself, and its start: memory controller, memory check, machine at rest.
#pragma once

#include "bridge.hpp"
#include "npu_spec.hpp"

namespace jogak::driver::litex {

struct MemoryStep {
  u32 address, value, microseconds;  // to wait after it
};

struct Board {
  std::string name;
  u32 memory = 0, memory_bytes = 0;  // the same addresses for the bridge and for the machine
  u32 npu = 0;                       // its registers
  u32 clock_hz = 0;
  std::vector<MemoryStep> memory_start;
};

// Reads the description and switches the bridge's checks on. Throws Error.
Board meet(Bridge& bridge);
// Refuses another machine than `config`, with both hashes. Throws Error.
void check_machine(Bridge& bridge, const Board& board, const spec::Config& config);
// The name of its configuration; throws Error for one that this build does not know.
std::string config_of(Bridge& bridge, const Board& board);
// Ends a job that an earlier client left; then starts the memory and checks every data and address line. Throws Error.
void start_board(Bridge& bridge, const Board& board);

}  // namespace jogak::driver::litex
