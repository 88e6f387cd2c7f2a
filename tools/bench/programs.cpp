// fuzz, hls-fuzz, hls-packages, mutants, demo, xrt-example: figures of programs of their own, built beside this one.
#include <cstdio>

#include "bench.hpp"
#include "error.hpp"
#include "process.hpp"

namespace jogak::bench {
namespace {

namespace fs = std::filesystem;

// name: the program; what: the machine that it compares with the model.
void random_programs(const Options& o, Report& report, const std::string& name, const std::string& what, const std::string& config, int count, int jobs) {
  const fs::path program = beside(name);
  if (!fs::exists(program)) return report.skip("no " + program.string());
  const Output out = last_line("'" + program.string() + "' --config " + config + " --seed " + std::to_string(o.seed) + " --count " + std::to_string(count) + " --jobs " +
                               std::to_string(jobs) + " --quiet", " programs, ");
  unsigned long long programs = 0, cycles = 0, failures = 1;
  double rate = 0;
  unsigned covered = 0, cells = 0;
  if (std::sscanf(out.text.c_str(), "%*[^:]: %llu programs, %llu cycles each, %lf programs/s, %u of %u cells covered, %llu failures", &programs, &cycles, &rate, &covered,
                  &cells, &failures) != 6)
    throw Error("bench", "last line of " + name, out.text, "programs, cycles, coverage, failures");
  report.add({.case_name = "random programs compared", .config = config, .on = what, .value = double(programs), .unit = "programs, of " + std::to_string(count) + " seeds"});
  report.add({.case_name = "differences", .config = config, .on = what, .value = double(failures), .unit = "programs", .bar = 0, .less = true});
  report.add({.case_name = "opcode x format x fault cells covered", .config = config, .on = what, .value = double(covered) / cells, .unit = "of all"});
  report.add({.case_name = "speed", .config = config, .on = what, .value = rate, .unit = "programs/s"});
}

void fuzz(const Options& o, Report& report) {
  random_programs(o, report, "jogak-fuzz", "rtl", o.config.empty() ? "nano" : o.config, o.tokens > 0 ? o.tokens : 2000, 2);
}

void hls_fuzz(const Options& o, Report& report) {
  const int count = o.tokens > 0 ? o.tokens : 1000;
  for (const std::string config : {"nano", "small", "edge", "nano24", "edge24"})
    if (o.config.empty() || o.config == config) random_programs(o, report, "jogak-hls-fuzz", "hls", config, count, 1);
}

void hls_packages(const Options& o, Report& report) {
  const fs::path program = beside("jogak-hls-package-fuzz");
  if (!fs::exists(program)) return report.skip("no " + program.string());
  const std::string config = o.config.empty() ? "nanoquad" : o.config;
  const Output out = last_line("'" + program.string() + "' --config " + config + " --seed " + std::to_string(o.seed) + " --count " + std::to_string(o.tokens > 0 ? o.tokens : 1000), " packages: ");
  unsigned long long programs = 0, differ = 1;
  double rate = 0;
  if (std::sscanf(out.text.c_str(), "%*s packages: %llu programs, %lf programs/s, %llu differ", &programs, &rate, &differ) != 3)
    throw Error("bench", "last line of jogak-hls-package-fuzz", out.text, "programs and how many differ");
  report.add({.case_name = "random exchanges of 1 to 4 dies", .config = config, .on = "hls", .value = double(programs), .unit = "programs"});
  report.add({.case_name = "differences from the model of a package", .config = config, .on = "hls", .value = double(differ), .unit = "programs", .bar = 0, .less = true});
  report.add({.case_name = "speed", .config = config, .on = "hls", .value = rate, .unit = "programs/s"});
}

void mutants(const Options&, Report& report) {
  const fs::path program = beside("jogak-mutants");
  if (!fs::exists(program)) return report.skip("no " + program.string() + ": cmake --build build --target jogak-mutants makes it");
  const Output out = last_line("'" + program.string() + "' tests/mutants/mutants.tsv", "mutants: ");
  unsigned found = 0, all = 0;
  if (std::sscanf(out.text.c_str(), "mutants: %u of %u found", &found, &all) != 2) throw Error("bench", "last line of jogak-mutants", out.text, "mutants: N of M found");
  report.add({.case_name = std::to_string(all) + " faults seeded in the RTL", .config = "nano", .on = "rtl", .value = double(found) / all, .unit = "found by the fuzzer", .bar = 0.95});
}

void demo(const Options& o, Report& report) {
  const std::string on = o.on.empty() ? "rtl" : o.on;
  const Output out = last_line("'" + beside("jogak-cli").string() + "' demo --tokens 64 --on " + on + " 2>/dev/null", "same ");
  if (out.status != 0) throw Error("bench", "demo", "exit status " + std::to_string(out.status), "0");
  report.add({.case_name = "64 tokens, already built", .config = "edge", .on = on, .value = out.seconds, .unit = "s", .bar = 90, .less = true});
}

// The documented programs against real XRT, unchanged, on a simulated card.
void xrt_example(const Options& o, Report& report) {
  const std::string on = o.on.empty() ? "rtl" : o.on;
  const fs::path stage = beside("jogak-xrt-sim");
  for (const std::string name : {"xrt_ip", "xrt_kernel"}) {
    const fs::path program = beside(name);
    if (!fs::exists(stage) || !fs::exists(program)) return report.skip("no " + program.string() + ": packages libxrt-dev and libboost-dev, then ./jogak build");
    const Output out = last_line("'" + stage.string() + "' run --on " + on + " --memory 16 sh -c '\"" + program.string() + "\" \"$JOGAK_XCLBIN\"'", "");
    report.add({.case_name = "docs/examples/" + name + ".cpp through XRT", .config = "nano", .on = on, .value = double(out.status), .unit = "exit status", .bar = 0, .less = true});
    report.add({.case_name = "docs/examples/" + name + ".cpp through XRT", .config = "nano", .on = on, .value = out.seconds, .unit = "s"});
  }
}

const Register fuzz_registered{"fuzz", "random programs, model against RTL (--tokens: how many)", fuzz};
const Register hls_fuzz_registered{"hls-fuzz", "random programs, model against the HLS kernel in C simulation (--tokens: how many of each configuration)", hls_fuzz};
const Register packages_registered{"hls-packages", "random exchanges between chiplets, model of a package against HLS kernels joined by streams (--tokens: how many)", hls_packages};
const Register example_registered{"xrt-example", "the example programs of the documentation through real XRT, unchanged, on a simulated card", xrt_example};
const Register mutants_registered{"mutants", "seeded RTL faults that the fuzzer finds", mutants};
const Register demo_registered{"demo", "time of a second ./jogak demo", demo};

}  // namespace
}  // namespace jogak::bench
