// A package of HLS kernels in C simulation: no time; streams join them.
#include "error.hpp"
#include "hls/csim/kernel.hpp"
#include "machine.hpp"

namespace jogak::driver {
namespace {

namespace csr = spec::csr;
using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Registers = std::array<u32, hls_csim::kRegisterWords>;

Registers registers_of(const PackageMachine::Job& job) {
  Registers regs{};
  const auto set = [&regs](u32 offset, u32 value) { regs[offset / 4] = value; };
  set(csr::code_lo, u32(job.code)), set(csr::code_hi, u32(job.code >> 32));
  set(csr::code_len, u32(job.launch.code.size()));
  set(csr::launch_flags, job.resident);
  set(csr::watchdog, job.launch.watchdog);
  for (u32 i = 0; i < job.launch.args.size(); ++i) set(csr::arg_at(i), job.launch.args[i]);
  for (u32 i = 0; i < job.launch.windows.size(); ++i) {
    const model::Window& w = job.launch.windows[i];
    set(csr::win_base_lo_at(i), u32(w.base)), set(csr::win_base_hi_at(i), u32(w.base >> 32));
    set(csr::win_size_at(i), w.size), set(csr::win_flags_at(i), u32(w.readable) | u32(w.writable) << 1);
  }
  return regs;
}

class HlsPackage final : public PackageMachine {
 public:
  HlsPackage(const spec::Config& config, const PackageOptions& o)
      : config_(config), package_(hls_csim::make_package(config.name, o.columns, o.rows)), memories_(dies()), regs_(dies()) {}

  u32 dies() const override { return package_->dies(); }
  const spec::Config& config() const override { return config_; }
  void attach(u32 die, u64 base, std::span<u8> memory) override { memories_.at(die) = {base, memory}; }
  DeviceInfo info() const override {
    return {"hls", "A package of " + std::to_string(dies()) + " HLS kernels of configuration " + config_.name + " in C simulation, without time.", config_.name, 0, false};
  }

  std::vector<DieOutcome> run(std::span<const Job> jobs) override {
    std::vector<hls_csim::Job> launches;
    for (u32 d = 0; d < dies(); ++d) {
      regs_[d] = registers_of(jobs[d]);
      launches.push_back({regs_[d], memories_[d].bytes, memories_[d].base});
    }
    stop_ = false;
    const std::string vain = package_->run(launches, stop_);
    const bool stopped = stop_.exchange(false);
    std::vector<DieOutcome> outcomes(dies());
    bool fault = false;
    for (u32 d = 0; d < dies(); ++d) {
      outcomes[d] = outcome(d);
      fault = fault || regs_[d][csr::fault_cause / 4] != 0;
    }
    if (!vain.empty() && !fault) throw Error("hls package", "end of every die", vain, "a signal of another die for each wait, and dies that stay for what is sent to them");
    if (stopped && vain.empty()) return {};
    return outcomes;
  }
  void stop() override { stop_ = true; }
  Status trace(u32, TraceCallback callback) override {
    if (!callback) return {};
    return {Code::unsupported, "hls device: trace, found a machine without a clock, expected one with"};
  }

 private:
  struct Memory {
    u64 base = 0;
    std::span<u8> bytes;
  };
  // One that waited in vain for a die with a fault: as the model has it, but for the place, which C simulation does not know.
  DieOutcome outcome(u32 die) const {
    const auto at = [&](u32 offset) { return regs_[die][offset / 4]; };
    const auto pair = [&](u32 offset) { return at(offset) | u64(at(offset + 4)) << 32; };
    DieOutcome o;
    o.fault = {static_cast<spec::Fault>(at(csr::fault_cause)), at(csr::fault_pc), static_cast<spec::Engine>(at(csr::fault_engine)), pair(csr::fault_addr_lo)};
    if (o.fault.code == spec::Fault::none && (at(csr::status) & 8) != 0) o.fault = {spec::Fault::timeout, 0, spec::Engine::seq, 0};
    for (u32 i = 0; i < o.counters.size(); ++i) o.counters[i] = pair(csr::counter_at(i));
    return o;
  }

  const spec::Config& config_;
  std::unique_ptr<hls_csim::Package> package_;
  std::vector<Memory> memories_;
  std::vector<Registers> regs_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

std::unique_ptr<PackageMachine> hls_package(const spec::Config& config, const PackageOptions& options) {
  return std::make_unique<HlsPackage>(config, options);
}

}  // namespace jogak::driver
