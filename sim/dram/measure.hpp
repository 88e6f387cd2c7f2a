// Traffic on a DRAM model, for its tests and the benchmark dram-model: the figures that data sheets speak of.
#pragma once

#include <functional>
#include <random>

#include "dram.hpp"

namespace jogak::dram {

// One channel, clocked in picoseconds of its own, without a controller's latency: time in cycles is time in ps.
class Probe {
 public:
  explicit Probe(const Preset& preset) : p_(preset), dram_({.preset = &preset, .period_fs = 1000, .channels = 1, .controller_fs = 0}) {}

  u64 access_bytes() const { return p_.access_bytes(); }
  // Ps from an access to its end, when nothing else happens after `pause` ps.
  u64 alone(u64 addr, u64 pause = 0) {
    now_ += pause;
    const u64 from = now_;
    keep(1, [&](u64) { return addr; }, false);
    return now_ - from;
  }
  // Accesses a second over n of them, as many in flight as the queue takes.
  double rate(u64 n, const std::function<u64(u64)>& address, bool write = false) {
    const u64 from = now_;
    keep(n, address, write);
    return double(n) * 1e12 / double(now_ - from);
  }
  // Byte address of a column of a row.
  u64 at(u64 row, u64 bank, u64 group, u64 column = 0) const {
    const u64 columns = p_.row_bytes / access_bytes();
    return (((row * p_.banks + bank) * columns + column) * p_.groups + group) * access_bytes();
  }
  const Preset& preset() const { return p_; }
  const Counts& counts() const { return dram_.counts(0); }
  Dram& dram() { return dram_; }

 private:
  // n accesses; the next is made when one of the kDeep before it has ended. Time goes on to the last end.
  void keep(u64 n, const std::function<u64(u64)>& address, bool write) {
    u64 made = 0, ended = 0, last = now_;
    while (ended < n) {
      while (made < n && made - ended < kDeep) dram_.access(now_, address(made), write, made), ++made;
      const u64 next = dram_.next();
      if (next != ~u64(0)) dram_.advance(now_ = std::max(now_, next));
      for (const auto& d : dram_.done()) last = std::max(last, d.cycle), ++ended;
      dram_.done().clear();
    }
    now_ = last;
  }

  static constexpr u64 kDeep = 2 * Channel::kWindow;
  const Preset& p_;
  Dram dram_;
  u64 now_ = 0;
};

}  // namespace jogak::dram
