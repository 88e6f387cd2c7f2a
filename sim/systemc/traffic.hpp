// The data of packets, for packages in which a Verilated die listens: cycle models send words without data, so they are put in from here. A
// die's packets come in the order of its stores, which the exact model has executed before.
#pragma once

#include <algorithm>
#include <vector>

#include "link.hpp"
#include "sim/link/link_end.hpp"
#include "sim/model/package.hpp"
#include "values.hpp"

namespace jogak::systemc {

class Traffic {
 public:
  // Watches the package from now on.
  Traffic(model::Package& package, Values& values);
  ~Traffic();
  void begin();  // a launch

  // What one die sends by one link: words in the order in which they go over it.
  class Reader {
   public:
    Reader(Traffic& traffic, u32 die, u32 side) : traffic_(traffic), die_(die), side_(side), next_(traffic.packets_.size()) {}
    void begin() { std::ranges::fill(next_, 0); }
    // first: of a packet, with its head. taken: the next call is about the next word.
    void word(u64 head, bool first, bool taken, link::Word& word);

   private:
    Traffic& traffic_;
    u32 die_, side_;
    std::vector<std::size_t> next_;  // by sender: the packet after the last one that went this way
    u32 sender_ = 0;
    std::size_t packet_ = 0;
    u32 at_ = 0;  // word
    bool data_ = false;
  };

 private:
  struct Packet {
    u32 to;
    u64 address;
    std::vector<std::uint8_t> bytes;
  };
  // Does a packet from one die to another leave a die by this side?
  bool passes(u32 from, u32 to, u32 die, u32 side) const;
  const Packet& packet(u32 sender, std::size_t number);

  model::Package& package_;
  Values& values_;
  u32 columns_, port_bytes_;
  std::vector<std::vector<Packet>> packets_;  // by sender, of this launch
};

}  // namespace jogak::systemc
