// Packets between the chiplets of a package: those of rtl/link (npu_link_pkg.sv), port words with a header word in front, the last one
// marked. A stream of them is an AXI stream: the router of either description, or any link behind it, takes the other's.
#pragma once

#include <ap_axi_sdata.h>

#include "port.hpp"

namespace jogak { namespace JG_NAMESPACE {

static_assert(!kLinks || P >= 8, "hls: a packet's header lies in one port word");

using NetWord = ap_axiu<8 * P, 0, 0, 0>;
using NetStream = hls::stream<NetWord>;

enum class Packet : u8 { none, write, signal };

// A header's fields, from bit 0: kind 2, to x 4, to y 4, from x 4, from y 4, address 20, space 3, data words less one 6, first byte of the
// first word that counts 6, last byte of the last 6. Of a write address counts port words; of a signal its low 5 bits are the semaphore, 8
// more what is added to it.
inline u32 field(u64 header, u32 at, u32 bits) { return static_cast<u32>(header >> at & ((u64(1) << bits) - 1)); }
inline Packet kind_of(u64 header) { return static_cast<Packet>(field(header, 0, 2)); }
inline u32 to_x(u64 header) { return field(header, 2, 4); }
inline u32 to_y(u64 header) { return field(header, 6, 4); }
inline u32 address_of(u64 header) { return field(header, 18, 20); }
inline spec::Space space_of(u64 header) { return static_cast<spec::Space>(field(header, 38, 3)); }
inline u32 words_of(u64 header) { return field(header, 41, 6) + 1; }
inline u32 first_byte(u64 header) { return field(header, 47, 6); }
inline u32 last_byte(u64 header) { return field(header, 53, 6); }

inline bool is_remote(u64 address) { return (address >> spec::limit::remote_bit & 1) != 0; }

// The header for the bytes of one burst to an address of another chiplet; 0: no such chiplet, memory or signal. `place`: the register.
inline u64 packet_of(u64 address, u32 bytes, u32 place) {
  const u32 x = field(address, spec::limit::remote_x_bit, 4), y = field(address, spec::limit::remote_y_bit, 4);
  const u32 region = field(address, spec::limit::remote_region_bit, 4), offset = field(address, 0, spec::limit::remote_region_bit);
  if (x > field(place, 8, 4) || y > field(place, 12, 4)) return 0;
  const u64 ends = u64(x) << 2 | u64(y) << 6 | u64(field(place, 0, 4)) << 10 | u64(field(place, 4, 4)) << 14;
  if (region == spec::limit::remote_signals) {
    const u32 n = offset >> 11;
    const bool good = offset % 64 == 0 && n > 0 && n <= spec::limit::semaphore_max && bytes <= P;
    return good ? u64(Packet::signal) | ends | u64(offset >> 6) << 18 : 0;
  }
  u32 limit = 0;
  const spec::Space space = static_cast<spec::Space>(region);
  if (space == spec::Space::aspm) limit = kConfig.aspm_bytes;
  if (space == spec::Space::asc) limit = kConfig.asc_bytes;
  if (space == spec::Space::vmem) limit = kConfig.vmem_bytes;
  const bool whole = space != spec::Space::vmem || (offset | bytes) % 4 == 0;
  if (u64(offset) + bytes > limit || !whole) return 0;
  const u32 end = offset + bytes - 1, words = end / P - offset / P;
  return u64(Packet::write) | ends | u64(offset / P) << 18 | u64(region) << 38 | u64(words) << 41 | u64(offset % P) << 47 | u64(end % P) << 53;
}

inline NetWord net_word(const PortWord& data, bool last) {
  NetWord w;
  w.data = data;
  w.keep = ~u64(0);
  w.strb = ~u64(0);
  w.last = last ? 1 : 0;
  return w;
}

}}  // namespace jogak::JG_NAMESPACE
