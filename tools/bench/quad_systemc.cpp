// quad-speed's second half: the same package and programs as SystemC modules.
#include "quad_systemc.hpp"

#include <ctime>

#include "error.hpp"
#include "package_rounds.hpp"
#include "sim/systemc/platform.hpp"

namespace jogak::bench {

void quad_in_systemc(const std::string& package, const std::string& memory, std::uint32_t rounds, std::uint64_t plain_cycles, Report& report) {
  package::PackageSpec spec = package::read_package(package);
  for (package::Die& d : spec.dies) d.memory->timing = memory;
  model::Package values(*spec::find_config(spec.config().c_str()), spec.columns, spec.rows);
  const PackageRounds work(values, rounds);
  std::vector<model::Machine*> machines;
  std::vector<systemc::Chiplet::Job> jobs;
  for (std::uint32_t d = 0; d < values.dies(); ++d) {
    machines.push_back(&values.die(d));
    jobs.push_back({work.launches()[d], PackageRounds::kBase, false});
  }
  systemc::Platform platform(spec, machines);
  const std::uint64_t first = platform.cycles();
  const std::clock_t from = std::clock();
  platform.begin(jobs);
  while (!platform.run(1'000'000)) continue;
  const double seconds = double(std::clock() - from) / CLOCKS_PER_SEC;
  for (std::uint32_t d = 0; d < platform.dies(); ++d)
    if (!platform.die(d).result().ok()) throw Error("bench", "die " + std::to_string(d), "a fault", "none");
  const std::uint64_t cycles = platform.cycles() - first;
  const std::string what = "2 x 2 dies in SystemC, memory " + memory;
  report.add({.case_name = what, .config = spec.config(), .on = "systemc", .value = double(cycles) / seconds * 1e-6, .unit = "M cycles/s", .bar = 0.6});
  report.add({.case_name = what, .config = spec.config(), .on = "systemc", .value = double(cycles), .unit = "cycles"});
  if (plain_cycles == 0) return;
  report.add({.case_name = what + ", apart from the plain model", .config = spec.config(), .on = "systemc",
              .value = double(cycles > plain_cycles ? cycles - plain_cycles : plain_cycles - cycles), .unit = "cycles", .bar = 0, .less = true});
}

}  // namespace jogak::bench
