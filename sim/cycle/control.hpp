// Order: npu_sems, npu_front, npu_fetch, and the sequencer as a series of moments (npu_seq).
#pragma once

#include "load.hpp"

namespace jogak::cycle {

constexpr u32 kEngines = 4, kUsers = kEngines + 2;
constexpr u32 kLd = 0, kSt = 1, kMx = 2, kVe = 3, kSeq = 4, kRx = 5;  // kRx: other chiplets' signals

struct SemOp {
  bool valid = false;
  u8 sem = 0, n = 0;
};

class Semaphores {
 public:
  u32 sig_granted = kUsers, take_granted = kUsers;  // by this cycle's decide(); kUsers: nobody

  void decide(const SemOp (&sig)[kUsers]) {
    sig_granted = take_granted = kUsers;
    for (u32 u = kUsers; u-- > 0;)
      if (sig[u].valid) sig_granted = u;
    if (sig_granted != kUsers || took_) return;
    for (u32 u = kUsers; u-- > 0;)
      if (enough_ >> u & 1) take_granted = u;
  }
  // Returns whether anything moved.
  bool step(const SemOp (&sig)[kUsers], const SemOp (&take)[kUsers]) {
    const bool applied = granted_;
    if (granted_) counts_[op_.sem] += add_ ? u32(op_.n) : u32(-u32(op_.n));
    const u32 before = enough_;
    enough_ = 0;
    for (u32 u = 0; u < kUsers; ++u)
      if (take[u].valid && counts_[take[u].sem] >= take[u].n) enough_ |= 1u << u;
    add_ = sig_granted != kUsers;
    took_ = take_granted != kUsers;
    granted_ = add_ || took_;
    if (granted_) op_ = add_ ? sig[sig_granted] : take[take_granted];
    return applied || granted_ || enough_ != before || enough_ != 0;
  }
  bool still() const { return !granted_ && enough_ == 0; }

 private:
  std::array<u32, spec::limit::semaphores + spec::limit::remote_semaphores> counts_{};
  SemOp op_;
  bool granted_ = false, add_ = false, took_ = false;
  u32 enough_ = 0;
};

// Between the sequencer and one engine.
class Front {
 public:
  enum class What : u8 { command, wait, signal };
  struct Tag {
    What what = What::command;
    u8 sem = 0, n = 0;
    u16 pc = 0;
  };

  // During the cycle.
  bool push_ready() const { return queue_.in_ready(); }
  bool offers() const {
    return queue_.out_valid() && queue_.out().what == What::command && retire_.in_ready() && !accepted_ && !stop_;
  }
  const Command& command() const { return commands_[out_ & 7]; }
  SemOp take() const {
    if (!queue_.out_valid() || queue_.out().what != What::wait || stop_) return {};
    return {true, queue_.out().sem, queue_.out().n};
  }
  SemOp signal() const {
    if (!retire_.out_valid() || !retire_.out().is_signal) return {};
    return {true, retire_.out().sem, retire_.out().n};
  }
  bool empty() const { return !queue_.out_valid() && !retire_.out_valid(); }
  u32 queued() const { return queue_.count(); }
  bool accepted() const { return accepted_; }
  u16 head_pc() const { return queue_.out().pc; }
  u16 oldest_pc() const { return pcs_.out(); }
  // No step changes anything without a push, an acceptance, a done pulse or a grant.
  bool still() const { return still_; }

  void push(const Tag& tag, const Command& command) {
    commands_[in_++ & 7] = command;
    queue_.push(tag);
    still_ = false;
  }
  void stop() { stop_ = true, still_ = false; }

  // Before push() of the same cycle.
  void step(bool accept, bool done, bool took, bool signalled) {
    const bool head = queue_.out_valid();
    const bool is_signal = head && queue_.out().what == What::signal;
    const bool room = retire_.in_ready();
    const bool complete = retire_.out_valid() && !retire_.out().is_signal && (done || owed_ != 0);
    const bool enters = accepted_ || (is_signal && !stop_ && room);
    const bool pop = head && (stop_ || accepted_ || took || (is_signal && room));
    still_ = !accept && !done && !took && !signalled && !complete && !enters && !pop;
    if (signalled || complete) retire_.pop();
    if (enters) retire_.push({is_signal, queue_.out().sem, queue_.out().n});
    if (done) pcs_.pop();
    if (accepted_) pcs_.push(queue_.out().pc);
    owed_ += u32(done) - u32(complete);
    if (pop) queue_.pop(), ++out_;
    accepted_ = accept;
  }

 private:
  struct Retiring {
    bool is_signal = false;
    u8 sem = 0, n = 0;
  };
  Fifo<Tag, 8> queue_;
  std::array<Command, 8> commands_{};
  u32 in_ = 0, out_ = 0;
  Fifo<Retiring, 8> retire_;
  Fifo<u16, 8> pcs_;
  u32 owed_ = 0;
  bool accepted_ = false, stop_ = false, still_ = true;
};

// The program on its way into instruction memory.
class ProgramLoad {
 public:
  explicit ProgramLoad(const Sizes& n) : n_(n) {}

  void start(u64 code, u32 instructions, bool resident) {
    const u32 words = std::min(instructions, n_.imem_words);
    addr_ = code;
    want_ = resident ? 0 : words;
    ask_ = (want_ * kInsnBytes + n_.port - 1) >> n_.port_log;
    active_ = want_ != 0;
    got_ = flight_ = part_ = 0;
    burst_ok_ = full_ = false;
  }
  bool idle() const { return !active_; }
  bool loaded() const { return !active_ && got_ == want_; }
  void kill() { kill_ = true; }

  // Returns whether anything moved.
  bool step(ReadPort& port, AxiPace& memory) {
    const bool ar_valid = burst_ok_ && ask_ != 0 && flight_ != kInFlight;
    const bool ar_fire = ar_valid && port.ar.in_ready();
    const bool wide = n_.port > kInsnBytes;
    const bool r_fire = port.r.out_valid() && !(wide && full_);
    const bool r_end = r_fire && port.r.out();
    const bool over = ask_ == 0 && flight_ == 0 && (got_ == want_ || kill_);
    const Ax ar{addr_, burst_};
    words(r_fire, wide);
    flight_ += u32(ar_fire) - u32(r_end);
    const u32 border = spec::limit::burst_beats - (u32(addr_ >> n_.port_log) & (spec::limit::burst_beats - 1));
    const u32 next = std::min(ask_, border);
    if (ar_fire) addr_ += u64(burst_) << n_.port_log;
    if (kill_) ask_ = ar_valid && !ar_fire ? burst_ : 0;
    else if (ar_fire) ask_ -= burst_;
    burst_ = next;
    const bool settles = !burst_ok_;
    burst_ok_ = !ar_fire;
    if (over) active_ = false;
    if (memory.ar_ready() && port.ar.out_valid()) memory.ar(port.ar.out().addr, port.ar.out().beats);
    bool moved = port.ar.step(ar_fire, ar, memory.ar_ready()) || over || settles || full_;
    const bool r_in = memory.r_valid() && port.r.in_ready(), r_last = memory.r_valid() && memory.r_last();
    if (r_in) memory.r(n_.port);
    moved |= port.r.step(r_in, r_last, r_fire);
    return moved || r_fire;
  }

 private:
  static constexpr u32 kInsnBytes = 16, kInFlight = 8;

  void words(bool r_fire, bool wide) {
    const u32 parts = wide ? n_.port / kInsnBytes : kInsnBytes / n_.port;
    if (!wide) {
      if (r_fire && ++part_ == parts) part_ = 0, ++got_;
      return;
    }
    if (r_fire) {
      full_ = true;
    } else if (full_) {
      if (got_ != want_) ++got_;
      if (++part_ == parts) part_ = 0, full_ = false;
    }
  }

  Sizes n_;
  bool active_ = false, burst_ok_ = false, full_ = false, kill_ = false;
  u64 addr_ = 0;
  u32 want_ = 0, got_ = 0, ask_ = 0, flight_ = 0, part_ = 0, burst_ = 0;
};

}  // namespace jogak::cycle
