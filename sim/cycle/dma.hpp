// What load and store share: boxes to runs (npu_dma_walk), runs to bursts (npu_dma_burst), words of one alignment to
// another (npu_dma_align).
#pragma once

#include "parts.hpp"

namespace jogak::cycle {

// One run of len bytes. last: of its command. none: moves nothing, because of a bad index.
struct Run {
  u64 addr = 0;
  u32 ca = 0, len = 0;
  u8 space = 0;
  bool last = false, none = false;
};

class Walk {
 public:
  bool active() const { return active_; }
  bool gather() const { return c_.gather; }
  void take(const DmaCmd& c) {
    c_ = c;
    active_ = true;
    addr1_ = addr2_ = c.base;
    ca1_ = ca2_ = c.ca;
    i1_ = c.n1 - 1, i2_ = c.n2 - 1;
  }
  // offset, bad: of the index list, where the command gathers.
  Run run(u32 offset, bool bad) const {
    return {c_.gather ? addr2_ + offset : addr1_, ca1_, c_.len, c_.space, bad || (i1_ == 0 && i2_ == 0), bad};
  }
  void fire(bool end) {
    if (end) active_ = false;
    if (i1_ == 0) {
      addr1_ = addr2_ += c_.ds2;
      ca1_ = ca2_ += c_.cs2;
      i1_ = c_.n1 - 1;
      --i2_;
    } else {
      addr1_ += c_.ds1;
      ca1_ += c_.cs1;
      --i1_;
    }
  }

 private:
  DmaCmd c_{};
  bool active_ = false;
  u64 addr1_ = 0, addr2_ = 0;
  u32 ca1_ = 0, ca2_ = 0, i1_ = 0, i2_ = 0;
};

class Burster {
 public:
  explicit Burster(const Sizes& n) : port_log_(n.port_log), cut_log_(n.cut_log) {}

  bool valid() const { return valid_; }
  bool first() const { return first_; }
  bool none() const { return run_.none; }
  bool last() const { return single_ && run_.last; }
  const Run& run() const { return run_; }
  bool run_ready(bool fire) const { return !valid_ || (fire && single_); }
  Ax burst() const {
    const u32 begin = u32(run_.addr >> port_log_) & (spec::limit::burst_beats - 1);
    const u32 end = single_ ? end_ : spec::limit::burst_beats - 1;
    const u32 bytes = (1u << port_log_) - 1;
    return {run_.addr >> port_log_ << port_log_, ((end - begin) & (spec::limit::burst_beats - 1)) + 1, u8(run_.addr & bytes),
            u8(single_ ? last_byte_ & bytes : bytes)};
  }
  void take(const Run& run) {
    const u64 last_byte = (run.addr & ((u64(1) << cut_log_) - 1)) + run.len - 1;
    run_ = run;
    valid_ = first_ = true;
    cuts_ = u32(last_byte >> cut_log_);
    single_ = run.none || cuts_ == 0;
    end_ = u32(last_byte >> port_log_) & (spec::limit::burst_beats - 1);
    last_byte_ = u32(last_byte);
  }
  void fire() {
    if (single_) valid_ = false;
    run_.addr = ((run_.addr >> cut_log_) + 1) << cut_log_;
    first_ = false;
    single_ = cuts_ == 1;
    --cuts_;
  }

 private:
  u32 port_log_, cut_log_;
  Run run_;
  bool valid_ = false, first_ = false, single_ = false;
  u32 cuts_ = 0, end_ = 0, last_byte_ = 0;
};

// What npu_dma_align needs of a run, ready to go. Positions count halfwords.
struct Move {
  u32 src = 0, dst = 0;  // lanes
  u32 halves = 0;
  u32 word = 0;          // destination, port words
  u8 space = 0;
  bool last = false, none = false;
};

inline Move move_of(u64 from, u64 to, u32 len, u8 space, bool last, bool none, const Sizes& n) {
  return {u32(from >> 1) & (n.halves - 1), u32(to >> 1) & (n.halves - 1), len >> 1, u32(to >> n.port_log), space, last, none};
}

class Align {
 public:
  explicit Align(const Sizes& n) : lanes_(n.halves) {}

  bool active() const { return active_; }
  bool needs_input() const { return need_; }
  bool skips() const { return begin_ >= lanes_; }  // this word is not given
  bool last() const { return last_; }
  u32 word() const { return word_; }
  const Move& move() const { return move_; }

  void take(const Move& m) {
    active_ = true;
    move_ = m;
    const u32 start = m.dst < m.src ? m.dst + lanes_ : m.dst;
    begin_ = m.none ? 0 : start;
    out_end_ = m.none ? 0 : m.halves + start;
    last_ = m.none || m.halves + start <= lanes_;
    need_ = !m.none;
    in_end_ = m.none ? 0 : m.halves + m.src;
    word_ = m.word - (start >= lanes_ ? 1 : 0);
  }
  void step() {
    begin_ = begin_ >= lanes_ ? begin_ - lanes_ : 0;
    last_ = out_end_ <= 2 * lanes_;
    out_end_ -= lanes_;
    need_ = in_end_ > lanes_;
    in_end_ = need_ ? in_end_ - lanes_ : 0;
    ++word_;
  }
  void stop() { active_ = false; }

 private:
  u32 lanes_;
  bool active_ = false, need_ = false, last_ = false;
  Move move_;
  u32 begin_ = 0, out_end_ = 0, in_end_ = 0, word_ = 0;
};

// npu_dma_retire: ends commands in order; one with an error stands still for a while before.
class Retire {
 public:
  bool idle() const { return in_flight_ == 0; }
  bool done() const { return done_; }
  bool hold() const { return hold_; }
  bool fault() const { return hold_ && delay_ == 0; }
  bool still() const { return !done_ && !hold_; }
  void step(bool accept, bool last, bool error) {
    const bool fault_now = fault();
    in_flight_ += u32(accept) - u32(done_);
    done_ = (last && !error) || fault_now;
    if (last && error) hold_ = true, delay_ = kFaultDelay;
    else if (fault_now) hold_ = false;
    else if (hold_) --delay_;
  }

 private:
  static constexpr u32 kFaultDelay = 12;
  u32 in_flight_ = 0, delay_ = 0;
  bool hold_ = false, done_ = false;
};

}  // namespace jogak::cycle
