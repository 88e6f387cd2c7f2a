// asic-path: the longest path of the whole chiplet in Nangate45 before layout, and of every block.
#include "bench.hpp"
#include "common.hpp"
#include "ppa_common.hpp"

namespace jogak::bench {
namespace {

void run(const Options& options, Report& report) {
  const auto library = liberty();
  if (!library) return report.skip("no library: $JOGAK_LIBERTY, or liberty/nangate45_typ.lib.gz in $JOGAK_SHARED");
  const std::string config = value_or(options.config, "nano");
  const nlohmann::json j = synthesise(*library, "--config " + config);
  for (const auto& [name, block] : j.at("blocks").items())
    report.add({.case_name = "into " + name + ", from " + block.at("from").get<std::string>(), .config = config, .value = block.at("ns"), .unit = "ns", .less = true});
  report.add({.case_name = "whole chiplet", .config = config, .value = j.at("critical_ns"), .unit = "ns", .bar = 2.0, .less = true});
}

const Register registered{"asic-path", "longest path of the chiplet in a standard-cell library", run};

}  // namespace
}  // namespace jogak::bench
