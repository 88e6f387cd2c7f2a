// A package as a SystemC platform (sim/systemc): of dies as a package file says, or all alike.
#include <atomic>

#include "../arena.hpp"
#include "../backends.hpp"
#include "error.hpp"
#include "machine.hpp"
#include "sim/model/package.hpp"
#include "sim/systemc/platform.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kSlice = 1 << 16;  // cycles between looks at the stop flag

// Dies that are all alike, with ideal memories or one that `memory` names for each.
package::PackageSpec alike(const spec::Config& config, const PackageOptions& o, const std::string& memory) {
  package::PackageSpec spec;
  spec.name = config.name;
  spec.columns = o.columns, spec.rows = o.rows;
  spec.clock_mhz = u32(1'000'000'000 / dram::parse_options(memory).period_fs);
  const package::LinkKind link{"link", "given", 8, o.link_gb_per_s, double(o.link_latency_ps) / 1000, 0};
  for (u32 i = 0; i < o.columns * o.rows; ++i) {
    package::Die& d = spec.dies.emplace_back();
    d.name = std::to_string(i), d.config = config.name;
    d.x = i % o.columns, d.y = i / o.columns;
    d.memory = package::MemoryKind{"memory", memory, o.memory_bytes};
    if (d.x + 1 < o.columns) d.links[package::kEast] = link;
    if (d.x > 0) d.links[package::kWest] = link;
    if (d.y + 1 < o.rows) d.links[package::kNorth] = link;
    if (d.y > 0) d.links[package::kSouth] = link;
  }
  return spec;
}

// The package of a file must be that of the program.
package::PackageSpec spec_of(const spec::Config& config, const PackageOptions& o) {
  const std::string target = target_or(o.backend, "ideal");
  if (!target.ends_with(".yaml")) return alike(config, o, target);
  package::PackageSpec spec = package::read_package(target);
  const auto mesh = [](u32 columns, u32 rows) { return std::to_string(columns) + " x " + std::to_string(rows) + " dies"; };
  if (spec.columns != o.columns || spec.rows != o.rows)
    throw Error("package " + spec.name, "program", "one for " + mesh(o.columns, o.rows), mesh(spec.columns, spec.rows));
  if (spec.config() != config.name) throw Error("package " + spec.name, "program", std::string("one for ") + config.name, spec.config());
  for (const package::Die& d : spec.dies) {
    if (d.kind != package::DieKind::compute) throw Error("package " + spec.name, "die " + d.name, "a die without a program", "a compute die, for a program of all dies");
    if (d.memory->bytes < o.memory_bytes)
      throw Error("package " + spec.name, "memory of die " + d.name, std::to_string(d.memory->bytes) + " bytes", std::to_string(o.memory_bytes) + " at least");
  }
  return spec;
}

class SystemcPackage final : public PackageMachine {
 public:
  SystemcPackage(const spec::Config& config, const PackageOptions& o)
      : name_(config.name), columns_(o.columns), values_(config, o.columns, o.rows), traces_(values_.dies()), platform_(spec_of(config, o), values_, kMemoryBase, (o.memory_bytes + kPage - 1) / kPage * kPage) {}

  u32 dies() const override { return values_.dies(); }
  model::Machine& die(u32 index) override { return values_.die(index); }
  DeviceInfo info() const override {
    return {"systemc", "A SystemC platform of " + std::to_string(dies()) + " dies of configuration " + name_ + ", cycle models or RTL.", name_, 0, true};
  }
  std::vector<DieOutcome> run(std::span<const Job> jobs) override {
    stop_ = false;
    std::vector<systemc::Chiplet::Job> all;
    for (const Job& j : jobs) all.push_back({j.launch, j.code, j.resident});
    for (u32 d = 0; d < dies(); ++d) platform_.die(d).trace(traces_[d].callback ? &traces_[d].events : nullptr);
    platform_.begin(all);
    bool stopped = false;
    for (bool over = false; !over;) {
      if (stop_.exchange(false)) platform_.abort(), stopped = true;
      over = platform_.run(kSlice);
      for (Trace& t : traces_) t.tell();
    }
    if (stopped) return {};
    std::vector<DieOutcome> outcomes;
    for (u32 d = 0; d < dies(); ++d) {
      const model::Result& r = platform_.die(d).result();
      outcomes.push_back({r.fault, r.counters.values});
      traces_[d].total += r.counters.values[std::size_t(spec::Counter::cycles)];
    }
    return outcomes;
  }
  void stop() override { stop_ = true; }
  Status trace(u32 die, TraceCallback callback) override {
    traces_.at(die).callback = std::move(callback);
    return {};
  }
  std::vector<LinkUse> links(u32 die) const override {
    const std::array<int, 4> step = {1, -1, static_cast<int>(columns_), -static_cast<int>(columns_)};
    std::vector<LinkUse> list;
    for (u32 l = 0; l < step.size(); ++l) {
      const systemc::LinkUse use = platform_.use(die, l);
      if (use.flits > 0) list.push_back({u32(int(die) + step[l]), use.payload_bytes, use.busy_cycles, use.replays});
    }
    return list;
  }

 private:
  struct Trace {
    TraceCallback callback;
    std::vector<cycle::Event> events;
    std::array<u64, model::kCounters> counters{};
    u64 total = 0;  // cycles of the runs before

    void tell() {
      for (const cycle::Event& e : events) {
        counters[std::size_t(spec::Counter::mx_busy)] = e.mx_busy;
        counters[std::size_t(spec::Counter::ld_beats)] = e.ld_beats;
        counters[std::size_t(spec::Counter::st_beats)] = e.st_beats;
        callback({total + e.cycle, static_cast<spec::Engine>(e.engine), e.start, e.pc, counters});
      }
      events.clear();
    }
  };

  std::string name_;
  u32 columns_;
  model::Package values_;
  std::vector<Trace> traces_;
  systemc::Platform platform_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

std::unique_ptr<PackageMachine> systemc_package(const spec::Config& config, const PackageOptions& options) {
  return std::make_unique<SystemcPackage>(config, options);
}

}  // namespace jogak::driver
