#include "presets.hpp"

#include <string>

#include "error.hpp"

namespace jogak::dram {

namespace {

// DDR4: 8 Gb devices, eight of x8 to a channel, speed bin 3200AA (22-22-22), 1 KiB pages.
constexpr Timing kDdr4{.cl = 22, .cwl = 16, .rcd = 22, .rp = 22, .ras = 52, .rc = 74, .ccd_s = 4, .ccd_l = 8, .rrd_s = 4, .rrd_l = 8, .faw = 34,
                       .wr = 24, .wtr_s = 4, .wtr_l = 12, .rtp = 12, .rfc = 560, .refi = 12480, .rank_switch = 1};
// LPDDR4: 16 Gb devices of two channels, read latency without DBI, write latency set A. The read latency counts from the command's second
// half and data come tDQSCK later: 1.5 ns at least, rounded up, are part of cl.
constexpr Timing kLpddr4At3200{.cl = 28 + 3, .cwl = 14, .rcd = 29, .rp = 29, .ras = 68, .rc = 97, .ccd_s = 8, .ccd_l = 8, .rrd_s = 16, .rrd_l = 16,
                               .faw = 64, .wr = 29, .wtr_s = 16, .wtr_l = 16, .rtp = 12, .rfc = 448, .refi = 6246, .rank_switch = 2, .ppd = 4};
constexpr Timing kLpddr4At4266{.cl = 36 + 4, .cwl = 18, .rcd = 39, .rp = 39, .ras = 90, .rc = 129, .ccd_s = 8, .ccd_l = 8, .rrd_s = 16, .rrd_l = 16,
                               .faw = 64, .wr = 39, .wtr_s = 22, .wtr_l = 22, .rtp = 16, .rfc = 598, .refi = 8329, .rank_switch = 2, .ppd = 4};
// LPDDR5: 16 Gb devices, four groups of four banks, clock 800 MHz, WCK four times as fast.
constexpr Timing kLpddr5{.cl = 17, .cwl = 9, .rcd = 15, .rp = 15, .ras = 34, .rc = 48, .ccd_s = 2, .ccd_l = 4, .rrd_s = 4, .rrd_l = 4, .faw = 16,
                         .wr = 28, .wtr_s = 5, .wtr_l = 10, .rtp = 4, .rfc = 224, .refi = 3124, .rank_switch = 2, .ppd = 2};
// HBM: a stack of pseudo-channels. The standards leave the array's times to the vendors: what simulators and measurements use, in ns.
constexpr Timing kHbm2{.cl = 14, .cwl = 4, .rcd = 14, .rp = 14, .ras = 33, .rc = 47, .ccd_s = 2, .ccd_l = 4, .rrd_s = 4, .rrd_l = 6, .faw = 16,
                       .wr = 16, .wtr_s = 4, .wtr_l = 8, .rtp = 5, .rfc = 350, .refi = 3900, .rank_switch = 1};
constexpr Timing kHbm3{.cl = 23, .cwl = 7, .rcd = 23, .rp = 23, .ras = 53, .rc = 76, .ccd_s = 2, .ccd_l = 4, .rrd_s = 7, .rrd_l = 10, .faw = 26,
                       .wr = 26, .wtr_s = 7, .wtr_l = 13, .rtp = 8, .rfc = 560, .refi = 6240, .rank_switch = 1};

constexpr Preset kPresets[] = {
    {"ddr4-3200", "DDR4-3200AA, one 64-bit channel of 8 Gb x8 devices", 625000, 1, 64, 8, 4, 1, 4, 4, 8192, 65536, 1, 1, 1, false, kDdr4},
    {"lpddr4-3200", "LPDDR4-3200, a 16 Gb device of two 16-bit channels", 625000, 2, 16, 16, 8, 1, 1, 8, 2048, 65536, 4, 4, 2, false, kLpddr4At3200},
    {"lpddr4-4266", "LPDDR4-4266, a 16 Gb device of two 16-bit channels", 468750, 2, 16, 16, 8, 1, 1, 8, 2048, 65536, 4, 4, 2, false, kLpddr4At4266},
    {"lpddr5-6400", "LPDDR5-6400, two 16-bit channels of 16 Gb devices", 1250000, 2, 16, 16, 2, 1, 4, 4, 2048, 65536, 2, 1, 1, false, kLpddr5},
    {"hbm2", "HBM2 of 2.0 Gb/s a pin, a stack of 16 pseudo-channels", 1000000, 16, 64, 4, 2, 1, 4, 4, 1024, 32768, 2, 1, 1, true, kHbm2},
    {"hbm3", "HBM3 of 6.4 Gb/s a pin, a stack of 32 pseudo-channels", 625000, 32, 32, 8, 2, 1, 4, 4, 1024, 32768, 2, 1, 1, true, kHbm3},
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

const Preset& find_preset(std::string_view name) {
  std::string names;
  for (const Preset& p : kPresets) {
    if (p.name == name) return p;
    names += ", " + std::string(p.name);
  }
  throw Error("memory", "preset", std::string(name), "ideal" + names);
}

}  // namespace jogak::dram
