// Energy of a run: events counted by the machine, times energy per event, plus clock and leakage; at any operating point.
#pragma once

#include <cstdint>
#include <map>

#include "area.hpp"

namespace jogak::ppa {

// pJ at 45 nm, 0.9 V.
double mac_pj(const Constants& c);    // a cell of the array in a cycle: product, sum, registers
double weight_byte_pj(const Constants& c);  // one byte of a tile into its cell
double foot_pj(const Constants& c);   // one sum of 32 products: convert, scale, add, registers

// What a run did: its counters by name (spec/npu.yaml).
struct Activity {
  std::map<std::string, double> counters;
  double sparse_macs = 0;  // of counter macs, those of 2:4 sparse weights: no counter tells them apart
  double at(const std::string& name) const;
  double vector_rows(const Shape& s) const { return at("vec_elems") / s.cols; }
};

struct Machine {
  Shape shape;
  double nm = 45;
  std::string dram = "lpddr4", link = "none";
  double link_bytes = 0;  // between the dies of a package
  double dies = 1;        // each of that shape, with a port of its own
};

struct Part {
  std::string name, how;
  double joules = 0, error = 0;  // error: relative
  bool on_chip = true;
};

struct OperatingPoint {
  double volts = 0, mhz = 0;
};

struct RunEnergy {
  OperatingPoint point;
  double seconds = 0;
  std::vector<Part> parts;  // dynamic, clock, leakage, DRAM, link
  double joules(bool chip_only) const;
  double error() const;     // relative, of the sum; parts are independent, nodes are not
  double node_error = 0;
};

class EnergyModel {
 public:
  explicit EnergyModel(const AreaModel& area) : area_(area) {}

  // The node's nominal supply and clock.
  OperatingPoint nominal(const Machine& m) const;
  OperatingPoint at_volts(const Machine& m, double volts) const;
  // Steps of 25 mV from 0.6 to 1.1 of the nominal supply.
  std::vector<OperatingPoint> points(const Machine& m) const;
  // gated: an engine without work has its clock stopped.
  RunEnergy run(const Machine& m, const Activity& a, const OperatingPoint& p, bool gated) const;

  // The operating point that ends the run within `seconds` for the least energy, idle leakage until then included.
  // Throws Error where none is fast enough.
  RunEnergy at_deadline(const Machine& m, const Activity& a, double seconds) const;

  double area_mm2(const Machine& m) const;
  double leakage_watts(const Machine& m, double volts) const;
  // Cycles by the counter; without a clock the larger of array and port time, 10 % more.
  static double cycles(const Machine& m, const Activity& a);

 private:
  struct Events;
  Events events(const Machine& m, const Activity& a) const;
  const AreaModel& area_;
};

}  // namespace jogak::ppa
