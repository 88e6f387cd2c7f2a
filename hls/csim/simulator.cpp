// The kernel in C simulation as a machine with registers, for everything that runs on the Verilated one. One object per configuration:
// MAKE is the name of its function.
#include "sim/rtl/simulator.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "error.hpp"
#include "hls/npu.cpp"  // one translation unit: the memories are the kernel's own

namespace jogak::rtl {

namespace {

using namespace JG_NAMESPACE;
namespace csr = spec::csr;

[[noreturn]] void refuse(const char* what) { throw Error("hls simulator", what, "asked for", "the RTL, C simulation has none"); }

class HlsSimulator final : public Simulator {
 public:
  explicit HlsSimulator(const Options& options)
      : base_(options.dram_base), words_((options.dram_bytes + P - 1) / P), bytes_(options.dram_bytes) {
    std::memset(&memories, 0, sizeof memories);
  }

  const spec::Config& config() const override { return kConfig; }
  std::span<u8> dram() override { return {reinterpret_cast<u8*>(words_.data()), bytes_}; }
  u64 dram_base() const override { return base_; }

  void write_csr(u32 offset, u32 value) override {
    if (offset == csr::ap_ctrl && (value & 1) != 0) {
      launched_ = true;
    } else if (offset >= csr::launch_flags && offset < csr::counter) {
      regs_[reg_word(offset)] = value;
    }
  }
  u32 read_csr(u32 offset) override { return regs_.at(reg_word(offset)); }

  // A job is one call: it is over when this comes back.
  bool run_until_irq(u64) override {
    if (!std::exchange(launched_, false)) return true;
    const hls::burst_maxi<PortWord> port(words_.data(), base_ / P, words_.size());
    npu(port, port, port, regs_.data());
    ++jobs_;
    return true;
  }

  void reset() override {}
  u64 cycles() const override { return jobs_; }
  bool irq() const override { return !launched_; }

  void peek(spec::Space space, std::size_t at, std::span<u8> bytes) const override {
    check(space, at, bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = *byte(space, at + i);
  }
  void poke(spec::Space space, std::size_t at, std::span<const u8> bytes) override {
    check(space, at, bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) *byte(space, at + i) = bytes[i];
  }

  bool has_bus() const override { return false; }
  void bus_error(u64, u64) override { refuse("bus errors"); }
  void clear_bus_errors() override {}
  void freeze_bus(bool frozen) override {
    if (frozen) refuse("a silent bus");
  }
  void on_trace(std::function<void(const TraceEvent&)>) override { refuse("a trace"); }
  void waves(const std::string&, u64, u64) override { refuse("waves"); }

 private:
  static void check(spec::Space space, std::size_t at, std::size_t count) {
    const std::size_t size = space_bytes(space);
    if (at > size || count > size - at) {
      throw Error("hls simulator", "memory access", "bytes up to " + std::to_string(at + count), "at most " + std::to_string(size));
    }
  }
  static u8* byte(spec::Space space, std::size_t at) {
    switch (space) {
      case spec::Space::wspm: return &memories.wspm[0][0] + at;
      case spec::Space::wsc: return &memories.wsc[0][0] + at;
      case spec::Space::aspm: return &memories.aspm[0][0] + at;
      case spec::Space::asc: return reinterpret_cast<u8*>(memories.asc) + at;
      case spec::Space::vmem: break;
    }
    const std::size_t row = at / (4 * C);
    return reinterpret_cast<u8*>(memories.vmem[row % kBanks][row / kBanks]) + at % (4 * C);
  }

  u64 base_;
  std::vector<PortWord> words_;
  std::size_t bytes_;
  std::array<u32, kRegisterWords> regs_{};
  bool launched_ = false;
  u64 jobs_ = 0;
};

}  // namespace

std::unique_ptr<Simulator> MAKE(const Options& options) { return std::make_unique<HlsSimulator>(options); }

}  // namespace jogak::rtl
