// Two ends of a link with a channel each way, each end with a clock of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "sim/link/channel.hpp"
#include "sim/link/link_end.hpp"

namespace jogak::link {

struct PairOptions {
  EndOptions end;
  ChannelOptions channel;                              // of both directions; the second one's seed is another
  std::array<std::uint64_t, 2> period_ps = {1000, 1000};  // of the ends' clocks
};

// What a side offers and takes in a cycle, asked before the edge; taken() says what happened.
struct Port {
  bool in_valid = false, in_last = false, out_ready = false;
  Word in_word{};
};

// End: LinkEnd, or anything with its interface. Ends' clocks have edges at multiples of their periods; a received flit comes with the
// receiver's clock.
template <typename End>
class Pair {
 public:
  explicit Pair(const PairOptions& o) : Pair(o, o.end) {}
  template <typename EndOptionsOf>
  Pair(const PairOptions& o, const EndOptionsOf& e) : period_(o.period_ps), ends_{End(e), End(e)}, channels_{Channel(o.channel), Channel(second(o.channel))} {}

  // Runs to the next edge of either clock. port(side): what the side offers; done(side, port, taken, given): a cycle's result.
  void step(const std::function<Port(unsigned)>& port, const std::function<void(unsigned, const Port&, bool, bool)>& done) {
    const std::uint64_t now = now_ = std::min(edge_[0], edge_[1]);
    std::array<bool, 2> here{};
    std::array<typename End::Inputs, 2> in;
    std::array<const Wire*, 2> arrived{};
    std::array<Wire, 2> wires;
    for (unsigned s = 0; s < 2; ++s) {
      here[s] = edge_[s] == now;
      if (!here[s]) continue;
      edge_[s] += period_[s];
      const Port p = port(s);
      in[s] = {p.in_valid, p.in_last, p.out_ready, channels_[s].ready(now), ends_[1 - s].side_hear(), p.in_word};
      if (const auto w = channels_[1 - s].receive(now)) wires[s] = *w, arrived[s] = &wires[s];
      if (ends_[s].phy_valid() && in[s].phy_ready) channels_[s].send(now, ends_[s].phy_flit(), ends_[s].width());
      done(s, p, p.in_valid && ends_[s].in_ready(), ends_[s].out_valid() && p.out_ready);
    }
    for (unsigned s = 0; s < 2; ++s) {
      if (!here[s]) continue;
      const unsigned read = ends_[s].cross_read();
      ends_[s].step(in[s]);
      ends_[s].step_phy(arrived[s], read);
    }
  }

  End& end(unsigned side) { return ends_[side]; }
  Channel& channel(unsigned from) { return channels_[from]; }
  std::uint64_t now_ps() const { return now_; }

 private:
  static ChannelOptions second(ChannelOptions c) {
    c.seed += 0x9e3779b97f4a7c15u;
    return c;
  }
  std::array<std::uint64_t, 2> period_, edge_{};
  std::array<End, 2> ends_;
  std::array<Channel, 2> channels_;
  std::uint64_t now_ = 0;
};

}  // namespace jogak::link
