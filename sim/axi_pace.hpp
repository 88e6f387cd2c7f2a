// When an AXI4 memory takes and answers: a latency, one beat a cycle each way, any number of bursts in flight, random
// stalls. No data: rtl::AxiMemory puts bytes to it, the cycle model needs none. In every cycle
//
//   pace.edge(); pace.ar(...), r(), aw(...), w(), match(), b() as transferred;   at the end of the cycle
//   pace.offer_reads(); pace.offer_writes();                                     outputs of the next one
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace jogak {

// First in, first out, of any length; never gives memory back.
template <class T>
class GrowingRing {
 public:
  bool empty() const { return in_ == out_; }
  std::uint64_t size() const { return in_ - out_; }
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
    const std::uint64_t n = size();
    for (std::uint64_t i = 0; i < n; ++i) more[i] = items_[(out_ + i) & (items_.size() - 1)];
    items_.swap(more);
    out_ = 0, in_ = n;
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
  };
  struct Burst {
    std::uint64_t addr = 0;   // of the next beat, for reads
    std::uint32_t beats = 0;  // left
    std::uint64_t due = 0;    // cycle of the first answer
  };

  explicit AxiPace(const Options& options)
      : options_(options), random_(options.seed * 0x9e3779b97f4a7c15ull + 1) {}

  // A frozen memory takes and answers nothing.
  void freeze(bool frozen) { frozen_ = frozen; }
  std::uint64_t cycle() const { return cycle_; }
  bool quiet() const { return reads_.empty() && writes_.empty() && responses_.empty() && beats_ == 0; }

  void edge() { ++cycle_; }
  // Nothing was transferred in so many cycles, and nothing could have been offered in them.
  void skip(std::uint64_t cycles) { cycle_ += cycles; }
  void ar(std::uint64_t addr, std::uint32_t beats) {
    reads_.push_back({addr, beats, cycle_ + options_.read_latency});
  }
  void r(std::uint32_t port_bytes) {
    r_valid_ = false;
    Burst& burst = reads_.front();
    burst.addr += port_bytes;
    if (--burst.beats == 0) reads_.pop_front();
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
    return burst.beats;
  }

  // True: a beat, a response, is offered anew.
  bool offer_reads() {
    ar_ready_ = moves();
    if (r_valid_ || reads_.empty() || reads_.front().due > cycle_ + 1 || !moves()) return false;
    return r_valid_ = true;
  }
  bool offer_writes() {
    aw_ready_ = moves();
    w_ready_ = moves();
    if (b_valid_ || responses_.empty() || responses_.front().due > cycle_ + 1 || !moves()) return false;
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
  // The first cycle in which a read beat, a response, may be offered; ~0: none is awaited.
  std::uint64_t read_due() const { return reads_.empty() ? ~std::uint64_t(0) : reads_.front().due; }
  std::uint64_t response_due() const { return responses_.empty() ? ~std::uint64_t(0) : responses_.front().due; }

 private:
  bool moves() {
    if (frozen_) return false;
    if (options_.stall == 0) return true;
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return (random_ >> 24) % 256 >= options_.stall;
  }

  Options options_;
  std::uint64_t random_;
  std::uint64_t cycle_ = 0;
  bool frozen_ = false;
  bool ar_ready_ = false, r_valid_ = false, aw_ready_ = false, w_ready_ = false, b_valid_ = false;
  GrowingRing<Burst> reads_, writes_, responses_;
  Burst response_;
  std::uint64_t beats_ = 0;  // taken, of bursts without a response
};

}  // namespace jogak
