// store: an on-chip box to DRAM, or to the memory of another chiplet.
#include <algorithm>
#include <cstring>

#include "execute.hpp"

namespace jogak::model {

using spec::Counter;

namespace {

// Burst by burst, as it goes over the port; the address of the first that is refused.
EngineFault store_remote(u64 address, std::span<const u8> bytes, const Env& env) {
  const u64 burst = u64(env.config.port_bytes) * spec::limit::burst_beats;
  while (!bytes.empty()) {
    const u64 length = std::min<u64>(bytes.size(), burst - address % burst);
    if (env.remote == nullptr || !env.remote->write(address, bytes.first(length))) return {spec::Fault::bus, address / env.config.port_bytes * env.config.port_bytes};
    address += length;
    bytes = bytes.subspan(length);
  }
  return {};
}

}  // namespace

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
      if (is_remote(window.base)) {
        const EngineFault fault = store_remote(window.base + offset, chip.subspan(c.onchip(i2, i1), c.len), env);
        if (fault.code != spec::Fault::none) return fault;
      } else {
        std::memcpy(window.host + offset, &chip[c.onchip(i2, i1)], c.len);
      }
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
