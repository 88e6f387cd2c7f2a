// Mapped blocks with their memories: area, leakage and the longest paths by part of the chiplet.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scaling.hpp"
#include "timing.hpp"

namespace jogak::ppa {

// The entry of ppa.yaml whose name begins the library's; throws Error where none does and nm is 0.
LibraryHints hints_for(const Constants& c, const Library& library);

// A memory macro as a cell: ports of npu_ram, time and area from the table, scaled to the node.
Cell ram_cell(const Constants& c, double nm, const std::string& module, int width, int depth, int mask_bits);
// Lines "module width depth mask_bits"; the cells join the library.
void add_rams(Library& library, const Constants& c, double nm, const std::filesystem::path& list);

struct BlockResult {
  std::string name;       // "control", "array", ...
  std::string part;       // "control", "array", "vector engine", "memories", "DMA"
  std::size_t cells = 0, rams = 0;
  double logic_um2 = 0, flop_um2 = 0, ram_um2 = 0, leakage_uw = 0;  // logic includes flops
  double ns = 0, inside_ns = 0;  // slowest path that ends here; that also starts here
  std::string from = {}, to = {};
  double flop_bits = 0, ungated_bits = 0;  // ungated: clocked in every cycle
};

struct SynthesisResult {
  std::string library = {};
  double nm = 0;
  std::vector<BlockResult> blocks = {};
  Path worst = {};
};

SynthesisResult summarise(const Netlist& netlist, const Timing& timing, const std::string& library, double nm);
std::string text(const SynthesisResult& r, bool path);
nlohmann::json json(const SynthesisResult& r);

}  // namespace jogak::ppa
