#include "cut.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "error.hpp"

namespace jogak::rtl {

namespace {

constexpr std::uint64_t kPipeline = 64;  // cycles from a flit's arrival to what it does to the side wire, and some more
constexpr std::uint64_t kSilence = 512;  // without a flit; a receiver stops hearing after 1024

template <typename T>
void put(std::vector<std::uint8_t>& bytes, const T& value) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(&value);
  bytes.insert(bytes.end(), p, p + sizeof(T));
}

template <typename T>
T get(const std::vector<std::uint8_t>& bytes, std::size_t& at) {
  if (bytes.size() - at < sizeof(T)) throw Error("package cut", "message", std::to_string(bytes.size()) + " bytes", "more");
  T value;
  std::memcpy(&value, &bytes[at], sizeof(T));
  at += sizeof(T);
  return value;
}

struct Head {
  std::uint64_t cycle;
  std::uint32_t ends, steady;
};
struct EndHead {
  std::uint32_t die, link, hears, flights;
};

}  // namespace

std::string gathered(Transport& transport, const std::string& here) {
  std::string all;
  for (unsigned rank = 0; rank < transport.ranks(); ++rank) {
    const bool own = rank == transport.rank();
    std::vector<std::uint8_t> size;
    put(size, std::uint64_t(here.size()));
    transport.broadcast(rank, size);
    std::size_t at = 0;
    std::vector<std::uint8_t> text(get<std::uint64_t>(size, at));
    if (own) std::copy(here.begin(), here.end(), text.begin());
    transport.broadcast(rank, text);
    if (!text.empty()) all += (all.empty() ? "" : "; ") + std::string(text.begin(), text.end());
  }
  return all;
}

Cut::Cut(unsigned peer, const link::ChannelOptions& o, std::uint64_t period_ps) : peer_(peer), period_ps_(period_ps) {
  // Sent in cycle t, a flit is on its lanes at least for its length and then on its way; the cycle that may see it is the first not before
  // that.
  const double way = link::kFlitBytes * 1000.0 / o.gb_per_s + static_cast<double>(o.latency_ps);
  window_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(way / static_cast<double>(period_ps))));
  storm_ps_ = static_cast<std::uint64_t>(3 * way) + (window_ + kPipeline) * period_ps;
  silence_ps_ = kSilence > window_ ? (kSilence - window_) * period_ps : 0;
}

bool Cut::heard(unsigned die, unsigned link) const {
  for (const End& e : ends_)
    if (e.die == die && e.link == link) return e.heard;
  throw Error("package cut", "link " + std::to_string(link) + " of die " + std::to_string(die), "not cut", "one to another process");
}

void Cut::meet(Transport& transport, std::uint64_t cycle, bool steady) {
  std::vector<std::uint8_t> bytes;
  put(bytes, Head{cycle, static_cast<std::uint32_t>(ends_.size()), steady});
  for (End& e : ends_) {
    const auto flights = e.out->depart();
    put(bytes, EndHead{e.die, e.link, e.hears, static_cast<std::uint32_t>(flights.size())});
    for (const auto& f : flights) put(bytes, f);
  }
  const auto other = transport.exchange(peer_, bytes);
  std::size_t at = 0;
  const auto head = get<Head>(other, at);
  if (head.cycle != cycle || head.ends != ends_.size())
    throw Error("package cut", "process " + std::to_string(peer_), "cycle " + std::to_string(head.cycle), std::to_string(cycle) + ": every process makes the same calls");
  for (std::uint32_t i = 0; i < head.ends; ++i) {
    const auto end = get<EndHead>(other, at);
    for (End& e : ends_) {
      if (e.far != end.die || (e.link ^ 1) != end.link) continue;
      e.heard = end.hears != 0;
      for (std::uint32_t f = 0; f < end.flights; ++f) e.in->arrive(get<link::Channel::Flight>(other, at));
    }
  }
  free_ = steady && head.steady != 0;
  next_ = cycle + (free_ ? window_ : 1);
  ++exchanges_;
}

void Cut::changed(const End& e) const {
  throw Error("package cut", "side wire of link " + std::to_string(e.link) + " of die " + std::to_string(e.die), "changed between exchanges",
              "unchanged: its last flits were whole");
}

}  // namespace jogak::rtl
