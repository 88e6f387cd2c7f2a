// A machine as Linux shows it on a Zynq: the exact model behind registers that have side effects and answer while a job
// runs, an interrupt line with the kernel's mask, and memory that the processor sees through a cache.
#pragma once

#include <memory>
#include <vector>

#include "ports.hpp"

namespace jogak::driver::uio {

struct Seen {  // by the double
  std::uint64_t interrupts = 0;        // passed on to the process
  std::uint64_t syncs = 0;             // cache operations
  std::vector<std::string> mistakes;   // of the backend
  bool lose_interrupts = false;        // the line is cut
};

// memory_bytes: size of the buffer.
Ports make_double(const std::string& config, std::uint64_t memory_bytes, std::shared_ptr<Seen> seen);

}  // namespace jogak::driver::uio
