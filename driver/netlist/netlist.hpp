// The line to a board that is simulated from its placed design, in this process. Its time is the board's: what waits
// for the board waits in simulated milliseconds, however slow the simulation is.
#pragma once

#include <deque>

#include "driver/litex/bridge.hpp"
#include "sim/netlist/board.hpp"

namespace jogak::driver::litex {

// A board has no other client, and forgets a half command after 100 ms; a silence before the first word is not needed.
constexpr Patience kNetlistPatience{.answer = Milliseconds(20), .silence = Milliseconds(1), .tries = 4};

class NetlistLine final : public Transport {
 public:
  NetlistLine(std::shared_ptr<netlist::NetlistBoard> board, std::string name) : board_(std::move(board)), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  void send(std::span<const u8> bytes, Milliseconds) override { in_.insert(in_.end(), bytes.begin(), bytes.end()); }
  std::size_t receive(std::span<u8> bytes, Milliseconds patience) override;
  Milliseconds now() const override;
  Milliseconds duration(std::size_t bytes) const override;

 private:
  std::shared_ptr<netlist::NetlistBoard> board_;
  std::string name_;
  std::deque<u8> in_;
};

}  // namespace jogak::driver::litex
