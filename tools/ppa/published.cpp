#include "published.hpp"

#include "energy.hpp"

namespace jogak::ppa {
namespace {

struct Row {
  double macs, target, known, structural;  // target ~ known + a * structural + b
};

std::vector<Row> rows(const AreaModel& model, Quantity quantity) {
  const Constants& c = model.constants();
  const Node node = node_at(c, quantity == Quantity::area_28 ? 28 : 16);
  std::vector<Row> out;
  for (const NvdlaRow& r : c.nvdla) {
    if (quantity == Quantity::peak_16 || quantity == Quantity::mean_16) {
      // One multiply-accumulate a cycle at 1 GHz: as many mW as pJ.
      out.push_back({r.macs, quantity == Quantity::peak_16 ? r.peak_mw : r.mean_mw, 0, r.macs * mac_pj(c) * energy_scale(node, 0)});
      continue;
    }
    double logic = 0;
    for (const char* block : {"array", "matrix", "vector"})
      for (const auto& [term, cost] : model.costs(block)) {
        if (term == "cell") logic += cost * r.macs;
        if (term == "foot") logic += cost * r.macs / 32;
        if (term == "column" || term == "lane") logic += cost * r.cols;
        if (term == "row") logic += cost * r.rows;
      }
    const double word = 8 * r.rows;  // one word of the buffer feeds a column
    const double memory = 16 * sram_at(c, r.kb * 1024 / 16, std::max(64.0, word)).area_um2 / c["sram.two_ports"] * node.sram;
    out.push_back({r.macs, quantity == Quantity::area_28 ? r.mm2_28 : r.mm2_16, memory * 1e-6, logic * node.area * 1e-6});
  }
  return out;
}

}  // namespace

std::vector<Prediction> nvdla_left_out(const AreaModel& model, Quantity quantity) {
  const std::vector<Row> all = rows(model, quantity);
  std::vector<Prediction> out;
  for (std::size_t left = 0; left < all.size(); ++left) {
    std::vector<std::vector<double>> terms;
    std::vector<double> targets, units;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i == left) continue;
      terms.push_back({all[i].structural, 1});
      targets.push_back(all[i].target - all[i].known);
      units.push_back(all[i].target);
    }
    const std::vector<double> p = least_squares(terms, targets, units);
    out.push_back({all[left].macs, all[left].target, all[left].known + p[0] * all[left].structural + p[1]});
  }
  return out;
}

}  // namespace jogak::ppa
