// What schedules share: names of instructions, small sums on sequencer registers for addresses.
#pragma once
#include <bit>
#include <cstdint>

#include "../emit/emitter.hpp"

namespace jogak::schedule {

// Constants and temporaries it returns are good for the next few instructions (see Emitter).
class Arithmetic {
 public:
  explicit Arithmetic(bool hoist, unsigned variables = emit::Emitter::kVariables) : e_(hoist, variables) {}

 protected:
  using Reg = emit::Reg;
  using AluFn = spec::AluFn;
  using Bmode = spec::Bmode;
  using Engine = spec::Engine;
  using Load = spec::Load;
  using Mm = spec::Mm;
  using Qnt = spec::Qnt;
  using Space = spec::Space;
  using Store = spec::Store;
  using Vec = spec::Vec;
  using Vfunc = spec::Vfunc;
  using Vop = spec::Vop;
  using Vred = spec::Vred;

  static std::uint32_t u32(long long x) { return static_cast<std::uint32_t>(x); }
  Reg k(long long value) { return e_.constant(u32(value)); }
  Reg kf(float value) { return e_.constant(std::bit_cast<std::uint32_t>(value)); }
  Reg sum(Reg a, long long b) { return b == 0 ? a : with(AluFn::add, a, b); }
  Reg shifted(AluFn fn, Reg a, int by) { return with(fn, a, by); }
  Reg times(Reg a, long long b) { return with(AluFn::mul, a, b); }
  void advance(Reg r, long long by) { e_.alui(AluFn::add, r, r, u32(by)); }
  // Two-valued register: a <-> b.
  void toggle(Reg r, long long a, long long b) {
    const Reg t = e_.temporary();
    e_.set(t, u32(a + b));
    e_.alu(AluFn::sub, r, t, r);
  }

  emit::Emitter e_;

 private:
  Reg with(AluFn fn, Reg a, long long b) {
    const Reg t = e_.temporary();
    e_.alui(fn, t, a, u32(b));
    return t;
  }
};

}  // namespace jogak::schedule
