// Standard-cell libraries (Liberty): what area, timing and energy need of them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace jogak::ppa {

// A look-up table over one or two indices, bilinear, continued beyond its ends.
struct Table {
  std::vector<double> x, y;  // y empty: one index; both empty: one value
  std::vector<double> values;
  double at(double a, double b) const;
};

enum class Sense { positive, negative, both };

// From an input pin (index in Cell::pins) to the pin that holds the arc.
struct Arc {
  int from = -1;
  Sense sense = Sense::both;
  bool edge = false;              // from a clock edge
  std::optional<Table> rise = {}, fall = {}, rise_slew = {}, fall_slew = {};  // ns over (input slew ns, load fF)
};

// Setup time of the pin that holds it, to a rising clock.
struct Setup {
  Table rise, fall;  // ns over (slew of the pin, slew of the clock)
};

// Energy inside the cell for a change of the pin that holds it.
struct Internal {
  int related = -1;      // input pin whose change causes it; -1: the pin itself
  std::optional<Table> rise, fall;  // fJ over (slew, load) or (slew)
};

struct Pin {
  std::string name = {}, function = {};
  bool output = false, clock = false;
  double capacitance = 0;  // fF
  std::vector<Arc> arcs = {};
  std::vector<Setup> setups = {};
  std::vector<Internal> internal = {};
};

struct Cell {
  enum class Kind { gate, flop, clock_gate, other };
  std::string name = {};
  Kind kind = Kind::gate;
  double area = 0;         // um2
  double leakage = 0;      // nW
  std::string next_state = {}, clear = {}, preset = {};  // of a flop
  std::vector<Pin> pins = {};
  int pin(const std::string& pin_name) const;  // -1: none
};

struct Library {
  std::string name;
  double voltage = 0;
  std::vector<Cell> cells;
  std::map<std::string, int> by_name;
  const Cell* find(const std::string& cell) const;
};

// Throws Error where the text is not Liberty. .gz files are read through gzip.
Library read_library(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);
// One file of several that share units: the first one's head, everyone's cells and templates.
std::string merge_libraries(const std::vector<std::filesystem::path>& paths);

}  // namespace jogak::ppa
