// store: an on-chip box to DRAM.
#include <cstring>

#include "execute.hpp"

namespace jogak::model {

using spec::Counter;

spec::Fault check(const StoreCmd& c, const Env& env) {
  return check_dma(c, env, env.windows[c.win].writable);
}

EngineFault execute(const StoreCmd& c, Env& env) {
  ++env.counters[Counter::cmd_store];
  if (c.empty()) return {};
  const BoundWindow& window = env.windows[c.win];
  const std::span<u8> chip = env.memories.bytes(c.space);
  u64 beats = 0, bursts = 0;
  for (u64 i2 = 0; i2 < c.n2; ++i2) {
    for (u64 i1 = 0; i1 < c.n1; ++i1) {
      const u64 offset = c.dram(i2, i1);
      std::memcpy(window.host + offset, &chip[c.onchip(i2, i1)], c.len);
      const PortCost cost = port_cost(window.base + offset, c.len, env.config.port_bytes);
      beats += cost.beats;
      bursts += cost.bursts;
    }
  }
  env.counters[Counter::store_bytes] += u64(c.n1) * c.n2 * c.len;
  env.counters[Counter::store_beats] += beats;
  env.counters[Counter::store_bursts] += bursts;
  return {};
}

}  // namespace jogak::model
