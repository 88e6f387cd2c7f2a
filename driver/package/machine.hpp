// What simulated packages without registers have in common: the model's and the cycle model's.
#pragma once

#include <memory>
#include <vector>

#include "../package.hpp"
#include "sim/link/channel.hpp"
#include "sim/model/machine.hpp"
#include "sim/package/spec.hpp"

namespace jogak::driver {

// How one die's run ended.
struct DieOutcome {
  model::FaultRecord fault;
  std::array<std::uint64_t, model::kCounters> counters{};
};

class PackageMachine {
 public:
  virtual ~PackageMachine() = default;
  virtual std::uint32_t dies() const = 0;
  virtual const spec::Config& config() const = 0;
  // Once for each die, before it runs: its DRAM, at addresses from base on.
  virtual void attach(std::uint32_t die, std::uint64_t base, std::span<std::uint8_t> memory) = 0;
  virtual DeviceInfo info() const = 0;  // but for the memory
  // The program is in the die's instruction memory already: loading it takes no time.
  struct Job {
    model::Launch launch;
    std::uint64_t code = 0;  // address
    bool resident = false;
  };
  // Runs all dies to their ends. Empty after a stop().
  virtual std::vector<DieOutcome> run(std::span<const Job> jobs) = 0;
  // From any thread: the run in flight ends early.
  virtual void stop() = 0;
  virtual Status trace(std::uint32_t die, TraceCallback callback) = 0;
  virtual std::vector<LinkUse> links(std::uint32_t) const { return {}; }
  // As Die::place and Die::record.
  virtual std::uint32_t place(std::uint32_t die) const { return die; }
  virtual Status record(std::uint64_t, std::shared_ptr<trace::PackageTrace>&) {
    return {Code::unsupported, "package: trace on " + info().backend + ", found a machine without a clock, expected one with"};
  }
};

// Dies with registers and memory of `memory_bytes` each over a machine.
std::vector<std::unique_ptr<Device>> make_dies(std::unique_ptr<PackageMachine> machine, std::uint64_t memory_bytes);

// Dies of a Verilated package, which have registers of their own. Throws Error where the configuration's was not built.
std::vector<std::unique_ptr<Device>> rtl_dies(const spec::Config& config, const PackageOptions& options);

constexpr std::uint64_t kTraceWindow = 1024;  // cycles between samples

// What options.backend names: the package of its file, which must have the program's dies (throws Error), or dies that are all alike. Memory
// and io dies may stand between those for systemc only.
package::PackageSpec spec_of(const spec::Config& config, const PackageOptions& options);
// Where the program's dies are: its die i is the i-th compute die by place.
std::vector<std::uint32_t> compute_places(const package::PackageSpec& spec);
link::ChannelOptions channel_of(const package::LinkKind& kind);

// Each throws Error for a package that the backend does not have.
std::unique_ptr<PackageMachine> model_package(const spec::Config& config, const PackageOptions& options);
std::unique_ptr<PackageMachine> cycle_package(const spec::Config& config, const PackageOptions& options);
std::unique_ptr<PackageMachine> hls_package(const spec::Config& config, const PackageOptions& options);
std::unique_ptr<PackageMachine> systemc_package(const spec::Config& config, const PackageOptions& options);

}  // namespace jogak::driver
