// From 45 nm to other nodes and voltages, and memories of any size.
#pragma once

#include "constants.hpp"

namespace jogak::ppa {

// Between the table's nodes on logarithmic axes; 3 to 180 nm, else Error.
Node node_at(const Constants& c, double nm);
// Relative to 45 nm at 0.9 V. volts 0: the node's nominal supply.
double energy_scale(const Node& node, double volts);
// Clock at a supply voltage over that at the nominal one (alpha-power law); 0 below threshold.
double speed_at(const Constants& c, const Node& node, double volts);
// Clock in MHz at the nominal supply, after layout, as far as 45 nm is known.
double clock_mhz(const Constants& c, const Node& node);
double error_of_area(const Constants& c, double nm);
double error_of_energy(const Constants& c, double nm);

struct Sram {
  double area_um2, access_ns, read_pj, write_pj, leak_mw;
};
// A memory with one read and one write port at 45 nm (area) and 0.9 V (energy).
Sram sram_at(const Constants& c, double bytes, double word_bits);

}  // namespace jogak::ppa
