// What the sequencer itself executes: registers, loops, the issued semaphore balance.
#pragma once

#include <array>

#include "state.hpp"

namespace jogak::model {

class Registers {
 public:
  u32 operator[](u32 index) const { return values_[index]; }
  void set(u32 index, u32 value) {
    if (index != 0) values_[index] = value;
  }

 private:
  std::array<u32, spec::limit::registers> values_{};
};

struct OpenLoop {
  u32 first, last;  // the body, inclusive
  u32 left;         // rounds still to run, this one included
};

struct Sequencer {
  Registers registers;
  u32 pc = 0;
  u32 code_len = 0;
  std::array<OpenLoop, spec::limit::loop_depth> loops{};
  u32 depth = 0;
  // Signals issued minus waits issued, in program order.
  std::array<u32, spec::limit::semaphores> balance{};
  // Of the package, where there is one: what other chiplets have given and was not taken; counts stay between launches of a package.
  std::array<u32, spec::limit::remote_semaphores>* remote = nullptr;
  bool halted = false;
  bool blocked = false;  // the wait at pc needs a signal of another chiplet
  const Memories* memories = nullptr;
};

u32 compute(spec::AluFn fn, u32 a, u32 b);

// Execute one instruction and move pc, or change nothing and tell the fault.
spec::Fault step(const spec::Alu&, Sequencer&);
spec::Fault step(const spec::Alui&, Sequencer&);
spec::Fault step(const spec::Loop&, Sequencer&);
spec::Fault step(const spec::Lds&, Sequencer&);
spec::Fault step(const spec::Wait&, Sequencer&);
spec::Fault step(const spec::Signal&, Sequencer&);
spec::Fault step(const spec::Halt&, Sequencer&);

// To the next instruction, or back to the start of the loop that ends here.
void advance(Sequencer&);

}  // namespace jogak::model
