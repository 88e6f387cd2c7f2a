// A line of bytes to a board's bridge: TCP or a serial port.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace jogak::driver::litex {

using Milliseconds = std::chrono::milliseconds;

class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string name() const = 0;
  // All bytes; throws Error if the line is closed or takes nothing for `patience`.
  virtual void send(std::span<const std::uint8_t> bytes, Milliseconds patience) = 0;
  // At least one byte, if one comes in time, else 0; throws Error if the line is closed.
  virtual std::size_t receive(std::span<std::uint8_t> bytes, Milliseconds patience) = 0;
  // The time that patience is measured in: this computer's, or a simulated board's own.
  virtual Milliseconds now() const {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }
  // How long `bytes` may take on the line itself.
  virtual Milliseconds duration(std::size_t bytes) const = 0;
};

// target: HOST:PORT. Throws Error.
std::unique_ptr<Transport> open_tcp(const std::string& target);
// target: DEVICE[:BAUD], e.g. /dev/ttyUSB0:1000000. Throws Error.
std::unique_ptr<Transport> open_uart(const std::string& target);

}  // namespace jogak::driver::litex
