// What simulated packages without registers have in common: the model's and the cycle model's.
#pragma once

#include <memory>
#include <vector>

#include "../package.hpp"
#include "sim/model/machine.hpp"

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
  virtual model::Machine& die(std::uint32_t index) = 0;
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
};

// Dies with registers and memory of `memory_bytes` each over a machine.
std::vector<std::unique_ptr<Device>> make_dies(std::unique_ptr<PackageMachine> machine, std::uint64_t memory_bytes);

// Dies of a Verilated package, which have registers of their own. Throws Error where the configuration's was not built.
std::vector<std::unique_ptr<Device>> rtl_dies(const PackageOptions& options);

// Each throws Error for a package that the backend does not have.
std::unique_ptr<PackageMachine> model_package(const spec::Config& config, const PackageOptions& options);
std::unique_ptr<PackageMachine> cycle_package(const spec::Config& config, const PackageOptions& options);
std::unique_ptr<PackageMachine> systemc_package(const spec::Config& config, const PackageOptions& options);

}  // namespace jogak::driver
