// load: a DRAM box, or rows named by an index list, to on-chip memory.
#include <cstring>

#include "execute.hpp"

namespace jogak::model {

using spec::Counter;
using spec::Fault;

Fault check_dma(const DmaBox& box, const Env& env, bool permitted) {
  const u64 chip_granule = box.space == spec::Space::vmem ? 4 : 2;
  if (misaligned(2, box.da, box.ds1, box.ds2)) return Fault::align;
  if (misaligned(chip_granule, box.ca, box.cs1, box.cs2, box.len)) return Fault::align;
  if (box.len > spec::limit::len_max) return Fault::shape;
  if (box.n1 > spec::limit::count_max || box.n2 > spec::limit::count_max) return Fault::shape;
  if (box.empty()) return Fault::none;
  if (!permitted || box.dram_end() > env.windows[box.win].size) return Fault::window;
  if (box.onchip_end() > env.memories.bytes(box.space).size()) return Fault::onchip;
  return Fault::none;
}

Fault check(const LoadCmd& c, const Env& env) {
  const Fault fault = check_dma(c, env, env.windows[c.win].readable);
  if (fault != Fault::none || c.empty() || !c.gather) return fault;
  return u64(c.idx) + c.n1 > env.memories.vmem.size() ? Fault::onchip : Fault::none;
}

EngineFault execute(const LoadCmd& c, Env& env) {
  ++env.counters[Counter::cmd_load];
  if (c.empty()) return {};
  const BoundWindow& window = env.windows[c.win];
  const std::span<u8> chip = env.memories.bytes(c.space);
  u64 beats = 0, bursts = 0;
  for (u64 i2 = 0; i2 < c.n2; ++i2) {
    for (u64 i1 = 0; i1 < c.n1; ++i1) {
      const u64 row = c.gather ? env.memories.vmem[c.idx + i1] : i1;
      // row * ds1 fits 64 bits, but with the rest added it may not.
      if (row * c.ds1 > window.size) return {Fault::index, row};
      const u64 offset = c.dram(i2, row);
      if (offset + c.len > window.size) return {Fault::index, row};
      std::memcpy(&chip[c.onchip(i2, i1)], window.host + offset, c.len);
      const PortCost cost = port_cost(window.base + offset, c.len, env.config.port_bytes);
      beats += cost.beats;
      bursts += cost.bursts;
    }
  }
  const u64 runs = u64(c.n1) * c.n2;
  env.counters[Counter::load_bytes] += runs * c.len;
  env.counters[Counter::load_beats] += beats;
  env.counters[Counter::load_bursts] += bursts;
  if (c.gather) env.counters[Counter::gather_rows] += runs;
  return {};
}

}  // namespace jogak::model
