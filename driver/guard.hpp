// Exceptions end at the device boundary.
#pragma once

#include <exception>
#include <new>

#include "device.hpp"

namespace jogak::driver {

// Runs action, which returns a Status, and turns what it throws into one.
template <class Action>
Status guarded(Action&& action) {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    return {Code::out_of_memory, "device: host memory, found none left, expected enough for the simulated machine"};
  } catch (const std::exception& e) {
    return {Code::device, e.what()};
  }
}

inline Status check_csr(std::uint32_t offset) {
  if (offset % 4 == 0 && offset < 4096) return {};
  return {Code::bad_argument, "device: register offset, found " + std::to_string(offset) + ", expected a multiple of 4 below 4096"};
}

}  // namespace jogak::driver
