// Writes programs from C++: one call per instruction, loops as lambdas.
//
//   ProgramBuilder b;
//   b.li(1, 128);
//   b.loop(1, [&] { b.mm({.w = 2, .kb = 3}); });
//   b.halt();
#pragma once

#include <string>
#include <vector>

#include "error.hpp"
#include "npu_spec.hpp"

namespace jogak {

class ProgramBuilder {
 public:
  using u32 = std::uint32_t;

  // Instructions pc.. up to the next label belong to it.
  struct Label {
    u32 pc;
    std::string name;
    std::vector<u32> layers;  // as in MapEntry
  };

  u32 pc() const { return static_cast<u32>(code_.size()); }
  const std::vector<spec::Insn>& code() const { return code_; }
  std::vector<spec::Insn> take() { return std::move(code_); }
  const std::vector<Label>& labels() const { return labels_; }
  void label(std::string name, std::vector<u32> layers = {}) { labels_.push_back({pc(), std::move(name), std::move(layers)}); }

  // Any instruction struct of npu_spec.hpp; fields that name registers hold their numbers.
  template <class I>
  void emit(const I& instruction) {
    emit(spec::encode(instruction));
  }
  void emit(const spec::Insn& insn) { code_.push_back(insn); }

  void halt() { emit(spec::Halt{}); }
  void li(u32 rd, u32 value) { alui(spec::AluFn::add, rd, 0, value); }
  void mov(u32 rd, u32 ra) { alui(spec::AluFn::add, rd, ra, 0); }
  void addi(u32 rd, u32 ra, u32 imm) { alui(spec::AluFn::add, rd, ra, imm); }
  void muli(u32 rd, u32 ra, u32 imm) { alui(spec::AluFn::mul, rd, ra, imm); }
  void add(u32 rd, u32 ra, u32 rb) { alu(spec::AluFn::add, rd, ra, rb); }
  void sub(u32 rd, u32 ra, u32 rb) { alu(spec::AluFn::sub, rd, ra, rb); }
  void mul(u32 rd, u32 ra, u32 rb) { alu(spec::AluFn::mul, rd, ra, rb); }
  void alu(spec::AluFn fn, u32 rd, u32 ra, u32 rb) {
    emit(spec::Alu{fn, reg(rd), reg(ra), reg(rb)});
  }
  void alui(spec::AluFn fn, u32 rd, u32 ra, u32 imm) {
    emit(spec::Alui{fn, reg(rd), reg(ra), imm});
  }
  void lds(u32 rd, u32 ra) { emit(spec::Lds{reg(rd), reg(ra)}); }
  void wait(spec::Engine engine, u32 sem, u32 n = 1) {
    emit(spec::Wait{engine, semaphore(sem), units(n)});
  }
  void signal(spec::Engine engine, u32 sem, u32 n = 1) {
    emit(spec::Signal{engine, in_range("semaphore", sem, spec::limit::semaphores), units(n)});
  }
  void load(const spec::Load& i) { emit(i); }
  void store(const spec::Store& i) { emit(i); }
  void mm(const spec::Mm& i) { emit(i); }
  void vec(const spec::Vec& i) { emit(i); }
  void qnt(const spec::Qnt& i) { emit(i); }

  // Runs body as often as register rc says. The body may not be empty; where it ends with a loop of
  // its own, an instruction without effect follows, because ends must differ.
  template <class Body>
  void loop(u32 rc, Body&& body) {
    const u32 start = pc();
    if (++depth_ > spec::limit::loop_depth) {
      throw Error("builder", "loop depth", std::to_string(depth_),
                  "at most " + std::to_string(spec::limit::loop_depth));
    }
    emit(spec::Insn{});
    body();
    if (pc() == start + 1) throw Error("builder", "loop body", "no instruction", "at least one");
    if (last_end_ + 1 == pc()) mov(0, 0);
    last_end_ = pc() - 1;
    --depth_;
    code_[start] = spec::encode(spec::Loop{reg(rc), program_counter(last_end_)});
  }

 private:
  static std::uint8_t in_range(const char* what, u32 value, u32 end) {
    if (value >= end) {
      throw Error("builder", what, std::to_string(value), "below " + std::to_string(end));
    }
    return static_cast<std::uint8_t>(value);
  }
  static std::uint8_t reg(u32 r) { return in_range("register", r, spec::limit::registers); }
  static std::uint8_t semaphore(u32 s) { return in_range("semaphore", s, spec::limit::semaphores + spec::limit::remote_semaphores); }
  static std::uint8_t units(u32 n) { return in_range("semaphore units", n, spec::limit::semaphore_max + 1); }
  static std::uint16_t program_counter(u32 pc) {
    if (pc > 0xFFFF) throw Error("builder", "loop end", std::to_string(pc), "at most 65535");
    return static_cast<std::uint16_t>(pc);
  }

  std::vector<spec::Insn> code_;
  std::vector<Label> labels_;
  u32 depth_ = 0;
  u32 last_end_ = ~1u;  // pc of the last instruction of the loop closed last
};

}  // namespace jogak
