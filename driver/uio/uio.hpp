// The machine behind given ports; open_uio (driver/backends.hpp) finds those of the system.
#pragma once

#include "driver/device.hpp"
#include "ports.hpp"

namespace jogak::driver::uio {

// Refuses what is not an idle Jogak machine of options.config with options.memory_bytes of memory.
Status open_on(Ports ports, const OpenOptions& options, std::unique_ptr<Device>& device);

}  // namespace jogak::driver::uio
