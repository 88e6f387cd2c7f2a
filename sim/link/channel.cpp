#include "sim/link/channel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jogak::link {

Channel::Channel(const ChannelOptions& o)
    : flit_ps_(kFlitBytes * 1000.0 / o.gb_per_s), latency_ps_(static_cast<double>(o.latency_ps)), bit_error_rate_(o.bit_error_rate), random_(o.seed), clean_bits_(next_error()) {}

namespace {

constexpr unsigned kStorm = 8;  // damaged flits in a row; one more and a receiver stops hearing

}  // namespace

// Bits until one is wrong: geometric.
std::uint64_t Channel::next_error() {
  if (bit_error_rate_ <= 0) return std::numeric_limits<std::uint64_t>::max();
  const double u = (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53;
  return static_cast<std::uint64_t>(std::log(u) / std::log1p(-bit_error_rate_));
}

// Lanes take turns byte by byte: the lower half carries even bytes.
void Channel::noise(Wire& wire, bool low, bool high) {
  const std::uint32_t mask = (low ? 0x00ff00ffu : 0u) | (high ? 0xff00ff00u : 0u);
  for (std::uint32_t& w : wire) w ^= static_cast<std::uint32_t>(random_()) & mask;
}

void Channel::send(std::uint64_t now_ps, const Wire& wire, Width width, bool open) {
  const double begin = std::max(busy_until_, static_cast<double>(now_ps));
  const double length = width == Width::kFull ? flit_ps_ : 2 * flit_ps_;
  busy_until_ = begin + length;
  busy_ps_ += length;
  ++flits_;
  if (dead_) return;
  items_.push_back({busy_until_ + latency_ps_, wire});
  Wire& sent = items_.back().wire;
  bool wrong = false;
  if (open && (clean_bits_ < 8 * kFlitBytes || low_broken_ || high_broken_)) seal(sent);
  std::uint64_t bit = 0;
  constexpr std::uint64_t kBits = 8 * kFlitBytes;
  while (clean_bits_ < kBits - bit) {
    bit += clean_bits_;
    sent[bit / 32] ^= 1u << bit % 32;
    wrong = true;
    ++bit;
    clean_bits_ = next_error();
  }
  if (bit_error_rate_ > 0) clean_bits_ -= kBits - bit;
  const bool low = width != Width::kHigh, high = width != Width::kLow;
  if ((low && low_broken_) || (high && high_broken_)) {
    if (width == Width::kFull) noise(sent, low_broken_, high_broken_);
    else noise(sent, true, true);
    wrong = true;
  }
  damaged_ += wrong;
  run_ = wrong ? run_ + 1 : 0;
  last_ = busy_until_;
  if (run_ >= kStorm) storm_ = busy_until_;
  items_.back().damaged = wrong;
}

std::optional<Wire> Channel::receive(std::uint64_t now_ps) {
  if (items_.empty() || items_.front().arrival > static_cast<double>(now_ps)) return std::nullopt;
  const Wire wire = items_.front().wire;
  received_damaged_ = items_.front().damaged;
  items_.pop_front();
  return wire;
}

std::vector<Channel::Flight> Channel::depart() {
  std::vector<Flight> flights;
  for (const auto& item : items_) flights.push_back({item.arrival, item.wire});
  items_.clear();
  return flights;
}

bool Channel::steady(std::uint64_t now_ps, std::uint64_t storm_ps, std::uint64_t silence_ps) const {
  const auto now = static_cast<double>(now_ps);
  return !dead_ && now - storm_ > static_cast<double>(storm_ps) && now - last_ < static_cast<double>(silence_ps);
}

void Channel::cut(bool dead) {
  dead_ = dead;
  storm_ = busy_until_;
  if (dead) items_.clear();
}

}  // namespace jogak::link
