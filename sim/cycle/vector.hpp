// The vector engine: npu_ve with its operand queues (npu_vec_fetch), beats (npu_vec_read), quantiser (npu_vec_qnt,
// npu_vec_scale, npu_vec_max) and write port (npu_vec_out).
#pragma once

#include "reduce.hpp"

namespace jogak::cycle {

// One operand's rows, read ahead.
class Operand {
 public:
  explicit Operand(const Sizes& n) : cols_log_(n.cols_log) {}

  bool asks() const { return active_ && used_ != kDepth; }
  u32 row() const { return addr_ >> cols_log_; }
  bool valid() const { return count_ != 0; }
  // base, stride: words. pieces: rows of vector memory for each of rows. hold: the first stays at the head.
  void start(u32 base, u32 stride, u32 rows, u32 pieces, bool hold) {
    active_ = true, arriving_ = false;
    used_ = count_ = 0;
    hold_ = hold;
    base_ = addr_ = base, stride_ = stride;
    rows_ = hold ? 1 : rows;
    pieces_ = left_ = pieces;
  }
  void stop() { active_ = false; }
  void step(bool grant, bool pop) {
    pop = pop && !hold_;
    used_ += u32(grant) - u32(pop);
    count_ += u32(arriving_) - u32(pop);
    arriving_ = grant;
    if (!grant) return;
    if (--left_ != 0) {
      addr_ += 1u << cols_log_;
      return;
    }
    left_ = pieces_;
    base_ = addr_ = base_ + stride_;
    if (--rows_ == 0) active_ = false;
  }

 private:
  static constexpr u32 kDepth = 4;
  u32 cols_log_;
  bool active_ = false, arriving_ = false, hold_ = false;
  u32 base_ = 0, addr_ = 0, stride_ = 0, rows_ = 0, pieces_ = 0, left_ = 0, used_ = 0, count_ = 0;
};

// Beats of a box, row after row (npu_vec_box), and the beat within its row of vector memory.
class Beats {
 public:
  void start(u32 rows, u32 beats, u32 group) {
    active_ = true;
    rows_ = rows, beats_ = left_ = beats, group_ = group, sub_ = 0;
  }
  bool active() const { return active_; }
  bool row_last() const { return left_ == 1; }
  bool last() const { return left_ == 1 && rows_ == 1; }
  bool group_end() const { return left_ == 1 || sub_ + 1 == group_; }
  bool wraps() const { return sub_ + 1 == group_; }
  void step() {
    sub_ = group_end() ? 0 : sub_ + 1;
    if (last()) active_ = false;
    if (--left_ == 0) left_ = beats_, --rows_;
  }

 private:
  bool active_ = false;
  u32 rows_ = 0, beats_ = 0, left_ = 0, group_ = 1, sub_ = 0;
};

// Result beats and row results on their way to vector memory.
class WritePort {
 public:
  explicit WritePort(const Sizes& n) : cols_(n.cols), cols_log_(n.cols_log) {}

  bool en() const { return en_; }
  bool empty() const { return !beat_ && !full_ && !owed_; }
  bool asks() const { return full_ || beat_; }
  u32 row() const { return full_ ? full_row_ : beat_row_; }
  bool still() const { return !beat_ && !behind_ && !full_ && en_; }

  void start(bool reduces, u32 r, u32 rows) {
    owed_ = reduces;
    left_ = rows;
    addr_ = r;
  }
  void step(bool push, u32 push_row, bool result, bool granted) {
    const bool pop = granted && !full_;
    const bool behind = !(pop || !beat_) && (behind_ || push);
    if (behind_ ? pop : push && (pop || !beat_)) beat_row_ = behind_ ? behind_row_ : push_row;
    if (push) behind_row_ = push_row;
    if (pop || !beat_) beat_ = behind_ || push;
    behind_ = behind;
    const bool take = result && en_;
    bool full = full_ && !granted;
    if (take) {
      full = left_ == 1 || (addr_ & (cols_ - 1)) == cols_ - 1;
      full_row_ = addr_ >> cols_log_;
      ++addr_, --left_;
      owed_ = left_ != 0;
    }
    full_ = full;
    en_ = !behind && !full;
  }

 private:
  u32 cols_, cols_log_;
  bool en_ = true, beat_ = false, behind_ = false, full_ = false, owed_ = false;
  u32 beat_row_ = 0, behind_row_ = 0, full_row_ = 0, addr_ = 0, left_ = 0;
};

class Vector {
 public:
  explicit Vector(const Sizes& n)
      : n_(n), a_(n), b_(n), sum_(n), write_(n), stages_(log2_of(n.lanes)),
        width_(std::min(n.lanes, spec::limit::block)), queue_depth_(std::bit_ceil(spec::limit::quant_cols_max / width_ + 24)) {}

  // During the cycle.
  bool idle() const { return !run_; }
  bool finish() const { return run_ && done_ && write_.empty(); }
  bool ready() const { return !run_ || finish(); }
  bool reads_a() const { return a_.asks(); }
  bool reads_b() const { return b_used_ && b_.asks(); }
  u32 a_row() const { return a_.row(); }
  u32 b_row() const { return b_.row(); }
  bool writes() const { return write_.asks(); }
  u32 write_row() const { return write_.row(); }
  bool writes_aspm() const { return pack_; }
  bool writes_scales() const { return !c_.by_row; }

  struct In {
    const VecCmd* accept = nullptr;
    bool a_granted = false, b_granted = false, write_granted = false;
  };
  void step(const In& in);

 private:
  static constexpr u32 kLaneLat = 1 + kFmaLat;
  static constexpr u32 kGroups = 32;
  enum Tag : u8 { BlockLast = 1, GroupLast = 2, RowLast = 4, Last = 8 };

  void start(const VecCmd& c);
  bool issue(const In& in);
  bool quantise(bool issued, u8 tag);
  bool results(bool lane_in);
  void vec_out(bool out, bool& push, u32& row);
  bool qnt_out(bool out);
  void address(bool row_end, bool step);

  Sizes n_;
  VecCmd c_{};
  Operand a_, b_;
  Beats in_, out_;
  RowSum sum_;
  WritePort write_;
  u32 stages_, width_, queue_depth_;
  bool odd_ = false;  // second block of a pair
  bool run_ = false, done_ = false, b_used_ = false, b_by_row_ = false, pack_ = false;
  u32 block_at_ = 0;                   // beat within its block
  u64 flight_ = 0;                     // beats in the lanes, by age
  u32 out_bit_ = 0;                    // age at which they leave
  u64 max_ = 0;                        // ends of rows or groups on their way to a maximum, and to a scale
  u32 out_base_ = 0, out_addr_ = 0;
  // Beats of qnt: tags by number, those in the queue, those in its output register, scales ready, groups open.
  std::array<u8, 256> tags_{};
  u8 tag_in_ = 0, tag_held_ = 0, tag_out_ = 0;
  u32 queued_ = 0, groups_ = 0, open_ = 0;
  bool held_ = false;
};

inline void Vector::start(const VecCmd& c) {
  c_ = c;
  run_ = true, done_ = false;
  const u32 width = c.qnt ? width_ : n_.lanes;
  const u32 pieces = (c.cols + n_.cols - 1) >> n_.cols_log, beats = (c.cols + width - 1) / width;
  const bool word = c.bmode == u8(spec::Bmode::row_scalar);
  a_.start(c.a << n_.cols_log, c.as << n_.cols_log, c.rows, pieces, false);
  b_used_ = c.bmode != u8(spec::Bmode::scalar);
  b_by_row_ = word;
  if (b_used_) b_.start(c.b, c.bs, c.rows, word ? 1 : pieces, c.bs == 0 && (word || c.cols <= n_.cols));
  in_.start(c.rows, beats, n_.cols / width);
  out_.start(c.rows, (c.cols + n_.lanes - 1) / n_.lanes, n_.cols / n_.lanes);
  sum_.start(c.cols <= n_.lanes);
  write_.start(c.qnt ? c.by_row : c.red != 0, c.r, c.rows);
  block_at_ = 0, odd_ = false;
  out_bit_ = kLaneLat - 1 + (c.func ? kFuncLat : 0);
  out_base_ = out_addr_ = c.dst;
}

// The operands: a beat goes into the lanes or the quantiser.
inline bool Vector::issue(const In& in) {
  const bool room = !c_.qnt || (queued_ != queue_depth_ && open_ != kGroups);
  const bool go = in_.active() && write_.en() && a_.valid() && (!b_used_ || b_.valid()) && room;
  const bool end = go && in_.group_end();
  a_.step(in.a_granted, end);
  if (b_used_) b_.step(in.b_granted, b_by_row_ ? go && in_.row_last() : end);
  return go;
}

// The quantiser's queue; returns whether a beat leaves it for the lanes. Everything behind it is under en.
inline bool Vector::quantise(bool issued, u8 tag) {
  const bool held = held_ && groups_ != 0, pop = held && write_.en();
  const bool group_pop = pop && (tags_[tag_held_] & GroupLast) != 0;
  const bool fetch = queued_ != 0 && (!held_ || pop);
  const bool scale = write_.en() && (max_ >> (stages_ + 2 + kMulLat + kFuncLat) & 1);
  if (pop) ++tag_held_;
  held_ = fetch || (held_ && !pop);
  queued_ += u32(issued) - u32(fetch);
  if (issued) tags_[tag_in_++] = tag;
  groups_ += u32(scale) - u32(group_pop);
  open_ += u32(issued && (tag & GroupLast) != 0) - u32(group_pop);
  return held;
}

inline void Vector::address(bool row_end, bool step) {
  if (row_end) out_addr_ = out_base_ += c_.ds;
  else if (step) ++out_addr_;
}

inline void Vector::vec_out(bool out, bool& push, u32& row) {
  push = out && c_.wr;
  row = out_addr_;
  if (!out) return;
  address(out_.row_last(), out_.wraps());
  if (out_.last()) done_ = true;
  out_.step();
}

inline bool Vector::qnt_out(bool out) {
  if (!out) return false;
  const u8 tag = tags_[tag_out_++];
  address((tag & RowLast) != 0, (tag & BlockLast) != 0);
  if ((tag & Last) != 0) done_ = true;
  return (tag & BlockLast) != 0;
}

inline void Vector::step(const In& in) {
  const bool en = write_.en();
  if (run_) {
    const bool finished = finish();
    const u64 max_bit = c_.qnt ? stages_ + 2 + kMulLat + kFuncLat : stages_ + 1;
    const bool sums = c_.red == u8(spec::Vred::sum);
    const bool result = c_.qnt ? c_.by_row && (max_ >> max_bit & 1) : sums ? sum_.out_valid() : max_ >> max_bit & 1;
    const bool row_last = in_.row_last(), last = in_.last();
    const bool block_last = row_last || (block_at_ + 1) * width_ == spec::limit::block;
    const bool group_last = c_.by_row ? row_last : block_last && (!c_.pair || odd_ || row_last);
    const bool go = issue(in);
    if (go) {
      in_.step();
      block_at_ = block_last ? 0 : block_at_ + 1;
      if (block_last) odd_ = !row_last && !odd_;
    }
    const u8 tag = u8((block_last ? BlockLast : 0) | (group_last ? GroupLast : 0) | (row_last ? RowLast : 0) |
                      (last ? Last : 0));
    const bool lane_in = c_.qnt ? quantise(go, tag) : go;
    const bool out = en && (flight_ >> out_bit_ & 1);
    const bool out_row_last = out_.row_last();
    bool push = false;
    u32 row = 0;
    pack_ = false;
    if (c_.qnt) pack_ = qnt_out(out);
    else vec_out(out, push, row);
    if (en) {
      const bool max_in = c_.qnt ? go && group_last : out && out_row_last && c_.red == u8(spec::Vred::max);
      flight_ = (flight_ << 1 | u64(lane_in)) & ((u64(1) << (out_bit_ + 1)) - 1);
      max_ = (max_ << 1 | u64(max_in)) & ((u64(2) << max_bit) - 1);
      if (sums) sum_.step(out, out_row_last);
    }
    write_.step(push, row, result, in.write_granted);
    if (finished) run_ = false;
  } else {
    pack_ = false;
  }
  if (in.accept != nullptr) start(*in.accept);
}

}  // namespace jogak::cycle
