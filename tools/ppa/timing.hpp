// Static timing of a netlist before layout: the slowest path between registers, ports and memories.
#pragma once

#include <string>
#include <vector>

#include "netlist.hpp"

namespace jogak::ppa {

struct TimingOptions {
  double clock_slew = 0.03;  // ns, at registers; the clock tree is ideal
  double input_slew = 0.03;  // ns
  double wire = 0;           // fF for every input a net drives; before layout: none
  double output_load = 5;    // fF at output ports
};

struct PathStep {
  std::string cell, net;
  double at = 0;  // ns
};

struct Path {
  double ns = 0;  // clock to output, logic and set-up time
  std::string from = {}, to = {};
  int from_block = -1, to_block = -1;
  std::vector<PathStep> steps = {};
};

struct Timing {
  Path worst;
  std::vector<Path> by_block;  // slowest path that ends in each block; ns 0: none
  std::vector<Path> inside;    // and of those that also start there
  std::vector<double> load;    // fF by net
  std::vector<double> slew;    // ns by net, the slower edge
};

// Throws Error on a combinational loop.
Timing analyse(const Netlist& netlist, const TimingOptions& options);

}  // namespace jogak::ppa
