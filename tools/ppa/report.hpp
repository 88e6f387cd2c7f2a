// jogak report: a run's counters to performance, power, area, energy and carbon, each figure with how it was obtained and
// how far off it may be. One JSON object holds everything; text and HTML are printed from it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "energy.hpp"

namespace jogak::ppa {

using Json = nlohmann::ordered_json;

struct ReportOptions {
  double nm = 45, volts = 0, mhz = 0;  // 0: the node's nominal
  std::string dram = "lpddr4", link = "ucie-s";  // link: between dies, where there are several
  double grid = 0;                     // gCO2/kWh; 0: world mean
  std::optional<double> deadline;      // seconds
  bool gated = true;
};

// "50ms", "2s", "100us", "5min"; throws Error.
double parse_seconds(const std::string& text);

// run: what `run --profile --json` or `demo --json` printed. Throws Error where something is missing.
Json make_report(const AreaModel& area, const Shape& shape, const Json& run, const ReportOptions& options);
std::string report_text(const Json& report);
std::string report_html(const Json& report);

}  // namespace jogak::ppa
