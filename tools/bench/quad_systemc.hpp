// quad-speed in SystemC, where that is built.
#pragma once

#include <string>

#include "bench.hpp"

namespace jogak::bench {

// package: a file of boards/packages. plain_cycles: of the plain cycle model on the same work, 0 where there is none.
void quad_in_systemc(const std::string& package, const std::string& memory, std::uint32_t rounds, std::uint64_t plain_cycles, Report& report);

}  // namespace jogak::bench
