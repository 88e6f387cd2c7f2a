// jogak-ppa: the steps of tools/synth-liberty.sh that are not yosys. Exit status as jogak-cli.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "error.hpp"
#include "synthesis.hpp"

namespace jogak::ppa {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw Error("synth", "file " + path.string(), "a write error", "a folder that can be written");
}

struct Arguments {
  std::vector<std::filesystem::path> files;
  std::filesystem::path library, out, rams;
  std::string driver;
  double delay = 0, node = 0, wire = 0;
  bool json = false, path = false;
};

LibraryHints hints(const Arguments& a, const Library& library) {
  if (a.node > 0 && a.delay > 0 && !a.driver.empty()) return {library.name, a.driver, a.node, a.delay, 10};
  LibraryHints h = hints_for(project_constants(), library);
  if (a.node > 0) h.nm = a.node;
  if (a.delay > 0) h.delay_ps = a.delay;
  if (!a.driver.empty()) h.driver = a.driver;
  return h;
}

void constraints(const Arguments& a) {
  const Library library = read_library(a.library);
  const LibraryHints h = hints(a, library);
  if (library.find(h.driver) == nullptr) throw Error("synth", "driving cell " + h.driver, "not in " + library.name, "one of its inverters (--driver)");
  char text[300];
  std::snprintf(text, sizeof text, "set_driving_cell %s\nset_load %g\n", h.driver.c_str(), h.load_ff);
  write(a.out / "cells.constr", text);
  std::snprintf(text, sizeof text, "abc -liberty cells.lib -D %g -constr cells.constr -script abc.script\n", h.delay_ps);
  write(a.out / "block.abc.ys", text);
}

void time(const Arguments& a) {
  Library library = read_library(a.library);
  const double nm = a.node > 0 ? a.node : hints_for(project_constants(), library).nm;
  if (!a.rams.empty()) add_rams(library, project_constants(), nm, a.rams);
  const Netlist netlist = read_netlist(a.files, library);
  const SynthesisResult r = summarise(netlist, analyse(netlist, {.wire = a.wire}), library.name, nm);
  if (a.json) std::cout << json(r).dump() << "\n";
  else std::cout << text(r, a.path);
}

int run(int argc, char** argv) {
  CLI::App app("Area and time of mapped blocks", "jogak-ppa");
  app.require_subcommand(1);
  Arguments a;
  auto* merge = app.add_subcommand("merge", "One library file of several");
  merge->add_option("out", a.out)->required();
  merge->add_option("files", a.files, ".lib or .lib.gz")->required();
  merge->callback([&] { write(a.out, merge_libraries(a.files)); });
  auto* limits = app.add_subcommand("constraints", "Driver, load and delay target for mapping");
  limits->add_option("library", a.library)->required();
  limits->add_option("--out", a.out, "Folder")->required();
  auto* timing = app.add_subcommand("time", "Area and longest paths of BLIF files");
  timing->add_option("library", a.library)->required();
  timing->add_option("files", a.files, "One BLIF file for each block")->required();
  timing->add_option("--rams", a.rams, "List of memories: module width depth mask_bits");
  timing->add_option("--wire", a.wire, "fF of wire for every input a net drives (before layout: 0)");
  timing->add_flag("--json", a.json);
  timing->add_flag("--path", a.path, "The longest path, cell by cell");
  for (auto* command : {limits, timing}) {
    command->add_option("--node", a.node, "nm, for memories (default: by the library's name)");
    command->add_option("--delay", a.delay, "Picoseconds");
    command->add_option("--driver", a.driver, "Inverter");
  }
  limits->callback([&] { constraints(a); });
  timing->callback([&] { time(a); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::cerr << "jogak-ppa: " << e.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace jogak::ppa

int main(int argc, char** argv) { return jogak::ppa::run(argc, argv); }
