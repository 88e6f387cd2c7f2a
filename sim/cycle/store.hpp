// The store engine: npu_dma_st and npu_dma_fetch, with the register slices of the write channels.
#pragma once

#include "dma.hpp"
#include "store_port.hpp"

namespace jogak::cycle {

// Reads the port words that runs touch, one a cycle, at most kDepth of them not yet handed on.
class WordFetch {
 public:
  explicit WordFetch(const Sizes& n) : n_(n) {}

  bool asks() const { return active_ && owed_ != kDepth; }
  bool vmem() const { return space_ == u8(spec::Space::vmem); }
  u32 vmem_row() const { return word_ >> n_.piece_log; }
  bool run_ready(bool grant) const { return !active_ || (grant && left_ == 0); }
  bool out_valid() const { return words_ != 0; }
  bool still() const { return !arriving_; }

  void step(bool grant, bool pop) {
    words_ += u32(arriving_) - u32(pop);
    owed_ += u32(grant) - u32(pop);
    arriving_ = grant;
    if (!grant) return;
    if (left_ == 0) active_ = false;
    ++word_, --left_;
  }
  void take(u32 ca, u32 len, u8 space) {
    active_ = true;
    word_ = ca >> n_.port_log;
    left_ = (len + (ca & (n_.port - 1)) - 1) >> n_.port_log;
    space_ = space;
  }

 private:
  static constexpr u32 kDepth = 4;
  Sizes n_;
  bool active_ = false, arriving_ = false;
  u32 word_ = 0, left_ = 0, owed_ = 0, words_ = 0;
  u8 space_ = 0;
};

class Store {
 public:
  explicit Store(const Sizes& n) : n_(n), burst_(n), fetch_(n), align_(n) {}

  // During the cycle.
  bool ready() const { return !walk_.active(); }
  bool idle() const { return retire_.idle(); }
  bool done() const { return retire_.done(); }
  bool reads_vmem() const { return fetch_.asks() && fetch_.vmem(); }
  bool reads_aspm() const { return fetch_.asks() && !fetch_.vmem(); }
  u32 vmem_row() const { return fetch_.vmem_row(); }
  // Nothing changes until a command is accepted or a response comes.
  bool asleep() const { return asleep_; }
  u64 beats() const { return beats_; }
  bool fault() const { return retire_.fault(); }

  void step(const DmaCmd* accept, bool read_granted, StorePort& port);

 private:
  struct Read {
    u32 ca, len;
    u8 space;
  };
  struct Track {
    bool last = false;  // of its command
  };

  bool requests(const DmaCmd* accept);
  bool data(bool read_granted, StorePort& port);

  Sizes n_;
  Walk walk_;
  Burster burst_;
  Slice<Ax> aw_;
  Fifo<Track, 32> track_;
  Fifo<Read, 8> fetches_;
  Fifo<Move, 8> moves_;
  WordFetch fetch_;
  Align align_;
  Slice<bool> w_, b_;  // b_: an error
  Retire retire_;
  u64 beats_ = 0;
  bool asleep_ = true;
  bool aw_fire_ = false, push_run_ = false, error_ = false;  // error_: of the oldest command
  Ax aw_in_;
  Track track_in_;
  Read read_in_{};
  Move move_in_;
};

// Command, runs, bursts; returns whether anything moved. What goes into queues is kept for step().
inline bool Store::requests(const DmaCmd* accept) {
  const bool room = track_.in_ready() && (!burst_.first() || (fetches_.in_ready() && moves_.in_ready()));
  aw_fire_ = burst_.valid() && aw_.in_ready() && room;
  push_run_ = aw_fire_ && burst_.first();
  if (aw_fire_) aw_in_ = burst_.burst(), track_in_ = {burst_.last()};
  if (push_run_) {
    const Run& r = burst_.run();
    read_in_ = {r.ca, r.len, r.space};
    move_in_ = move_of(r.ca, r.addr, r.len, r.space, r.last, false, n_);
  }
  const bool run_fire = walk_.active() && burst_.run_ready(aw_fire_);
  if (aw_fire_) burst_.fire();
  if (run_fire) {
    const Run run = walk_.run(0, false);
    burst_.take(run);
    walk_.fire(run.last);
  }
  if (accept != nullptr) walk_.take(*accept);
  return aw_fire_ || run_fire || accept != nullptr;
}

// On-chip words to beats; returns whether anything moved.
inline bool Store::data(bool read_granted, StorePort& port) {
  const bool grant = fetch_.asks() && read_granted;
  const bool take_fetch = fetches_.out_valid() && fetch_.run_ready(grant);
  const bool word = fetch_.out_valid();
  const bool step = align_.active() && (align_.skips() || w_.in_ready()) && (!align_.needs_input() || word);
  const bool pop = step && align_.needs_input();
  const bool give = step && !align_.skips();
  const bool take_move = moves_.out_valid() && (!align_.active() || (step && align_.last()));
  const bool moved = fetch_.asks() || take_fetch || step || take_move || !fetch_.still();
  fetch_.step(grant, pop);
  if (step) {
    if (align_.last()) align_.stop();
    align_.step();
  }
  if (take_fetch) {
    fetch_.take(fetches_.out().ca, fetches_.out().len, fetches_.out().space);
    fetches_.pop();
  }
  if (take_move) {
    align_.take(moves_.out());
    moves_.pop();
  }
  const bool w_ready = port.w_ready();
  if (w_ready && w_.out_valid()) port.w(), ++beats_;
  return w_.step(give, true, w_ready) || moved;
}

inline void Store::step(const DmaCmd* accept, bool read_granted, StorePort& port) {
  const bool track_pop = track_.out_valid() && !retire_.hold() && b_.out_valid();
  const bool last = track_pop && track_.out().last, error = error_ || (track_pop && b_.out());
  bool moved = !retire_.still() || track_pop;
  moved |= requests(accept);
  const bool aw_ready = aw_.out_valid() && port.aw_ready(aw_.out());
  if (aw_ready) port.aw(aw_.out());
  moved |= aw_.step(aw_fire_, aw_in_, aw_ready);
  moved |= data(read_granted, port);
  if (track_pop) track_.pop();
  if (aw_fire_) track_.push(track_in_);
  if (push_run_) fetches_.push(read_in_), moves_.push(move_in_);
  retire_.step(accept != nullptr, last, error);
  error_ = error && !last;
  const bool b_in = port.b_valid() && b_.in_ready(), b_error = b_in && port.b_error();
  if (b_in) port.b();
  moved |= b_.step(b_in, b_error, track_pop);
  port.step();
  asleep_ = !moved;
}

}  // namespace jogak::cycle
