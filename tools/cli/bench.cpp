// jogak bench: measurements, one JSON line per figure.
#include "tools/bench/bench.hpp"

#include <iostream>

#include "cli.hpp"
#include "tools/project.hpp"

namespace jogak::cli {
namespace {

struct Arguments {
  std::vector<std::string> names;
  bench::Options options;
  bool list = false, json = false;
};

const bench::Benchmark& named(const std::vector<bench::Benchmark>& table, const std::string& name) {
  for (const bench::Benchmark& b : table)
    if (b.name == name) return b;
  std::string known;
  for (const bench::Benchmark& b : table) known += ", " + b.name;
  throw Error("bench", "name", name, "all" + known);
}

}  // namespace

void add_bench(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("bench", "Measure, and print one JSON line per result");
  const auto a = std::make_shared<Arguments>();
  command->add_option("name", a->names, "Benchmarks, or all");
  command->add_flag("--list", a->list, "Print the benchmarks there are");
  command->add_option("--config", a->options.config, "Machine (default: the benchmark's)");
  command->add_option("--on", a->options.on, "Backend (default: the benchmark's)");
  command->add_option("--model", a->options.model, "Model file (default: the benchmark's)");
  command->add_option("--format", a->options.format, "Weight format (default: the benchmark's)");
  command->add_option("--tokens", a->options.tokens, "Tokens, or whatever the benchmark counts (default: its own)")->check(CLI::PositiveNumber);
  command->add_option("--seed", a->options.seed, "Of what is random")->capture_default_str();
  command->add_flag("--json", a->json, "Accepted everywhere; the output is JSON lines anyway");
  command->callback([a, command, &status] {
    const auto table = bench::all();
    if (a->list) {
      for (const auto& b : table) std::cout << b.name << std::string(b.name.size() < 16 ? 16 - b.name.size() : 1, ' ') << b.summary << "\n";
      return;
    }
    if (a->names.empty()) throw CLI::RequiredError("name or --list");
    std::vector<bench::Benchmark> chosen;
    for (const std::string& name : a->names) {
      if (name == "all") chosen.insert(chosen.end(), table.begin(), table.end());
      else chosen.push_back(named(table, name));
    }
    for (const auto& b : chosen) {
      bench::Report report(b.name, tools::commit());
      b.run(a->options, report);
      if (!report.good()) status = 1;
    }
  });
}

}  // namespace jogak::cli
