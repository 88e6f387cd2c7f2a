// A package in SystemC run to its end, into a trace. Counters and queues are those of the dies that are cycle models.
#pragma once

#include "package_trace.hpp"
#include "sim/systemc/platform.hpp"

namespace jogak::trace {

inline void sample(systemc::Platform& platform, PackageTrace& trace) {
  for (unsigned d = 0; d < platform.dies(); ++d) {
    systemc::Chiplet& die = platform.die(d);
    const auto counters = die.counters();
    DieSample s{.counters = {counters.begin(), counters.end()}};
    for (unsigned e = 0; e < kEngines; ++e) s.queued[e] = die.queued(e);
    for (unsigned l = 0; l < kLinks; ++l)
      if (systemc::Link* const link = platform.link(d, l)) s.links[l] = {true, die.links_up(), link->channel().flits(), link->channel().damaged(), platform.use(d, l).replays};
    if (const dram::Dram* const memory = platform.memory(d))
      for (unsigned c = 0; c < memory->channels(); ++c) s.memory.push_back(memory->counts(c));
    trace.sample(d, platform.cycles(), s);
  }
}

// The dies begin in the cycle `lead` after now (0 where all are cycle models). False: not all have ended after `limit` cycles.
inline bool run(systemc::Platform& platform, const std::vector<systemc::Chiplet::Job>& jobs, PackageTrace& trace, u64 limit, u64 lead = 0) {
  std::vector<std::vector<cycle::Event>> events(platform.dies());
  for (unsigned d = 0; d < platform.dies(); ++d) platform.die(d).trace(&events[d]);
  const u64 begin = platform.cycles();
  platform.begin(jobs);
  bool done = false;
  while (!done && platform.cycles() - begin < limit) {
    done = platform.run(trace.header().window - platform.cycles() % trace.header().window);
    for (unsigned d = 0; d < platform.dies(); ++d) {
      for (const cycle::Event& e : events[d]) trace.command(d, static_cast<spec::Engine>(e.engine), e.start, e.pc, e.cycle + begin + lead);
      events[d].clear();
    }
    sample(platform, trace);
  }
  for (unsigned d = 0; d < platform.dies(); ++d) platform.die(d).trace(nullptr);
  if (done) trace.end(platform.cycles());
  return done;
}

}  // namespace jogak::trace
