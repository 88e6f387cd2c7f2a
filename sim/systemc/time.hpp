// SystemC, and what the platform's modules share: cycles as its time, a simulation of one's own.
#pragma once

#include <cstdlib>
#include <systemc>
#include <tlm>

#include "sim/memory_timing.hpp"

namespace jogak::systemc {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
constexpr u64 kNever = ~u64(0);

struct Clock {
  u64 period_ps = 1000;
  sc_core::sc_time at(u64 cycle) const { return sc_core::sc_time::from_value(cycle * period_ps); }
  u64 cycle(const sc_core::sc_time& t) const { return t.value() / period_ps; }
  u64 now() const { return cycle(sc_core::sc_time_stamp()); }
  // Until then.
  sc_core::sc_time until(u64 cycle) const { return at(cycle) - sc_core::sc_time_stamp(); }
};

// SystemC keeps its simulation in one global variable. Each platform has a simulation of its own, which is the current one inside an Enter.
class Simulation {
 public:
  Simulation() {
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    context_ = new sc_core::sc_simcontext;
    sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);  // an idle stretch is no news
  }
  // Its modules must be gone.
  ~Simulation() {
    const Enter in(*this);
    delete context_;
  }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  class Enter {
   public:
    explicit Enter(Simulation& s) : before_(sc_core::sc_curr_simcontext) { sc_core::sc_curr_simcontext = s.context_; }
    ~Enter() { sc_core::sc_curr_simcontext = before_; }
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;

   private:
    sc_core::sc_simcontext* before_;
  };

 private:
  sc_core::sc_simcontext* context_;
};

}  // namespace jogak::systemc
