// Benchmarks: one file of this folder each, registered by name; every figure is one line of JSON.
//
//   void run(const Options& options, Report& report) {
//     report.add({.case_name = "512x512x512", .config = "edge", .on = "rtl", .value = 98.1, .unit = "% of peak", .bar = 95, .aim = 98});
//   }
//   const Register registered{"gemm512", "int8 product of 512 x 512 matrices", run};
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace jogak::bench {

struct Options {
  std::string config = {};   // empty: the benchmark's own choice; likewise below
  std::string on = {};
  std::string model = {};
  std::string format = {};
  int tokens = 0;
  std::uint64_t seed = 1;
};

struct Figure {
  std::string case_name = {}, config = {}, on = {};
  double value = 0;
  std::string unit = {};
  std::optional<double> bar = {}, aim = {};  // what must and what should be reached
  bool less = false;                         // smaller is better
  bool good() const { return !bar || (less ? value <= *bar : value >= *bar); }
};

class Report {
 public:
  Report(std::string name, std::string commit) : name_(std::move(name)), commit_(std::move(commit)) {}
  // Prints {"name", "case", "config", "on", "value", "unit", "bar", "aim", "pass", "commit"} at once.
  void add(const Figure& figure);
  // For what is not measured here, with the reason; on stderr.
  void skip(const std::string& reason);
  bool good() const { return good_; }

 private:
  std::string name_, commit_;
  bool good_ = true;
};

struct Benchmark {
  std::string name, summary;
  void (*run)(const Options&, Report&);
};
// In order of name.
std::vector<Benchmark> all();

struct Register {
  Register(const char* name, const char* summary, void (*run)(const Options&, Report&));
};

}  // namespace jogak::bench
