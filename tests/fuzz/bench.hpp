// A case on the model and on the RTL, or the HLS kernel in its place: what differs.
#pragma once

#include <memory>

#include "coverage.hpp"
#include "generate.hpp"
#include "sim/rtl/simulator.hpp"

namespace jogak::fuzz {

// One RTL machine for several programs, with a memory of random latency and stalls.
class Bench {
 public:
  Bench(std::string_view config, u64 seed);

  // Runs the case; empty: the same as its meaning. Otherwise the first difference, and the machine is used up.
  std::string run(const Case& c, Oracle& oracle, Coverage* coverage);
  // Runs the case with a memory that falls silent somewhere: must end, with a time-out where anything was left to
  // ask for. The machine is used up.
  std::string silence(const Case& c, Oracle& oracle);
  u64 cycles() const { return cycles_; }
  // Cases with bus errors, and silence(), need one.
  bool has_bus() const { return rtl_->has_bus(); }

 private:
  void prepare(const Case& c, Oracle& oracle, const Code& code);
  bool run_to_end(bool disturb);
  bool abort_once(const Case& c, Oracle& oracle, const Code& code, std::string& out);
  std::string compare(const Case& c, Oracle& oracle, const Meaning& meaning, const sim::RunResult& result);

  std::unique_ptr<rtl::Simulator> rtl_;
  Random random_;
  std::string memory_;  // its latencies and stalls, for messages
  u64 cycles_ = 0;
};

// The commands that a case issues, with their values, one a line.
std::string commands_of(const Case& c, Oracle& oracle);

}  // namespace jogak::fuzz
