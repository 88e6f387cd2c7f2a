// The load engine: npu_dma_ld and npu_dma_index, with the register slices of the read channels.
#pragma once

#include "dma.hpp"
#include "sim/axi_pace.hpp"

namespace jogak::cycle {

// The register slices between the read channel and its users.
struct ReadPort {
  Slice<Ax> ar;
  Slice<bool> r;  // last beat of its burst
};

// The index list of a gather.
class IndexList {
 public:
  explicit IndexList(const Sizes& n) : cols_log_(n.cols_log) {}

  bool asks() const { return active_ && owed_ != kDepth; }
  u32 row() const { return word_ >> cols_log_; }
  bool out_valid() const { return queued_ != 0; }
  u32 offset() const { return (*list_)[at_]; }
  bool bad() const { return bad_list_ && at_ + 1 == list_->size(); }
  bool still() const { return !read_ && !operand_ && !product_; }

  void step(bool start, const DmaCmd& c, const std::vector<u32>* list, bool kill, bool grant, bool pop) {
    if (kill) {
      active_ = start;
      read_ = operand_ = product_ = false;
      owed_ = queued_ = 0;
    } else {
      queued_ += u32(product_) - u32(pop);
      owed_ += u32(grant) - u32(pop);
      product_ = operand_, operand_ = read_, read_ = grant;
      if (grant) advance();
      if (pop && ++at_ == list_->size()) at_ = 0;
    }
    if (start) begin(c, list);
  }

 private:
  static constexpr u32 kDepth = 4;

  void begin(const DmaCmd& c, const std::vector<u32>* list) {
    active_ = true;
    first_ = word_ = c.idx;
    n1_ = i1_ = c.n1 - 1;
    i2_ = c.n2 - 1;
    list_ = list, bad_list_ = c.bad, at_ = 0;
  }
  void advance() {
    if (i1_ != 0) {
      ++word_, --i1_;
      return;
    }
    if (i2_ == 0) active_ = false;
    word_ = first_, i1_ = n1_, --i2_;
  }

  u32 cols_log_;
  bool active_ = false, bad_list_ = false, read_ = false, operand_ = false, product_ = false;
  u32 first_ = 0, word_ = 0, n1_ = 0, i1_ = 0, i2_ = 0, owed_ = 0, queued_ = 0, at_ = 0;
  const std::vector<u32>* list_ = nullptr;
};

class Load {
 public:
  explicit Load(const Sizes& n) : n_(n), index_(n), burst_(n), align_(n) {}

  // During the cycle.
  bool ready(const DmaCmd& c) const { return !walk_.active() && (!c.gather || vmem_cmds_ == 0); }
  bool idle() const { return retire_.idle(); }
  bool done() const { return retire_.done(); }
  bool fault() const { return retire_.fault(); }
  bool asks_index() const { return index_.asks(); }
  u32 index_row() const { return index_.row(); }
  bool writes_vmem() const { return writes() && word_.out().space == u8(spec::Space::vmem); }
  u32 vmem_row() const { return word_.out().word >> n_.piece_log; }
  bool writes_aspm() const {
    return writes() && (word_.out().space == u8(spec::Space::aspm) || word_.out().space == u8(spec::Space::asc));
  }
  bool writes_scales() const { return word_.out().space == u8(spec::Space::asc); }
  // Nothing changes until a command is accepted or a beat comes.
  bool asleep() const { return asleep_; }
  u64 beats() const { return beats_; }

  struct In {
    const DmaCmd* accept = nullptr;           // a command is taken
    const std::vector<u32>* list = nullptr;   // of a gather
    bool index_granted = false, write_granted = true;
  };
  void step(const In& in, ReadPort& port, AxiPace& memory);

 private:
  struct Word {
    u32 word = 0;
    u8 space = 0;
    bool last = false, none = false;  // last: of its command
  };

  bool writes() const { return word_.out_valid() && !retire_.hold() && !word_.out().none; }
  bool requests(const In& in, bool ar_ready, Ax& ar);
  bool aligns(bool beat) const;

  Sizes n_;
  Walk walk_;
  IndexList index_;
  Burster burst_;
  RamFifo<Move, 64> moves_;
  u32 track_ = 0;  // bursts outstanding, of kMaxBursts
  Align align_;
  Slice<Word> word_;
  Retire retire_;
  u32 vmem_cmds_ = 0;
  u64 beats_ = 0;
  bool asleep_ = true;
  bool push_move_ = false, ar_fire_ = false, r_fire_ = false;
  Move move_in_;

  static constexpr u32 kMaxBursts = 64;
};

// Command, index list, runs, bursts; returns whether anything moved. ar: the burst offered with ar_fire_.
inline bool Load::requests(const In& in, bool ar_ready, Ax& ar) {
  const bool room = track_ != kMaxBursts && (!burst_.first() || moves_.in_ready());
  const bool burst_fire = burst_.valid() && ar_ready && room;
  ar_fire_ = burst_fire && !burst_.none();
  push_move_ = burst_fire && burst_.first();
  if (ar_fire_) ar = burst_.burst();
  if (push_move_) {
    const Run& r = burst_.run();
    move_in_ = move_of(r.addr, r.ca, r.len, r.space, r.last, r.none, n_);
  }
  const bool gather = walk_.gather();
  const bool run_valid = walk_.active() && (!gather || index_.out_valid());
  const bool run_fire = run_valid && burst_.run_ready(burst_fire);
  bool kill = false;
  if (burst_fire) burst_.fire();
  if (run_fire) {
    const Run run = gather ? walk_.run(index_.offset(), index_.bad()) : walk_.run(0, false);
    kill = run.none;
    burst_.take(run);
    walk_.fire(run.last);
  }
  const bool start = in.accept != nullptr && in.accept->gather;
  const bool index_moves = gather && (run_fire || in.index_granted || !index_.still());
  if (start || index_moves) index_.step(start, start ? *in.accept : DmaCmd{}, in.list, kill, in.index_granted, run_fire);
  if (in.accept != nullptr) walk_.take(*in.accept);
  return burst_fire || run_fire || index_moves || in.accept != nullptr;
}

// The realignment goes on; beat: one is there.
inline bool Load::aligns(bool beat) const {
  return align_.active() && (align_.skips() || word_.in_ready()) && (!align_.needs_input() || beat);
}

inline void Load::step(const In& in, ReadPort& port, AxiPace& memory) {
  const bool beat = port.r.out_valid();
  const bool step = aligns(beat);
  const bool give = step && !align_.skips();
  r_fire_ = step && align_.needs_input();
  const bool take_move = moves_.out_valid() && (!align_.active() || (step && align_.last()));
  const bool word_ready = !retire_.hold() && in.write_granted;
  const Word out = word_.out();
  const bool last_word = word_.out_valid() && word_ready && out.last;
  const Word word_in{align_.word(), align_.move().space, align_.last() && align_.move().last, align_.move().none};
  bool moved = step || take_move || !moves_.still() || !retire_.still() || word_.out_valid() || index_.asks();

  Ax ar;
  moved |= requests(in, port.ar.in_ready(), ar);
  if (step) {
    if (align_.last()) align_.stop();
    align_.step();
  }
  if (take_move) align_.take(moves_.out());
  if (push_move_ || take_move || !moves_.still()) moves_.step(push_move_, move_in_, take_move);
  word_.step(give, word_in, word_ready);
  const bool vmem_in = in.accept != nullptr && in.accept->space == u8(spec::Space::vmem);
  vmem_cmds_ += u32(vmem_in) - u32(last_word && out.space == u8(spec::Space::vmem));
  retire_.step(in.accept != nullptr, last_word, out.none);
  track_ += u32(ar_fire_) - u32(r_fire_ && port.r.out());
  beats_ += r_fire_;
  if (memory.ar_ready() && port.ar.out_valid()) memory.ar(port.ar.out().addr, port.ar.out().beats);
  moved |= port.ar.step(ar_fire_, ar, memory.ar_ready());
  const bool r_in = memory.r_valid() && port.r.in_ready();
  const bool r_last = memory.r_valid() && memory.r_last();
  if (r_in) memory.r(n_.port);
  moved |= port.r.step(r_in, r_last, r_fire_);
  asleep_ = !moved;
}

}  // namespace jogak::cycle
