// netlist: the board as place and route leaves it, simulated cell by cell behind its UART: tokens equal to the model's.
#include <chrono>
#include <filesystem>

#include "common.hpp"
#include "compiler/import/synthetic.hpp"

namespace jogak::bench {
namespace {

namespace fs = std::filesystem;

// What `jogak bench ulx3s`, `jogak synth --board ulx3s` or the test netlist_make left; empty if none.
fs::path placed_design() {
  const fs::path synth = tools::project_root() / "build" / "synth";
  for (const char* name : {"bench-ulx3s/placed.json", "ulx3s-nano-soc/placed.json", "netlist/packed.json"})
    if (fs::exists(synth / name)) return synth / name;
  return {};
}

void run(const Options& o, Report& report) {
  const fs::path design = placed_design();
  if (design.empty()) return report.skip("no placed design: jogak bench ulx3s makes it");
  // Small, because a byte takes 10 bits of the UART, and a bit a clock of the simulation for every microsecond.
  const import::LlamaHyper hyper{.layers = 1, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 64, .context = 16, .vocab = 32};
  const std::string config = value_or(o.config, "nano");
  const Program program = compile(import::synthetic_llama(hyper, o.seed), {.config = config, .context = 16, .max_rows = 4, .format = value_or(o.format, "int8")}).program;
  const int tokens = o.tokens == 0 ? 2 : o.tokens;
  const auto start = std::chrono::steady_clock::now();
  Session there(program, "netlist:" + design.string());
  Session model(program, "model");
  const Generation a = there.generate("ab", {.tokens = tokens, .stop_at_end = false});
  const Generation b = model.generate("ab", {.tokens = tokens, .stop_at_end = false});
  double different = static_cast<double>(a.ids.size() != b.ids.size());
  for (std::size_t i = 0; i < std::min(a.ids.size(), b.ids.size()); ++i) different += a.ids[i] != b.ids[i];
  const std::string name = design.stem().string() + " design, ";
  report.add({.case_name = name + std::to_string(tokens) + " tokens that differ from the model's", .config = config, .on = "netlist",
              .value = different, .unit = "differences", .bar = 0, .less = true});
  report.add({.case_name = name + "decode", .config = config, .on = "netlist",
              .value = static_cast<double>(there.steps().back().record[spec::Counter::cycles]), .unit = "cycles/token"});
  report.add({.case_name = name + "whole run", .config = config, .on = "netlist",
              .value = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), .unit = "s"});
}

const Register registered{"netlist", "the placed board, cell by cell behind its UART: tokens equal to the model's", run};

}  // namespace
}  // namespace jogak::bench
