// The machine's registers where the HLS kernel stands behind them. That has the registers of its own protocol (control, interrupt), two
// arguments, and everything else in memory: a copy of the machine's registers, which it reads at a start and writes at the end (hls/top.cpp).
#pragma once

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "error.hpp"
#include "npu_spec.hpp"
#include "ports.hpp"

namespace jogak::driver::uio {

// Offsets of the kernel's arguments, as Vitis HLS lays them out: an address of 8 bytes, a gap, a word.
constexpr std::uint32_t kHlsRegs = 0x10, kHlsAbort = 0x1c;
constexpr std::uint32_t kHlsRegisterBytes = spec::csr::counter + 64 * 8;

class HlsRegisters final : public Registers {
 public:
  // memory: at least kHlsRegisterBytes that the kernel reaches, for this alone. Runs an empty job: the kernel then says what it is. Throws
  // Error where none answers.
  HlsRegisters(std::unique_ptr<Registers> kernel, std::unique_ptr<Memory> memory) : kernel_(std::move(kernel)), memory_(std::move(memory)) {
    start();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (busy()) {
      if (std::chrono::steady_clock::now() > end) throw Error("hls kernel", "an empty job", "it running after 10 s", "its end");
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    clear();
    done_ = false;
  }

  std::uint32_t read(std::uint32_t offset) override {
    std::lock_guard lock(mutex_);
    const bool working = busy();
    if (offset == spec::csr::ap_ctrl) return working ? kStart : kIdle | (std::exchange(done_, false) ? kDone : 0);
    if (offset < spec::csr::id) return kernel_->read(offset);
    if (offset == spec::csr::status && working) return 1;
    return offset < kHlsRegisterBytes ? regs_[offset / 4] : 0;
  }

  void write(std::uint32_t offset, std::uint32_t value) override {
    std::lock_guard lock(mutex_);
    if (offset == spec::csr::ap_ctrl) {
      if ((value & 1) != 0 && !busy()) start();
    } else if (offset < spec::csr::id) {
      kernel_->write(offset, value);
    } else if (offset == spec::csr::control) {
      if ((value & 1) != 0) kernel_->write(kHlsAbort, 1);
      if ((value & 2) != 0 && !busy()) clear();
    } else if (offset >= spec::csr::launch_flags && offset < spec::csr::counter && !busy()) {
      regs_[offset / 4] = value;
    }
  }

  void enable_interrupt() override { kernel_->enable_interrupt(); }
  bool wait_interrupt(int milliseconds) override { return kernel_->wait_interrupt(milliseconds); }

 private:
  static constexpr std::uint32_t kStart = 1, kDone = 2, kIdle = 4, kContinue = 16;

  void start() {
    std::memcpy(memory_->bytes().data(), regs_.data(), kHlsRegisterBytes);
    memory_->to_device(0, kHlsRegisterBytes);
    kernel_->write(kHlsRegs, static_cast<std::uint32_t>(memory_->address()));
    kernel_->write(kHlsRegs + 4, static_cast<std::uint32_t>(memory_->address() >> 32));
    kernel_->write(kHlsAbort, 0);
    running_ = true;
    kernel_->write(spec::csr::ap_ctrl, kStart);
  }

  // Takes what the job left when it has ended.
  bool busy() {
    if (!running_ || (kernel_->read(spec::csr::ap_ctrl) & kIdle) == 0) return running_;
    running_ = false, done_ = true;
    kernel_->write(spec::csr::ap_ctrl, kContinue);
    memory_->from_device(0, kHlsRegisterBytes);
    std::memcpy(regs_.data(), memory_->bytes().data(), kHlsRegisterBytes);
    return false;
  }

  void clear() {
    for (const std::uint32_t offset : {spec::csr::status, spec::csr::fault_cause, spec::csr::fault_pc, spec::csr::fault_engine, spec::csr::fault_addr_lo, spec::csr::fault_addr_hi})
      regs_[offset / 4] = 0;
  }

  std::unique_ptr<Registers> kernel_;
  std::unique_ptr<Memory> memory_;
  std::mutex mutex_;
  std::array<std::uint32_t, kHlsRegisterBytes / 4> regs_{};
  bool running_ = false, done_ = false;  // done: nobody has read so in ap_ctrl
};

}  // namespace jogak::driver::uio
