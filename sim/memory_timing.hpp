// A memory in time, without data: what lies behind an AXI port (sim/axi_pace.hpp) or a SystemC socket (sim/systemc). It takes accesses
// and says when they are done; sim/dram has DRAM behind it, and any other model can be plugged in here. Times are cycles of the port's
// clock. The same calls in the same cycles give the same answers, however often advance() is called between them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace jogak {

class MemoryTiming {
 public:
  struct Done {
    std::uint64_t id, cycle;  // the first cycle in which a read's data, a write's response, may be offered
  };
  virtual ~MemoryTiming() = default;

  // Of one access, which lies at a multiple of it; a power of two.
  virtual std::uint32_t access_bytes() const = 0;
  // In `cycle`: no earlier than the access before, and no earlier than advance() has been told. Any number may wait.
  virtual void access(std::uint64_t cycle, std::uint64_t addr, bool write, std::uint64_t id) = 0;
  // Everything that happens before `cycle` happens.
  virtual void advance(std::uint64_t cycle) = 0;
  // The first cycle for which advance() would do something; ~0: nothing waits.
  virtual std::uint64_t next() = 0;
  // As at power-on: nothing waits, time begins again with the next access. A job begins so.
  virtual void restart() = 0;

  // Ends that advance() found, in the order in which they became known. The caller clears them.
  std::vector<Done>& done() { return done_; }

 protected:
  std::vector<Done> done_;
};

// A memory of its own for each port; an empty function or null: the ideal memory of AxiPace.
using MemoryFactory = std::function<std::unique_ptr<MemoryTiming>()>;

}  // namespace jogak
