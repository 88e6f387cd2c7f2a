// An address of a window that shows another chiplet, taken apart.
#pragma once

#include "state.hpp"

namespace jogak::model {

struct RemotePlace {
  u32 x, y, region, offset;

  bool signals() const { return region == spec::limit::remote_signals; }
  // Of a signal: the semaphore, and how much is added.
  u32 semaphore() const { return spec::limit::semaphores + (offset >> 6) % spec::limit::remote_semaphores; }
  u32 amount() const { return offset >> 11; }
};

constexpr RemotePlace remote_place(u64 address) {
  const auto field = [address](u32 at, u32 bits) { return static_cast<u32>(address >> at & ((u64(1) << bits) - 1)); };
  return {field(spec::limit::remote_x_bit, 4), field(spec::limit::remote_y_bit, 4), field(spec::limit::remote_region_bit, 4), field(0, spec::limit::remote_region_bit)};
}

// The memories that other chiplets reach.
constexpr bool reached(u32 region) {
  const auto space = static_cast<spec::Space>(region);
  return space == spec::Space::aspm || space == spec::Space::asc || space == spec::Space::vmem;
}

}  // namespace jogak::model
