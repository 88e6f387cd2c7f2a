// The exact model behind the machine's registers. A job that was stopped leaves counters of zero.
#include "../backends.hpp"
#include "untimed.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

struct Stopped {};  // thrown by the instruction hook, caught in run()

class ModelDevice final : public UntimedDevice {
 public:
  ModelDevice(const spec::Config& config, u64 memory_bytes)
      : UntimedDevice("model", config, memory_bytes) {
    machine_.on_instruction([this](const model::Step&) {
      if (stop_.load(std::memory_order_relaxed)) throw Stopped{};
    });
  }

  DeviceInfo info() const override {
    return {"model", "The exact model of configuration " + std::string(machine_.config().name) + ", without time.", machine_.config().name,
            memory_.size(), false};
  }

 private:
  Status run() override {
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
