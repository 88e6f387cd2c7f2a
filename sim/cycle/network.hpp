// A chiplet's side of a package's network: npu_net_tx, npu_net_rx and npu_router, with the turns of npu_rx_share. Words of packets without
// their data.
#pragma once

#include <span>

#include "parts.hpp"
#include "sim/link/flit.hpp"

namespace jogak::cycle {

// A word of a packet. head: of its first word, as link::pack has it.
struct Hop {
  u64 head = 0;
  bool first = false, last = false;
};
struct Offer {
  bool valid = false;
  Hop hop;
};

class Router {
 public:
  static constexpr u32 kPorts = 5;  // this chiplet, then east, west, north, south
  Router(u32 x, u32 y) : x_(x), y_(y) {}

  bool in_ready(u32 port) const { return in_[port].in_ready(); }
  bool out_valid(u32 port) const { return out_[port].out_valid(); }
  const Hop& out(u32 port) const { return out_[port].out(); }
  bool empty() const { return empty_; }

  // out_ready: bits.
  void step(const std::array<Offer, kPorts>& in, u32 out_ready) {
    std::array<u32, kPorts> wants{};
    for (u32 p = 0; p < kPorts; ++p) {
      if (!in_[p].out_valid()) continue;
      if (in_[p].out().first) way_[p] = way_of(in_[p].out().head);
      wants[way_[p]] |= 1u << p;
    }
    u32 pop = 0;
    for (u32 o = 0; o < kPorts; ++o) {
      const u32 from = choose(o, wants[o]);
      const bool feed = (wants[o] >> from & 1) != 0, ready = out_[o].in_ready();
      const Hop chosen = in_[from].out();
      out_[o].step(feed, chosen, (out_ready >> o & 1) != 0);
      if (!feed || !ready) continue;
      pop |= 1u << from;
      held_[o] = !chosen.last;
      from_[o] = from;
    }
    empty_ = true;
    for (u32 p = 0; p < kPorts; ++p) {
      in_[p].step(in[p].valid, in[p].hop, (pop >> p & 1) != 0);
      empty_ = empty_ && !in_[p].out_valid() && !out_[p].out_valid();
    }
  }

 private:
  u32 way_of(u64 head) const {
    const link::PacketHead h = link::unpack(head);
    if (h.dst_x != x_) return h.dst_x > x_ ? 1 : 2;
    if (h.dst_y != y_) return h.dst_y > y_ ? 3 : 4;
    return 0;
  }
  // The lowest above the one served last, else the lowest.
  u32 choose(u32 o, u32 wants) const {
    if (held_[o] || wants == 0) return from_[o];
    const u32 above = wants & ~((2u << from_[o]) - 1);
    return u32(std::countr_zero(above != 0 ? above : wants));
  }

  u32 x_, y_;
  std::array<Slice<Hop>, kPorts> in_, out_;
  std::array<u32, kPorts> way_{}, from_{};
  std::array<bool, kPorts> held_{};
  bool empty_ = true;
};

class Network {
 public:
  struct Place {
    u32 x = 0, y = 0, last_x = 0, last_y = 0;  // of this chiplet; of the mesh's last one
  };
  Network(const spec::Config& config, const Place& place) : n_(config), place_(place), router_(place.x, place.y) {
    limit_[u32(spec::Space::aspm)] = config.aspm_bytes;
    limit_[u32(spec::Space::asc)] = config.asc_bytes;
    limit_[u32(spec::Space::vmem)] = config.vmem_bytes;
  }

  // ---- a write port's bursts, to packets; what is transferred in a cycle is told before its step()
  bool aw_ready() const { return state_ == State::idle; }
  void aw(const Ax& a) { aw_taken_ = true, aw_ = a; }
  bool w_ready() const { return state_ == State::drop || (state_ == State::data && router_.in_ready(0)); }
  void w(bool last) { w_taken_ = true, w_last_ = last; }
  bool b_valid() const { return state_ == State::answer; }
  bool b_error() const { return bad_; }
  void b() { b_taken_ = true; }
  // What the port's user sees: it need not look again while this stays.
  u32 seen() const { return u32(aw_ready()) | u32(w_ready()) << 1 | u32(b_valid()) << 2; }

  // ---- what comes from other chiplets
  enum class Rx : u8 { none, vmem, aspm, asc, signal };
  Rx rx() const {
    if (!router_.out_valid(0)) return Rx::none;
    const Hop& h = router_.out(0);
    if (h.first) return link::unpack(h.head).kind == link::PacketKind::kSignal ? Rx::signal : Rx::none;
    return space_ == spec::Space::vmem ? Rx::vmem : space_ == spec::Space::aspm ? Rx::aspm : Rx::asc;
  }
  u32 rx_row() const { return addr_ >> n_.piece_log; }
  u32 rx_sem() const { return spec::limit::semaphores + (link::unpack(router_.out(0).head).addr & 31); }
  u32 rx_amount() const { return link::unpack(router_.out(0).head).addr >> 5 & 255; }
  // A write's word or a signal is taken in this cycle.
  void receive() { rx_taken_ = true; }
  // What comes is thrown away.
  void discard(bool all) { discard_ = all; }
  // The port's user is gone, or there again: a packet of its that is open is filled up, so that the way is free for others.
  void abandon(bool gone) { gone_ = gone; }
  bool as_turn = false, v_turn = false;  // npu_rx_share: the load engine had the port last

  // ---- links: 0 to 3
  bool link_valid(u32 link) const { return router_.out_valid(link + 1); }
  const Hop& link_out(u32 link) const { return router_.out(link + 1); }
  bool link_ready(u32 link) const { return router_.in_ready(link + 1); }

  // A step without an offer changes nothing.
  bool still() const { return router_.empty() && state_ != State::head && !aw_taken_ && !w_taken_ && !b_taken_ && (!gone_ || state_ == State::idle); }

  // in: links' words from port 1 on; ready: bits, of links.
  void step(std::array<Offer, Router::kPorts>& in, u32 ready) {
    if (gone_) fill_up();
    in[0] = sends();
    const bool rx = receives();
    advance();
    router_.step(in, ready << 1 | u32(rx));
    aw_taken_ = w_taken_ = b_taken_ = rx_taken_ = false;
  }

 private:
  enum class State : u8 { idle, head, data, drop, answer };

  void fill_up() {
    if (w_ready()) w(beats_ == 1);
    b_taken_ = true;
  }
  Offer sends() const {
    if (state_ == State::head) return {good_, {head_, true, signal_}};
    return {state_ == State::data && w_taken_, {0, false, w_last_}};
  }
  bool receives() {
    if (!router_.out_valid(0)) return false;
    const Hop& h = router_.out(0);
    if (h.first) {
      const link::PacketHead head = link::unpack(h.head);
      if (head.kind == link::PacketKind::kSignal) return rx_taken_ || discard_;
      space_ = static_cast<spec::Space>(head.space);
      addr_ = head.addr;
      return true;
    }
    const bool taken = rx_taken_ || discard_;
    addr_ += taken;
    return taken;
  }
  void advance() {
    switch (state_) {
      case State::idle:
        if (aw_taken_) state_ = State::head, beats_ = aw_.beats, address();
        break;
      case State::head:
        bad_ = !good_;
        if (!good_) state_ = State::drop;
        else if (router_.in_ready(0)) state_ = signal_ ? State::drop : State::data;
        break;
      case State::data:
      case State::drop:
        beats_ -= w_taken_;
        if (w_taken_ && w_last_) state_ = State::answer;
        break;
      case State::answer:
        if (b_taken_) state_ = State::idle;
        break;
    }
  }
  // The packet of a burst, or that there is nothing there.
  void address() {
    const auto field = [this](u32 at, u32 bits) { return u32(aw_.addr >> at & ((u64(1) << bits) - 1)); };
    const u32 x = field(spec::limit::remote_x_bit, 4), y = field(spec::limit::remote_y_bit, 4);
    const u32 region = field(spec::limit::remote_region_bit, 4), offset = field(0, spec::limit::remote_region_bit);
    signal_ = region == spec::limit::remote_signals;
    link::PacketHead h{.kind = link::PacketKind::kWrite, .dst_x = x, .dst_y = y, .src_x = place_.x, .src_y = place_.y, .addr = offset >> n_.port_log,
                       .space = region & 7, .words = aw_.beats, .head = aw_.head, .tail = aw_.tail};
    if (signal_) {
      h.kind = link::PacketKind::kSignal, h.addr = offset >> 6;
      h.head = h.tail = h.space = 0, h.words = 1;
      good_ = aw_.beats == 1 && offset % 64 == 0 && aw_.head == 0 && (offset >> 11 & 255) != 0 && offset >> 19 == 0;
    } else {
      const u64 end = offset + (u64(aw_.beats - 1) << n_.port_log) + aw_.tail;
      const bool whole = region != u32(spec::Space::vmem) || (aw_.head % 4 == 0 && aw_.tail % 4 == 3);
      good_ = end < limit_[region] && whole;
    }
    good_ = good_ && x <= place_.last_x && y <= place_.last_y;
    head_ = link::pack(h);
  }

  Sizes n_;
  Place place_;
  Router router_;
  std::array<u64, 16> limit_{};  // bytes of each region that can be written
  State state_ = State::idle;
  Ax aw_;
  u64 head_ = 0;
  u32 beats_ = 0;  // of the open burst, to come
  bool gone_ = false;
  bool good_ = false, signal_ = false, bad_ = false, discard_ = false;
  bool aw_taken_ = false, w_taken_ = false, w_last_ = false, b_taken_ = false, rx_taken_ = false;
  spec::Space space_{};
  u32 addr_ = 0;
};

}  // namespace jogak::cycle
