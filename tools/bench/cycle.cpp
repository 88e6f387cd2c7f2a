// cycle-error: the cycle model against the RTL on what the other benchmarks run and on random programs. cycle-speed: simulated cycles a second.
#include <cmath>

#include "bench.hpp"
#include "common.hpp"
#include "error.hpp"
#include "process.hpp"
#include "workloads.hpp"

namespace jogak::bench {
namespace {

double timing_counters_off(const Measured& m) {
  double off = 0;
  for (const spec::CounterInfo& c : spec::counters) off += !c.exact && m.timed.counters[c.index] != m.rtl.counters[c.index];
  return off;
}

// what: what the program runs; arguments: its own ones.
void random_programs(const Options& o, const std::string& what, const std::string& name, const std::string& arguments, const std::string& config, int count, Report& report) {
  const std::filesystem::path program = beside(name);
  if (!std::filesystem::exists(program)) return report.skip("no " + program.string());
  const Output out = last_line("'" + program.string() + "' " + arguments + " --seed " + std::to_string(o.seed) + " --count " + std::to_string(count) + " --tell 0", " programs of ");
  unsigned long long programs = 0, differ = 1, cycles = 0;
  double length = 0, mean = 1, worst = 1;
  if (std::sscanf(out.text.c_str(), "%*[^:]: %llu programs of %lf cycles, %llu differ, error mean %lf, worst %lf and %llu cycles", &programs, &length, &differ, &mean, &worst, &cycles) != 6)
    throw Error("bench", "last line of " + name, out.text, "programs, how many differ, errors");
  const auto add = [&](const char* part, double value, const char* unit, std::optional<double> bar) {
    report.add({.case_name = what + part, .config = config, .on = "cycle", .value = value, .unit = unit, .bar = bar, .aim = 0, .less = true});
  };
  add("", static_cast<double>(differ), ("programs in which a cycle or a counter differs, of " + std::to_string(programs)).c_str(), std::nullopt);
  add(", mean", mean, "of the RTL's cycles", 0.01);
  // Short programs may be off by a few cycles.
  add(", worst", cycles <= 32 ? 0 : worst, "of the RTL's cycles, where it is more than 32", 0.03);
}

void error(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  const int count = o.tokens > 0 ? o.tokens : 10000;
  random_programs(o, "random programs", "jogak-cycle-fuzz", "--config " + std::string(config.name), config.name, count, report);
  random_programs(o, "random exchanges in packages", "jogak-package-fuzz", "", "nanoquad", std::max(1, count / 10), report);
  double sum = 0, worst = 0, worst_cycles = 0, counters = 0, differences = 0, n = 0;
  for (const Workload& w : workloads(config)) {
    const Measured m = w.measure();
    const double off = std::abs(static_cast<double>(m.timed.cycles()) - static_cast<double>(m.cycles)), share = off / static_cast<double>(m.cycles);
    report.add({.case_name = w.name, .config = config.name, .on = "cycle", .value = off, .unit = "cycles off, of " + std::to_string(m.cycles)});
    sum += share, worst = std::max(worst, share), worst_cycles = std::max(worst_cycles, off), ++n;
    counters += timing_counters_off(m), differences += static_cast<double>(m.differences);
  }
  const auto add = [&](const char* what, double value, const char* unit, std::optional<double> bar) {
    report.add({.case_name = what, .config = config.name, .on = "cycle", .value = value, .unit = unit, .bar = bar, .aim = 0, .less = true});
  };
  add("mean", sum / n, "of the RTL's cycles", 0.01);
  add("worst", worst, "of the RTL's cycles", 0.03);
  add("worst", worst_cycles, "cycles", std::nullopt);
  add("timing counters", counters, "that differ", std::nullopt);
  add("model and RTL", differences, "differences", 0);
}

void add_speed(Report& report, const std::string& config, const std::string& what, const Timed& t) {
  const double cycles = static_cast<double>(t.cycles());
  const auto add = [&](const char* how, double seconds, double bar) {
    report.add({.case_name = what + ", " + how, .config = config, .on = "cycle", .value = cycles / seconds * 1e-6, .unit = "M cycles/s", .bar = bar, .aim = 41});
  };
  add("with values", t.value_seconds + t.time_seconds, 2);
  add("timing only", t.time_seconds, 10);
}

void speed(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  add_speed(report, config.name, "gemm 512", product(config, 512, ir::Format::int8)->time({}));
  LlamaPair llama(kDecode, config.name, "int8");
  llama.advance(0, llama.rows());
  add_speed(report, config.name, "decode d 288", llama.time(llama.rows(), 1));
  const encoder::Shape bert{.layers = 12, .width = 768, .heads = 12, .ffn = 3072, .context = 128};
  const std::uint32_t rows = 128;
  const Timed t = encoder_layers(config, bert)->time(std::span(&rows, 1));
  add_speed(report, config.name, "BERT-base, 128 tokens", t);
  report.add({.case_name = "BERT-base, 128 tokens", .config = config.name, .on = "cycle", .value = t.value_seconds + t.time_seconds, .unit = "s", .bar = 60, .less = true});
  report.add({.case_name = "BERT-base, 128 tokens", .config = config.name, .on = "cycle", .value = static_cast<double>(t.cycles()), .unit = "cycles"});
}

const Register registered_error{"cycle-error", "cycle model against RTL: the benchmarks' workloads and random programs (--tokens: how many)", error};
const Register registered_speed{"cycle-speed", "simulated cycles a second of the cycle model, and all of BERT-base", speed};

}  // namespace
}  // namespace jogak::bench
