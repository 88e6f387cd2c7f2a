#include "bench.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

namespace jogak::bench {
namespace {

std::vector<Benchmark>& table() {
  static std::vector<Benchmark> benchmarks;  // filled before main by Register
  return benchmarks;
}

}  // namespace

Register::Register(const char* name, const char* summary, void (*run)(const Options&, Report&)) { table().push_back({name, summary, run}); }

std::vector<Benchmark> all() {
  std::vector<Benchmark> sorted = table();
  std::sort(sorted.begin(), sorted.end(), [](const Benchmark& a, const Benchmark& b) { return a.name < b.name; });
  return sorted;
}

void Report::add(const Figure& f) {
  nlohmann::ordered_json j = {{"name", name_}, {"case", f.case_name}, {"config", f.config}, {"on", f.on}, {"value", f.value}, {"unit", f.unit}};
  j["bar"] = f.bar ? nlohmann::ordered_json(*f.bar) : nullptr;
  j["aim"] = f.aim ? nlohmann::ordered_json(*f.aim) : nullptr;
  j["pass"] = f.good();
  j["commit"] = commit_;
  std::cout << j.dump() << std::endl;
  good_ = good_ && f.good();
}

void Report::skip(const std::string& reason) { std::cerr << "jogak: " << name_ << " skipped: " << reason << "\n"; }

}  // namespace jogak::bench
