// The exact model behind the machine's registers. A job runs to its end inside start(), on the caller's thread; abort()
// from another thread stops it at the next instruction (its counters are then zero). There is no time: timing counters
// stay zero and wait has no limit.
#include <atomic>

#include "../backends.hpp"
#include "../guard.hpp"
#include "../host_memory.hpp"
#include "registers.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

struct Stopped {};  // thrown by the instruction hook, caught in run()

class ModelDevice final : public Device {
 public:
  ModelDevice(const spec::Config& config, u64 memory_bytes)
      : machine_(config), registers_(machine_.config()), memory_(static_cast<std::size_t>(memory_bytes)) {
    arena_.attach(memory_.bytes(), kMemoryBase);
    machine_.dram().attach(kMemoryBase, memory_.bytes());
    machine_.on_instruction([this](const model::Step&) {
      if (stop_.load(std::memory_order_relaxed)) throw Stopped{};
    });
  }

  DeviceInfo info() const override {
    return {"model", "The exact model of configuration " + std::string(machine_.config().name) + ", without time.", machine_.config().name,
            memory_.size(), false};
  }
  Status alloc(u64 bytes, u64& address) override {
    return guarded([&] { return arena_.alloc(bytes, address); });
  }
  Status free(u64 address) override { return arena_.free(address); }
  Status copy_in(u64 address, std::span<const std::uint8_t> bytes) override { return arena_.copy_in(address, bytes); }
  Status copy_out(u64 address, std::span<std::uint8_t> bytes) override { return arena_.copy_out(address, bytes); }

  Status write_csr(u32 offset, u32 value) override {
    Status s = check_csr(offset);
    if (!s.ok()) return s;
    switch (registers_.write(offset, value)) {
      case ModelRegisters::Action::start: return start();
      case ModelRegisters::Action::abort: return abort();
      default: return {};
    }
  }
  Status read_csr(u32 offset, u32& value) override {
    Status s = check_csr(offset);
    if (s.ok()) value = registers_.read(offset);
    return s;
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

  model::Machine machine_;
  ModelRegisters registers_;
  HostMemory memory_;
  Arena arena_;
  std::vector<spec::Insn> code_;
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
