// The semaphores: counts, and who waits for which. One giver and one taker each, so requests never compete for a count. Those behind the
// chiplet's own are given by other chiplets.
#pragma once

#include "streams.hpp"

namespace jogak { namespace JG_NAMESPACE {

constexpr u32 kEngines = 5;  // in the order of spec::Engine
constexpr u32 kSemaphores = spec::limit::semaphores + (kLinks ? spec::limit::remote_semaphores : 0);
// Who gives, behind the engines: faults of loads, the host's abort, faults of stores, other chiplets.
enum Giver : u32 { kLoadFault = kEngines, kAbort, kStoreFault, kArrivals, kGivers = kStoreFault + 2 * JG_LINKS };

using Gives = Fifo<SemRequest, 4>[kGivers];
using Takes = Fifo<SemRequest, 2>[kEngines];
using Grants = Fifo<bool, 2>[kEngines];

using Pending = SemRequest[kEngines];  // op take: the engine waits

// After a fault every wait is answered false: the engine throws away what is left in its queue. A clear is granted when it is done.
inline void semaphores(Gives& give, Takes& take, Grants& grant) {
  JG_STATES(u16, count, kSemaphores);
  JG_MEMORY(Pending, pending);
  JG_STATE(bool, faulted);
  JG_PARTITION(count, 1)
  JG_PARTITION(pending, 1)
  JG_PIPELINE(1)
  for (u32 e = 0; e < kGivers; ++e) {
    JG_UNROLL
    SemRequest q;
    if (!give[e].read_nb(q)) continue;
    if (q.op == SemOp::clear) {
      for (u32 s = 0; s < kSemaphores; ++s) count[s] = 0;
      faulted = false;
      pending[static_cast<u32>(spec::Engine::seq)] = {SemOp::take, 0, 0};
    }
    if (q.op == SemOp::fault) faulted = true;
    if (q.op == SemOp::give) count[q.sem] = static_cast<u16>(count[q.sem] + q.n);
  }
  for (u32 e = 0; e < kEngines; ++e) {
    JG_UNROLL
    SemRequest& wait = pending[e];
    if (wait.op != SemOp::take) take[e].read_nb(wait);
    if (wait.op != SemOp::take || (!faulted && count[wait.sem] < wait.n)) continue;
    if (!faulted) count[wait.sem] = static_cast<u16>(count[wait.sem] - wait.n);
    grant[e].write(!faulted);
    wait.op = SemOp::clear;
  }
}

// Waits; false after a fault.
inline bool granted(u8 sem, u8 n, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant) {
  take.write({SemOp::take, sem, n});
  JG_THEN;
  return grant.read();
}

// Tells the semaphores and the sequencer when the host ends the job early: one that waits for another chiplet would not see it. At the end of
// the job, which the first word of `over` says, a last word to the sequencer tells whether that was.
inline void abort_watch(JG_FLAG abort, Fifo<bool, 2>& over, Fifo<SemRequest, 4>& give, Fifo<bool, 2>& aborted) {
  bool end = false, raised = false;
  while (!over.read_nb(end)) {
    if (!raised && JG_FLAG_SET(abort)) {
      raised = true;
      give.write({SemOp::fault, 0, 0});
      aborted.write(true);
    }
    JG_SPIN(over);
  }
  aborted.write(raised);
}

}}  // namespace jogak::JG_NAMESPACE
