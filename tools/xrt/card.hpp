// The machine on a simulated card: registers, memory, and time that goes on while the host does nothing.
#pragma once

#include <memory>
#include <string>

#include "npu_spec.hpp"
#include "wire.hpp"

namespace jogak::xrt_card {

constexpr u64 kMemoryBase = u64(1) << 32;  // of the card's one bank, as the machine sees it
constexpr u64 kRegisterBase = 0x1c00000;   // of the machine's registers on the card's control bus
constexpr u64 kRegisterBytes = 4096;

class Card {
 public:
  virtual ~Card() = default;
  virtual u64 memory_bytes() const = 0;
  // offset: from kMemoryBase, inside the memory.
  virtual void write_memory(u64 offset, Bytes bytes) = 0;
  virtual void read_memory(u64 offset, std::span<u8> bytes) = 0;
  // offset: a multiple of 4 below kRegisterBytes. Answers while a job runs too.
  virtual u32 read(u32 offset) = 0;
  virtual void write(u32 offset, u32 value) = 0;
  // A little of what there is to simulate; false: nothing to do on this thread.
  virtual bool work() = 0;
};

struct CardOptions {
  std::string config = "nano";
  std::string on = "model";  // "model", "hls", "cycle", "systemc", "rtl", the last three with ":MEMORY" behind them if wanted
  u64 memory_bytes = u64(256) << 20;
};

// Throws Error.
std::unique_ptr<Card> make_card(const CardOptions& options);
std::unique_ptr<Card> make_device_card(const CardOptions& options);  // any simulator behind driver/device.hpp
std::unique_ptr<Card> make_hls_card(const CardOptions& options);     // the HLS kernel, with its own registers
std::unique_ptr<Card> make_rtl_card(const CardOptions& options);     // of a build with Verilator

}  // namespace jogak::xrt_card
