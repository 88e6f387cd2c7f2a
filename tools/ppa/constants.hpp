// ppa.yaml: every constant with its source. The only file of the model that reads YAML is constants.cpp.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace jogak::ppa {

struct Constant {
  std::string name;    // "energy.int8_mul"
  double value = 0;
  std::string unit;
  char from = '?';     // V C A M S F, as ppa.yaml explains
  double error = 0;    // relative
  std::string source;
};

struct Node {
  double nm = 0, vdd = 0, area = 0, sram = 0;
  double a = 0, b = 0, c = 0;  // energy at V volts: a V^2 + b V + c, relative to 45 nm at 0.9 V
};

struct SramPoint {
  double bytes, word_bits, access_ns, read_pj, write_pj, leak_mw, mm2;
};

struct LibraryHints {
  std::string name, driver;
  double nm = 0, delay_ps = 0, load_ff = 0;
};

struct NvdlaRow {
  double macs, kb, gbs, mm2_28, mm2_16, peak_mw, mean_mw, rows, cols;
};

// Sizes of a machine, as in spec/configs; memories in bytes.
struct Shape {
  double rows = 8, cols = 8, lanes = 4, port_bytes = 8;
  double wspm = 65536, aspm = 65536, vmem = 65536, imem_words = 2048;
};

// One synthesis result at 45 nm: logic um2, flops and flops without a clock gate, by block.
struct SynthesisRun {
  std::string name;
  Shape shape;
  bool fit = true;  // false: only for checking
  std::map<std::string, std::array<double, 3>> blocks;
};

struct Constants {
  std::vector<Constant> all;
  std::vector<Node> nodes;  // largest first
  double error_area = 0, error_energy = 0, error_extrapolated = 0, sram_error = 0;
  std::string node_source, sram_source;
  std::vector<SramPoint> sram;
  std::vector<LibraryHints> libraries;
  std::vector<NvdlaRow> nvdla;
  std::vector<SynthesisRun> runs;
  std::string runs_source;

  const Constant& at(const std::string& name) const;  // throws Error
  double operator[](const std::string& name) const { return at(name).value; }
  std::vector<std::string> group(const std::string& prefix) const;  // names after "prefix."
};

// tools/ppa/ppa.yaml of the project, or another file. Throws Error where something is missing or of the wrong kind.
Constants read_constants(const std::filesystem::path& path);
Constants project_constants();

}  // namespace jogak::ppa
