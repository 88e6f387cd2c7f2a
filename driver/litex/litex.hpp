// The machine on a board behind a given line; open_litex and open_uart (driver/backends.hpp) open the line themselves.
#pragma once

#include "bridge.hpp"
#include "driver/device.hpp"

namespace jogak::driver::litex {

// backend: the name that info() tells. Refuses a board with another machine or with less memory than asked for.
Status open_on(std::unique_ptr<Transport> line, const std::string& backend, const OpenOptions& options,
               std::unique_ptr<Device>& device, Patience patience = {});
// The name of the configuration of the board behind `line`. Throws Error.
std::string config_on(std::unique_ptr<Transport> line, Patience patience = {});

}  // namespace jogak::driver::litex
