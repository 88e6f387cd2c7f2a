// The HLS kernel in C simulation as a card: its own registers and memory, as Vitis HLS makes them. A job runs on a thread of its own; copies
// wait for its end.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "card.hpp"
#include "driver/uio/hls_registers.hpp"
#include "error.hpp"
#include "hls/csim/kernel.hpp"

namespace jogak::xrt_card {
namespace {

namespace csr = spec::csr;
using driver::uio::kHlsAbort, driver::uio::kHlsRegisterBytes, driver::uio::kHlsRegs;

constexpr u32 kStart = 1, kDone = 2, kIdle = 4;

class HlsCard final : public Card {
 public:
  explicit HlsCard(const CardOptions& o) : config_(o.config), lines_(o.memory_bytes / sizeof(Line)), memory_(lines_.front().bytes, o.memory_bytes) {
    hls_csim::make_kernel(config_);  // refused here where it is not built in
    thread_ = std::thread([this] { serve(); });
  }
  ~HlsCard() override {
    {
      std::lock_guard lock(mutex_);
      closing_ = stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  u64 memory_bytes() const override { return memory_.size(); }
  void write_memory(u64 offset, Bytes bytes) override {
    const auto lock = idle();
    std::ranges::copy(bytes, memory_.subspan(offset).begin());
  }
  void read_memory(u64 offset, std::span<u8> bytes) override {
    const auto lock = idle();
    std::ranges::copy(memory_.subspan(offset, bytes.size()), bytes.begin());
  }

  u32 read(u32 offset) override {
    std::lock_guard lock(mutex_);
    if (offset != csr::ap_ctrl) return offset < registers_.size() * 4 ? registers_[offset / 4] : 0;
    const u32 value = running_ ? kStart : kIdle | done_;
    done_ = 0;
    return value;
  }
  void write(u32 offset, u32 value) override {
    std::lock_guard lock(mutex_);
    if (offset == csr::ap_ctrl) {
      if ((value & kStart) == 0 || running_) return;
      running_ = true;
      changed_.notify_all();
    } else if (offset == csr::ap_isr) {
      registers_[offset / 4] ^= value & 1;  // written ones turn bits over
    } else if (offset < registers_.size() * 4) {
      registers_[offset / 4] = value;
      if (offset == kHlsAbort) stop_ = (value & 1) != 0;
    }
  }
  bool work() override { return false; }

 private:
  struct alignas(64) Line {
    u8 bytes[64] = {};
  };

  std::unique_lock<std::mutex> idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !running_; });
    return lock;
  }

  void job(hls_csim::Kernel& kernel, u64 address) {
    if (address < kMemoryBase || address - kMemoryBase > memory_.size() - kHlsRegisterBytes)
      throw Error("xrt card", "registers of the job at", std::to_string(address), "inside the bank");
    const auto at = memory_.subspan(address - kMemoryBase, kHlsRegisterBytes);
    std::array<u32, hls_csim::kRegisterWords> regs;
    static_assert(sizeof regs == kHlsRegisterBytes);
    std::memcpy(regs.data(), at.data(), sizeof regs);
    kernel.run(regs, memory_, kMemoryBase, &stop_);
    std::memcpy(at.data(), regs.data(), sizeof regs);
  }

  // What a machine that sees bus errors would say; a tool's port does not show them.
  void refuse(u64 address) {
    const u64 at = address - kMemoryBase;
    if (at > memory_.size() - kHlsRegisterBytes) return;
    const u32 fault = 2, cause = static_cast<u32>(spec::Fault::bus);
    std::memcpy(&memory_[at + csr::status], &fault, sizeof fault);
    std::memcpy(&memory_[at + csr::fault_cause], &cause, sizeof cause);
  }

  // A job that reaches beyond memory ends at once, and the kernel is a new one.
  void serve() {
    auto kernel = hls_csim::make_kernel(config_);
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return running_ || closing_; });
      if (closing_) return;
      const u64 address = registers_[kHlsRegs / 4] | u64(registers_[kHlsRegs / 4 + 1]) << 32;
      lock.unlock();
      try {
        job(*kernel, address);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        kernel = hls_csim::make_kernel(config_);
        refuse(address);
      }
      lock.lock();
      running_ = false;
      done_ = kDone;
      registers_[csr::ap_isr / 4] |= registers_[csr::ap_ier / 4] & 1;
      changed_.notify_all();
    }
  }

  const std::string config_;
  std::vector<Line> lines_;
  const std::span<u8> memory_;
  std::array<u32, 16> registers_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false, closing_ = false;
  std::atomic<bool> stop_ = false;
  u32 done_ = 0;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Card> make_hls_card(const CardOptions& options) { return std::make_unique<HlsCard>(options); }

}  // namespace jogak::xrt_card
