// alui: rd = fn(ra, imm).
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Alui& i, Sequencer& seq) {
  seq.registers.set(i.rd, compute(i.fn, seq.registers[i.ra], i.imm));
  advance(seq);
  return spec::Fault::none;
}

}  // namespace jogak::model
