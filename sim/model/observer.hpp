// Something that watches a run in program order.
#pragma once

#include "execute.hpp"

namespace jogak::model {

class Observer {
 public:
  virtual ~Observer() = default;
  // Before the command executes; env shows the memories it will read.
  virtual void command(u32 pc, const Command&, const Env&) = 0;
  virtual void wait(u32 pc, const spec::Wait&) = 0;
  virtual void signal(u32 pc, const spec::Signal&) = 0;
  // The sequencer read vmem word address and found value.
  virtual void lds(u32 pc, u32 address, u32 value) = 0;
};

}  // namespace jogak::model
