// One engine command at a time: is it legal, what does it do. One file per instruction.
#pragma once

#include <array>

#include "commands.hpp"
#include "counters.hpp"

namespace jogak::model {

using Windows = std::array<BoundWindow, spec::limit::windows>;

// What a command sees of its machine.
struct Env {
  const spec::Config& config;
  const Windows& windows;
  Memories& memories;
  Counters& counters;
  bool exact = false;  // take the slow definition even where a fast path exists
  Remote* remote = nullptr;
};

// First synchronous fault after opcode and reserved: align, shape, window, onchip; or none.
spec::Fault check(const LoadCmd&, const Env&);
spec::Fault check(const StoreCmd&, const Env&);
spec::Fault check(const MmCmd&, const Env&);
spec::Fault check(const VecCmd&, const Env&);
spec::Fault check(const QntCmd&, const Env&);

// An asynchronous fault and its address.
struct EngineFault {
  spec::Fault code = spec::Fault::none;
  u64 address = 0;
};

// Counts and executes a command that passed its check.
EngineFault execute(const LoadCmd&, Env&);
EngineFault execute(const StoreCmd&, Env&);
EngineFault execute(const MmCmd&, Env&);
EngineFault execute(const VecCmd&, Env&);
EngineFault execute(const QntCmd&, Env&);

inline spec::Fault check(const Command& command, const Env& env) {
  return std::visit([&](const auto& c) { return check(c, env); }, command);
}
inline EngineFault execute(const Command& command, Env& env) {
  return std::visit([&](const auto& c) { return execute(c, env); }, command);
}

// True if any value is not a multiple of granule.
template <class... Values>
bool misaligned(u64 granule, Values... values) {
  return ((values % granule != 0) || ...);
}

// The checks that load and store share.
spec::Fault check_dma(const DmaBox&, const Env&, bool permitted);

// What one DMA run of len bytes at a physical address costs on the memory port.
struct PortCost {
  u64 beats, bursts;
};
inline PortCost port_cost(u64 address, u64 len, u64 port_bytes) {
  const u64 last = address + len - 1;
  const u64 burst_bytes = port_bytes * spec::limit::burst_beats;
  return {last / port_bytes - address / port_bytes + 1,
          last / burst_bytes - address / burst_bytes + 1};
}

}  // namespace jogak::model
