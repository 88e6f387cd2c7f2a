// A chiplet as a SystemC module: ports to its links and to its memory. What is inside is one of several (cycle_chiplet.hpp, rtl_chiplet.hpp),
// chosen die by die.
#pragma once

#include <functional>
#include <span>

#include "link.hpp"
#include "memory_socket.hpp"
#include "sim/cycle/chip.hpp"
#include "sim/model/machine.hpp"

namespace jogak::systemc {

constexpr u32 kLinks = 4;  // east, west, north, south

// What a link has carried in one direction.
struct LinkUse {
  u64 flits = 0, payload_bytes = 0, busy_cycles = 0, replays = 0;
};

class Chiplet : public sc_core::sc_module {
 public:
  struct Job {
    model::Launch launch;  // its code must live until the end
    u64 code = 0;          // address of the program
    bool resident = false;
  };
  struct Options {
    Clock clock;
    u32 x = 0, y = 0, last_x = 0, last_y = 0;  // its place, and that of the mesh's last one
    u32 memory_access = 0;                     // bytes of an access of the memory at the socket; 0: an ideal memory inside
    AxiPace::Options ideal;                    // that one
  };

  // Per neighbour, bound where there is one.
  std::array<sc_core::sc_port<LinkIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND>, kLinks> out, in;

  // The next launch: its cycle 0 is `cycle`, no earlier than SystemC's time. Called between runs.
  virtual void launch(const Job& job, u64 cycle) = 0;
  virtual bool over() const = 0;
  virtual bool waits_in_vain() const = 0;
  virtual bool links_up() const = 0;
  virtual void abort() = 0;
  // Between a run that broke off and the next launch: what still comes is thrown away, until nothing does.
  virtual void discard(bool all) = 0;
  virtual bool rests() const = 0;
  // payload_bytes and replays of what it sends by a link.
  virtual LinkUse sent(u32 link) const = 0;
  // Ends a run that waits in vain.
  virtual void give_up() = 0;
  virtual const model::Result& result() const = 0;
  virtual u64 local_cycle() const = 0;  // since the launch
  virtual void trace(std::vector<cycle::Event>* events) = 0;
  // For traces, where the inside shows them: counters of the run so far (spec::Counter), entries in an engine's queue.
  virtual std::array<u64, 64> counters() const { return {}; }
  virtual u32 queued(u32) const { return 0; }
  // The memory's initiator socket; null with an ideal memory.
  virtual SocketMemory* memory() = 0;
  // Notified when the run is over or waits in vain.
  const sc_core::sc_event& changed() const { return changed_; }

 protected:
  using sc_module::sc_module;
  sc_core::sc_event changed_;
};

}  // namespace jogak::systemc
