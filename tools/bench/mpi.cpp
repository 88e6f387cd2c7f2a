// mpi: a package of Verilated chiplets in one process and cut in two, with mpirun: the same cycles and bits, and how much faster.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench.hpp"
#include "error.hpp"
#include "process.hpp"

namespace jogak::bench {
namespace {

constexpr int kRounds = 12, kLaunches = 12, kRepeats = 3;

nlohmann::json once(const std::string& before, const std::string& config, std::uint64_t seed) {
  const std::string command = before + "'" + beside("jogak-mpi").string() + "' --config " + config + " --rounds " + std::to_string(kRounds) + " --launches " + std::to_string(kLaunches) + " --seed " + std::to_string(seed);
  const Output out = last_line(command, "\"hash\"");
  if (out.status != 0 || out.text.empty()) throw Error("bench mpi", "command " + command, "status " + std::to_string(out.status), "a line of results");
  return nlohmann::json::parse(out.text);
}

// The best of a few runs, as another program on the machine can only slow one down.
nlohmann::json best(const std::string& before, const std::string& config, std::uint64_t seed) {
  nlohmann::json best;
  for (int i = 0; i < kRepeats; ++i) {
    const auto r = once(before, config, seed);
    if (best.is_null() || r["cycles_per_s"] > best["cycles_per_s"]) best = r;
  }
  return best;
}

void run(const Options& o, Report& report) {
  const std::string config = o.config.empty() ? "quad" : o.config;
  if (!std::filesystem::exists(beside("jogak-mpi"))) return report.skip("no jogak-mpi: Open MPI (libopenmpi-dev, openmpi-bin) was missing when this was configured; build jogak-mpi");
  if (last_line("'" + beside("jogak-mpi").string() + "' --rounds 1 --config " + config + " 2>&1", "\"hash\"").text.empty())
    return report.skip("no RTL of a package of " + config + ": configure with -DJOGAK_PACKAGE_CONFIGS='nanoquad;" + config + "', or give --config nanoquad");
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0), setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  const auto one = best("", config, o.seed), two = best("mpirun -n 2 ", config, o.seed);
  const bool same = one["cycles"] == two["cycles"] && one["hash"] == two["hash"] && one["replays"] == two["replays"];
  report.add({.case_name = "same cycles and bits, " + std::to_string(one["ran"].get<std::uint64_t>()) + " cycles", .config = config, .on = "rtl", .value = same ? 1.0 : 0.0, .unit = "of 1", .bar = 1});
  report.add({.case_name = "one process", .config = config, .on = "rtl", .value = one["cycles_per_s"].get<double>(), .unit = "cycles/s"});
  report.add({.case_name = "two processes", .config = config, .on = "rtl", .value = two["cycles_per_s"].get<double>(), .unit = "cycles/s"});
  report.add({.case_name = "two processes / one", .config = config, .on = "rtl", .value = two["cycles_per_s"].get<double>() / one["cycles_per_s"].get<double>(), .unit = "x", .bar = 1.5});
}

const Register registered{"mpi", "a package of Verilated chiplets over two processes: the same cycles, and the speed", run};

}  // namespace
}  // namespace jogak::bench
