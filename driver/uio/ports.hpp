// What lies between the uio backend and Linux: the registers with their interrupt, and a contiguous buffer that the machine
// reaches too. The backend sees only these two, so a test can put a machine behind them, and driver/xrt a card. Methods throw
// jogak::Error.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace jogak::driver::uio {

constexpr std::uint64_t kRegisterBytes = 4096;  // what the machine decodes
constexpr std::uint64_t kCacheLine = 64;        // the longest of the processors that boards have

class Registers {
 public:
  virtual ~Registers() = default;
  virtual std::uint32_t read(std::uint32_t offset) = 0;
  virtual void write(std::uint32_t offset, std::uint32_t value) = 0;
  // The kernel masks an interrupt when it comes; this allows the next one.
  virtual void enable_interrupt() = 0;
  // True if one came since the last call that returned true; waits for it at most this long.
  virtual bool wait_interrupt(int milliseconds) = 0;
};

// Ranges of to_device and from_device are whole cache lines.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::span<std::uint8_t> bytes() = 0;
  virtual std::uint64_t address() const = 0;  // as the machine sees it
  virtual void to_device(std::uint64_t at, std::uint64_t bytes) = 0;
  virtual void from_device(std::uint64_t at, std::uint64_t bytes) = 0;
};

struct Ports {
  std::string backend = "uio";  // its name
  std::string place;            // for messages: "npu (/dev/uio0)"
  std::uint64_t clock_hz = 0;   // 0: the device tree does not say
  double patience_s = 0;        // a job that takes longer is a time-out, whatever the wait's limit; 0: for ever
  std::unique_ptr<Registers> registers;
  std::unique_ptr<Memory> memory;
};

// target: NAME or NAME:BUFFER, by name in /sys/class/uio (or uio0, uio1, ...) and /sys/class/u-dma-buf. Without BUFFER:
// NAME-memory, else the only buffer there is. root stands before every path; "" is the running system.
// Throws for a device that is not there, is not unique, is too small, is in use, or may not be opened.
Ports open_ports(const std::string& root, const std::string& target);

}  // namespace jogak::driver::uio
