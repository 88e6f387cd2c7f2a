// gptoss20b-plan: where gpt-oss-20b would lie in DRAM with 8192 tokens of context. No weights are made: the plan depends on shapes alone.
#include <algorithm>
#include <cstdio>

#include "bench.hpp"
#include "compiler/memory_plan.hpp"

namespace jogak::bench {
namespace {

void plan(const Options& options, Report& report) {
  const std::string config = options.config.empty() ? "edge" : options.config, format = options.format.empty() ? "int8c" : options.format;
  const MemoryPlan p = plan_memory(import::gptoss_20b(), {.config = config, .context = 8192, .format = format});
  std::fputs(p.text().c_str(), stderr);
  for (const MemoryRegion& r : p.regions)
    report.add({.case_name = "window " + std::to_string(r.window) + ", " + r.name, .config = config, .on = "plan", .value = static_cast<double>(r.bytes), .unit = "bytes"});
  const auto largest = *std::max_element(p.windows.begin(), p.windows.end());
  report.add({.case_name = "largest window", .config = config, .on = "plan", .value = static_cast<double>(largest), .unit = "bytes", .bar = 4294967295.0, .less = true});
  report.add({.case_name = "windows", .config = config, .on = "plan", .value = static_cast<double>(p.windows.size()), .unit = "windows", .bar = 8, .less = true});
  report.add({.case_name = "weights, KV cache of 8192 tokens, input and output", .config = config, .on = "plan", .value = static_cast<double>(p.bytes()), .unit = "bytes",
              .bar = 16e9, .less = true});
}

const Register registered{"gptoss20b-plan", "memory of gpt-oss-20b with 8192 tokens of context, by the planner", plan};

}  // namespace
}  // namespace jogak::bench
