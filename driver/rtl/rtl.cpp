// The Verilated machine with its memory: every register access and every job costs simulated cycles. abort() from
// another thread is taken up by wait() at its next slice.
#include <atomic>

#include "../arena.hpp"
#include "../backends.hpp"
#include "../guard.hpp"
#include "sim/dram/dram.hpp"
#include "sim/rtl/simulator.hpp"

namespace jogak::driver {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kSlice = 4096;  // cycles between looks at the abort flag

class RtlDevice final : public Device {
 public:
  explicit RtlDevice(std::unique_ptr<rtl::Simulator> simulator) : sim_(std::move(simulator)) {
    arena_.attach(sim_->dram(), sim_->dram_base());
  }

  DeviceInfo info() const override {
    return {"rtl", "The Verilated RTL of configuration " + std::string(sim_->config().name) + ", cycle accurate.", sim_->config().name,
            arena_.size(), true};
  }
  Status alloc(u64 bytes, u64& address) override {
    return guarded([&] { return arena_.alloc(bytes, address); });
  }
  Status free(u64 address) override { return arena_.free(address); }
  Status copy_in(u64 address, std::span<const std::uint8_t> bytes) override { return arena_.copy_in(address, bytes); }
  Status copy_out(u64 address, std::span<std::uint8_t> bytes) override { return arena_.copy_out(address, bytes); }

  Status write_csr(u32 offset, u32 value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (s.ok()) sim_->write_csr(offset, value);
      return s;
    });
  }
  Status read_csr(u32 offset, u32& value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (s.ok()) value = sim_->read_csr(offset);
      return s;
    });
  }

  Status start() override {
    return guarded([&] {
      stop_ = false;
      sim_->restart_memory();
      sim_->write_csr(csr::ap_gie, 1);
      sim_->write_csr(csr::ap_ier, 1);
      sim_->write_csr(csr::ap_isr, 1);
      sim_->write_csr(csr::ap_ctrl, 1);
      return Status{};
    });
  }
  Status wait(u64 limit) override {
    return guarded([&] {
      for (u64 spent = 0; limit == 0 || spent < limit; spent += kSlice) {
        if (stop_.exchange(false)) sim_->write_csr(csr::control, 1);
        if (sim_->run_until_irq(limit == 0 ? kSlice : std::min(kSlice, limit - spent))) {
          sim_->write_csr(csr::ap_isr, 1);
          return Status{};
        }
      }
      return Status(Code::timeout, "rtl device: job, found it running after " + std::to_string(limit) + " cycles, expected its end");
    });
  }
  Status abort() override {
    stop_ = true;
    return {};
  }
  Status trace(TraceCallback callback) override {
    if (!callback) {
      sim_->on_trace({});
    } else {
      sim_->on_trace([callback = std::move(callback)](const rtl::TraceEvent& e) { callback({e.cycle, e.engine, e.start, e.pc, e.counters}); });
    }
    return {};
  }

 private:
  std::unique_ptr<rtl::Simulator> sim_;
  Arena arena_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

Status open_rtl(const OpenOptions& options, std::unique_ptr<Device>& device) {
  rtl::Options o;
  o.dram_base = kMemoryBase;
  o.memory = dram::parse_memory(target_or(options.backend, "ideal"));
  o.dram_bytes = static_cast<std::size_t>((options.memory_bytes + kPage - 1) / kPage * kPage);
  device = std::make_unique<RtlDevice>(rtl::make_simulator(options.config, o));
  return {};
}

}  // namespace jogak::driver
