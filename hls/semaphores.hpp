// The semaphores: counts, and who waits for which. One giver and one taker each, so requests never compete for a count.
#pragma once

#include "streams.hpp"

namespace jogak { namespace JG_NAMESPACE {

constexpr u32 kEngines = 5;  // in the order of spec::Engine

using Gives = Fifo<SemRequest, 4>[kEngines + 1];  // the last: faults
using Takes = Fifo<SemRequest, 2>[kEngines];
using Grants = Fifo<bool, 2>[kEngines];

// After a fault every wait is answered false: the engine throws away what is left in its queue.
inline void semaphores(Gives& give, Takes& take, Grants& grant) {
  JG_STATES(u16, count, spec::limit::semaphores);
  JG_STATES(SemRequest, pending, kEngines);
  JG_STATES(bool, waits, kEngines);
  JG_STATE(bool, faulted);
  JG_PARTITION(pending, 1)
  JG_PARTITION(waits, 1)
  for (u32 e = 0; e <= kEngines; ++e) {
    SemRequest q;
    if (!give[e].read_nb(q)) continue;
    if (q.op == SemOp::clear) {
      for (u32 s = 0; s < spec::limit::semaphores; ++s) count[s] = 0;
      faulted = false;
    }
    if (q.op == SemOp::fault) faulted = true;
    if (q.op == SemOp::give) count[q.sem] = static_cast<u16>(count[q.sem] + q.n);
  }
  for (u32 e = 0; e < kEngines; ++e) {
    if (!waits[e]) waits[e] = take[e].read_nb(pending[e]);
    if (!waits[e] || (!faulted && count[pending[e].sem] < pending[e].n)) continue;
    if (!faulted) count[pending[e].sem] = static_cast<u16>(count[pending[e].sem] - pending[e].n);
    grant[e].write(!faulted);
    waits[e] = false;
  }
}

}}  // namespace jogak::JG_NAMESPACE
