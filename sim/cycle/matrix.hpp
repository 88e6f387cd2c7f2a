// The matrix engine: npu_mx. Its ports never stall, so acceptance of a command decides everything behind it; the
// recurrence is that of rtl/array/mm_latency.hpp, tile by tile, with the rows that each tile reads and writes.
#pragma once

#include <limits>

#include "parts.hpp"
#include "rtl/array/mm_latency.hpp"

namespace jogak::cycle {

class Matrix {
 public:
  explicit Matrix(const Sizes& n) : k_(n.rows, n.cols), slices_log_(log2_of(u32(k_.slices))) {
    read_from_ = k_.row_at + (k_.write_at - k_.hazard + 1);  // ReadAt = WriteAt - Hazard + 1
    write_from_ = k_.row_at + k_.write_at;
  }

  // In cycle now.
  bool ready(i64 now) const { return !active_ || (left_ == 0 && now >= next_load_ - 1); }
  bool done(i64 now) const { return dones_.out_valid() && dones_.out() == now; }
  bool idle() const { return in_flight_ == 0; }

  // The row of vector memory that is read, written; ~0: none. Times of calls never fall.
  u32 read_row(i64 now) { return row_at(read_, now - read_from_, true); }
  u32 write_row(i64 now) { return row_at(write_, now - write_from_, false); }
  // The activation scratchpad is read.
  bool reads_aspm(i64 now) { return row_at(moving_, now, false, true) != kNone; }

  // End of cycle now.
  void step(const MmCmd* accept, i64 now) {
    if (done(now)) dones_.pop(), --in_flight_;
    if (accept != nullptr) take(*accept, now);
    if (left_ != 0) generate(now);
  }

  // The next cycle, now or later, in which it says something new by itself.
  i64 next_event(i64 now) const {
    const i64 next = dones_.out_valid() ? dones_.out() : kNever;
    if (!active_) return next;
    const i64 free = left_ != 0 ? end_of(tiles_[tail_ & (kTiles - 1)]) + 1 : next_load_ - 1;
    return free < now ? next : std::min(next, free);
  }

  // Cycles in which a slice enters: of all tiles that are known, and of those before cycle now (times never fall).
  u64 busy() const { return busy_; }
  u64 busy_until(i64 now) {
    for (; busy_at_ != head_; pass()) {
      const Tile& t = tiles_[busy_at_ & (kTiles - 1)];
      const i64 slices = i64(t.m) << slices_log_;
      if (now < t.first + slices) return busy_before_ + u64(std::max<i64>(0, now - t.first));
    }
    return busy_before_;
  }
  // In a run that is over.
  u64 wait_load() const { return wait_load_ + u64(std::max<i64>(0, loaded_ - 1 - stream_end_)); }

  static constexpr u32 kNone = ~0u;
  static constexpr i64 kNever = std::numeric_limits<i64>::max();

 private:
  struct Tile {
    i64 first;  // its first moving row is read
    u32 m, o, om;
    bool acc;   // its output rows are read
    bool sparse;  // a row is two blocks
  };
  static constexpr u32 kTiles = 64;

  void pass() { busy_before_ += u64(tiles_[busy_at_++ & (kTiles - 1)].m) << slices_log_; }
  i64 end_of(const Tile& t) const { return t.first + i64(t.m) * k_.slices + write_from_; }

  // moving: second blocks of rows count too.
  u32 row_at(u64& cursor, i64 at, bool reads, bool moving = false) {
    while (cursor != head_) {
      const Tile& t = tiles_[cursor & (kTiles - 1)];
      const i64 since = at - t.first;
      if (since < 0) return kNone;
      const i64 row = since >> slices_log_;
      if (row < i64(t.m)) {
        const i64 slice = since & (k_.slices - 1);
        const bool now = slice == 0 || (moving && t.sparse && slice == k_.slices / 2);
        return now && (t.acc || !reads) ? t.o + u32(row) * t.om : kNone;
      }
      ++cursor;
    }
    return kNone;
  }

  void take(const MmCmd& c, i64 now) {
    const bool same = any_ && c.o == c_.o && c.om == c_.om && c.on == c_.on && c.m == c_.m && c.nb == c_.nb;
    held_ = c.acc && !same;
    c_ = c;
    active_ = any_ = first_ = true;
    accepted_ = now;
    next_load_ = std::max(next_load_, now + 1);
    left_ = u64(c.kb) * c.nb;
    k_at_ = 0, row_ = c.o;
    ++in_flight_;
  }

  // As many tiles as there is room for.
  void generate(i64 now) {
    while (tail_ != head_ && end_of(tiles_[tail_ & (kTiles - 1)]) < now) {
      if (busy_at_ == tail_) pass();
      ++tail_;
    }
    read_ = std::max(read_, tail_), write_ = std::max(write_, tail_), moving_ = std::max(moving_, tail_);
    while (left_ != 0 && head_ - tail_ != kTiles) tile();
  }

  void tile() {
    const auto& load = k_.load[c_.order];
    const i64 old = end_[bank_], words = loaded_;
    const i64 first = std::max(next_load_, old + load.first);
    const i64 record = std::max(first, old + load.chased) + load.chase;
    next_load_ = loaded_ = std::max(first, old + load.all) + load.words;
    i64 start = std::max(record + 1, start_ + width_);
    if (held_ && first_) start = std::max(start, end_[bank_ ^ 1] + k_.hazard);
    count_wait(start, words);
    start_ = start;
    width_ = std::max(i64(c_.m) << slices_log_, k_.hazard);
    stream_end_ = start + (i64(c_.m) << slices_log_);
    end_[bank_] = start + (i64(c_.m - 1) << slices_log_);
    bank_ ^= 1;
    busy_ += u64(c_.m) << slices_log_;
    tiles_[head_++ & (kTiles - 1)] = {start, c_.m, row_, c_.om, c_.acc || k_at_ != 0,
                                         c_.order >= u8(mm::Order::sparse_int8)};
    first_ = false;
    if (++k_at_ == c_.kb) k_at_ = 0, row_ += c_.on;
    if (--left_ == 0) dones_.push(end_[bank_ ^ 1] + write_from_ + 1);
  }

  // Cycles between the last tile's slices and those of the one that starts now, in which the loader is at work but for
  // a command's last word, or the tile is ready for the mover. words: the last tile's are all read.
  void count_wait(i64 start, i64 words) {
    if (!first_) {
      wait_load_ += u64(std::max<i64>(0, start - stream_end_));
      return;
    }
    wait_load_ += u64(std::max<i64>(0, std::min(start, words - 1) - stream_end_));
    wait_load_ += u64(std::max<i64>(0, start - std::max(stream_end_, accepted_ + 1)));
  }

  static constexpr i64 kLongAgo = -1000000;

  mm::Constants k_;
  u32 slices_log_;
  i64 read_from_, write_from_;
  MmCmd c_{};
  bool active_ = false, any_ = false, held_ = false, first_ = false;
  u32 bank_ = 0, in_flight_ = 0;
  i64 accepted_ = 0, next_load_ = 0, start_ = kLongAgo, width_ = 0, stream_end_ = kLongAgo, loaded_ = kLongAgo;
  i64 end_[2] = {kLongAgo, kLongAgo};
  u64 left_ = 0;      // tiles of the command to be made
  u32 k_at_ = 0, row_ = 0;
  std::array<Tile, kTiles> tiles_{};
  u64 head_ = 0, tail_ = 0, read_ = 0, write_ = 0, moving_ = 0;
  Fifo<i64, 16> dones_;
  u64 busy_ = 0, wait_load_ = 0, busy_before_ = 0, busy_at_ = 0;
};

}  // namespace jogak::cycle
