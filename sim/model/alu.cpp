// alu: rd = fn(ra, rb), 32-bit, wraps.
#include <algorithm>

#include "control.hpp"

namespace jogak::model {

u32 compute(spec::AluFn fn, u32 a, u32 b) {
  switch (fn) {
    case spec::AluFn::add: return a + b;
    case spec::AluFn::sub: return a - b;
    case spec::AluFn::mul: return a * b;
    case spec::AluFn::and_: return a & b;
    case spec::AluFn::or_: return a | b;
    case spec::AluFn::shl: return a << (b & 31);
    case spec::AluFn::shr: return a >> (b & 31);
    case spec::AluFn::minu: return std::min(a, b);
    case spec::AluFn::maxu: return std::max(a, b);
    case spec::AluFn::ltu: return a < b;
    case spec::AluFn::eq: break;
  }
  return a == b;
}

spec::Fault step(const spec::Alu& i, Sequencer& seq) {
  seq.registers.set(i.rd, compute(i.fn, seq.registers[i.ra], seq.registers[i.rb]));
  advance(seq);
  return spec::Fault::none;
}

}  // namespace jogak::model
