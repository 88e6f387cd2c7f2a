// halt: the program ends.
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Halt&, Sequencer& seq) {
  seq.halted = true;
  return spec::Fault::none;
}

}  // namespace jogak::model
