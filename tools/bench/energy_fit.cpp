// energy-fit: the energy model's array against an independent estimate: the array mapped to the library's cells, fed cycle
// by cycle with the ports of a Verilator run, every change of a net counted and priced by the library's internal power, pin
// capacitances and clock pins. The netlist's results must be those of the Verilator run.
#include <cmath>
#include <cstdlib>
#include <random>

#include "Vnpu_array_nano.h"
#include "common.hpp"
#include "ppa_common.hpp"
#include "tools/ppa/energy.hpp"
#include "tools/ppa/switching.hpp"

namespace jogak::bench {
namespace {

constexpr int kRows = 8, kCols = 8, kSlices = 32 / kRows, kCycles = 1024, kWarm = 128;

struct Workload {
  const char* name;
  int rows_a_tile;   // moving rows that meet one tile of weights
  double spread;     // of bytes: standard deviation; 0: uniform over all codes
  double busy;       // share of cycles with a moving slice
};

class Source {
 public:
  Source(std::uint64_t seed, double spread) : random_(seed), spread_(spread) {}
  std::uint8_t byte() {
    if (spread_ <= 0) return static_cast<std::uint8_t>(random_());
    const double x = std::normal_distribution<double>(0, spread_)(random_);
    return static_cast<std::uint8_t>(static_cast<int>(std::lround(std::min(127.0, std::max(-127.0, x)))));
  }
  double share() { return std::uniform_real_distribution<double>(0, 1)(random_); }

 private:
  std::mt19937_64 random_;
  double spread_;
};

// Both machines with the same ports.
class Lockstep {
 public:
  Lockstep(ppa::GateSimulator& gates) : gates_(gates), array_(&context_) {}

  void bit(const char* name, CData& port, unsigned value, int width = 1) {
    port = static_cast<CData>(value);
    for (int i = 0; i < width; ++i) gates_.set(width == 1 ? name : std::string(name) + "[" + std::to_string(i) + "]", value >> i & 1);
  }
  template <std::size_t N>
  void bytes(const char* name, const std::array<std::uint8_t, N>& value) {
    for (std::size_t i = 0; i < N; ++i)
      for (unsigned b = 0; b < 8; ++b) gates_.set(std::string(name) + "[" + std::to_string(8 * i + b) + "]", value[i] >> b & 1);
  }
  void clock() {
    array_.clk_i = 0, array_.eval();
    gates_.step();
    array_.clk_i = 1, array_.eval();
  }
  // Differences of the column sums.
  int differences() const {
    int n = 0;
    for (unsigned i = 0; i < 64; ++i) n += ((array_.isum_o >> i & 1) != 0) != gates_.output("isum_o[" + std::to_string(i) + "]");
    return n;
  }
  Vnpu_array_nano& array() { return array_; }

 private:
  ppa::GateSimulator& gates_;
  VerilatedContext context_;
  Vnpu_array_nano array_;
};

struct Result {
  ppa::SwitchingEnergy energy;
  double macs = 0, weight_bytes = 0;
  int differences = 0;
};

Result simulate(const ppa::Netlist& netlist, const ppa::Timing& timing, double volts, const Workload& w, std::uint64_t seed) {
  ppa::GateSimulator gates(netlist, timing, volts);
  Lockstep both(gates);
  Source source(seed, w.spread);
  Result r;
  int slice = 0, rows = 0, word = 0;
  unsigned bank = 0;
  bool row = false;
  std::array<std::uint8_t, 16> weights{};
  std::array<std::uint8_t, 8> moving{};
  for (int cycle = -kWarm; cycle < kCycles; ++cycle) {
    if (cycle == 0) gates.clear_energy();
    both.bit("rst_ni", both.array().rst_ni, cycle > -kWarm + 2);
    // The other bank's 16 words while rows stream; all of both banks once before anything is counted.
    if (slice == 0) row = cycle > -kWarm + 40 && source.share() < w.busy;
    if (row && slice == 0 && rows++ == w.rows_a_tile) rows = 1, bank ^= 1, word = 0;
    const bool load = cycle < -kWarm + 36 ? cycle > -kWarm + 3 : word < 16;
    // Without a word or a slice the ports keep what they had, as the loader's and the mover's registers do.
    for (auto& b : weights) b = load ? source.byte() : b;
    for (auto& b : moving) b = row ? source.byte() : b;
    const unsigned early = static_cast<unsigned>(cycle + kWarm - 4);
    both.bit("ld_valid_i", both.array().ld_valid_i, load);
    both.bit("ld_mode_i", both.array().ld_mode_i, 0, 2);
    both.bit("ld_bank_i", both.array().ld_bank_i, cycle < -kWarm + 36 ? early >> 4 & 1 : bank ^ 1);
    both.bit("ld_idx_i", both.array().ld_idx_i, cycle < -kWarm + 36 ? early & 15 : static_cast<unsigned>(word) & 15, 4);
    both.bytes("ld_word_i", weights);
    for (std::size_t i = 0; i < 4; ++i)
      both.array().ld_word_i[i] = weights[4 * i] | weights[4 * i + 1] << 8 | weights[4 * i + 2] << 16 | static_cast<std::uint32_t>(weights[4 * i + 3]) << 24;
    both.bit("mv_valid_i", both.array().mv_valid_i, row);
    both.bit("mv_first_i", both.array().mv_first_i, row && slice == 0);
    both.bit("mv_last_i", both.array().mv_last_i, row && slice == kSlices - 1);
    both.bit("mv_sel_i", both.array().mv_sel_i, bank * kSlices + static_cast<unsigned>(slice), 3);
    both.bytes("mv_bytes_i", moving);
    std::uint64_t packed = 0;
    for (std::size_t i = 0; i < 8; ++i) packed |= static_cast<std::uint64_t>(moving[i]) << (8 * i);
    both.array().mv_bytes_i = packed;
    both.clock();
    if (cycle >= 0) {
      r.macs += row ? kRows * kCols : 0;
      r.weight_bytes += load ? 16 : 0;
      r.differences += both.differences();
    }
    if (cycle >= -kWarm + 36 && load) ++word;
    if (row) slice = (slice + 1) % kSlices;
  }
  r.energy = gates.energy();
  return r;
}

void run(const Options& options, Report& report) {
  const auto library_file = liberty();
  if (!library_file) return report.skip("no library: $JOGAK_LIBERTY, or liberty/nangate45_typ.lib.gz in $JOGAK_SHARED");
  synthesise(*library_file, "--config nano --block array");
  const auto work = build_folder() / "synth/liberty-nano";
  const ppa::Library library = ppa::read_library(work / "cells.lib");
  const ppa::Netlist netlist = ppa::read_netlist({work / "array/block.blif"}, library);
  const ppa::Timing timing = ppa::analyse(netlist, {});
  const ppa::Constants constants = ppa::project_constants();
  const double scale = ppa::energy_scale(ppa::node_at(constants, 45), library.voltage);
  for (const Workload& w : {Workload{"products, any bytes", 32, 0, 1}, Workload{"products, bytes as in models", 32, 30, 1}, Workload{"new weights for every row of 8", 8, 30, 1},
                            Workload{"half of the time idle", 32, 30, 0.5}}) {
    const Result r = simulate(netlist, timing, library.voltage, w, options.seed);
    const double model = (r.macs * ppa::mac_pj(constants) + r.weight_bytes * ppa::weight_byte_pj(constants)) * scale, found = r.energy.total();
    const std::string name = w.name;
    report.add({.case_name = name + ": netlist and RTL", .config = "nano", .on = "rtl", .value = static_cast<double>(r.differences), .unit = "differences", .bar = 0, .less = true});
    report.add({.case_name = name + ": library", .config = "nano", .on = "rtl", .value = found / r.macs, .unit = "pJ a product"});
    report.add({.case_name = name + ": charging nets", .config = "nano", .on = "rtl", .value = r.energy.net_pj / found, .unit = "share"});
    report.add({.case_name = name + ": clock pins", .config = "nano", .on = "rtl", .value = r.energy.clock_pj / found, .unit = "share"});
    report.add({.case_name = name + ": model", .config = "nano", .on = "rtl", .value = model / r.macs, .unit = "pJ a product"});
    report.add({.case_name = name + ": difference", .config = "nano", .on = "rtl", .value = std::abs(model / found - 1), .unit = "relative error", .bar = 0.20, .less = true});
  }
}

const Register registered{"energy-fit", "energy of the array against library power times switching of a Verilator run", run};

}  // namespace
}  // namespace jogak::bench
