// lds: a vector-memory word to a register.
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Lds& i, Sequencer& seq) {
  const u32 address = seq.registers[i.ra];
  if (address >= seq.memories->vmem.size()) return spec::Fault::onchip;
  seq.registers.set(i.rd, seq.memories->vmem[address]);
  advance(seq);
  return spec::Fault::none;
}

}  // namespace jogak::model
