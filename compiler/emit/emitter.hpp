// Writes instructions: registers for variables, a cache of registers for constants, loops, labels for the pc map.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "builder.hpp"

namespace jogak::emit {

using Reg = std::uint8_t;
using spec::AluFn;
using spec::Engine;

// r1..r4 are launch arguments, r5..r27 variables (or more of them), the others constants and temporaries.
// A constant is loaded where it is first needed.
class Emitter {
 public:
  static constexpr unsigned kVariables = 23;
  // hoist: load constants of a loop's body before the loop where registers last. variables: most that the program will have, kVariables or more.
  explicit Emitter(bool hoist = true, unsigned variables = kVariables);

  // A register that keeps its value until the end of the program; outside of loops only. Throws when none is left.
  Reg variable();
  // A register that holds `value` (good for the next instruction only; at most 12 of them together).
  Reg constant(std::uint32_t value);
  // A scratch register for the next few instructions.
  Reg temporary();

  template <class T>
  void put(const T& insn) { out_.emit(insn); }
  void alu(AluFn fn, Reg rd, Reg ra, Reg rb) { out_.alu(fn, rd, ra, rb); }
  void alui(AluFn fn, Reg rd, Reg ra, std::uint32_t imm) { out_.alui(fn, rd, ra, imm); }
  void set(Reg rd, std::uint32_t value) { out_.li(rd, value); }
  void copy(Reg rd, Reg ra) { out_.mov(rd, ra); }
  void lds(Reg rd, Reg ra) { out_.lds(rd, ra); }
  void wait(Engine eng, unsigned sem, unsigned n = 1) { out_.wait(eng, sem, n); }
  void signal(Engine eng, unsigned sem, unsigned n = 1) { out_.signal(eng, sem, n); }

  // Repeats what `body()` emits `count` times; body is run twice (once to collect its constants), so it must only emit.
  template <class F>
  void loop(Reg count, F&& body) {
    collect(body);
    enter();
    out_.loop(count, body);
    leave();
  }
  // A loop with a count known now: none for 0, straight code for 1.
  template <class F>
  void repeat(std::uint32_t count, F&& body) {
    if (count == 1) body();
    if (count > 1) loop(constant(count), body);
  }

  // Instructions from here on belong to `label` (operator's name) in traces and profiles.
  void label(const std::string& label);
  // What `body()` emits is a piece of its own, of operator `label`; then the operator at hand goes on.
  template <class F>
  void aside(const std::string& label, F&& body) {
    const std::string here = out_.labels().empty() ? "" : out_.labels().back().name;
    out_.label(label, layers_);
    body();
    out_.label(here, layers_);
  }
  // Instructions from here on are a body that these layers share, in the order of its passes; none: outside of layers.
  void layers(std::vector<std::uint32_t> layers) { layers_ = std::move(layers); }

  const ProgramBuilder& program() const { return out_; }

 private:
  static constexpr Reg kFirstVariable = 5, kRegisters = 64;
  static constexpr unsigned kLoose = 14;  // registers for constants that are never pinned, and for temporaries
  struct Slot {
    bool known = false, pinned = false;
    std::uint32_t value = 0;
    std::uint64_t used = 0;
  };
  template <class F>
  void collect(F&& body) {
    if (dry_) return;  // an enclosing collection sees the constants anyway
    const Emitter saved = *this;
    dry_ = true;
    wanted_.clear();
    body();
    const auto wanted = std::move(wanted_);
    *this = saved;
    pin(wanted);
  }
  void pin(const std::map<std::uint32_t, unsigned>& wanted);
  void enter();
  void leave();
  void forget();
  Reg least_used();

  ProgramBuilder out_;
  std::vector<std::uint32_t> layers_;
  std::array<Slot, kRegisters> slots_{};
  std::vector<std::vector<Reg>> pins_;        // per open loop
  std::vector<Reg> next_pins_;                // pinned for the loop about to open
  std::map<std::uint32_t, unsigned> wanted_;  // constant -> uses, while dry
  Reg next_variable_ = kFirstVariable, first_constant_ = kFirstVariable + kVariables;
  std::uint64_t clock_ = 0;
  bool dry_ = false, hoist_;
};

}  // namespace jogak::emit
