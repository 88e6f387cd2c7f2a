// axi-check: the watchers of the AXI ports that are on in every simulation of the RTL. Each rule is broken once by a seeded fault; then a
// product runs behind memories that stall, and a decoder behind one that does not, under the same watchers.
#include "common.hpp"
#include "compiler/schedule/gemm.hpp"
#include "error.hpp"
#include "sim/rtl/axi_faults.hpp"
#include "sim/rtl/simulator.hpp"

namespace jogak::bench {
namespace {

bool found(const rtl::AxiFault& fault) {
  try {
    fault.commit();
  } catch (const Error&) {
    return true;
  }
  return false;
}

// A product of zeros: what matters is the traffic. Returns cycles; a broken rule throws.
std::uint64_t run(const spec::Config& config, std::uint32_t stall) {
  const schedule::Gemm gemm{.config = config, .m = 128, .n = 128, .k = 256};
  const auto program = schedule::lower_gemm(gemm).program();
  const auto code = program.code();
  constexpr std::size_t kPage = 4096;
  const auto pages = [](std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; };
  const std::size_t sizes[] = {pages(gemm.b_bytes()), pages(gemm.a_bytes()), pages(gemm.c_bytes())};
  std::size_t at = pages(code.size() * sizeof(spec::Insn));
  sim::LaunchSetup setup{.code = 0, .code_len = static_cast<std::uint32_t>(code.size())};
  for (std::size_t i = 0; i < std::size(sizes); ++i) {
    setup.windows[i] = {at, static_cast<std::uint32_t>(sizes[i]), true, i > 0};
    at += sizes[i];
  }
  const auto machine = rtl::make_simulator(config.name, {.stall = stall, .dram_bytes = at});
  std::memcpy(machine->dram().data(), code.data(), code.size() * sizeof(spec::Insn));
  const sim::RunResult result = sim::run(*machine, setup, std::uint64_t(1) << 28);
  if (!result.ok()) throw Error("bench", "product on the RTL", result.done ? "a fault" : "no end", "done");
  return machine->cycles();
}

void axi_check(const Options& options, Report& report) {
  const spec::Config& config = config_of(options);
  const std::string name = config.name;
  std::size_t fired = 0;
  for (const rtl::AxiFault& fault : rtl::kAxiFaults) fired += found(fault);
  report.add({.case_name = "rules whose seeded fault is found", .on = "rtl", .value = static_cast<double>(fired),
              .unit = "of " + std::to_string(std::size(rtl::kAxiFaults)), .bar = static_cast<double>(std::size(rtl::kAxiFaults))});
  std::uint64_t cycles = 0, violations = 0;
  for (const std::uint32_t stall : {0u, 20u, 80u, 170u}) {
    try {
      cycles += run(config, stall);
    } catch (const Error& error) {
      ++violations;
      report.skip(error.what());
    }
  }
  report.add({.case_name = "watched", .config = name, .on = "rtl", .value = static_cast<double>(cycles), .unit = "cycles"});
  report.add({.case_name = "watched", .config = name, .on = "rtl", .value = static_cast<double>(violations), .unit = "violations", .bar = 0, .less = true});
}

const Register registered{"axi-check", "rules of the AXI ports: each found broken by a seeded fault, none broken by the RTL", axi_check};

}  // namespace
}  // namespace jogak::bench
