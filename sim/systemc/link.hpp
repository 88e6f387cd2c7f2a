// One direction of a die-to-die link, with the side wire that goes with it: what a chiplet's port is bound to.
#pragma once

#include <array>
#include <optional>

#include "sim/link/channel.hpp"
#include "time.hpp"

namespace jogak::systemc {

class LinkIf : public virtual sc_core::sc_interface {
 public:
  // The sender's end. Flits may come without their CRC: they get it where the receiver looks at it.
  virtual bool ready(u64 cycle) const = 0;
  virtual void send(u64 cycle, const link::Wire& wire, link::Width width) = 0;
  virtual void set_hear(u64 cycle, bool hear) = 0;  // shows a cycle later
  // The receiver's end.
  virtual u64 next() const = 0;  // cycle of the next flit
  virtual std::optional<link::Wire> receive(u64 cycle) = 0;
  virtual bool received_damaged() const = 0;  // the flit received last has wrong bits
  virtual bool hear(u64 cycle) const = 0;
  virtual bool turned(u64 cycle) const = 0;  // the side wire shows something new in this cycle
  // Notified for the cycle of a flit and of a turn of the side wire.
  virtual const sc_core::sc_event& news() const = 0;
};

class Link final : public sc_core::sc_module, public LinkIf {
 public:
  Link(const sc_core::sc_module_name& name, const Clock& clock, const link::ChannelOptions& options);
  // The receiver looks at every flit's CRC.
  void receiver_checks() { sealed_ = true; }

  bool ready(u64 cycle) const override { return channel_.ready(cycle * clock_.period_ps); }
  void send(u64 cycle, const link::Wire& wire, link::Width width) override;
  void set_hear(u64 cycle, bool hear) override;
  u64 next() const override;
  std::optional<link::Wire> receive(u64 cycle) override { return channel_.receive(cycle * clock_.period_ps); }
  bool received_damaged() const override { return channel_.received_damaged(); }
  bool hear(u64 cycle) const override { return cycle >= turns_[1] ? hear_ : cycle >= turns_[0] ? !hear_ : hear_; }
  bool turned(u64 cycle) const override { return cycle == turns_[0] || cycle == turns_[1]; }
  const sc_core::sc_event& news() const override { return news_; }

  link::Channel& channel() { return channel_; }
  const link::Channel& channel() const { return channel_; }

 private:
  Clock clock_;
  link::Channel channel_;
  bool hear_ = false, sealed_ = false;
  std::array<u64, 2> turns_{};  // cycles from which on the last two turns show
  sc_core::sc_event news_;
};

}  // namespace jogak::systemc
