// Packages of either description run to their end, into a trace.
#pragma once

#include <algorithm>
#include <span>

#include "package_trace.hpp"
#include "sim/cycle/package.hpp"
#include "sim/rtl/package.hpp"
#include "watched.hpp"

namespace jogak::trace {

// Commands of the dies go to the trace from here on: before they are launched.
inline void attach(rtl::PackageSimulator& package, PackageTrace& trace) {
  for (unsigned d = 0; d < package.dies(); ++d)
    package.die(d).on_trace([&trace, &package, d](const rtl::TraceEvent& e) { trace.command(d, e.engine, e.start, e.pc, package.cycles()); });
}

// To the next cycle in which samples are taken.
inline u64 rest(const PackageTrace& trace, u64 cycle) { return trace.header().window - cycle % trace.header().window; }

// memories: of each die, or none.
inline void sample(rtl::PackageSimulator& package, PackageTrace& trace, std::span<const Counts> memories) {
  const unsigned columns = trace.header().columns, rows = trace.header().rows;
  for (unsigned d = 0; d < package.dies(); ++d) {
    DieSample s{.counters = package.counters(d)};
    for (unsigned e = 0; e < kEngines; ++e) s.queued[e] = package.queued(d, static_cast<spec::Engine>(e));
    for (unsigned l = 0; l < kLinks; ++l) {
      const unsigned x = d % columns, y = d / columns;
      const bool there = l == 0 ? x + 1 < columns : l == 1 ? x > 0 : l == 2 ? y + 1 < rows : y > 0;
      s.links[l] = {there, package.link_up(d, l), package.channel(d, l).flits(), package.channel(d, l).damaged(), package.link_replays(d, l)};
    }
    if (d < memories.size()) s.memory = *memories[d];
    trace.sample(d, package.cycles(), s);
  }
}
inline void sample(cycle::Package& package, PackageTrace& trace, std::span<const Counts> memories) {
  const unsigned columns = trace.header().columns, rows = trace.header().rows;
  for (unsigned d = 0; d < package.dies(); ++d) {
    const auto counters = package.counters(d);
    DieSample s{.counters = {counters.begin(), counters.end()}};
    for (unsigned e = 0; e < kEngines; ++e) s.queued[e] = package.queued(d, e);
    for (unsigned l = 0; l < kLinks; ++l) {
      const unsigned x = d % columns, y = d / columns;
      const bool there = l == 0 ? x + 1 < columns : l == 1 ? x > 0 : l == 2 ? y + 1 < rows : y > 0;
      if (there) s.links[l] = {true, package.link_up(d, l), package.channel(d, l).flits(), package.channel(d, l).damaged(), package.link(d, l).replays};
    }
    if (d < memories.size()) s.memory = *memories[d];
    trace.sample(d, package.cycles(), s);
  }
}

// The dies have been launched. False: not all have ended after `limit` cycles.
inline bool run(rtl::PackageSimulator& package, PackageTrace& trace, u64 limit, std::span<const Counts> memories = {}) {
  bool done = false;
  for (const u64 begin = package.cycles(); !done && package.cycles() - begin < limit;) {
    done = package.run_until_done(rest(trace, package.cycles()));
    sample(package, trace, memories);
  }
  for (unsigned d = 0; d < package.dies(); ++d) package.die(d).on_trace({});
  if (done) trace.end(package.cycles());
  return done;
}

// The same for the cycle model; it launches by itself.
inline bool run(cycle::Package& package, std::span<const cycle::Package::Launch> launches, PackageTrace& trace, u64 limit, std::span<const Counts> memories = {}) {
  std::vector<std::vector<cycle::Event>> events(package.dies());
  for (unsigned d = 0; d < package.dies(); ++d) package.trace(d, &events[d]);
  package.begin(launches);
  bool done = false;
  for (const u64 begin = package.cycles(); !done && package.cycles() - begin < limit;) {
    done = package.run(package.cycles() + rest(trace, package.cycles()));
    for (unsigned d = 0; d < package.dies(); ++d) {
      for (const cycle::Event& e : events[d]) trace.command(d, static_cast<spec::Engine>(e.engine), e.start, e.pc, e.cycle + package.start(d));
      events[d].clear();
    }
    sample(package, trace, memories);
  }
  for (unsigned d = 0; d < package.dies(); ++d) package.trace(d, nullptr);
  if (done) trace.end(package.cycles());
  return done;
}

}  // namespace jogak::trace
