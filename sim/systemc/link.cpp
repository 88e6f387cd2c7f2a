#include "link.hpp"

#include <cmath>

namespace jogak::systemc {

Link::Link(const sc_core::sc_module_name& name, const Clock& clock, const link::ChannelOptions& options)
    : sc_module(name), clock_(clock), channel_(options) {}

void Link::send(u64 cycle, const link::Wire& wire, link::Width width) {
  link::Wire sent = wire;
  if (sealed_) link::seal(sent);
  channel_.send(cycle * clock_.period_ps, sent, width, !sealed_);
  if (const u64 at = next(); at != kNever) news_.notify(clock_.until(std::max(at, cycle + 1)));
}

void Link::set_hear(u64 cycle, bool hear) {
  if (hear == hear_) return;
  hear_ = hear;
  turns_ = {turns_[1], cycle + 1};
  news_.notify(clock_.until(cycle + 1));
}

u64 Link::next() const {
  const double ps = channel_.next_ps();
  return std::isfinite(ps) ? u64(std::ceil(ps / double(clock_.period_ps))) : kNever;
}

}  // namespace jogak::systemc
