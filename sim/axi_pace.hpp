// When an AXI4 memory takes and answers: one beat a cycle each way, any number of bursts in flight, random stalls, and either a latency
// or, with a MemoryTiming behind the port, the ends of the accesses that a burst is made of. No data: rtl::AxiMemory puts bytes to it, the
// cycle model needs none. In every cycle
//
//   pace.edge(); pace.ar(...), r(), aw(...), w(), match(), b() as transferred;   at the end of the cycle
//   pace.offer_reads(); pace.offer_writes();                                     outputs of the next one
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/memory_timing.hpp"

namespace jogak {

// First in, first out, of any length; never gives memory back.
template <class T>
class GrowingRing {
 public:
  bool empty() const { return in_ == out_; }
  std::uint64_t size() const { return in_ - out_; }
  // Items are numbered from 0 in the order in which they came.
  std::uint64_t pushed() const { return in_; }
  T& at(std::uint64_t number) { return items_[number & (items_.size() - 1)]; }
  T& front() { return items_[out_ & (items_.size() - 1)]; }
  const T& front() const { return items_[out_ & (items_.size() - 1)]; }
  void pop_front() { ++out_; }
  void push_back(const T& item) {
    if (size() == items_.size()) grow();
    items_[in_++ & (items_.size() - 1)] = item;
  }

 private:
  void grow() {
    std::vector<T> more(items_.empty() ? 64 : 2 * items_.size());
    for (std::uint64_t i = out_; i < in_; ++i) more[i & (more.size() - 1)] = items_[i & (items_.size() - 1)];
    items_.swap(more);
  }
  std::vector<T> items_;
  std::uint64_t in_ = 0, out_ = 0;
};

class AxiPace {
 public:
  struct Options {
    std::uint32_t read_latency = 64;   // cycles from an address to its first beat, at least 1
    std::uint32_t write_latency = 64;  // from a burst's last beat or address to its response, at least 1
    std::uint32_t stall = 0;           // chance in 256 that a channel does not move in a cycle
    std::uint64_t seed = 1;
    MemoryTiming* behind = nullptr;  // not owned; its ends stand for the latencies
    std::uint32_t port_bytes = 0;    // of a beat; for what is behind
  };
  struct Burst {
    std::uint64_t addr = 0;   // of the next beat, for reads
    std::uint32_t beats = 0;  // left
    std::uint64_t due = 0;    // cycle of the first answer
    std::uint32_t open = 0;   // accesses whose end is not known
  };

  explicit AxiPace(const Options& options)
      : options_(options), behind_(options.behind), random_(options.seed * 0x9e3779b97f4a7c15ull + 1) {
    if (behind_ != nullptr) access_bytes_ = behind_->access_bytes(), piece_bytes_ = std::max(access_bytes_, options.port_bytes);
  }

  // A frozen memory takes and answers nothing.
  void freeze(bool frozen) { frozen_ = frozen; }
  std::uint64_t cycle() const { return cycle_; }
  bool quiet() const { return reads_.empty() && writes_.empty() && responses_.empty() && beats_ == 0; }

  void edge() { ++cycle_; }
  // Nothing was transferred in so many cycles, and nothing could have been offered in them.
  void skip(std::uint64_t cycles) { cycle_ += cycles; }
  void ar(std::uint64_t addr, std::uint32_t beats) {
    reads_.push_back({addr, beats, cycle_ + options_.read_latency});
    if (behind_ != nullptr) ask_read(addr, beats);
  }
  void r(std::uint32_t port_bytes) {
    r_valid_ = false;
    Burst& burst = reads_.front();
    burst.addr += port_bytes;
    --burst.beats;
    if (behind_ != nullptr && (burst.beats == 0 || burst.addr % piece_bytes_ == 0)) pieces_.pop_front();
    if (burst.beats == 0) reads_.pop_front();
  }
  void aw(std::uint64_t addr, std::uint32_t beats) { writes_.push_back({addr, beats, 0}); }
  void w() { ++beats_; }
  void b() { b_valid_ = false; }
  // Beats of the oldest burst whose address and beats are all there, which now gets its response; 0: there is none.
  std::uint32_t match() {
    if (writes_.empty() || beats_ < writes_.front().beats) return 0;
    Burst burst = writes_.front();
    writes_.pop_front();
    beats_ -= burst.beats;
    burst.due = cycle_ + options_.write_latency;
    responses_.push_back(burst);
    if (behind_ != nullptr) ask_write(burst);
    return burst.beats;
  }

  // True: a beat, a response, is offered anew.
  bool offer_reads() {
    ar_ready_ = moves();
    if (behind_ != nullptr && wake_ <= cycle_ + 1) look_behind(cycle_ + 1);
    if (r_valid_ || reads_.empty() || read_due() > cycle_ + 1 || !moves()) return false;
    return r_valid_ = true;
  }
  bool offer_writes() {
    aw_ready_ = moves();
    w_ready_ = moves();
    if (behind_ != nullptr && wake_ <= cycle_ + 1) look_behind(cycle_ + 1);
    if (b_valid_ || responses_.empty() || response_due() > cycle_ + 1 || !moves()) return false;
    response_ = responses_.front();
    responses_.pop_front();
    return b_valid_ = true;
  }

  bool ar_ready() const { return ar_ready_; }
  bool r_valid() const { return r_valid_; }
  bool r_last() const { return reads_.front().beats == 1; }
  bool aw_ready() const { return aw_ready_; }
  bool w_ready() const { return w_ready_; }
  bool b_valid() const { return b_valid_; }
  const Burst& reading() const { return reads_.front(); }
  const Burst& response() const { return response_; }
  // The first cycle in which a read beat, a response, may be offered; ~0: none is awaited, or its end is not known yet.
  std::uint64_t read_due() const {
    if (reads_.empty()) return kNever;
    if (behind_ == nullptr) return reads_.front().due;
    return pieces_.front().open == 0 ? pieces_.front().end : kNever;
  }
  std::uint64_t response_due() const {
    return responses_.empty() || responses_.front().open != 0 ? kNever : responses_.front().due;
  }
  // The first cycle in which something may be offered anew, or more is known of what is behind; ~0: nothing is awaited.
  std::uint64_t due() const {
    const auto known = [&](bool awaited, std::uint64_t due) { return awaited && due == kNever ? wake_ : due; };
    const std::uint64_t read = r_valid_ ? kNever : known(!reads_.empty(), read_due());
    return b_valid_ ? read : std::min(read, known(!responses_.empty(), response_due()));
  }
  // Takes what is behind has told so far.
  void look() {
    if (behind_ != nullptr) look_behind(cycle_ + 1);
  }
  // What is behind begins anew; nothing may be in flight.
  void restart() {
    if (behind_ != nullptr) behind_->restart(), wake_ = 0;
  }

 private:
  bool moves() {
    if (frozen_) return false;
    if (options_.stall == 0) return true;
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return (random_ >> 24) % 256 >= options_.stall;
  }

  static constexpr std::uint64_t kNever = ~std::uint64_t(0);
  // Beats that come from the same accesses.
  struct Piece {
    std::uint32_t open = 0;  // accesses whose end is not known
    std::uint64_t end = 0;
  };

  // Accesses of reads have even numbers, of writes odd ones.
  void ask_read(std::uint64_t addr, std::uint32_t beats) {
    const std::uint64_t end = addr + std::uint64_t(beats) * options_.port_bytes;
    for (std::uint64_t at = addr / access_bytes_ * access_bytes_; at < end; at += access_bytes_) {
      if (at <= addr || at % piece_bytes_ == 0) pieces_.push_back({});
      ++pieces_.at(pieces_.pushed() - 1).open;
      behind_->access(cycle_, at, false, (pieces_.pushed() - 1) << 1);
    }
    wake_ = 0;
  }
  void ask_write(const Burst& burst) {
    const std::uint64_t number = responses_.pushed() - 1, end = burst.addr + std::uint64_t(burst.beats) * options_.port_bytes;
    responses_.at(number).due = 0;
    for (std::uint64_t at = burst.addr / access_bytes_ * access_bytes_; at < end; at += access_bytes_) {
      ++responses_.at(number).open;
      behind_->access(cycle_, at, true, number << 1 | 1);
    }
    wake_ = 0;
  }
  void look_behind(std::uint64_t cycle) {
    behind_->advance(cycle);
    for (const MemoryTiming::Done& done : behind_->done()) {
      if ((done.id & 1) != 0) {
        Burst& burst = responses_.at(done.id >> 1);
        burst.due = std::max(burst.due, done.cycle), --burst.open;
      } else {
        Piece& piece = pieces_.at(done.id >> 1);
        piece.end = std::max(piece.end, done.cycle), --piece.open;
      }
    }
    behind_->done().clear();
    wake_ = behind_->next();
  }

  Options options_;
  MemoryTiming* behind_;
  std::uint32_t access_bytes_ = 1, piece_bytes_ = 1;
  std::uint64_t wake_ = kNever;  // the cycle for which something happens behind; 0: to be asked
  GrowingRing<Piece> pieces_;
  std::uint64_t random_;
  std::uint64_t cycle_ = 0;
  bool frozen_ = false;
  bool ar_ready_ = false, r_valid_ = false, aw_ready_ = false, w_ready_ = false, b_valid_ = false;
  GrowingRing<Burst> reads_, writes_, responses_;
  Burst response_;
  std::uint64_t beats_ = 0;  // taken, of bursts without a response
};

}  // namespace jogak
