// Sliding layers need the keys of their window only: they keep them in a ring of chunks, token t in slot t modulo the ring.
#pragma once
#include <cstdint>

namespace jogak::schedule {

struct Plan;

struct RingCache {
  int tokens = 0;  // of the ring; 0: every layer keeps the whole context
  // chunk index / chunks of the ring = index * multiplier >> shift, for every index of the context.
  std::uint32_t multiplier = 0, shift = 0;
};

// The smallest ring that holds the window of a launch's first row beside all of its rows, since these are written first: none where that is
// the context, where nothing slides, or where the cache lies in pages.
RingCache ring_cache(const Plan& plan);

}  // namespace jogak::schedule
