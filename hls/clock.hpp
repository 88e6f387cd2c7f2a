// Cycles since reset, for whoever asks.
#pragma once

#include "streams.hpp"

namespace jogak { namespace JG_NAMESPACE {

// On a device a task that never waits, so that its interval of 1 counts cycles. C simulation has no time: there the answer is
// csim::time(), which is 0 unless a test sets it.
inline void cycle_clock(Fifo<bool, 2>& ask, Fifo<u64, 2>& now) {
  JG_STATE(u64, cycle);
  JG_PIPELINE(1)
  JG_NEXT_CYCLE(cycle, ask);
  now.write(cycle);
}

}}  // namespace jogak::JG_NAMESPACE
