#include "energy.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace jogak::ppa {
namespace {

constexpr double kPico = 1e-12;
constexpr double kSumBits = 21, kProductBits = 16, kByteBits = 8;  // registers of a cell: partial sum, product, moving byte
constexpr double kChoiceBits = 10;                               // more in a sparse product: a second moving byte a row, an index
constexpr double kFootBits = 300;                                  // pipeline of a foot for one column

double share(double part, double whole) { return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0; }

}  // namespace

double mac_pj(const Constants& c) {
  const double logic = c["energy.int8_mul"] + c["energy.int32_add"] * kSumBits / 32;
  return c["energy.array"] * (logic + c["energy.register_bit"] * (kSumBits + kProductBits + kByteBits));
}

double weight_byte_pj(const Constants& c) { return 8 * c["energy.array"] * c["energy.register_bit"]; }

double foot_pj(const Constants& c) { return c["energy.fp32_mul"] + c["energy.fp32_add"] + c["energy.register_bit"] * kFootBits; }

double Activity::at(const std::string& name) const {
  const auto it = counters.find(name);
  if (it == counters.end()) throw Error("report", "counter " + name, "nothing", "every counter of spec/npu.yaml (made by run --profile --json)");
  return it->second;
}

double RunEnergy::joules(bool chip_only) const {
  double sum = 0;
  for (const Part& p : parts)
    if (p.on_chip || !chip_only) sum += p.joules;
  return sum;
}

double RunEnergy::error() const {
  double squares = 0, chip = 0;
  for (const Part& p : parts) squares += std::pow(p.joules * p.error, 2), chip += p.on_chip ? p.joules : 0;
  const double all = joules(false);
  return all > 0 ? std::sqrt(squares + std::pow(chip * node_error, 2)) / all : 0;
}

// pJ at 45 nm, 0.9 V, by part.
struct EnergyModel::Events {
  double array = 0, feet = 0, vector = 0, memories = 0, dma = 0, control = 0, dram_bits = 0;
};

EnergyModel::Events EnergyModel::events(const Machine& m, const Activity& a) const {
  const Constants& c = area_.constants();
  const Shape& s = m.shape;
  Events e;
  const double macs = a.at("macs"), sums = macs / 32, bytes = a.at("load_bytes") + a.at("store_bytes");
  e.array = macs * mac_pj(c) + a.at("load_bytes") * weight_byte_pj(c);  // every loaded byte enters the array once
  e.array += a.sparse_macs * c["energy.array"] * c["energy.register_bit"] * kChoiceBits;
  e.feet = sums * foot_pj(c);
  e.vector = a.at("vec_elems") * c["energy.vector_element"];
  e.dma = bytes * c["energy.dma_beat_byte"];
  e.control = a.at("instructions") * c["energy.control_command"];
  const auto memory = [&](std::size_t i) {
    const Memory x = memories(s)[i];
    return sram_at(c, x.word_bits * x.words / 8, x.word_bits);
  };
  const Sram weights = memory(1), activations = memory(3), vectors = memory(5);
  const double port = s.port_bytes, blocks = (sums + a.sparse_macs / 32) / s.cols, rows = sums / s.cols, beats = a.vector_rows(s);
  e.memories = a.at("load_bytes") / port * (weights.write_pj + weights.read_pj)            // every loaded byte is written and read once
               + blocks * activations.read_pj * 32 / std::min(32.0, port)                  // a block of 32 activations for all columns
               + rows * (vectors.read_pj + vectors.write_pj)                               // sums are accumulated in vector memory
               + beats * (2 * vectors.read_pj + vectors.write_pj);                         // two operands, one result
  e.dram_bits = (a.at("load_beats") + a.at("store_beats")) * port * 8;
  return e;
}

double EnergyModel::cycles(const Machine& m, const Activity& a) {
  if (a.at("cycles") > 0) return a.at("cycles");
  return 1.1 * std::max(a.at("macs") / (m.shape.rows * m.shape.cols), a.at("load_beats") + a.at("store_beats")) / m.dies;
}

OperatingPoint EnergyModel::at_volts(const Machine& m, double volts) const {
  const Node node = node_at(area_.constants(), m.nm);
  return {volts, clock_mhz(area_.constants(), node) * speed_at(area_.constants(), node, volts)};
}

OperatingPoint EnergyModel::nominal(const Machine& m) const { return at_volts(m, node_at(area_.constants(), m.nm).vdd); }

std::vector<OperatingPoint> EnergyModel::points(const Machine& m) const {
  const double vdd = node_at(area_.constants(), m.nm).vdd;
  std::vector<OperatingPoint> out;
  for (int step = static_cast<int>(std::ceil(0.6 * vdd / 0.025 - 1e-9)); step * 0.025 <= 1.1 * vdd + 1e-9; ++step)
    if (const OperatingPoint p = at_volts(m, step * 0.025); p.mhz > 0) out.push_back(p);
  return out;
}

double EnergyModel::area_mm2(const Machine& m) const {
  const Node node = node_at(area_.constants(), m.nm);
  double sum = 0;
  for (const BlockArea& b : area_.blocks(m.shape)) sum += b.logic_um2 * node.area + b.ram_um2 * node.sram;
  return sum * 1e-6 * m.dies;
}

double EnergyModel::leakage_watts(const Machine& m, double volts) const {
  const Constants& c = area_.constants();
  const Node node = node_at(c, m.nm);
  double uw = 0;
  for (const BlockArea& b : area_.blocks(m.shape)) uw += b.logic_um2 * node.area * c["leakage.logic_45"];
  for (const Memory& x : memories(m.shape)) uw += x.count * x.word_bits * x.words * c["leakage.sram_45"] * node.sram;
  const double steps = -std::log2(node.area);
  return m.dies * uw * 1e-6 * std::pow(c["leakage.per_node"], steps) * std::pow(volts / node.vdd, c["leakage.exponent"]);
}

RunEnergy EnergyModel::run(const Machine& m, const Activity& a, const OperatingPoint& p, bool gated) const {
  const Constants& c = area_.constants();
  const Node node = node_at(c, m.nm);
  const double scale = energy_scale(node, p.volts) * kPico, n = cycles(m, a);
  const Events e = events(m, a);
  RunEnergy out{.point = p, .seconds = n / (p.mhz * 1e6), .parts = {}};
  out.node_error = error_of_energy(c, m.nm);
  const auto error = [&](const char* name) { return c.at(name).error; };
  out.parts = {
      {"array", "products counted, energy of a cell's operators and registers", e.array * scale, error("energy.array")},
      {"feet", "one scaling and accumulation for 32 products", e.feet * scale, error("energy.fp32_mul")},
      {"vector engine", "elements counted", e.vector * scale, error("energy.vector_element")},
      {"on-chip memories", "words by bytes loaded, products and elements; CACTI 7", e.memories * scale, error("energy.sram_scale")},
      {"load and store", "bytes counted", e.dma * scale, error("energy.dma_beat_byte")},
      {"control", "instructions counted", e.control * scale, error("energy.control_command")},
  };
  // Gated registers are clocked when they are written, which the events above hold already.
  const bool timed = a.at("cycles") > 0;
  double clock = 0;
  for (const BlockArea& b : area_.blocks(m.shape)) {
    double on = 1;
    if (gated && timed && b.part == "array") on = 1 - share(a.at("mx_idle"), n);
    if (gated && timed && b.name == "vector") on = 1 - share(a.at("ve_idle"), n);
    if (gated && timed && b.name == "load") on = 1 - share(a.at("ld_idle"), n);
    if (gated && timed && b.name == "store") on = 1 - share(a.at("st_idle"), n);
    clock += b.ungated_bits * on * n * m.dies * c["energy.clock_bit"];
  }
  out.parts.push_back({"clock", gated ? "registers without a clock gate, engines without work stopped" : "registers without a clock gate, all engines clocked",
                       clock * scale, error("energy.clock_bit")});
  out.parts.push_back({"leakage", "area and bits, time", leakage_watts(m, p.volts) * out.seconds, error("leakage.sram_45")});
  const std::string dram = "dram." + m.dram, link = "links." + m.link;
  out.parts.push_back({"DRAM", "beats counted, " + m.dram, e.dram_bits * c[dram] * kPico, c.at(dram).error, false});
  if (m.link_bytes > 0) out.parts.push_back({"link", "bytes between chiplets, " + m.link, m.link_bytes * 8 * c[link] * kPico, c.at(link).error, false});
  return out;
}

RunEnergy EnergyModel::at_deadline(const Machine& m, const Activity& a, double seconds) const {
  RunEnergy best;
  double least = 0;
  for (const OperatingPoint& p : points(m)) {
    RunEnergy r = run(m, a, p, true);
    if (r.seconds > seconds) continue;
    // Nothing runs until the deadline, but everything leaks, at the lowest supply.
    const double idle = leakage_watts(m, points(m).front().volts) * (seconds - r.seconds);
    r.parts.push_back({"idle until the deadline", "leakage at the lowest supply, clocks stopped", idle, area_.constants().at("leakage.sram_45").error});
    if (best.parts.empty() || r.joules(false) < least) least = r.joules(false), best = r;
  }
  if (best.parts.empty()) {
    const RunEnergy fastest = run(m, a, points(m).back(), true);
    throw Error("report", "deadline", std::to_string(seconds * 1e3) + " ms", "at least " + std::to_string(fastest.seconds * 1e3) + " ms, at the highest supply");
  }
  return best;
}

}  // namespace jogak::ppa
