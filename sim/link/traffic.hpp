// Random packets both ways over a link, and a check that each arrives once, whole and in its order.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>

#include "sim/link/pair.hpp"

namespace jogak::link {

struct TrafficOptions {
  unsigned port_bytes = 16;
  unsigned words = 0;          // of every packet; 0: 1 to 64, and signals between
  double offer = 1, accept = 1;  // share of cycles in which a side offers a word, and takes one
  std::uint64_t seed = 1;
};

// One direction. The words are a counter's hash, so that the receiver knows them without a copy.
class Traffic {
 public:
  explicit Traffic(const TrafficOptions& o) : o_(o), send_(o.seed), expect_(o.seed), chance_(o.seed + 1) {}

  Port offer(bool stop = false) {
    Port p;
    if (!held_ && !(stop && send_.left == 0)) held_ = chance(o_.offer);
    p.in_valid = held_;
    if (held_) p.in_word = send_.word(o_), p.in_last = send_.left == 1 || send_.head_only;
    p.out_ready = chance(o_.accept);
    return p;
  }
  void sent() { send_.next(), held_ = false, ++words_sent; }
  // Throws where the word is not the next one of the stream.
  void received(const std::uint32_t* word, bool first, bool last) {
    const bool is_first = expect_.left == 0;
    const Word want = expect_.word(o_);
    const bool is_last = expect_.left == 1 || expect_.head_only;
    for (unsigned i = 0; i < o_.port_bytes / 4; ++i)
      if (word[i] != want[i]) throw std::runtime_error("link: word " + std::to_string(words_received) + ", found other bits than were sent");
    if (first != is_first || last != is_last) throw std::runtime_error("link: word " + std::to_string(words_received) + ", found another border of packets than was sent");
    if (!is_first) data_bytes += o_.port_bytes;
    expect_.next(), ++words_received, packets_received += is_last;
  }
  bool idle() const { return send_.left == 0 && !held_; }

  std::uint64_t words_sent = 0, words_received = 0, packets_received = 0, data_bytes = 0;

 private:
  struct Stream {
    explicit Stream(std::uint64_t seed) : state(seed) {}
    std::uint64_t state, count = 0;
    unsigned left = 0;       // words of this packet after the header, from the header on
    bool made = false, head_only = false;
    Word made_word{};
    static std::uint64_t mix(std::uint64_t x) {
      x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
      x = (x ^ x >> 27) * 0x94d049bb133111ebu;
      return x ^ x >> 31;
    }
    const Word& word(const TrafficOptions& o) {
      if (made) return made_word;
      made = true;
      const std::uint64_t r = mix(state + ++count * 0x9e3779b97f4a7c15u);
      for (unsigned i = 0; i < o.port_bytes / 4; ++i) made_word[i] = static_cast<std::uint32_t>(mix(r + i));
      head_only = false;
      if (left == 0) {
        PacketHead h = unpack(r);
        h.kind = o.words == 0 && r % 5 == 0 ? PacketKind::kSignal : PacketKind::kWrite;
        if (o.words != 0) h.words = o.words;
        const std::uint64_t bits = pack(h);
        made_word[0] = static_cast<std::uint32_t>(bits), made_word[1] = static_cast<std::uint32_t>(bits >> 32);
        head_only = h.kind == PacketKind::kSignal;
        pending = head_only ? 0 : h.words;
      }
      return made_word;
    }
    void next() {
      left = left == 0 ? pending : left - 1;
      made = head_only = false;
    }
    unsigned pending = 0;
  };
  bool chance(double share) { return share >= 1 || static_cast<double>(chance_() >> 11) * 0x1p-53 < share; }

  TrafficOptions o_;
  Stream send_, expect_;
  std::mt19937_64 chance_;
  bool held_ = false;
};

// Traffic both ways; side 0 sends a[0], which side 1 checks.
template <typename End>
class LinkRun {
 public:
  LinkRun(const PairOptions& p, const TrafficOptions& t) : LinkRun(p, p.end, t) {}
  template <typename EndOptionsOf>
  LinkRun(const PairOptions& p, const EndOptionsOf& e, const TrafficOptions& t) : pair(p, e), way{Traffic(t), Traffic(second(t))} {}

  void step(bool stop = false) {
    pair.step([&](unsigned s) { return way[s].offer(stop); },
              [&](unsigned s, const Port&, bool taken, bool given) {
                if (taken) way[s].sent();
                if (given) way[1 - s].received(pair.end(s).out_word(), pair.end(s).out_first(), pair.end(s).out_last());
                ++cycles[s];
              });
  }
  // Steps until both directions are empty; false: not after so many.
  bool drain(std::uint64_t steps) {
    for (; steps > 0; --steps) {
      if (way[0].idle() && way[1].idle() && way[0].words_sent == way[0].words_received && way[1].words_sent == way[1].words_received) return true;
      step(true);
    }
    return false;
  }

  Pair<End> pair;
  std::array<Traffic, 2> way;
  std::array<std::uint64_t, 2> cycles{};

 private:
  static TrafficOptions second(TrafficOptions t) {
    t.seed += 77;
    return t;
  }
};

}  // namespace jogak::link
