#include "area.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace jogak::ppa {
namespace {

struct Term {
  const char* name;
  double (*size)(const Shape&);
};

double one(const Shape&) { return 1; }
double cells(const Shape& s) { return s.rows * s.cols; }
double cols(const Shape& s) { return s.cols; }
double feet(const Shape& s) { return s.rows * s.cols / 32; }
double lanes(const Shape& s) { return s.lanes; }
double port(const Shape& s) { return s.port_bytes; }

// What a block is made of. Every second weight bank of a column holds 32 bytes whatever the rows: it counts per column.
struct Block {
  const char *name, *part;
  std::vector<Term> terms;
};
const std::vector<Block>& table() {
  static const std::vector<Block> blocks = {
      {"control", "control", {{"chiplet", one}}},
      {"top", "control", {{"chiplet", one}}},
      {"array", "array", {{"cell", cells}, {"column", cols}}},
      {"matrix", "array", {{"foot", feet}, {"column", cols}, {"chiplet", one}}},
      {"vector", "vector engine", {{"lane", lanes}, {"column", cols}, {"chiplet", one}}},
      {"vmem", "memories", {{"column", cols}, {"chiplet", one}}},
      {"aspm", "memories", {{"port byte", port}, {"chiplet", one}}},
      {"wspm", "memories", {{"chiplet", one}}},
      {"load", "DMA", {{"port byte", port}, {"column", cols}, {"chiplet", one}}},
      {"store", "DMA", {{"port byte", port}, {"column", cols}, {"chiplet", one}}},
  };
  return blocks;
}

const Block& block_named(const std::string& name) {
  for (const Block& b : table())
    if (name == b.name) return b;
  throw Error("area model", "block " + name, "unknown", "a block of the chiplet");
}

std::vector<double> sizes(const Block& b, const Shape& s) {
  std::vector<double> out;
  for (const Term& t : b.terms) out.push_back(t.size(s));
  return out;
}

}  // namespace

std::vector<double> least_squares(const std::vector<std::vector<double>>& terms, const std::vector<double>& targets, const std::vector<double>& units) {
  const std::size_t n = terms.empty() ? 0 : terms[0].size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1, 0));
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const double weight = 1 / (units[k] * units[k]);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) a[i][j] += terms[k][i] * terms[k][j] * weight;
      a[i][n] += terms[k][i] * targets[k] * weight;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r)
      if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
    std::swap(a[i], a[pivot]);
    double largest = 0;
    for (std::size_t k = 0; k < terms.size(); ++k) largest = std::max(largest, std::abs(terms[k][i] / units[k]));
    if (std::abs(a[i][i]) < 1e-9 * largest * largest || a[i][i] == 0)
      throw Error("area model", "fit", std::to_string(terms.size()) + " results", "results that determine " + std::to_string(n) + " terms");
    for (std::size_t r = 0; r < n; ++r) {
      if (r == i) continue;
      const double f = a[r][i] / a[i][i];
      for (std::size_t c = i; c <= n; ++c) a[r][c] -= f * a[i][c];
    }
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(a[i][n] / a[i][i]);
  return out;
}

std::vector<Memory> memories(const Shape& s) {
  const double row = 16 * s.cols, port_bits = 8 * s.port_bytes, pieces = row / port_bits;  // bits; RAMs side by side
  const double piece = std::min(port_bits, 256.0), wide = std::max(port_bits, 256.0), scales = s.port_bytes / 2;
  return {
      {"imem", "control", 1, 142, s.imem_words},
      {"weights", "memories", pieces, port_bits, s.wspm * 8 / row},
      {"weight scales", "memories", pieces, port_bits, s.wspm / 16 * 8 / row},
      {"activations", "memories", wide / piece, piece, s.aspm * 8 / wide},
      {"activation scales", "memories", scales, 16, s.aspm / 16 / s.port_bytes},
      {"vector memory", "memories", 4, 32 * s.cols, s.vmem / (4 * s.cols) / 4},
      {"bursts in flight", "DMA", 1, 37, 64},
      {"runs in flight", "DMA", 1, 45, 64},
      {"quantiser's beats", "vector engine", 1, 32 * s.lanes + std::log2(512 / s.lanes), 512 / s.lanes},
  };
}

AreaModel::AreaModel(const Constants& constants) : constants_(constants) {
  for (const Block& b : table())
    for (std::size_t what = 0; what < 3; ++what) {
      std::vector<std::vector<double>> terms;
      std::vector<double> targets, units;
      for (const SynthesisRun& r : constants_.runs) {
        const auto it = r.blocks.find(b.name);
        if (!r.fit || it == r.blocks.end()) continue;
        terms.push_back(sizes(b, r.shape));
        targets.push_back(it->second[what]);
        units.push_back(std::max(it->second[what], 1.0));
      }
      costs_[b.name][what] = least_squares(terms, targets, units);
    }
}

double AreaModel::value(const std::string& block, const Shape& shape, std::size_t what) const {
  const std::vector<double> size = sizes(block_named(block), shape);
  const std::vector<double>& cost = costs_.at(block)[what];
  double sum = 0;
  for (std::size_t i = 0; i < size.size(); ++i) sum += size[i] * cost[i];
  return std::max(sum, 0.0);
}

std::vector<BlockArea> AreaModel::blocks(const Shape& shape) const {
  std::vector<BlockArea> out;
  for (const Block& b : table())
    out.push_back({b.name, b.part, value(b.name, shape, 0), 0, value(b.name, shape, 1), value(b.name, shape, 2)});
  const std::map<std::string, std::string> home = {{"imem", "control"}, {"weights", "wspm"}, {"weight scales", "wspm"}, {"activations", "aspm"},
                                                   {"activation scales", "aspm"}, {"vector memory", "vmem"}, {"bursts in flight", "load"}, {"runs in flight", "load"},
                                                   {"quantiser's beats", "vector"}};
  for (const Memory& m : memories(shape))
    for (BlockArea& b : out)
      if (b.name == home.at(m.name)) b.ram_um2 += m.count * sram_at(constants_, m.word_bits * m.words / 8, m.word_bits).area_um2;
  return out;
}

std::vector<std::pair<std::string, double>> AreaModel::costs(const std::string& block) const {
  const Block& b = block_named(block);
  std::vector<std::pair<std::string, double>> out;
  for (std::size_t i = 0; i < b.terms.size(); ++i) out.emplace_back(b.terms[i].name, costs_.at(block)[0][i]);
  return out;
}

}  // namespace jogak::ppa
