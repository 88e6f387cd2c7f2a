#include "synthesis.hpp"

#include <cmath>
#include <cstdarg>
#include <fstream>
#include <map>
#include <sstream>

#include "error.hpp"

namespace jogak::ppa {
namespace {

struct BlockName {
  const char *path, *name, *part;
};
constexpr BlockName kBlocks[] = {{"u_control", "control", "control"}, {"u_mx.u_array", "array", "array"},     {"u_mx", "matrix", "array"},
                                 {"u_ve", "vector", "vector engine"}, {"u_wspm", "wspm", "memories"},         {"u_aspm", "aspm", "memories"},
                                 {"u_vmem", "vmem", "memories"},      {"u_ld", "load", "DMA"},                {"u_st", "store", "DMA"},
                                 {"", "top", "control"}};

BlockName name_of(const std::string& path) {
  for (const BlockName& b : kBlocks)
    if (path == b.path) return b;
  return {path.c_str(), path.c_str(), "other"};
}

Table scalar(double value) { return {{}, {}, {value}}; }

void line(std::string& out, const char* format, ...) __attribute__((format(printf, 2, 3)));
void line(std::string& out, const char* format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

}  // namespace

LibraryHints hints_for(const Constants& c, const Library& library) {
  for (const LibraryHints& h : c.libraries)
    if (library.name.starts_with(h.name)) return h;
  std::string known;
  for (const LibraryHints& h : c.libraries) known += (known.empty() ? "" : ", ") + h.name;
  throw Error("synth", "library " + library.name, "no entry in tools/ppa/ppa.yaml", "one that begins with " + known + ", or --node, --delay and --driver");
}

Cell ram_cell(const Constants& c, double nm, const std::string& module, int width, int depth, int mask_bits) {
  const Node node = node_at(c, nm);
  const Sram ram = sram_at(c, static_cast<double>(width) * depth / 8, width);
  const double slower = clock_mhz(c, node_at(c, 45)) / clock_mhz(c, node);
  Cell cell{.name = module, .kind = Cell::Kind::other, .area = ram.area_um2 * node.sram};
  cell.leakage = c["leakage.sram_45"] * width * depth * node.sram * 1e3;
  const auto input = [&](const std::string& name, int bits) {
    for (int i = 0; i < bits; ++i) {
      Pin pin{.name = bits == 1 ? name : name + "[" + std::to_string(i) + "]"};
      pin.capacitance = c["sram.pin_45"] * std::sqrt(node.sram);
      pin.setups.push_back({scalar(c["sram.setup_45"] * slower), scalar(c["sram.setup_45"] * slower)});
      cell.pins.push_back(std::move(pin));
    }
  };
  cell.pins.push_back({.name = "clk_i", .clock = true, .capacitance = 5 * c["sram.pin_45"]});
  int bits = 1;
  while ((1 << bits) < depth) ++bits;
  input("ren_i", 1), input("raddr_i", bits), input("wen_i", 1), input("waddr_i", bits), input("wmask_i", width / mask_bits), input("wdata_i", width);
  for (int i = 0; i < width; ++i) {
    Pin pin{.name = "rdata_o[" + std::to_string(i) + "]", .output = true};
    pin.arcs.push_back({.from = 0, .edge = true, .rise = scalar(ram.access_ns * slower), .fall = scalar(ram.access_ns * slower)});
    cell.pins.push_back(std::move(pin));
  }
  return cell;
}

void add_rams(Library& library, const Constants& c, double nm, const std::filesystem::path& list) {
  std::ifstream in(list);
  if (!in) throw Error("synth", "file " + list.string(), "nothing", "a list of memories");
  std::string module;
  for (int width, depth, mask; in >> module >> width >> depth >> mask;) {
    library.cells.push_back(ram_cell(c, nm, module, width, depth, mask));
    library.by_name[module] = static_cast<int>(library.cells.size()) - 1;
  }
}

SynthesisResult summarise(const Netlist& n, const Timing& t, const std::string& library, double nm) {
  SynthesisResult r{.library = library, .nm = nm, .blocks = {}, .worst = t.worst};
  for (std::size_t b = 0; b < n.blocks.size(); ++b) {
    const BlockName name = name_of(n.blocks[b]);
    r.blocks.push_back({.name = name.name, .part = name.part, .ns = t.by_block[b].ns, .inside_ns = t.inside[b].ns, .from = t.by_block[b].from, .to = t.by_block[b].to});
  }
  std::vector<bool> gated(n.nets.size(), false);  // nets that a clock gate drives
  for (const Instance& i : n.instances)
    for (std::size_t p = 0; p < i.nets.size(); ++p)
      if (i.cell->kind == Cell::Kind::clock_gate && i.cell->pins[p].output && i.nets[p] >= 0) gated[static_cast<std::size_t>(i.nets[p])] = true;
  for (const Instance& i : n.instances) {
    BlockResult& b = r.blocks[static_cast<std::size_t>(i.block)];
    b.leakage_uw += i.cell->leakage * 1e-3;
    if (i.cell->name.starts_with("npu_ram")) {
      ++b.rams;
      b.ram_um2 += i.cell->area;
      continue;
    }
    ++b.cells;
    b.logic_um2 += i.cell->area;
    if (i.cell->kind != Cell::Kind::flop) continue;
    b.flop_um2 += i.cell->area;
    ++b.flop_bits;
    bool stops = false;
    for (const int net : i.nets) stops = stops || (net >= 0 && gated[static_cast<std::size_t>(net)]);
    b.ungated_bits += !stops;
  }
  return r;
}

std::string text(const SynthesisResult& r, bool path) {
  std::string out;
  line(out, "%s, %g nm: areas in um2, times in ns before layout; memories from the table of ppa.yaml\n", r.library.c_str(), r.nm);
  line(out, "  %-9s %-14s %9s %12s %12s %5s %12s %9s %8s %8s\n", "block", "part", "cells", "logic", "registers", "RAMs", "RAM", "leak uW", "ends", "inside");
  BlockResult all;
  std::map<std::string, double> parts;
  for (const BlockResult& b : r.blocks) {
    line(out, "  %-9s %-14s %9zu %12.0f %12.0f %5zu %12.0f %9.3g %8.3f %8.3f\n", b.name.c_str(), b.part.c_str(), b.cells, b.logic_um2, b.flop_um2, b.rams, b.ram_um2,
         b.leakage_uw, b.ns, b.inside_ns);
    all.cells += b.cells, all.rams += b.rams, all.logic_um2 += b.logic_um2, all.flop_um2 += b.flop_um2, all.ram_um2 += b.ram_um2, all.leakage_uw += b.leakage_uw;
    parts[b.part] += b.logic_um2 + b.ram_um2;
  }
  line(out, "  %-9s %-14s %9zu %12.0f %12.0f %5zu %12.0f %9.3g %8.3f\n", "all", "", all.cells, all.logic_um2, all.flop_um2, all.rams, all.ram_um2, all.leakage_uw, r.worst.ns);
  out += "  by part:";
  for (const auto& [part, area] : parts) line(out, "  %s %.0f (%.0f %%)", part.c_str(), area, 100 * area / (all.logic_um2 + all.ram_um2));
  out += "\nslowest path into each block\n";
  for (const BlockResult& b : r.blocks) line(out, "  %-9s %7.3f  %s -> %s\n", b.name.c_str(), b.ns, b.from.c_str(), b.to.c_str());
  if (path) {
    line(out, "longest path, %.3f ns to %s\n", r.worst.ns, r.worst.to.c_str());
    for (const PathStep& s : r.worst.steps) line(out, "  %7.3f  %-12s %s\n", s.at, s.cell.c_str(), s.net.c_str());
  }
  return out;
}

nlohmann::json json(const SynthesisResult& r) {
  nlohmann::json j = {{"library", r.library}, {"nm", r.nm}, {"critical_ns", r.worst.ns}, {"from", r.worst.from}, {"to", r.worst.to}};
  for (const BlockResult& b : r.blocks)
    j["blocks"][b.name] = {{"part", b.part}, {"cells", b.cells}, {"rams", b.rams}, {"logic_um2", b.logic_um2}, {"flop_um2", b.flop_um2}, {"flop_bits", b.flop_bits}, {"ungated_bits", b.ungated_bits},
                           {"ram_um2", b.ram_um2}, {"leakage_uw", b.leakage_uw}, {"ns", b.ns}, {"inside_ns", b.inside_ns}, {"from", b.from}, {"to", b.to}};
  for (const PathStep& s : r.worst.steps) j["path"].push_back({{"ns", s.at}, {"cell", s.cell}, {"net", s.net}});
  return j;
}

}  // namespace jogak::ppa
