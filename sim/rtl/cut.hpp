// A package over several processes, cut at links between dies. Every process makes the same calls in the same order; each has some of the
// dies and stands aside for the others.
//
// A flit arrives at the earliest after the channel's latency, so processes go that many cycles (the lookahead) without a word and then
// exchange what was sent meanwhile. Only the side wire of a link has no latency: while it could change (training, storms of damaged flits,
// silence), the two processes exchange its state in every cycle. So all is as in one process, to the cycle.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/link/channel.hpp"

namespace jogak::rtl {

// Messages between the processes of a package.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual unsigned rank() const = 0;
  virtual unsigned ranks() const = 0;
  // Sends to a peer and returns what it sent; both call it.
  virtual std::vector<std::uint8_t> exchange(unsigned peer, std::span<const std::uint8_t> bytes) = 0;
  // All call these: bytes of the root for everybody, and the sum over all processes.
  virtual void broadcast(unsigned root, std::span<std::uint8_t> bytes) = 0;
  virtual std::uint64_t sum(std::uint64_t value) = 0;
};

// What all processes say, in their order, with "; " between those that say something.
std::string gathered(Transport& transport, const std::string& here);

// One process's side of the cut to one other process.
class Cut {
 public:
  struct End {                 // of a link whose other end is elsewhere
    unsigned die, link;        // this process's
    unsigned far;              // the other's die; its link is link ^ 1
    link::Channel *out, *in;   // what this die sends; what it receives
    bool hears = false;        // shown to the other side, and
    bool heard = false;        // shown by it
  };
  Cut(unsigned peer, const link::ChannelOptions& link, std::uint64_t period_ps);

  void add(const End& end) { ends_.push_back(end); }
  unsigned peer() const { return peer_; }
  const std::vector<End>& ends() const { return ends_; }
  bool heard(unsigned die, unsigned link) const;
  bool due(std::uint64_t cycle) const { return cycle >= next_; }
  std::uint64_t exchanges() const { return exchanges_; }

  // Before a cycle: hears and up of this process's dies at (die, link). `due` says when. Throws Error where the other side is not at the
  // same cycle.
  template <typename Hears, typename Up>
  void exchange(Transport& transport, std::uint64_t cycle, Hears hears, Up up) {
    bool steady = true;
    for (End& e : ends_) {
      e.hears = hears(e.die, e.link);
      steady = steady && e.hears && up(e.die, e.link) && e.out->steady(cycle * period_ps_, storm_ps_, silence_ps_);
    }
    meet(transport, cycle, steady);
  }
  // In every cycle between two exchanges. Throws Error where a side wire has changed, which cannot be.
  template <typename Hears>
  void watch(Hears hears) const {
    if (!free_) return;
    for (const End& e : ends_)
      if (!hears(e.die, e.link)) changed(e);
  }

 private:
  void meet(Transport& transport, std::uint64_t cycle, bool steady);
  [[noreturn]] void changed(const End& end) const;

  unsigned peer_;
  std::uint64_t period_ps_, window_, storm_ps_, silence_ps_;
  std::vector<End> ends_;
  std::uint64_t next_ = 0, exchanges_ = 0;
  bool free_ = false;  // no exchange until next_
};

}  // namespace jogak::rtl
