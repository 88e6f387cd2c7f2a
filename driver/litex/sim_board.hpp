// A simulated board for tests: jogak-litex-sim in a process of its own, serving one client after the other.
#pragma once

#include <string>

namespace jogak::driver::litex {

class SimBoard {
 public:
  // Throws Error where the simulator does not start.
  SimBoard();
  ~SimBoard();
  SimBoard(const SimBoard&) = delete;
  SimBoard& operator=(const SimBoard&) = delete;

  static bool built();
  // HOST:PORT
  const std::string& target() const { return target_; }

 private:
  int process_ = -1;
  std::string target_;
};

// One for all tests of this program.
SimBoard& sim_board();

}  // namespace jogak::driver::litex
