// The cycle model of a package: the exact model's values, the RTL's cycles, links included.
#include <atomic>

#include "die_trace.hpp"
#include "machine.hpp"
#include "sim/cycle/package.hpp"
#include "sim/trace/package_run.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kSlice = 1 << 16;  // cycles between looks at the stop flag

class CyclePackage final : public PackageMachine {
 public:
  CyclePackage(const spec::Config& config, const PackageOptions& o)
      : name_(config.name), values_(config, o.columns, o.rows), traces_(values_.dies()), spec_(spec_of(config, o)), package_(values_, options()) {}

  u32 dies() const override { return values_.dies(); }
  const spec::Config& config() const override { return *spec::find_config(name_.c_str()); }
  void attach(u32 die, u64 base, std::span<std::uint8_t> memory) override { values_.die(die).dram().attach(base, memory); }
  DeviceInfo info() const override {
    return {"cycle", "The cycle model of a package of " + std::to_string(dies()) + " dies of configuration " + name_ + ".", name_, 0, true};
  }

  std::vector<DieOutcome> run(std::span<const Job> jobs) override {
    stop_ = false;
    std::vector<cycle::Package::Launch> launches;
    for (const Job& j : jobs) launches.push_back({.job = j.launch, .code = j.code, .resident = j.resident});
    for (u32 d = 0; d < dies(); ++d) package_.trace(d, traces_[d].callback || recorded_ ? &traces_[d].events : nullptr);
    if (recorded_) recorded_->begin_launch();
    package_.begin(launches);
    for (bool over = false; !over;) {
      if (stop_.exchange(false)) package_.abort();
      over = package_.run(package_.cycles() + (recorded_ ? trace::rest(*recorded_, package_.cycles()) : kSlice));
      for (u32 d = 0; d < dies(); ++d) traces_[d].tell(recorded_.get(), d, package_.start(d));
      if (recorded_) trace::sample(package_, *recorded_, counts_);
    }
    if (recorded_) recorded_->end(package_.cycles());
    if (package_.aborted()) return {};
    std::vector<DieOutcome> outcomes;
    for (const model::Result& r : package_.results()) outcomes.push_back({r.fault, r.counters.values});
    for (u32 d = 0; d < dies(); ++d) traces_[d].total += outcomes[d].counters[std::size_t(spec::Counter::cycles)];
    return outcomes;
  }
  Status record(u64 keep, std::shared_ptr<trace::PackageTrace>& trace) override {
    recorded_ = std::make_shared<trace::PackageTrace>(
        trace::Header{.backend = "cycle", .config = name_, .columns = spec_.columns, .rows = spec_.rows, .period_ps = spec_.period_ps(), .window = kTraceWindow, .keep = keep});
    trace = recorded_;
    return {};
  }
  void stop() override { stop_ = true; }
  Status trace(u32 die, TraceCallback callback) override {
    traces_.at(die).callback = std::move(callback);
    return {};
  }
  std::vector<LinkUse> links(u32 die) const override {
    const std::array<int, 4> step = {1, -1, static_cast<int>(values_.columns()), -static_cast<int>(values_.columns())};
    std::vector<LinkUse> list;
    for (u32 l = 0; l < step.size(); ++l) {
      const cycle::LinkCounters c = package_.link(die, l);
      if (c.flits > 0) list.push_back({u32(int(die) + step[l]), c.payload_bytes, c.busy_cycles, c.replays});
    }
    return list;
  }

 private:
  cycle::PackageOptions options() {
    cycle::PackageOptions with;
    with.period_ps = spec_.period_ps();
    for (const package::Die& d : spec_.dies) {
      for (const auto& l : d.links) with.links.push_back(l ? channel_of(*l) : link::ChannelOptions{});
      const dram::Options memory = dram::parse_options(d.memory->timing);
      const trace::Counts counts = std::make_shared<std::vector<dram::Counts>>();
      behind_.push_back(memory.preset == nullptr ? nullptr : std::make_unique<trace::Watched>(memory, counts));
      counts_.push_back(counts);
      with.memories.push_back({.behind = behind_.back().get()});
    }
    return with;
  }

  std::string name_;
  model::Package values_;
  std::vector<DieTrace> traces_;
  package::PackageSpec spec_;
  std::vector<std::unique_ptr<MemoryTiming>> behind_;  // what is behind each die's port; null: an ideal memory
  std::vector<trace::Counts> counts_;
  std::shared_ptr<trace::PackageTrace> recorded_;
  cycle::Package package_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

std::unique_ptr<PackageMachine> cycle_package(const spec::Config& config, const PackageOptions& options) {
  return std::make_unique<CyclePackage>(config, options);
}

}  // namespace jogak::driver
