// The cards that the stand-in for XRT's library has, as a test wants them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/uio/ports.hpp"

namespace jogak::driver::xrt::fake {

struct World {
  unsigned cards = 1;
  std::vector<std::string> kernels{"npu_kernel:npu_1"};
  std::uint64_t bank_kib = 64 << 10;
  unsigned long mhz = 300;
  bool interrupts = true;
  // What XRT throws where it is asked; "" for nothing.
  std::string device_error, load_error, kernel_error, buffer_error, register_error, copy_error, interrupt_error;
  // The machine behind card and kernel, by bytes of its memory.
  std::function<uio::Ports(std::uint64_t)> machine;

  // What the driver did: how it named the card; objects alive; interrupts waited for.
  std::string named;
  int devices = 0, kernels_open = 0, buffers = 0;
  unsigned waits = 0;
};

}  // namespace jogak::driver::xrt::fake

extern "C" __attribute__((visibility("default"))) jogak::driver::xrt::fake::World* jogak_fake_world();
