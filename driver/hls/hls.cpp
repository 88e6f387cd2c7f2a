// The HLS kernel in C simulation behind the machine's registers.
#include "hls/csim/kernel.hpp"

#include "../backends.hpp"
#include "../model/untimed.hpp"

namespace jogak::driver {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

class HlsDevice final : public UntimedDevice {
 public:
  HlsDevice(std::unique_ptr<hls_csim::Kernel> kernel, u64 memory_bytes)
      : UntimedDevice("hls", kernel->config(), (memory_bytes + kPage - 1) / kPage * kPage), kernel_(std::move(kernel)) {}

  DeviceInfo info() const override {
    return {"hls", "The HLS kernel of configuration " + std::string(kernel_->config().name) + " in C simulation, without time.",
            kernel_->config().name, memory_.size(), false};
  }

 private:
  Status run() override {
    model::Launch launch;
    if (Status s = registers_.launch(arena_, code_, launch); !s.ok()) return s;
    for (u32 offset = 0; offset < csr::counter; offset += 4) regs_[offset / 4] = registers_.read_plain(offset);
    regs_[csr::launch_flags / 4] = 0;  // the program is loaded at every launch
    registers_.begin();
    try {
      kernel_->run(regs_, memory_.bytes(), kMemoryBase, &stop_);
    } catch (...) {
      registers_.end({}, true, {});
      throw;
    }
    std::array<u64, model::kCounters> counters;
    for (u32 i = 0; i < counters.size(); ++i) counters[i] = pair_at(csr::counter_at(i));
    const model::FaultRecord fault{static_cast<spec::Fault>(at(csr::fault_cause)), at(csr::fault_pc),
                                   static_cast<spec::Engine>(at(csr::fault_engine)), pair_at(csr::fault_addr_lo)};
    registers_.end(fault, (at(csr::status) & 8) != 0, counters);
    return {};
  }
  u32 at(u32 offset) const { return regs_[offset / 4]; }
  u64 pair_at(u32 offset) const { return at(offset) | u64(at(offset + 4)) << 32; }

  std::unique_ptr<hls_csim::Kernel> kernel_;
  std::array<u32, hls_csim::kRegisterWords> regs_{};
};

}  // namespace

Status open_hls(const OpenOptions& options, std::unique_ptr<Device>& device) {
  device = std::make_unique<HlsDevice>(hls_csim::make_kernel(options.config), options.memory_bytes);
  return {};
}

}  // namespace jogak::driver
