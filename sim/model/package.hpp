// The meaning of a package: chiplets in a mesh, each an in-order interpreter; stores to other chiplets' memory and signals to their
// remote semaphores happen at once. A die that waits for a signal lets the others go on; when none can, every one that waits ends with
// fault timeout.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "machine.hpp"

namespace jogak::model {

// The base of a window that shows another chiplet's memory: its regions lie 2^27 bytes apart.
constexpr u64 remote_base(u32 x, u32 y) {
  return u64(1) << spec::limit::remote_bit | u64(y) << spec::limit::remote_y_bit | u64(x) << spec::limit::remote_x_bit;
}
// Offsets in it: a memory's byte, a signal of n to semaphore s (32 to 63).
constexpr u32 remote_offset(spec::Space space, u32 byte) { return static_cast<u32>(space) << spec::limit::remote_region_bit | byte; }
constexpr u32 remote_signal_offset(u32 s, u32 n) {
  return u32(spec::limit::remote_signals) << spec::limit::remote_region_bit | 64 * (s - spec::limit::semaphores + 32 * n);
}
constexpr u32 kRemoteWindowBytes = u32(spec::limit::remote_signals + 1) << spec::limit::remote_region_bit;

class Package {
 public:
  // Die x + y * columns lies at (x, y). Throws Error where the configuration has no links or the mesh is larger than 16 x 16 or than the
  // configuration's chiplets.
  Package(const spec::Config& config, u32 columns, u32 rows, Options options = {});
  ~Package();

  u32 columns() const { return columns_; }
  u32 dies() const { return static_cast<u32>(machines_.size()); }
  Machine& die(u32 index) { return machines_.at(index); }

  // Called for every burst of die `from` to another chiplet's memory, as it goes over the links (signals are none); one function, may be empty.
  using Watch = std::function<void(u32 from, u64 address, std::span<const u8> bytes)>;
  void watch(Watch watch) { watch_ = std::move(watch); }

  // One launch for every die; dies run until all have halted, failed or wait in vain. With Options::check the violations() of each die are also
  // those of other dies' stores to its memory: without order among them or with its own engines, or not certainly there when it halts.
  std::vector<Result> launch(std::span<const Launch> launches);

 private:
  class Port;
  u32 columns_, rows_;
  std::vector<Machine> machines_;
  std::vector<std::unique_ptr<Port>> ports_;
  Watch watch_;
  std::unique_ptr<RaceNetwork> races_;  // with Options::check
};

}  // namespace jogak::model
