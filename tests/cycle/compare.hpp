// A random program in the RTL and in the cycle model, with the same memory: what differs in time.
#pragma once

#include "sim/cycle/chip.hpp"
#include "sim/cycle/recorder.hpp"
#include "sim/rtl/simulator.hpp"
#include "tests/fuzz/generate.hpp"

namespace jogak::fuzz {

struct Difference {
  u64 rtl = 0, model = 0;  // cycles
  std::string text;        // first command whose start or end differs, counters; empty: the same
  u64 cycles_off() const { return rtl > model ? rtl - model : model - rtl; }
};

// One configuration's RTL, for many programs.
class TimeBench {
 public:
  TimeBench(std::string_view config, u64 seed);

  // resident: the second launch of two, which finds the program in instruction memory.
  Difference run(Case c, Oracle& oracle, bool resident = false);

 private:
  struct Timed {
    std::array<u64, 64> counters{};
    std::vector<cycle::Event> events;
  };
  Timed on_rtl(const Case& c, Oracle& oracle, const Code& code, bool resident);
  Timed on_model(const Case& c, Oracle& oracle, const Code& code, bool resident);

  AxiPace::Options memory_;
  std::unique_ptr<MemoryTiming> behind_;  // of the model: a DRAM for two seeds of three
  std::unique_ptr<rtl::Simulator> rtl_;
};

}  // namespace jogak::fuzz
