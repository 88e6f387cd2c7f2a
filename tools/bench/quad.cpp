// quad-speed: the cycle model of a package of four `quad` chiplets, whole with its values; package cycles a second.
#include "common.hpp"
#include "error.hpp"
#include "package_rounds.hpp"
#include "quad_systemc.hpp"
#include "sim/cycle/package.hpp"

namespace jogak::bench {
namespace {

constexpr std::uint32_t kRounds = 400;

void speed(const Options& o, Report& report) {
  const spec::Config& config = config_of(o, "quad");
  const std::string name = config.name;
  for (const double rate : {64.0, 4.0}) {
    model::Package values(config, 2, 2);
    const PackageRounds work(values, kRounds);
    const double begin = cpu_seconds();
    (void)values.launch(work.launches());
    const double alone = cpu_seconds() - begin;
    cycle::Package package(values, {.link = {.gb_per_s = rate}});
    std::vector<cycle::Package::Launch> launches;
    for (const model::Launch& l : work.launches()) launches.push_back({.job = l, .code = PackageRounds::kBase});
    const std::uint64_t first = package.cycles();
    const double from = cpu_seconds();
    for (const model::Result& r : package.launch(launches))
      if (!r.ok()) throw Error("bench", "die", "fault " + std::string(spec::fault_name(static_cast<std::uint32_t>(r.fault.code))), "none");
    const double seconds = cpu_seconds() - from, cycles = static_cast<double>(package.cycles() - first);
    const std::string what = "2 x 2 dies, links of " + std::to_string(static_cast<int>(rate)) + " GB/s";
    report.add({.case_name = what, .config = name, .on = "cycle", .value = cycles / seconds * 1e-6, .unit = "M cycles/s", .bar = 0.6});
    report.add({.case_name = what + ", of that the values", .config = name, .on = "model", .value = alone / seconds, .unit = "of the time"});
    report.add({.case_name = what + ", lanes busy (die 0 east)", .config = name, .on = "cycle", .value = static_cast<double>(package.link(0, 0).busy_cycles) / static_cast<double>(package.cycles()), .unit = "of the time"});
    report.add({.case_name = what, .config = name, .on = "cycle", .value = cycles, .unit = "cycles"});
#if JOGAK_HAS_SYSTEMC
    if (name == "quad" && rate == 64) quad_in_systemc(std::string(JOGAK_SOURCE_DIR) + "/boards/packages/quad.yaml", "ideal", kRounds, static_cast<std::uint64_t>(cycles), report);
#endif
  }
#if JOGAK_HAS_SYSTEMC
  if (name == "quad") quad_in_systemc(std::string(JOGAK_SOURCE_DIR) + "/boards/packages/quad.yaml", "lpddr5-6400", kRounds, 0, report);
#endif
}

const Register registered{"quad-speed", "simulated cycles a second of the cycle model of a package of four chiplets", speed};

}  // namespace
}  // namespace jogak::bench
