// ulx3s: bitstream of nano with SDRAM and UART bridge for the ULX3S by open tools: clock and time. Minutes of place and
// route are processor time, so that a machine busy with other things gives the same figure.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench.hpp"
#include "error.hpp"
#include "tools/project.hpp"

namespace jogak::bench {
namespace {

namespace fs = std::filesystem;

void add(Report& report, const nlohmann::json& found, const std::string& config) {
  const auto& clocks = found.at("clocks");
  double slowest = clocks.at(0).at("fmax_mhz");
  for (const auto& clock : clocks) slowest = std::min<double>(slowest, clock.at("fmax_mhz"));
  double wall = 0, processor = 0;
  for (const auto& step : found.at("steps")) {
    wall += step.at("wall_s").get<double>();
    processor += step.at("cpu_s").get<double>();
  }
  report.add({.case_name = "clock, slowest domain", .config = config, .on = "ulx3s", .value = slowest, .unit = "MHz", .bar = 50, .aim = 80});
  report.add({.case_name = "meets its timing", .config = config, .on = "ulx3s", .value = found.at("meets_timing").get<bool>() ? 1.0 : 0.0, .unit = "yes", .bar = 1});
  report.add({.case_name = "RTL to bitstream", .config = config, .on = "ulx3s", .value = processor / 60, .unit = "min of processor", .bar = 20, .less = true});
  report.add({.case_name = "RTL to bitstream, wall clock", .config = config, .on = "ulx3s", .value = wall / 60, .unit = "min"});
  for (const auto& r : found.at("resources"))
    report.add({.case_name = r.at("resource").get<std::string>() + " used", .config = config, .on = "ulx3s", .value = r.at("share").get<double>() * 100, .unit = "% of device", .bar = 100, .less = true});
}

void ulx3s(const Options& o, Report& report) {
  const std::string config = o.config.empty() ? "nano" : o.config;
  const fs::path root = tools::project_root(), out = root / "build" / "synth" / "bench-ulx3s";
  fs::remove(out / "report.json");
  const int status = std::system(("'" + (root / "jogak").string() + "' synth --board ulx3s --config " + config + " --out '" + out.string() + "' >&2").c_str());
  std::ifstream file(out / "report.json");
  if (!file) return report.skip("no report from jogak synth, exit status " + std::to_string(status));
  const nlohmann::json found = nlohmann::json::parse(file);
  if (!found.at("placed").get<bool>()) throw Error("bench", "ulx3s", config + " does not fit", "a placed design");
  add(report, found, config);
}

const Register registered{"ulx3s", "bitstream for the ULX3S: clock and minutes", ulx3s};

}  // namespace
}  // namespace jogak::bench
