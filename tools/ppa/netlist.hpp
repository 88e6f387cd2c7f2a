// Mapped netlists (BLIF, one model per block), flattened into cells and nets.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "liberty.hpp"

namespace jogak::ppa {

struct Instance {
  const Cell* cell = nullptr;
  int block = 0;          // index in Netlist::blocks
  std::vector<int> nets;  // by pin of the cell; -1: open
};

struct Port {
  std::string name;
  int net = -1;
};

struct Netlist {
  static constexpr int kLow = 0, kHigh = 1;  // nets of the two constants
  std::vector<std::string> nets;             // "block/name"
  std::vector<std::string> blocks;           // instance paths of the models: "", "u_mx", "u_mx.u_array"
  std::vector<Instance> instances;
  std::vector<Port> inputs, outputs;
};

// Models that no other one uses are tops, side by side. Every cell must be a model or in the library;
// blocks of the chiplet (their names hold "$npu.") that were not given stay open.
Netlist read_netlist(const std::vector<std::filesystem::path>& files, const Library& library);

}  // namespace jogak::ppa
