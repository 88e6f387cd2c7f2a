// A netlist as place and route writes it: cells with parameters and pins, nets as numbers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "circuit.hpp"

namespace jogak::netlist {

struct Cell {
  std::string name, type;
  std::map<std::string, std::string> parameters;
  std::map<std::string, u32> pins;  // those that are connected

  // A parameter, or `otherwise` where it is not given.
  std::string text(const std::string& key, const std::string& otherwise) const;
  u64 bits(const std::string& key) const;  // its low 64; 0 where it is not given
  bool connected(const std::string& pin) const { return pins.count(pin) != 0; }
};

struct Design {
  std::vector<Cell> cells;
  std::map<std::string, std::vector<u32>> ports;  // low bit first
};

// The JSON that nextpnr's --write makes. Throws Error.
Design read_design(const std::filesystem::path& path);

}  // namespace jogak::netlist
