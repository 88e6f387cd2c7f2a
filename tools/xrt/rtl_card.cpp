// The Verilated machine as a card, registers and all: the host's accesses cost simulated cycles, and between them time goes on
// while a job runs.
#include "card.hpp"
#include "driver/backends.hpp"
#include "error.hpp"
#include "sim/dram/dram.hpp"
#if JOGAK_HAS_RTL
#include "sim/rtl/simulator.hpp"
#endif

namespace jogak::xrt_card {
#if JOGAK_HAS_RTL
namespace {

namespace csr = spec::csr;

constexpr u64 kSlice = 1024;  // cycles between looks at the socket: well below a millisecond's worth of host time is lost

class RtlCard final : public Card {
 public:
  explicit RtlCard(const CardOptions& o) {
    rtl::Options options;
    options.dram_base = kMemoryBase;
    options.dram_bytes = static_cast<std::size_t>(o.memory_bytes);
    options.memory = dram::parse_memory(driver::target_or(o.on, "ideal"));
    sim_ = rtl::make_simulator(o.config, options);
  }
  u64 memory_bytes() const override { return sim_->dram().size(); }
  void write_memory(u64 offset, Bytes bytes) override { std::ranges::copy(bytes, sim_->dram().subspan(offset).begin()); }
  void read_memory(u64 offset, std::span<u8> bytes) override { std::ranges::copy(sim_->dram().subspan(offset, bytes.size()), bytes.begin()); }

  u32 read(u32 offset) override { return sim_->read_csr(offset); }
  void write(u32 offset, u32 value) override {
    if (offset == csr::ap_ctrl && (value & 1) != 0) {
      if (!running_) sim_->restart_memory();
      running_ = true;
    }
    sim_->write_csr(offset, value);
  }

  bool work() override {
    if (!running_) return false;
    sim_->run_until_irq(kSlice);
    running_ = (sim_->read_csr(csr::status) & 1) != 0;
    return running_;
  }

 private:
  std::unique_ptr<rtl::Simulator> sim_;
  bool running_ = false;
};

}  // namespace

std::unique_ptr<Card> make_rtl_card(const CardOptions& options) { return std::make_unique<RtlCard>(options); }
#else
std::unique_ptr<Card> make_rtl_card(const CardOptions&) { throw Error("xrt card", "simulator", "rtl in a build without Verilator", "model or cycle"); }
#endif

}  // namespace jogak::xrt_card
