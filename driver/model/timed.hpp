// A simulator with a clock around the exact model: abort() from another thread is taken up by wait() at its next slice, and commands are told
// as they happen.
#pragma once

#include <atomic>

#include "../package/die_trace.hpp"
#include "device_base.hpp"

namespace jogak::driver {

class TimedDevice : public ModelDeviceBase {
 public:
  using ModelDeviceBase::ModelDeviceBase;

  Status abort() final {
    stop_ = true;
    return {};
  }
  Status trace(TraceCallback callback) final {
    trace_.callback = std::move(callback);
    return {};
  }

 protected:
  static constexpr std::uint64_t kSlice = 1 << 16;  // cycles between looks at the abort flag

  // Where the simulator puts its events; null: nobody asks.
  std::vector<cycle::Event>* events() { return trace_.callback ? &trace_.events : nullptr; }
  void tell_events() { trace_.tell(nullptr, 0, 0); }
  // After a job of so many cycles.
  void spend(std::uint64_t cycles) { trace_.total += cycles; }

  bool aborted_ = false;  // the job at hand
  std::atomic<bool> stop_ = false;

 private:
  DieTrace trace_;
};

}  // namespace jogak::driver
