// The router of a mesh of kernels, a kernel of its own: it carries what passes through its chiplet, so it runs where that is idle, too.
// First along x, then along y, so no circle of waiting packets can form; a packet holds its output to its last word; inputs take turns. Two
// packets from one chiplet to another keep their order.
#pragma once

#include "packets.hpp"

namespace jogak { namespace JG_NAMESPACE {

enum Port : u32 { kLocal, kEast, kWest, kNorth, kSouth, kPorts };  // the chiplet itself; x + 1, x - 1, y + 1, y - 1

// Words inside: AXI streams take blocking writes only, and one output that is full may not stop the others, so a task stands at each.
struct Passing {
  PortWord data;
  bool last;
};
using Leaving = Fifo<Passing, 2>;

struct Inlet {
  bool full;    // word waits
  bool inside;  // it is behind the first of its packet
  u8 way;       // output of the packet
  Passing word;
};
struct Outlet {
  bool held;  // a packet of inlet `from` is under way
  u8 from;    // else the inlet that had it last
};

// `place`: the register of the chiplet.
inline u8 way_of(u64 header, u32 place) {
  const u32 x = field(place, 0, 4), y = field(place, 4, 4);
  if (to_x(header) != x) return to_x(header) > x ? kEast : kWest;
  if (to_y(header) != y) return to_y(header) > y ? kNorth : kSouth;
  return kLocal;
}

inline void enter(Inlet& inlet, NetStream& in, u32 place) {
  NetWord word;
  if (inlet.full || !in.read_nb(word)) return;
  inlet.word.data = word.data;
  inlet.word.last = word.last[0];
  inlet.full = true;
  if (!inlet.inside) inlet.way = way_of(static_cast<u64>(inlet.word.data.range(63, 0)), place);
}

inline void leave(Outlet& outlet, u32 port, Inlet (&inlet)[kPorts], Leaving& out) {
  u32 from = outlet.from;
  for (u32 i = 1; i <= kPorts && !outlet.held; ++i) {
    const u32 p = (outlet.from + i) % kPorts;
    if (!inlet[p].full || inlet[p].inside || inlet[p].way != port) continue;
    from = p;
    break;
  }
  Inlet& chosen = inlet[from];
  if (!chosen.full || chosen.way != port || chosen.inside != outlet.held || !out.write_nb(chosen.word)) return;
  chosen.full = false;
  chosen.inside = !chosen.word.last;
  outlet.held = chosen.inside;
  outlet.from = static_cast<u8>(from);
}

inline void router(u32 place, NetStream& local_in, NetStream& east_in, NetStream& west_in, NetStream& north_in, NetStream& south_in,
                   Leaving& local_out, Leaving& east_out, Leaving& west_out, Leaving& north_out, Leaving& south_out) {
  JG_STATES(Inlet, inlet, kPorts);
  JG_STATES(Outlet, outlet, kPorts);
  JG_PARTITION(inlet, 1)
  JG_PARTITION(outlet, 1)
  JG_PIPELINE(1)
  enter(inlet[kLocal], local_in, place);
  enter(inlet[kEast], east_in, place);
  enter(inlet[kWest], west_in, place);
  enter(inlet[kNorth], north_in, place);
  enter(inlet[kSouth], south_in, place);
  leave(outlet[kLocal], kLocal, inlet, local_out);
  leave(outlet[kEast], kEast, inlet, east_out);
  leave(outlet[kWest], kWest, inlet, west_out);
  leave(outlet[kNorth], kNorth, inlet, north_out);
  leave(outlet[kSouth], kSouth, inlet, south_out);
}

inline void router_out(Leaving& from, NetStream& out) {
  JG_PIPELINE(1)
  const Passing word = from.read();
  out.write(net_word(word.data, word.last));
}

}}  // namespace jogak::JG_NAMESPACE
