#include "simulator.hpp"

namespace jogak::sim {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

namespace {

constexpr u32 kDone = 1, kBusy = 1, kFault = 2, kBusDead = 4, kAborted = 8;

u64 read_pair(Simulator& s, u32 offset) {
  const u64 low = s.read_csr(offset);
  return low | u64(s.read_csr(offset + 4)) << 32;
}

}  // namespace

void prepare(Simulator& s, const LaunchSetup& setup) {
  for (u32 i = 0; i < setup.args.size(); ++i) s.write_csr(csr::arg_at(i), setup.args[i]);
  for (u32 i = 0; i < setup.windows.size(); ++i) {
    const WindowSetup& w = setup.windows[i];
    s.write_csr(csr::win_base_lo_at(i), u32(w.base));
    s.write_csr(csr::win_base_hi_at(i), u32(w.base >> 32));
    s.write_csr(csr::win_size_at(i), w.size);
    s.write_csr(csr::win_flags_at(i), u32(w.readable) | u32(w.writable) << 1);
  }
  s.write_csr(csr::launch_flags, setup.resident);
  s.write_csr(csr::code_lo, u32(setup.code));
  s.write_csr(csr::code_hi, u32(setup.code >> 32));
  s.write_csr(csr::code_len, setup.code_len);
  s.write_csr(csr::watchdog, setup.watchdog);
  s.write_csr(csr::bus_timeout, setup.bus_timeout);
  s.write_csr(csr::ap_gie, 1);
  s.write_csr(csr::ap_ier, 1);
  s.write_csr(csr::ap_isr, kDone);
}
void start(Simulator& s) { s.write_csr(csr::ap_ctrl, 1); }
void launch(Simulator& s, const LaunchSetup& setup) {
  prepare(s, setup);
  start(s);
}

RunResult collect(Simulator& s) {
  RunResult result;
  const u32 status = s.read_csr(csr::status);
  result.done = (status & kBusy) == 0;
  result.aborted = (status & kAborted) != 0;
  result.bus_dead = (status & kBusDead) != 0;
  if (status & kFault) {
    result.fault = {static_cast<spec::Fault>(s.read_csr(csr::fault_cause)), s.read_csr(csr::fault_pc),
                    static_cast<spec::Engine>(s.read_csr(csr::fault_engine)), read_pair(s, csr::fault_addr_lo)};
  }
  for (const spec::CounterInfo& c : spec::counters) {
    result.counters[c.index] = read_pair(s, csr::counter_at(c.index));
  }
  s.write_csr(csr::ap_isr, kDone);
  return result;
}

RunResult run(Simulator& s, const LaunchSetup& setup, u64 cycle_limit) {
  launch(s, setup);
  s.run_until_irq(cycle_limit);
  return collect(s);
}

}  // namespace jogak::sim
