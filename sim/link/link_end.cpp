#include "sim/link/link_end.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace jogak::link {

namespace {

constexpr std::uint32_t kMagic = 0x4b4c474a;
constexpr unsigned kEnough = 4, kTooMany = 8;

unsigned ahead_of(unsigned a, unsigned b) { return (a - b) & kSeqMask; }

}  // namespace

LinkEnd::LinkEnd(const EndOptions& o)
    : options_(o), flit_words_(kPayloadBytes / o.port_bytes), word32_(o.port_bytes / 4), timer_mask_((1u << std::bit_width(o.retry_cycles)) - 1), try_(o.try_cycles) {}

bool LinkEnd::in_ready() const {
  const bool pop = payload_ready() && kept() != kWindow;
  return pop || count_ != flit_words_;
}

bool LinkEnd::none() const { return left_ == 0 && (front_[std::size_t{at_} * word32_] & 3) == static_cast<unsigned>(PacketKind::kNone); }
bool LinkEnd::out_valid() const { return front_valid_ && !none(); }
const std::uint32_t* LinkEnd::out_word() const { return &front_[std::size_t{at_} * word32_]; }
bool LinkEnd::out_last() const { return left_ == 0 ? (out_word()[0] & 3) != static_cast<unsigned>(PacketKind::kWrite) : left_ == 1; }

unsigned LinkEnd::quiet() const {
  const bool trained = up_ && heard_ && heard_meta_ && side_hear() && !fresh_;
  const bool sends = payload_ready() || next_ != head_ || missing_ || told_ != passed_ || pick_valid_ || flit_valid_;
  const bool crosses = cross_write_ != cross_read_ || write_meta_ != cross_write_ || write_sync_ != cross_write_ || read_meta_ != cross_read_ || read_sync_ != cross_read_;
  const bool receives = arrived_valid_ || checked_ || waiting_ || buffer_used_ != 0 || front_valid_;
  return !trained || sends || crosses || receives ? 0 : std::min(idle_, silence_);
}

void LinkEnd::step_phy(const Wire* wire, unsigned read_before, bool clean) {
  if (wire != nullptr && ahead_of(cross_write_, read_sync_) % (2 * kCross) != kCross) {
    cross_[cross_write_ % kCross] = *wire;
    cross_clean_[cross_write_ % kCross] = clean;
    cross_write_ = (cross_write_ + 1) % (2 * kCross);
  }
  read_sync_ = read_meta_;
  read_meta_ = read_before;
}

// hear, width and the state of the link; what depends on the side wire uses its synchronised copy.
void LinkEnd::step_train(bool good, bool bad, bool hello, bool side_hear) {
  const bool both = this->side_hear() && heard_;
  if (both && !up_) ++trainings_;
  if (up_) fresh_ = false;
  if (heard_) try_ = options_.try_cycles;
  else if (try_ != 0) --try_;
  else {
    try_ = options_.try_cycles;
    width_ = width_ == Width::kHigh ? Width::kFull : static_cast<Width>(static_cast<unsigned>(width_) + 1);
  }
  up_ = both;
  heard_ = heard_meta_, heard_meta_ = side_hear;

  const auto& p = got_.payload;
  const bool other = hello && (p[0] != kMagic || (p[1] & 0xff) != kWindow || (p[1] >> 8 & 0xff) != options_.port_bytes);
  if (other && other_) mismatch_ = true;
  if (hello && !other && (p[1] >> 16 & 1) != 0 && known_) lost_ = true;
  if (good || bad) other_ = other;
  if (hear_ && good && !hello) known_ = true;
  const bool drop = hear_ && ((bad && bads_ == kTooMany) || silence_ == 0);
  if (good || bad) silence_ = options_.silence_cycles;
  else if (silence_ != 0) --silence_;
  if (good) {
    bads_ = 0;
    if (goods_ != kEnough) ++goods_;
    else hear_ = true;
  } else if (bad) {
    if (!hear_) goods_ = 0;
    if (bads_ != kTooMany) ++bads_;
  }
  if (drop) hear_ = false, goods_ = 0;
}

// Numbers of received flits; missing_ has already lost what was sent in this cycle.
void LinkEnd::step_received(bool seen, bool take, unsigned ahead) {
  const bool resume = side_hear() && heard_ && !up_;
  const bool met = seen && ahead == 0;
  const bool beyond = seen && ahead != 0 && ahead <= kWindow;
  const bool gap = (hear_ && checked_ && !good_) || beyond;
  const bool restarted = beyond && ahead <= last_;
  const bool expired = timer_ == 0;
  timer_ = (timer_ - 1) & timer_mask_;
  if (take) expect_ = (expect_ + 1) & kSeqMask;
  if (met || resume) {
    waiting_ = missing_ = false;
    last_ = 0;
  } else if ((gap && !waiting_) || (waiting_ && (restarted || expired))) {
    waiting_ = missing_ = true;
    timer_ = options_.retry_cycles;
    last_ = seen ? ahead : 0;
  } else if (seen && got_.kind == FlitKind::kData && ahead <= kWindow) {
    last_ = ahead;
  }
}

void LinkEnd::step(const Inputs& in) {
  const bool good = checked_ && good_, bad = checked_ && !good_;
  const bool train = !up_, resume = side_hear() && heard_ && !up_;
  const bool hello = good && got_.kind == FlitKind::kTrain;
  const bool seen = hear_ && good && (got_.kind == FlitKind::kData || got_.kind == FlitKind::kNull);
  const unsigned ahead = ahead_of(got_.seq, expect_);
  const bool take = seen && got_.kind == FlitKind::kData && ahead == 0;
  const bool push = payload_ready() && kept() != kWindow;
  const bool ready = in_ready();
  errors_ += bad;

  // sender: the flit's registers, then the choice
  const bool move = !flit_valid_ || in.phy_ready;
  bool data_sent = false, nak_sent = false;
  const unsigned idle = idle_;
  if (idle_ != 0) --idle_;
  if (move) {
    if (pick_valid_) {
      Flit f = pick_;
      f.payload = {};
      if (pick_.kind == FlitKind::kData) f.payload = read_;
      if (pick_.kind == FlitKind::kTrain) f.payload[0] = kMagic, f.payload[1] = kWindow | options_.port_bytes << 8 | hello_fresh_ << 16;
      wire_ = options_.open ? encode_open(f) : encode(f);
    }
    flit_valid_ = pick_valid_;
    FlitKind kind = FlitKind::kNull;
    bool valid = true;
    if (train) kind = FlitKind::kTrain;
    else if (missing_) kind = FlitKind::kNak;
    else if (next_ != head_) kind = FlitKind::kData;
    else valid = told_ != passed_ || idle == 0;
    pick_valid_ = valid;
    if (valid) {
      pick_.kind = kind;
      pick_.seq = static_cast<std::uint8_t>(kind == FlitKind::kNak ? expect_ : next_);
      pick_.ack = static_cast<std::uint8_t>(passed_);
      hello_fresh_ = fresh_;
      told_ = passed_;
      idle_ = options_.idle_cycles;
      data_sent = kind == FlitKind::kData;
      nak_sent = kind == FlitKind::kNak;
    }
  }
  if (data_sent) {
    read_ = kept_[next_ % kWindow];
    replays_ += next_ != sent_;
    ++data_flits_;
  }
  // sender: numbers
  const unsigned acked = ahead_of(got_.ack, tail_), asked = ahead_of(got_.seq, tail_), reach = ahead_of(sent_, tail_);
  const bool ack_ok = hear_ && good && got_.kind != FlitKind::kTrain && acked <= reach;
  const bool nak_ok = hear_ && good && got_.kind == FlitKind::kNak && asked <= reach;
  unsigned next = data_sent ? (next_ + 1) & kSeqMask : next_;
  if (nak_ok) next = got_.seq;
  if (resume) next = tail_;
  if (ack_ok && ahead_of(next, tail_) < acked) next = got_.ack;
  if (data_sent && next_ == sent_) sent_ = (sent_ + 1) & kSeqMask;
  next_ = next;
  if (push) {
    kept_[head_ % kWindow] = packing_;
    head_ = (head_ + 1) & kSeqMask;
  }
  if (ack_ok) tail_ = got_.ack;
  // packer
  if (in.in_valid && ready) {
    const unsigned at = push ? 0 : count_;
    if (at == 0) packing_ = {};
    std::copy_n(in.in_word.begin(), word32_, packing_.begin() + at * word32_);
    count_ = at + 1;
    ended_ = in.in_last;
  } else if (push) {
    count_ = 0;
    ended_ = false;
  }

  // unpacker and the buffer before it
  const bool skip = front_valid_ && none(), ov = out_valid(), moved = ov && in.out_ready;
  const bool payload_done = front_valid_ && (skip || (moved && at_ == flit_words_ - 1));
  if (moved) {
    if (left_ == 0) left_ = (out_word()[0] & 3) == static_cast<unsigned>(PacketKind::kWrite) ? unpack(out_word()[0] | std::uint64_t{out_word()[1]} << 32).words : 0;
    else --left_;
  }
  if (payload_done) at_ = 0;
  else if (moved) ++at_;
  const bool fetch = buffer_used_ != 0 && (!front_valid_ || payload_done);
  if (fetch) {
    front_ = buffer_[buffer_read_];
    buffer_read_ = (buffer_read_ + 1) % kWindow;
  }
  front_valid_ = fetch || (front_valid_ && !payload_done);
  if (take) {
    if (buffer_used_ == kWindow) throw std::logic_error("link: receive buffer, found a flit beyond the window");
    buffer_[buffer_write_] = got_.payload;
    buffer_write_ = (buffer_write_ + 1) % kWindow;
  }
  buffer_used_ += (take ? 1u : 0u) - (fetch ? 1u : 0u);
  if (payload_done) passed_ = (passed_ + 1) & kSeqMask;

  // numbers, training, then the stages before them
  if (nak_sent) missing_ = false;
  step_received(seen, take, ahead);
  step_train(good, bad, hello, in.side_hear);
  checked_ = arrived_valid_;
  if (arrived_valid_ && arrived_clean_) good_ = true, read(arrived_, got_);
  else if (arrived_valid_) good_ = decode(arrived_, got_);
  arrived_valid_ = cross_read_ != write_sync_;
  if (arrived_valid_) {
    arrived_ = cross_[cross_read_ % kCross];
    arrived_clean_ = cross_clean_[cross_read_ % kCross];
    cross_read_ = (cross_read_ + 1) % (2 * kCross);
  }
  write_sync_ = write_meta_;
  write_meta_ = cross_write_;
}

}  // namespace jogak::link
