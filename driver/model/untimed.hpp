// A machine without time: a job runs to its end inside start(), on the caller's thread; abort() from another thread stops it at the next
// instruction. Timing counters stay zero and wait has no limit.
#pragma once

#include <atomic>

#include "device_base.hpp"

namespace jogak::driver {

class UntimedDevice : public ModelDeviceBase {
 public:
  UntimedDevice(const char* name, const spec::Config& config, std::uint64_t memory_bytes) : ModelDeviceBase(config, memory_bytes), name_(name) {}

  Status start() final {
    return guarded([&] {
      stop_ = false;
      return run();
    });
  }
  Status wait(std::uint64_t) final {
    registers_.clear_interrupt();
    return {};
  }
  Status abort() final {
    stop_ = true;
    return {};
  }
  Status trace(TraceCallback callback) final {
    if (!callback) return {};
    return {Code::unsupported, std::string(name_) + " device: trace, found a machine without a clock, expected the cycle or rtl backend"};
  }

 protected:
  // The job that the registers describe.
  virtual Status run() = 0;

  std::atomic<bool> stop_ = false;

 private:
  const char* name_;
};

}  // namespace jogak::driver
