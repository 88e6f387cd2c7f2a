// A package of chiplets: its dies, each a device with memory and registers of its own.
//
// Stores of one die reach the memory of the others through windows (docs/isa.md, "Other chiplets"), so dies run together: start() gets a die
// ready, and the last one's starts them all. wait() of any of them ends when all have ended.
#pragma once

#include <memory>
#include <vector>

#include "device.hpp"

namespace jogak::driver {

struct PackageOptions {
  std::string backend = "model";
  std::string config = "quad";
  std::uint32_t columns = 2, rows = 1;  // of the mesh; die x + y * columns
  std::uint64_t memory_bytes = std::uint64_t(64) << 20;  // of each die
};

Status open_package(const PackageOptions& options, std::vector<std::unique_ptr<Device>>& dies);
// Names of backends that open_package knows in this build.
std::vector<std::string> package_backends();

}  // namespace jogak::driver
