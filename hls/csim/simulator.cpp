// The kernel as a machine with registers, for everything that runs on the Verilated one.
#include <utility>

#include "error.hpp"
#include "kernel.hpp"

namespace jogak::hls_csim {

namespace {

namespace csr = spec::csr;
using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

[[noreturn]] void refuse(const char* what) { throw Error("hls simulator", what, "asked for", "the RTL, C simulation has none"); }

class HlsSimulator final : public rtl::Simulator {
 public:
  HlsSimulator(std::string_view name, const rtl::Options& options)
      : kernel_(make_kernel(name)), base_(options.dram_base), bytes_(options.dram_bytes), memory_(bytes_ / sizeof(Line) + 1) {}

  const spec::Config& config() const override { return kernel_->config(); }
  std::span<u8> dram() override { return {memory_[0].byte, bytes_}; }
  u64 dram_base() const override { return base_; }

  void write_csr(u32 offset, u32 value) override {
    if (offset == csr::ap_ctrl) launched_ |= (value & 1) != 0;
    else if (offset >= csr::launch_flags && offset < csr::counter) regs_[offset / 4] = value;
  }
  u32 read_csr(u32 offset) override { return regs_.at(offset / 4); }
  bool run_until_irq(u64) override {
    if (!std::exchange(launched_, false)) return true;
    kernel_->run(regs_, {memory_[0].byte, memory_.size() * sizeof(Line)}, base_);
    ++jobs_;
    return true;
  }

  void reset() override {}
  u64 cycles() const override { return jobs_; }
  bool irq() const override { return !launched_; }
  void peek(spec::Space space, std::size_t at, std::span<u8> bytes) const override {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = kernel_->byte(space, at + i);
  }
  void poke(spec::Space space, std::size_t at, std::span<const u8> bytes) override {
    for (std::size_t i = 0; i < bytes.size(); ++i) kernel_->byte(space, at + i) = bytes[i];
  }

  bool has_bus() const override { return false; }
  void bus_error(u64, u64) override { refuse("bus errors"); }
  void clear_bus_errors() override {}
  void restart_memory() override {}
  void freeze_bus(bool frozen) override {
    if (frozen) refuse("a silent bus");
  }
  void on_trace(std::function<void(const rtl::TraceEvent&)>) override { refuse("a trace"); }
  void waves(const std::string&, u64, u64) override { refuse("waves"); }

 private:
  struct alignas(64) Line {
    u8 byte[64] = {};
  };

  std::unique_ptr<Kernel> kernel_;
  u64 base_;
  std::size_t bytes_;
  std::vector<Line> memory_;
  std::array<u32, kRegisterWords> regs_{};
  bool launched_ = false;
  u64 jobs_ = 0;
};

}  // namespace

std::unique_ptr<rtl::Simulator> make_simulator(std::string_view config, const rtl::Options& options) {
  return std::make_unique<HlsSimulator>(config, options);
}

}  // namespace jogak::hls_csim
