// The board's whole system on chip in Verilator, reached as the board is: the project's own model, token by token.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common.hpp"
#include "error.hpp"
#include "sim/litex/sim_board.hpp"

namespace jogak::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// soc.mhz of the board's description: its only line of that form.
double board_mhz() {
  std::ifstream file(tools::project_root() / "boards/ulx3s/board.yaml");
  const std::string key = "  mhz: ";
  for (std::string line; std::getline(file, line);)
    if (line.rfind(key, 0) == 0) return std::stod(line.substr(key.size()));
  throw Error("bench", "boards/ulx3s/board.yaml", "no soc.mhz", "the board's clock");
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Builds the simulator where it is missing; empty where LiteX cannot be had.
fs::path simulator() {
  const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path(), program = bin / "jogak-litex-sim";
  const fs::path script = tools::project_root() / "sim/litex/build.sh";
  if (!fs::exists(program) && fs::exists(script)) {
    const std::string command =
        "'" + script.string() + "' '" + tools::project_root().string() + "' '" + bin.parent_path().string() + "' >&2";
    if (std::system(command.c_str()) != 0) return {};
  }
  return fs::exists(program) ? program : fs::path();
}

void run(const Options& o, Report& report) {
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : fs::path(o.model);
  if (!fs::exists(path)) return report.skip("no " + path.string());
  const fs::path program_path = simulator();
  if (program_path.empty()) return report.skip("no jogak-litex-sim: LiteX cannot be installed or Verilator is missing");
  const litex_sim::SimBoard board(program_path.string());
  const std::string on = "litex:" + board.target(), label = path.stem().string();
  std::string config;
  if (const driver::Status s = driver::machine_config(on, config); !s.ok()) throw Error(s.message());

  const Program program =
      compile(import::read_model(path),
              {.config = config, .context = 64, .max_rows = 8, .format = value_or(o.format, "int8")})
          .program;
  const int tokens = o.tokens == 0 ? 4 : o.tokens;
  const auto load = Clock::now();
  Session there(program, on);
  const double loading = since(load);
  Session model(program, "model");
  const Generation a = there.generate("Once", {.tokens = tokens, .stop_at_end = false});
  const Generation b = model.generate("Once", {.tokens = tokens, .stop_at_end = false});
  double different = static_cast<double>(a.ids.size() != b.ids.size());
  for (std::size_t i = 0; i < std::min(a.ids.size(), b.ids.size()); ++i) different += a.ids[i] != b.ids[i];
  report.add({.case_name = label + ", " + std::to_string(tokens) + " tokens that differ from the model's",
              .config = config,
              .on = "litex",
              .value = different,
              .unit = "differences",
              .bar = 0,
              .less = true});

  std::uint64_t bytes = program.code.size() * sizeof(spec::Insn);
  for (const auto& s : program.segments) bytes += s.size();
  report.add({.case_name = label + ", program and weights through the bridge",
              .config = config,
              .on = "litex",
              .value = static_cast<double>(bytes) / loading / 1000,
              .unit = "kB/s of wall clock"});
  const Step& last = there.steps().back();
  const double cycles = static_cast<double>(last.record[spec::Counter::cycles]);
  report.add({.case_name = label + ", decode with the board's memory",
              .config = config,
              .on = "litex",
              .value = cycles,
              .unit = "cycles/token"});
  const double mhz = board_mhz();
  char at[16];
  std::snprintf(at, sizeof at, "%g", mhz);
  report.add({.case_name = label + ", decode at " + at + " MHz, from those cycles",
              .config = config,
              .on = "litex",
              .value = mhz * 1e6 / cycles,
              .unit = "tokens/s"});
}

const Register registered{"litex-sim",
                          "the board's system on chip behind its bridge, simulated: tokens equal to the model's", run};

}  // namespace
}  // namespace jogak::bench
