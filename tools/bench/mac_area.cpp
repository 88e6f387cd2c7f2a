// mac-area: area per multiplier of the array against a bare cell, mapped in the same run to the same delay target.
#include "bench.hpp"
#include "common.hpp"
#include "ppa_common.hpp"

namespace jogak::bench {
namespace {

double logic(const nlohmann::json& j) {
  double sum = 0;
  for (const auto& [name, block] : j.at("blocks").items()) sum += block.at("logic_um2").get<double>();
  return sum;
}

void run(const Options& options, Report& report) {
  const auto library = liberty();
  if (!library) return report.skip("no library: $JOGAK_LIBERTY, or liberty/nangate45_typ.lib.gz in $JOGAK_SHARED");
  const spec::Config& config = config_of(options, "nano");
  const std::string name = config.name;
  // Two banks of the weights that a cell needs for a block of 32.
  const std::uint32_t weights = 2 * std::max(1u, 32 / config.rows);
  const nlohmann::json j = synthesise(*library, "--config " + name + " --block array --cell 1 --cell " + std::to_string(weights));
  const double each = logic(j.at("chip")) / (config.rows * config.cols), own = logic(j.at("cell" + std::to_string(weights))), one = logic(j.at("cell1"));
  report.add({.case_name = "array, per multiplier", .config = name, .value = each, .unit = "um2"});
  report.add({.case_name = "bare cell, 1 weight", .config = name, .value = one, .unit = "um2"});
  report.add({.case_name = "bare cell, " + std::to_string(weights) + " weights as the array's", .config = name, .value = own, .unit = "um2"});
  report.add({.case_name = "array over bare cell with as many weights", .config = name, .value = each / own, .unit = "times", .bar = 1.10, .less = true});
  report.add({.case_name = "array over bare cell with one weight", .config = name, .value = each / one, .unit = "times", .less = true});
}

const Register registered{"mac-area", "area of a multiplier of the array against a bare cell", run};

}  // namespace
}  // namespace jogak::bench
