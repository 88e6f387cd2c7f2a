// The trace of a package in SystemC is that of the plain cycle model.
#include <doctest/doctest.h>

#include <algorithm>
#include <tuple>

#include "package_run.hpp"
#include "sim/systemc/exchange_test.hpp"
#include "systemc_run.hpp"

using namespace jogak;

namespace {

// Slices with times from the first one on.
auto slices(const trace::PackageTrace& trace) {
  auto spans = trace.spans();
  std::erase_if(spans, [](const auto& s) { return s.thread >= trace::kEngines; });
  std::ranges::sort(spans, {}, [](const auto& s) { return std::tuple(s.die, s.thread, s.begin, s.end, s.pc); });
  const auto first = std::ranges::min(spans, {}, [](const auto& s) { return s.begin; }).begin;
  for (auto& s : spans) s.begin -= first, s.end -= first;
  return spans;
}

}  // namespace

TEST_CASE("trace: SystemC writes the slices of the plain cycle model, with stalls, links and DRAM channels") {
  const package::PackageSpec spec = systemc::spec_with("ddr4-3200");
  systemc::Exchange plain(5), modules(5);
  cycle::PackageOptions o;
  o.link = {spec.link()->gb_per_s(), trace::u64(spec.link()->latency_ns * 1000), spec.link()->bit_error_rate};
  std::vector<std::unique_ptr<MemoryTiming>> behind;
  for (const auto& die : spec.dies) {
    behind.push_back(die.memory->make());
    o.memories.push_back({.behind = behind.back().get()});
  }
  cycle::Package package(plain.values, o);
  std::vector<cycle::Package::Launch> launches;
  for (const model::Launch& l : plain.launches) launches.push_back({.job = l, .code = rtl::kBase});
  trace::PackageTrace a({.backend = "cycle", .config = "nanoquad", .columns = 2, .rows = 2}), b({.backend = "systemc", .config = "nanoquad", .columns = 2, .rows = 2});
  REQUIRE(trace::run(package, launches, a, 1'000'000));
  systemc::Platform platform(spec, modules.machines());
  std::vector<systemc::Chiplet::Job> jobs;
  for (const model::Launch& l : modules.launches) jobs.push_back({l, rtl::kBase, false});
  REQUIRE(trace::run(platform, jobs, b, 1'000'000));
  CHECK(a.spans().size() > 200);
  CHECK((slices(a) == slices(b)));
  const std::string json = b.json();
  for (const char* part : {"\"backend\":\"systemc\"", "\"stalls\"", "\"queues\"", "\"link east\"", "\"dram channel 0\""}) CHECK(json.find(part) != std::string::npos);
}
