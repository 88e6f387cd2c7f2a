// jogak-cycle-fuzz: random programs in time, cycle model against RTL, memory without stalls.
//   jogak-cycle-fuzz --config nano --seed 0 --count 300 [--tell 3]
// Exit status 0: not one cycle differs, no counter.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "compare.hpp"
#include "error.hpp"
#include "tests/fuzz/arguments.hpp"
#include "tests/fuzz/bench.hpp"

using namespace jogak;
using namespace jogak::fuzz;

namespace {

constexpr u32 kGroup = 8;          // programs on one machine
constexpr u32 kResidentShare = 4;  // one in so many is launched twice, the second time without loading it

struct Options {
  std::string config = "nano";
  u64 seed = 0, count = 300, tell = 3;
};

Options parse(int argc, char** argv) {
  Options o;
  read_arguments("jogak-cycle-fuzz", argc, argv, {{"--config", &o.config}, {"--seed", &o.seed}, {"--count", &o.count}, {"--tell", &o.tell}});
  return o;
}

struct Report {
  u64 programs = 0, differ = 0, worst = 0, cycles = 0;
  double sum = 0, worst_share = 0;

  void add(const Difference& d) {
    ++programs;
    cycles += d.rtl;
    differ += !d.text.empty();
    const double share = double(d.cycles_off()) / double(d.rtl);
    sum += share;
    worst_share = std::max(worst_share, share);
    worst = std::max(worst, d.cycles_off());
  }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    Oracle oracle(o.config);
    Report report;
    std::unique_ptr<TimeBench> bench;
    for (u64 seed = o.seed; seed < o.seed + o.count; ++seed) {
      if (!bench || seed % kGroup == 0) bench = std::make_unique<TimeBench>(o.config, seed / kGroup);
      const Case c = generate(seed, oracle);
      const Difference d = bench->run(c, oracle, seed % kResidentShare == 3);
      report.add(d);
      if (d.text.empty() || report.differ > o.tell) continue;
      std::printf("seed %llu, made for fault %s: %llu cycles, cycle model %llu\n%s%s", static_cast<unsigned long long>(seed), spec::fault_name(u32(c.fault)), static_cast<unsigned long long>(d.rtl),
                  static_cast<unsigned long long>(d.model), d.text.c_str(), commands_of(c, oracle).c_str());
    }
    std::printf("%s: %llu programs of %.0f cycles, %llu differ, error mean %.6f, worst %.6f and %llu cycles\n", o.config.c_str(),
                static_cast<unsigned long long>(report.programs), double(report.cycles) / double(report.programs),
                static_cast<unsigned long long>(report.differ), report.sum / double(report.programs), report.worst_share,
                static_cast<unsigned long long>(report.worst));
    return report.differ == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
