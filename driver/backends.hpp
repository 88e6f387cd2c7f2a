// What each folder of driver/ offers.
#pragma once

#include "device.hpp"

namespace jogak::driver {

// What stands behind "NAME:", or `otherwise`.
inline std::string target_or(const std::string& backend, const char* otherwise) {
  const std::size_t colon = backend.find(':');
  return colon == std::string::npos ? otherwise : backend.substr(colon + 1);
}

Status open_null(const OpenOptions& options, std::unique_ptr<Device>& device);
Status open_model(const OpenOptions& options, std::unique_ptr<Device>& device);
// options.backend of these three: NAME or NAME:MEMORY, a memory as sim/dram/dram.hpp names them.
Status open_cycle(const OpenOptions& options, std::unique_ptr<Device>& device);
Status open_systemc(const OpenOptions& options, std::unique_ptr<Device>& device);
Status open_rtl(const OpenOptions& options, std::unique_ptr<Device>& device);
Status open_hls(const OpenOptions& options, std::unique_ptr<Device>& device);
// options.backend: "uio:NAME" or "uio:NAME:BUFFER".
Status open_uio(const OpenOptions& options, std::unique_ptr<Device>& device);

// options.backend: "xrt:FILE.xclbin" or "xrt:FILE.xclbin:CARD", by index or bus address; a module loaded at run time (driver/xrt).
Status open_xrt(const OpenOptions& options, std::unique_ptr<Device>& device);
Status xrt_config(const std::string& backend, std::string& config);

// options.backend: "litex:HOST:PORT", "uart:DEVICE" or "uart:DEVICE:BAUD": a board of boards/ behind LiteX's bridge.
Status open_litex(const OpenOptions& options, std::unique_ptr<Device>& device);
Status open_uart(const OpenOptions& options, std::unique_ptr<Device>& device);
Status litex_config(const std::string& backend, std::string& config);
Status uart_config(const std::string& backend, std::string& config);

// options.backend: "netlist:FILE", the same board simulated from its placed design (sim/netlist).
Status open_netlist(const OpenOptions& options, std::unique_ptr<Device>& device);
Status netlist_config(const std::string& backend, std::string& config);

}  // namespace jogak::driver
