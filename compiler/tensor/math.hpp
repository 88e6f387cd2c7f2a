// Functions composed of the vector engine's operations, on flat pieces in vector memory.
#pragma once
#include <functional>
#include <initializer_list>
#include <vector>

#include "code.hpp"
#include "graph.hpp"

namespace jogak::tensor {

// A buffer by number; negative: none.
using Slot = int;

// The second operand of an operation: a buffer, a number, or a register with a number's bits.
struct Arg {
  Arg(Slot slot) : buffer(slot) {}                    // NOLINT: reads as an operand
  Arg(float x) : number(x) {}                         // NOLINT
  static Arg of(Reg r) {
    Arg a(0.0f);
    a.reg = r;
    return a;
  }
  Slot buffer = -1;
  float number = 0;
  int reg = -1;
};

// Emits operations over `count()` words of buffers of `words` words each, the first of them at `base`. Without code it only counts
// the buffers that are needed.
class Math {
 public:
  Math() = default;
  Math(Code& code, std::uint32_t base, std::uint32_t words, std::function<Reg()> count)
      : code_(&code), base_(base), words_(words), count_(std::move(count)) {}

  Slot buffer();           // a free one
  void release(Slot s) { used_[static_cast<std::size_t>(s)] = false; }
  std::size_t most() const { return used_.size(); }
  Buffer at(Slot s) const { return {base_ + static_cast<std::uint32_t>(s) * words_}; }

  // out = f(operands), `out` no operand but for binary and unary operators with out = a; `whole`: i32 division.
  void binary(Op op, Slot out, Arg a, Arg b, bool whole);
  void unary(Op op, DType to, Slot out, Slot x);
  void select(Slot out, Slot condition, Arg a, Arg b);
  void bring(Slot out, Arg a);        // a as a buffer
  // 2^23 + index, for indices of an axis of this size: negative ones count from the end, then clamped.
  void index(Slot x, std::int64_t size);

 private:
  struct Flags {
    bool nega = false, negb = false, absa = false;
    spec::Vfunc func = spec::Vfunc::none;
  };
  void vec(spec::Vop op, Slot out, Slot a, Arg b, float s, Flags f);
  void mul(Slot out, Slot a, Arg b) { vec(spec::Vop::mul, out, a, b, 0, {}); }
  void mad(Slot out, Slot a, float s, Arg b) { vec(spec::Vop::mad, out, a, b, s, {}); }  // a * s + b, one rounding
  void sub(Slot out, Slot a, Arg b) { vec(spec::Vop::mad, out, a, b, 1, {.negb = true}); }
  void max(Slot out, Slot a, Arg b) { vec(spec::Vop::max, out, a, b, 0, {}); }
  void min(Slot out, Slot a, Arg b) { vec(spec::Vop::min, out, a, b, 0, {}); }
  void abs(Slot out, Slot a) { vec(spec::Vop::mul, out, a, 1.0f, 0, {.absa = true}); }
  void apply(spec::Vfunc f, Slot out, Slot a) { vec(spec::Vop::mul, out, a, 1.0f, 0, {.func = f}); }
  void horner(Slot out, Slot z, std::initializer_list<float> lowest_first);

  void step(Slot x);            // 1 where x > 0, else 0
  void sign(Slot out, Slot x);
  void finite(Slot out, Arg x);
  void less(Slot out, Arg a, Arg b);
  void equal(Slot out, Arg a, Arg b);
  void split(Slot high, Slot low, Slot x);
  void divide(Slot out, Arg a, Arg b, bool whole);
  void divide_whole(Slot out, Slot a, Slot b);
  void round_magnitude(Slot out, Slot x);  // |x| to the nearest integer
  void round(Op op, Slot out, Slot x);
  void sqrt(Slot out, Slot x);
  void log(Slot out, Slot x);
  void rational(Slot out, Slot x, float most, std::initializer_list<float> p, std::initializer_list<float> q);
  void sigmoid(Slot out, Slot x);
  void sine(Slot out, Slot x, bool cosine);
  void to_bool(Slot out, Slot x);

  // A temporary for the rest of a scope.
  class Temp {
   public:
    explicit Temp(Math& m) : m_(m), slot_(m.buffer()) {}
    ~Temp() { m_.release(slot_); }
    Temp(const Temp&) = delete;
    Temp& operator=(const Temp&) = delete;
    operator Slot() const { return slot_; }  // NOLINT
    operator Arg() const { return Arg(slot_); }  // NOLINT
   private:
    Math& m_;
    Slot slot_;
  };

  Code* code_ = nullptr;
  std::uint32_t base_ = 0, words_ = 0;
  std::function<Reg()> count_;
  std::vector<bool> used_;
};

}  // namespace jogak::tensor
