// The exact model of a package: no time, stores and signals to other dies happen at once.
#include <atomic>

#include "machine.hpp"
#include "sim/model/package.hpp"

namespace jogak::driver {
namespace {

struct Stopped {};  // thrown by the instruction hook

class ModelPackage final : public PackageMachine {
 public:
  ModelPackage(const spec::Config& config, const PackageOptions& o) : config_(config), package_(config, o.columns, o.rows) {
    for (std::uint32_t i = 0; i < dies(); ++i)
      package_.die(i).on_instruction([this](const model::Step&) {
        if (stop_.load(std::memory_order_relaxed)) throw Stopped{};
      });
  }
  std::uint32_t dies() const override { return package_.dies(); }
  const spec::Config& config() const override { return config_; }
  void attach(std::uint32_t die, std::uint64_t base, std::span<std::uint8_t> memory) override { package_.die(die).dram().attach(base, memory); }
  DeviceInfo info() const override {
    return {"model", "The exact model of a package of " + std::to_string(dies()) + " dies of configuration " + config_.name + ", without time.", config_.name, 0, false};
  }
  std::vector<DieOutcome> run(std::span<const Job> jobs) override {
    stop_ = false;
    std::vector<model::Launch> launches;
    for (const Job& j : jobs) launches.push_back(j.launch);
    std::vector<DieOutcome> outcomes;
    try {
      for (const model::Result& r : package_.launch(launches)) outcomes.push_back({r.fault, r.counters.values});
    } catch (const Stopped&) {
      return {};
    }
    return outcomes;
  }
  void stop() override { stop_ = true; }
  Status trace(std::uint32_t, TraceCallback callback) override {
    if (!callback) return {};
    return {Code::unsupported, "model device: trace, found a machine without a clock, expected one with"};
  }

 private:
  const spec::Config& config_;
  model::Package package_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

std::unique_ptr<PackageMachine> model_package(const spec::Config& config, const PackageOptions& options) {
  return std::make_unique<ModelPackage>(config, options);
}

}  // namespace jogak::driver
