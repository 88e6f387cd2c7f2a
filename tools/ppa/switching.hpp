// Energy of a netlist from the library: cycle by cycle, with the inputs of a simulation, every change of a net counted.
// No delays: a net changes once a cycle at most, so glitches are not in it.
#pragma once

#include <cstdint>
#include <map>

#include "timing.hpp"

namespace jogak::ppa {

// Truth table of a library function over its pins; at most six.
struct Function {
  std::vector<int> pins;  // index in Cell::pins; bit i of a row is pins[i]
  std::uint64_t rows = 0;
};
// Liberty's expression: ! ' & * | + ^ ( ) 0 1. Throws Error for unknown pins or more than six.
Function parse_function(const std::string& text, const Cell& cell);

struct SwitchingEnergy {
  double net_pj = 0;       // charging pins: half C V^2 a change
  double internal_pj = 0;  // inside cells, by their tables
  double clock_pj = 0;     // clock pins of flops and clock gates, both kinds
  double leakage_pj = 0;   // at the period given
  std::uint64_t cycles = 0, changes = 0;
  double total() const { return net_pj + internal_pj + clock_pj + leakage_pj; }
};

class GateSimulator {
 public:
  // timing: of the same netlist, for loads and slews. Throws Error for cells that it cannot simulate.
  GateSimulator(const Netlist& netlist, const Timing& timing, double volts);

  void set(const std::string& input, bool value);  // "mv_sel_i[2]"
  bool output(const std::string& name) const;
  // One cycle: gates follow inputs and registers, then the clock rises. Outputs that are registers show the new value.
  void step();
  const SwitchingEnergy& energy() const { return energy_; }
  void clear_energy() { energy_ = {}; }
  void add_leakage(double period_ns);

 private:
  struct Gate {
    int output = -1;
    std::vector<int> inputs;
    std::uint64_t rows = 0;
    double pj[2] = {0, 0};  // inside the cell when the output falls, rises
  };
  struct Flop {
    int d = -1, q = -1, qn = -1, clear = -1, preset = -1, gate = -1;  // gate: index of the clock gate; -1: always clocked
    bool clear_low = false, preset_low = false;
    double q_pj[2] = {0, 0}, qn_pj[2] = {0, 0}, clock_pj = 0, d_pj = 0;
  };
  struct ClockGate {
    int enable = -1;
    double clock_pj = 0, open_pj = 0;
    bool open = false;
  };
  void build();
  void order(std::vector<Gate> gates);
  void evaluate();
  void change(int net, bool value, const double* internal);
  double output_pj(const Instance& i, std::size_t pin, bool rise) const;
  double input_pj(const Instance& i, std::size_t pin) const;

  const Netlist& n_;
  const Timing& t_;
  double volts_, leakage_nw_ = 0;
  std::map<std::string, int> ports_;
  std::vector<Gate> gates_;
  std::vector<Flop> flops_;
  std::vector<ClockGate> clock_gates_;
  std::vector<char> value_;
  SwitchingEnergy energy_;
};

}  // namespace jogak::ppa
