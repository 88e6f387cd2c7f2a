// Packages of the exact model that look for races between the engines of a die and between dies.
#pragma once

#include <doctest/doctest.h>

#include "driver/package/machine.hpp"
#include "loaded.hpp"
#include "sim/model/package.hpp"

namespace jogak::tests {

// The exact model, looking for races in each launch.
class Checked : public driver::PackageMachine {
 public:
  // `first`: the first race of a die, or the first fault; without, each is a failed check.
  Checked(const Program& p, std::string* first = nullptr) : config_(spec::find_config(p.config.c_str())), package_(*config_, p.mesh.columns, p.mesh.rows, {.check = true}), first_(first) {}
  std::uint32_t dies() const override { return package_.dies(); }
  const spec::Config& config() const override { return *config_; }
  void attach(std::uint32_t die, std::uint64_t base, std::span<std::uint8_t> memory) override { package_.die(die).dram().attach(base, memory); }
  driver::DeviceInfo info() const override { return {}; }
  std::vector<driver::DieOutcome> run(std::span<const Job> jobs) override {
    std::vector<model::Launch> launches;
    for (const Job& j : jobs) launches.push_back(j.launch);
    std::vector<driver::DieOutcome> outcomes;
    for (const model::Result& r : package_.launch(launches)) outcomes.push_back({r.fault, r.counters.values});
    for (std::uint32_t i = 0; i < dies(); ++i)
      for (const std::string& v : package_.die(i).violations()) tell(v);
    return outcomes;
  }
  void stop() override {}
  driver::Status trace(std::uint32_t, driver::TraceCallback) override { return {}; }

 private:
  void tell(const std::string& violation) {
    if (first_ == nullptr) FAIL_CHECK(violation);
    else if (first_->empty()) *first_ = violation;
  }
  const spec::Config* config_;
  model::Package package_;
  std::string* first_;
};

// Dies for this program.
inline std::vector<std::unique_ptr<driver::Device>> checked_dies(const Program& program, std::string* first = nullptr) {
  return driver::make_dies(std::make_unique<Checked>(program, first), memory_of(program));
}

}  // namespace jogak::tests
