// What every simulated machine offers: registers, DRAM, time. The registers are those of spec/npu.yaml, so a
// driver written against them runs on real hardware too.
//
//   LaunchSetup setup{.code = 0, .code_len = n};
//   setup.windows[0] = {.base = 0, .size = 1 << 20, .readable = true, .writable = true};
//   const RunResult result = run(simulator, setup, 1'000'000);
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "npu_spec.hpp"

namespace jogak::sim {

constexpr std::size_t kCounters = 64;

class Simulator {
 public:
  virtual ~Simulator() = default;

  virtual const spec::Config& config() const = 0;
  // The DRAM and the address of its first byte.
  virtual std::span<std::uint8_t> dram() = 0;
  virtual std::uint64_t dram_base() const = 0;

  // 32-bit registers at byte offsets; take time.
  virtual void write_csr(std::uint32_t offset, std::uint32_t value) = 0;
  virtual std::uint32_t read_csr(std::uint32_t offset) = 0;
  // Runs until the interrupt is raised (true) or `cycles` have passed (false).
  virtual bool run_until_irq(std::uint64_t cycles) = 0;
};

struct WindowSetup {
  std::uint64_t base = 0;  // multiple of 64
  std::uint32_t size = 0;
  bool readable = false, writable = false;
};

struct LaunchSetup {
  std::uint64_t code = 0;      // address of the program, multiple of 64
  std::uint32_t code_len = 0;  // instructions
  std::array<std::uint32_t, spec::limit::args> args{};
  std::array<WindowSetup, spec::limit::windows> windows{};
  std::uint32_t watchdog = 0;     // 0: no limit
  std::uint32_t bus_timeout = 0;  // 0: never
  bool resident = false;          // the program is in instruction memory already
};

struct FaultRecord {
  spec::Fault code = spec::Fault::none;
  std::uint32_t pc = 0;
  spec::Engine engine = spec::Engine::ld;
  std::uint64_t address = 0;
  bool operator==(const FaultRecord&) const = default;
};

struct RunResult {
  bool done = false;  // false: cycle_limit reached, the job is still running
  bool aborted = false, bus_dead = false;
  FaultRecord fault;
  std::array<std::uint64_t, kCounters> counters{};
  std::uint64_t operator[](spec::Counter c) const { return counters[static_cast<std::size_t>(c)]; }
  bool ok() const { return done && !aborted && fault.code == spec::Fault::none; }
};

// The three steps of a job, for who wants to do something between them.
void launch(Simulator&, const LaunchSetup&);  // prepare, then start: the write that begins the run
void prepare(Simulator&, const LaunchSetup&);
void start(Simulator&);
RunResult collect(Simulator&);
RunResult run(Simulator&, const LaunchSetup&, std::uint64_t cycle_limit);

}  // namespace jogak::sim
