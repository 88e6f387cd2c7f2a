// Published devices: how a channel is built, how fast its pins are, and its timing in clocks. Sources: docs/memory.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace jogak::dram {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

// In clocks. _s: between bank groups, _l: within one. Names as in the standards; rfc and refi are of all banks together.
struct Timing {
  u32 cl, cwl, rcd, rp, ras, rc;
  u32 ccd_s, ccd_l, rrd_s, rrd_l, faw;
  u32 wr, wtr_s, wtr_l, rtp;
  u32 rfc, refi;
  u32 rank_switch;  // idle clocks of the data bus
  u32 ppd = 0;      // from one precharge of a rank to the next; 0: what the command bus takes
};

struct Preset {
  std::string_view name;     // as in --memory
  std::string_view device;   // what it is, for people
  u64 clock_fs;              // of the command clock
  u32 channels;              // independent, with their own commands and data
  u32 bits;                  // of a channel's data bus
  u32 beats;                 // of an access
  u32 burst;                 // clocks that its data take
  u32 ranks, groups, banks;  // banks of a group, groups of a rank
  u32 row_bytes;             // of a channel
  u32 rows;                  // of a bank
  u32 act_clocks, column_clocks, pre_clocks;  // of the command bus
  bool two_buses;            // rows and columns are commanded separately
  Timing t;

  u32 access_bytes() const { return bits / 8 * beats; }
};

std::span<const Preset> presets();
// Throws Error that names all of them.
const Preset& find_preset(std::string_view name);

}  // namespace jogak::dram
