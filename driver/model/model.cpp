// The exact model behind the machine's registers. A job runs to its end inside start(), on the caller's thread; abort()
// from another thread stops it at the next instruction (its counters are then zero). There is no time: timing counters
// stay zero and wait has no limit.
#include <array>
#include <atomic>
#include <cstring>

#include "../arena.hpp"
#include "../backends.hpp"
#include "../guard.hpp"
#include "../host_memory.hpp"
#include "error.hpp"
#include "sim/model/machine.hpp"

namespace jogak::driver {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u32 kLetters = 0x4b474f4a;
constexpr u32 kIdle = 4, kReady = 8, kDone = 2;
constexpr u32 kFaultBit = 2, kAbortedBit = 8;

struct Stopped {};  // thrown by the instruction hook, caught in run()

class ModelDevice final : public Device {
 public:
  ModelDevice(const spec::Config& config, u64 memory_bytes) : machine_(config), memory_(static_cast<std::size_t>(memory_bytes)) {
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
    switch (offset) {
      case csr::ap_ctrl: return (value & 1) != 0 ? start() : Status{};
      case csr::ap_isr: csrs_[offset / 4] &= ~value; return {};
      case csr::control:
        if ((value & 1) != 0) stop_ = true;
        if ((value & 2) != 0) outcome({}, false);
        return {};
      case csr::ap_gie:
      case csr::ap_ier: csrs_[offset / 4] = value & 1; return {};
      default: break;
    }
    const bool launch = offset >= csr::launch_flags && offset <= csr::bus_timeout;
    const bool arg = offset >= csr::arg && offset < csr::arg_at(spec::limit::args);
    const bool window = offset >= csr::win_base_lo && offset < csr::win_base_lo_at(spec::limit::windows);
    if (launch || arg || window) csrs_[offset / 4] = value;
    return {};
  }

  Status read_csr(u32 offset, u32& value) override {
    Status s = check_csr(offset);
    if (!s.ok()) return s;
    switch (offset) {
      case csr::ap_ctrl:
        value = kIdle | (done_ ? kDone | kReady : 0);
        done_ = false;
        return {};
      case csr::id: value = kLetters; return {};
      case csr::isa_version: value = spec::isa_version; return {};
      case csr::isa_hash: value = spec::isa_hash; return {};
      case csr::config_hash: value = machine_.config().hash; return {};
      default: break;
    }
    if (offset >= csr::counter && offset < csr::counter_at(model::kCounters)) {
      const u64 counter = counters_.values[(offset - csr::counter) / 8];
      value = static_cast<u32>(offset % 8 != 0 ? counter >> 32 : counter);
    } else {
      value = csrs_[offset / 4];
    }
    return {};
  }

  Status start() override {
    return guarded([&] { return run(); });
  }
  Status wait(u64) override {
    if (done_) csrs_[csr::ap_isr / 4] = 0;
    return {};
  }
  Status abort() override {
    stop_ = true;
    return {};
  }
  Status trace(TraceCallback callback) override {
    if (!callback) return {};
    return {Code::unsupported, "model device: trace, found a machine without a clock, expected the rtl backend"};
  }

 private:
  u32 csr_at(u32 offset) const { return csrs_[offset / 4]; }
  u64 pair_at(u32 low) const { return csr_at(low) | u64(csr_at(low + 4)) << 32; }

  // Status and fault registers.
  void outcome(const model::FaultRecord& fault, bool aborted) {
    const bool bad = fault.code != spec::Fault::none;
    csrs_[csr::status / 4] = (bad ? kFaultBit : 0) | (aborted ? kAbortedBit : 0);
    csrs_[csr::fault_cause / 4] = static_cast<u32>(fault.code);
    csrs_[csr::fault_pc / 4] = bad ? fault.pc : 0;
    csrs_[csr::fault_engine / 4] = bad ? static_cast<u32>(fault.engine) : 0;
    csrs_[csr::fault_addr_lo / 4] = static_cast<u32>(fault.address);
    csrs_[csr::fault_addr_hi / 4] = static_cast<u32>(fault.address >> 32);
  }

  // The program into instruction memory, unless it is said to be there.
  Status fetch() {
    const u32 length = csr_at(csr::code_len);
    if (length > machine_.config().imem_words) {
      return {Code::bad_argument, "model device: program, found " + std::to_string(length) + " instructions, expected at most " +
                                      std::to_string(machine_.config().imem_words)};
    }
    if ((csr_at(csr::launch_flags) & 1) != 0) {
      code_.resize(length);
      return {};
    }
    const u64 address = pair_at(csr::code_lo) & ~u64(63), bytes = u64(length) * sizeof(spec::Insn);
    const std::uint8_t* from = arena_.reach(address, bytes);
    if (from == nullptr) {
      return {Code::bad_argument, "model device: program, found " + std::to_string(bytes) + " bytes at " + std::to_string(address) +
                                      ", expected them inside the memory"};
    }
    code_.resize(length);
    std::memcpy(code_.data(), from, bytes);
    return {};
  }

  Status run() {
    stop_ = false;
    if (Status s = fetch(); !s.ok()) return s;
    model::Launch launch{.code = code_, .watchdog = csr_at(csr::watchdog)};
    for (u32 i = 0; i < launch.args.size(); ++i) launch.args[i] = csr_at(csr::arg_at(i));
    for (u32 i = 0; i < launch.windows.size(); ++i) {
      const u32 flags = csr_at(csr::win_flags_at(i));
      launch.windows[i] = {(u64(csr_at(csr::win_base_hi_at(i)) & 0xff) << 32) | (csr_at(csr::win_base_lo_at(i)) & ~u32(63)),
                           csr_at(csr::win_size_at(i)), (flags & 1) != 0, (flags & 2) != 0};
    }
    counters_ = {};
    try {
      const model::Result result = machine_.launch(launch);
      counters_ = result.counters;
      outcome(result.fault, false);
    } catch (const Stopped&) {
      outcome({}, true);
    }
    done_ = true;
    csrs_[csr::ap_isr / 4] = 1;
    return {};
  }

  model::Machine machine_;
  HostMemory memory_;
  Arena arena_;
  std::array<u32, 1024> csrs_{};
  std::vector<spec::Insn> code_;
  model::Counters counters_;
  std::atomic<bool> stop_ = false;
  bool done_ = false;
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
