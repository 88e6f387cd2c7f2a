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

// Where the program's dies are: its die i is the i-th compute die by place.
std::vector<u32> compute_places(const package::PackageSpec& spec) {
  std::vector<u32> places;
  for (u32 i = 0; i < spec.dies.size(); ++i)
    if (spec.dies[i].kind == package::DieKind::compute) places.push_back(i);
  return places;
}

// The package of a file must have the program's dies; memory and io dies may stand between them.
package::PackageSpec spec_of(const spec::Config& config, const PackageOptions& o) {
  const std::string target = target_or(o.backend, "ideal");
  if (!target.ends_with(".yaml")) return alike(config, o, target);
  package::PackageSpec spec = package::read_package(target);
  const std::string part = "package " + spec.name;
  const std::vector<u32> places = compute_places(spec);
  if (places.size() != std::size_t(o.columns) * o.rows) {
    std::string names;
    for (const u32 p : places) names += (names.empty() ? "" : ", ") + spec.dies[p].name;
    throw Error(part, "program", "one for " + std::to_string(o.columns * o.rows) + " dies", "one for its " + std::to_string(places.size()) + " compute dies (" + names + ")");
  }
  if (spec.config() != config.name) throw Error(part, "program", std::string("one for ") + config.name, spec.config());
  for (const u32 p : places) {
    const package::Die& d = spec.dies[p];
    if (d.memory->bytes < o.memory_bytes)
      throw Error(part, "memory of die " + d.name, std::to_string(d.memory->bytes) + " bytes", std::to_string(o.memory_bytes) + " at least");
  }
  return spec;
}

class SystemcPackage final : public PackageMachine {
 public:
  SystemcPackage(const spec::Config& config, const PackageOptions& o) : SystemcPackage(config, o, spec_of(config, o)) {}

  u32 dies() const override { return u32(places_.size()); }
  model::Machine& die(u32 index) override { return values_.die(places_.at(index)); }
  DeviceInfo info() const override {
    return {"systemc", "A SystemC platform of " + std::to_string(dies()) + " dies of configuration " + name_ + ", cycle models or RTL.", name_, 0, true};
  }
  std::vector<DieOutcome> run(std::span<const Job> jobs) override {
    stop_ = false;
    std::vector<systemc::Chiplet::Job> all(values_.dies(), systemc::Chiplet::Job{{.code = halt_}, kMemoryBase, false});
    for (u32 d = 0; d < dies(); ++d) {
      all[places_[d]] = {moved(jobs[d].launch), jobs[d].code, jobs[d].resident};
      platform_.die(places_[d]).trace(traces_[d].callback ? &traces_[d].events : nullptr);
    }
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
      const model::Result& r = platform_.die(places_[d]).result();
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
      const systemc::LinkUse use = platform_.use(places_.at(die), l);
      if (use.flits > 0) list.push_back({numbers_[std::size_t(int(places_[die]) + step[l])], use.payload_bytes, use.busy_cycles, use.replays});
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

  SystemcPackage(const spec::Config& config, const PackageOptions& o, const package::PackageSpec& spec)
      : name_(config.name), program_columns_(o.columns), columns_(spec.columns), places_(compute_places(spec)), numbers_(spec.dies.size()), values_(config, spec.columns, spec.rows),
        traces_(places_.size()), platform_(spec, values_, kMemoryBase, (o.memory_bytes + kPage - 1) / kPage * kPage) {
    u32 compute = 0, other = dies();
    for (u32 i = 0; i < spec.dies.size(); ++i) numbers_[i] = spec.dies[i].kind == package::DieKind::compute ? compute++ : other++;
  }

  // Windows on other dies, which name places of the program's mesh, name those of the file's.
  model::Launch moved(model::Launch launch) const {
    using namespace spec::limit;
    for (model::Window& w : launch.windows) {
      if (w.size == 0 || !model::is_remote(w.base)) continue;
      const u32 x = u32(w.base >> remote_x_bit) & 15, y = u32(w.base >> remote_y_bit) & 15, number = x + y * program_columns_;
      const bool there = x < program_columns_ && number < dies();  // else stores fault, as in the program's mesh
      const u64 within = w.base & ((u64(1) << remote_x_bit) - 1);
      w.base = (there ? model::remote_base(places_[number] % columns_, places_[number] / columns_) : model::remote_base(15, 15)) | within;
    }
    return launch;
  }

  std::string name_;
  u32 program_columns_, columns_;
  std::vector<u32> places_;   // of the program's dies
  std::vector<u32> numbers_;  // by place: the program's dies first, then those that only carry
  const std::vector<spec::Insn> halt_{spec::encode(spec::Halt{})};  // what the latter run
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
