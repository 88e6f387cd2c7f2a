// What the cells of a placed Lattice ECP5 design do, without times: slices, RAMs, multipliers, registers at pins, pins,
// one PLL. Only what occurs in designs of this project; a cell, mode or second clock that is none of it is refused.
#pragma once

#include <memory>
#include <string>

#include "circuit.hpp"
#include "design.hpp"

namespace jogak::netlist {

// A pin of the device. `in`: what the world drives; `out`, `drives`: what the device drives, and whether it does.
struct Pin {
  Net in = kZero, out = kZero, drives = kZero;
};

struct Device {
  Circuit circuit;
  std::map<std::string, std::vector<Pin>> pins;  // by port, low bit first
  Net locked = kZero;                            // the PLL's; set from outside
  double clock_ratio = 1;                        // the circuit's clock against the one that comes in

  const Pin& pin(const std::string& port, std::size_t bit = 0) const;  // throws Error where there is none
};

// Throws Error.
std::unique_ptr<Device> device_of(const Design& design);

}  // namespace jogak::netlist
