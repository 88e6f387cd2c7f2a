// Instructions of one operator: commands run one after the other, each behind the semaphore of the engine before it.
#pragma once
#include <bit>
#include <cstdint>

#include "../emit/emitter.hpp"
#include "npu_spec.hpp"

namespace jogak::tensor {

using emit::Reg;
using spec::AluFn;
using spec::Engine;

// A buffer in vector memory: address of its first word, a multiple of C.
struct Buffer {
  std::uint32_t word = 0;
};

// Constants and temporaries it returns are good for the next few instructions (see Emitter).
class Code {
 public:
  explicit Code(const spec::Config& config) : config_(config) {}

  const spec::Config& config() const { return config_; }
  std::uint32_t lanes() const { return config_.cols; }  // C: words of a row of vector memory
  std::uint32_t vmem_words() const { return config_.vmem_bytes / 4; }

  Reg k(std::int64_t value) { return e_.constant(static_cast<std::uint32_t>(value)); }
  Reg kf(float value) { return e_.constant(std::bit_cast<std::uint32_t>(value)); }
  // A register that keeps its value until free_variables(n), n what variables() was before.
  Reg variable() {
    if (variables_ == held_.size()) held_.push_back(e_.variable());
    return held_[variables_++];
  }
  std::size_t variables() const { return variables_; }
  void free_variables(std::size_t n) { variables_ = n; }
  Reg variable(std::int64_t value) {
    const Reg r = variable();
    set(r, value);
    return r;
  }
  Reg scratch() { return e_.temporary(); }
  void set(Reg r, std::int64_t value) { e_.set(r, static_cast<std::uint32_t>(value)); }
  void copy(Reg to, Reg from) { e_.copy(to, from); }
  void advance(Reg r, std::int64_t by) {
    if (by != 0) e_.alui(AluFn::add, r, r, static_cast<std::uint32_t>(by));
  }
  void alu(AluFn fn, Reg to, Reg a, Reg b) { e_.alu(fn, to, a, b); }
  void alui(AluFn fn, Reg to, Reg a, std::int64_t b) { e_.alui(fn, to, a, static_cast<std::uint32_t>(b)); }
  Reg times(Reg a, std::int64_t b) { return b == 1 ? a : with(AluFn::mul, a, b); }
  Reg plus(Reg a, std::int64_t b) { return b == 0 ? a : with(AluFn::add, a, b); }

  // The body starts and ends behind every earlier command.
  template <class F>
  void loop(std::int64_t count, F&& body) {
    if (count == 1) return body();
    if (count > 1) loop_register(k(count), body);
  }
  template <class F>
  void loop_register(Reg count, F&& body) {
    const Reg held = count;
    on(Engine::ld);
    e_.loop(held, [&] {
      body();
      on(Engine::ld);
    });
  }

  // A loop whose body has commands of this engine only: no order is kept between its passes but the engine's own.
  template <class F>
  void loop_on(Engine engine, Reg count, F&& body) {
    on(engine);
    e_.loop(count, body);
  }

  // Commands. Their fields hold registers.
  void load(const spec::Load& i) { command(Engine::ld, i); }
  void store(const spec::Store& i) { command(Engine::st, i); }
  void mm(const spec::Mm& i) { command(Engine::mx, i); }
  void vec(const spec::Vec& i) { command(Engine::ve, i); }
  void qnt(const spec::Qnt& i) { command(Engine::ve, i); }
  // r = the word of vector memory at this address, when all earlier commands are complete.
  void read_word(Reg r, Reg address) {
    const auto sem = semaphore(last_, Engine::seq);
    e_.signal(last_, sem);
    e_.wait(Engine::seq, sem);
    e_.put(spec::Lds{.rd = r, .ra = address});
  }
  // The same for words that read_word has found complete once and nobody has written since.
  void word(Reg r, Reg address) { e_.put(spec::Lds{.rd = r, .ra = address}); }
  // Everything so far is complete before what any engine does next.
  void finish() { on(Engine::ld); }

  const std::vector<spec::Insn>& instructions() const { return e_.program().code(); }

 private:
  static unsigned semaphore(Engine from, Engine to) { return static_cast<unsigned>(from) * 5 + static_cast<unsigned>(to); }
  void on(Engine engine) {
    if (engine == last_) return;
    const auto sem = semaphore(last_, engine);
    e_.signal(last_, sem);
    e_.wait(engine, sem);
    last_ = engine;
  }
  template <class T>
  void command(Engine engine, const T& insn) {
    on(engine);
    e_.put(insn);
  }
  Reg with(AluFn fn, Reg a, std::int64_t b) {
    const Reg t = e_.temporary();
    alui(fn, t, a, b);
    return t;
  }

  const spec::Config& config_;
  emit::Emitter e_;
  std::vector<Reg> held_;
  std::size_t variables_ = 0;
  Engine last_ = Engine::ld;
};

}  // namespace jogak::tensor
