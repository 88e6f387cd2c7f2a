// A simulated board: jogak-litex-sim in a process of its own, serving one client after the other until this object
// goes.
#pragma once

#include <string>

namespace jogak::litex_sim {

class SimBoard {
 public:
  // program: path of jogak-litex-sim. Throws Error where it does not start.
  explicit SimBoard(const std::string& program);
  ~SimBoard();
  SimBoard(const SimBoard&) = delete;
  SimBoard& operator=(const SimBoard&) = delete;

  // HOST:PORT
  const std::string& target() const { return target_; }

 private:
  int process_ = -1;
  std::string target_;
};

}  // namespace jogak::litex_sim
