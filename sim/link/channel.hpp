// One direction of a link's physical layer: it takes flits as fast as its lanes carry them, delays them, and may damage or lose them.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "sim/link/flit.hpp"

namespace jogak::link {

struct ChannelOptions {
  double gb_per_s = 68;         // of all lanes together, overhead included
  std::uint64_t latency_ps = 2000;  // last bit out to flit in
  double bit_error_rate = 0;
  std::uint64_t seed = 1;
};

class Channel {
 public:
  explicit Channel(const ChannelOptions& options);

  // Room for one more flit: at most one waits behind the one on the lanes.
  bool ready(std::uint64_t now_ps) const { return busy_until_ <= static_cast<double>(now_ps) + flit_ps_; }
  // open: the wire has no CRC yet; it gets one if it is damaged.
  void send(std::uint64_t now_ps, const Wire& wire, Width width, bool open = false);
  // The next flit that has arrived, damaged or not.
  std::optional<Wire> receive(std::uint64_t now_ps);
  // The flit received last has wrong bits.
  bool received_damaged() const { return received_damaged_; }
  // When the next flit arrives; infinite: none is on its way.
  double next_ps() const { return items_.empty() ? std::numeric_limits<double>::infinity() : items_.front().arrival; }

  // Lanes that carry nothing but noise from now on, until they are mended.
  void break_lanes(bool low, bool high) { low_broken_ = low, high_broken_ = high; }
  // Nothing arrives any more, what is on its way included, until cut(false).
  void cut(bool dead);

  // For packages over several processes (sim/rtl/cut.hpp): what is on its way leaves one process's channel and enters another's.
  struct Flight {
    double arrival;
    Wire wire;
  };
  std::vector<Flight> depart();
  void arrive(const Flight& flight) { items_.push_back({flight.arrival, flight.wire, true}); }
  // Nothing that was sent can make the receiver stop hearing: no storm of damaged flits within storm_ps, no silence of silence_ps.
  bool steady(std::uint64_t now_ps, std::uint64_t storm_ps, std::uint64_t silence_ps) const;

  std::uint64_t flits() const { return flits_; }
  std::uint64_t damaged() const { return damaged_; }  // flits with wrong bits
  double busy_ps() const { return busy_ps_; }          // with flits on the lanes

 private:
  struct Item {
    double arrival;
    Wire wire;
    bool damaged = false;
  };
  std::uint64_t next_error();
  void noise(Wire& wire, bool low, bool high);

  double flit_ps_, latency_ps_, bit_error_rate_;
  double busy_until_ = 0, busy_ps_ = 0;
  std::deque<Item> items_;
  std::mt19937_64 random_;
  std::uint64_t clean_bits_;  // before the next wrong one
  std::uint64_t flits_ = 0, damaged_ = 0;
  double storm_ = -1e30, last_ = -1e30;  // end of the last storm of damaged flits; the last flit on the lanes
  unsigned run_ = 0;                    // damaged flits in a row
  bool low_broken_ = false, high_broken_ = false, dead_ = false, received_damaged_ = false;
};

}  // namespace jogak::link
