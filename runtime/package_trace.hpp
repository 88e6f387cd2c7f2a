// A trace of a program on a package (docs/trace.md).
#pragma once

#include <memory>
#include <vector>

#include "dies.hpp"
#include "sim/trace/package_trace.hpp"

namespace jogak {

// Everything that the dies of a package do from now on, commands called by their operators: the first `keep` slices and counter events
// (0: all). Throws jogak::Error for one die and for a backend without a clock.
std::shared_ptr<trace::PackageTrace> record_package(const Program& program, const std::vector<std::unique_ptr<driver::Device>>& dies, std::uint64_t keep = 0);

}  // namespace jogak
