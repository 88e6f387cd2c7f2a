// loop: the body pc+1..end runs rc times; loops nest and end strictly inside each other.
#include "control.hpp"

namespace jogak::model {

spec::Fault step(const spec::Loop& i, Sequencer& seq) {
  const u32 rounds = seq.registers[i.rc];
  const u32 outer_end = seq.depth > 0 ? seq.loops[seq.depth - 1].last : seq.code_len;
  if (seq.depth == spec::limit::loop_depth || i.end <= seq.pc || i.end >= outer_end) {
    return spec::Fault::loop;
  }
  if (rounds == 0) {
    seq.pc = i.end + 1u;
    return spec::Fault::none;
  }
  seq.loops[seq.depth++] = {seq.pc + 1, i.end, rounds};
  ++seq.pc;
  return spec::Fault::none;
}

// Ends differ strictly, so at most one loop ends at an instruction.
void advance(Sequencer& seq) {
  if (seq.depth > 0 && seq.loops[seq.depth - 1].last == seq.pc) {
    OpenLoop& loop = seq.loops[seq.depth - 1];
    if (--loop.left > 0) {
      seq.pc = loop.first;
      return;
    }
    --seq.depth;
  }
  ++seq.pc;
}

}  // namespace jogak::model
