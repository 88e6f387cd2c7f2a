// The exact model behind the machine's registers. A job runs to its end inside start(), on the caller's thread; abort()
// from another thread stops it at the next instruction (its counters are then zero). There is no time: timing counters
// stay zero and wait has no limit.
#include <atomic>

#include "../backends.hpp"
#include "device_base.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

struct Stopped {};  // thrown by the instruction hook, caught in run()

class ModelDevice final : public ModelDeviceBase {
 public:
  ModelDevice(const spec::Config& config, u64 memory_bytes)
      : ModelDeviceBase(config, memory_bytes) {
    machine_.on_instruction([this](const model::Step&) {
      if (stop_.load(std::memory_order_relaxed)) throw Stopped{};
    });
  }

  DeviceInfo info() const override {
    return {"model", "The exact model of configuration " + std::string(machine_.config().name) + ", without time.", machine_.config().name,
            memory_.size(), false};
  }
  Status start() override {
    return guarded([&] { return run(); });
  }
  Status wait(u64) override {
    registers_.clear_interrupt();
    return {};
  }
  Status abort() override {
    stop_ = true;
    return {};
  }
  Status trace(TraceCallback callback) override {
    if (!callback) return {};
    return {Code::unsupported, "model device: trace, found a machine without a clock, expected the cycle or rtl backend"};
  }

 private:
  Status run() {
    stop_ = false;
    model::Launch launch;
    if (Status s = registers_.launch(arena_, code_, launch); !s.ok()) return s;
    registers_.begin();
    try {
      const model::Result result = machine_.launch(launch);
      registers_.end(result.fault, false, result.counters.values);
    } catch (const Stopped&) {
      registers_.end({}, true, {});
    } catch (...) {
      registers_.end({}, true, {});
      throw;
    }
    return {};
  }

  std::atomic<bool> stop_ = false;
};

}  // namespace

Status open_model(const OpenOptions& options, std::unique_ptr<Device>& device) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr)
    return {Code::bad_argument, "model device: configuration, found " + options.config + ", expected one of spec/configs"};
  device = std::make_unique<ModelDevice>(*config, options.memory_bytes);
  return {};
}

}  // namespace jogak::driver
