#include "traffic.hpp"

#include <algorithm>
#include <cstring>

#include "error.hpp"

namespace jogak::systemc {

Traffic::Traffic(model::Package& package, Values& values)
    : package_(package), values_(values), columns_(package.columns()), port_bytes_(package.die(0).config().port_bytes), packets_(package.dies()) {
  package.watch([this](u32 from, u64 address, std::span<const std::uint8_t> bytes) {
    const u32 x = u32(address >> spec::limit::remote_x_bit) & 15, y = u32(address >> spec::limit::remote_y_bit) & 15;
    packets_[from].push_back({x + y * columns_, address, {bytes.begin(), bytes.end()}});
  });
}
Traffic::~Traffic() { package_.watch({}); }

void Traffic::begin() {
  for (auto& p : packets_) p.clear();
}

// First along x, then along y.
bool Traffic::passes(u32 from, u32 to, u32 die, u32 side) const {
  const auto x = [this](u32 d) { return d % columns_; };
  const auto y = [this](u32 d) { return d / columns_; };
  const auto between = [](u32 a, u32 m, u32 b) { return (a <= m && m <= b) || (b <= m && m <= a); };
  if (side < 2) return y(die) == y(from) && between(x(from), x(die), x(to)) && x(die) != x(to) && (side == 0) == (x(to) > x(die));
  return x(die) == x(to) && between(y(from), y(die), y(to)) && y(die) != y(to) && (side == 2) == (y(to) > y(die));
}

const Traffic::Packet& Traffic::packet(u32 sender, std::size_t number) {
  while (packets_[sender].size() <= number)
    if (!values_.advance(sender)) throw Error("systemc platform", "packet " + std::to_string(number) + " of die " + std::to_string(sender), "no store of the exact model", "one");
  return packets_[sender][number];
}

void Traffic::Reader::word(u64 head, bool first, bool taken, link::Word& word) {
  if (first) {
    if (!taken) return;
    const link::PacketHead h = link::unpack(head);
    at_ = 0;
    data_ = h.kind == link::PacketKind::kWrite;
    if (!data_) return;
    sender_ = h.src_x + h.src_y * traffic_.columns_;
    packet_ = next_[sender_];
    while (!traffic_.passes(sender_, traffic_.packet(sender_, packet_).to, die_, side_)) ++packet_;
    next_[sender_] = packet_ + 1;
    return;
  }
  if (!data_) return;
  const Packet& p = traffic_.packet(sender_, packet_);
  const u64 bytes = traffic_.port_bytes_, base = p.address / bytes * bytes + at_ * bytes;
  const u64 begin = std::max(base, p.address), end = std::min(base + bytes, p.address + p.bytes.size());
  at_ += taken;
  word = {};
  if (begin < end) std::memcpy(reinterpret_cast<std::uint8_t*>(word.data()) + (begin - base), &p.bytes[begin - p.address], end - begin);
}

}  // namespace jogak::systemc
