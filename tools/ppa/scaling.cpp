#include "scaling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "error.hpp"

namespace jogak::ppa {
namespace {

double between(double x, double x0, double x1, double y0, double y1) {
  return std::exp(std::log(y0) + (std::log(x) - std::log(x0)) / (std::log(x1) - std::log(x0)) * (std::log(y1) - std::log(y0)));
}

// Points of one word width, smallest memory first.
using Line = std::vector<SramPoint>;

double along(const Line& line, double bytes, double SramPoint::* what) {
  if (line.size() == 1) return line[0].*what;
  std::size_t i = 1;
  while (i + 1 < line.size() && bytes > line[i].bytes) ++i;
  const double low = line[i - 1].bytes;
  return between(std::max(bytes, low / 4), low, line[i].bytes, line[i - 1].*what, line[i].*what);
}

}  // namespace

Node node_at(const Constants& c, double nm) {
  if (!(nm >= 3 && nm <= 180)) throw Error("ppa", "node", std::to_string(nm) + " nm", "3 to 180 nm");
  std::size_t i = 1;
  while (i + 1 < c.nodes.size() && nm < c.nodes[i].nm) ++i;
  const Node &a = c.nodes[i - 1], &b = c.nodes[i];
  if (nm == a.nm) return a;
  if (nm == b.nm) return b;
  Node n{nm, 0, between(nm, a.nm, b.nm, a.area, b.area), between(nm, a.nm, b.nm, a.sram, b.sram)};
  const double t = (std::log(nm) - std::log(a.nm)) / (std::log(b.nm) - std::log(a.nm));
  n.vdd = a.vdd + t * (b.vdd - a.vdd);
  // The shape of the nearer node, the height at 0.9 V between both.
  const Node& shape = t < 0.5 ? a : b;
  const double scale = between(nm, a.nm, b.nm, energy_scale(a, 0.9), energy_scale(b, 0.9)) / energy_scale(shape, 0.9);
  n.a = shape.a * scale, n.b = shape.b * scale, n.c = shape.c * scale;
  return n;
}

double energy_scale(const Node& node, double volts) {
  const double v = volts > 0 ? volts : node.vdd;
  return node.a * v * v + node.b * v + node.c;
}

double speed_at(const Constants& c, const Node& node, double volts) {
  const double threshold = c["speed.threshold"], alpha = c["speed.alpha"];
  const auto speed = [&](double v) { return v <= threshold ? 0 : std::pow(v - threshold, alpha) / v; };
  return speed(volts > 0 ? volts : node.vdd) / speed(node.vdd);
}

double clock_mhz(const Constants& c, const Node& node) {
  const double halvings = -std::log2(node.area);
  return c["speed.mhz_45"] * c["speed.layout"] / std::pow(c["speed.per_node"], halvings);
}

double error_of_area(const Constants& c, double nm) { return nm == 45 ? 0 : nm < 7 ? c.error_extrapolated : c.error_area; }
double error_of_energy(const Constants& c, double nm) { return nm == 45 ? 0 : nm < 7 ? c.error_extrapolated : c.error_energy; }

Sram sram_at(const Constants& c, double bytes, double word_bits) {
  std::map<double, Line> lines;
  for (const SramPoint& p : c.sram) lines[p.word_bits].push_back(p);
  // 32-bit points exist for small memories only and continue the 64-bit line.
  if (lines.count(32) && lines.count(64)) {
    lines[64].insert(lines[64].begin(), lines[32].begin(), lines[32].end());
    lines.erase(32);
  }
  const auto wide = std::prev(lines.end()), narrow = lines.begin();
  const double w = std::clamp(word_bits, narrow->first, 4 * wide->first);
  const auto value = [&](double SramPoint::* what) { return between(w, narrow->first, wide->first, along(narrow->second, bytes, what), along(wide->second, bytes, what)); };
  return {value(&SramPoint::mm2) * 1e6 * c["sram.two_ports"], value(&SramPoint::access_ns), value(&SramPoint::read_pj) * c["energy.sram_scale"],
          value(&SramPoint::write_pj) * c["energy.sram_scale"], value(&SramPoint::leak_mw)};
}

}  // namespace jogak::ppa
