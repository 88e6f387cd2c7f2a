// A package as a SystemC platform (sim/systemc): of dies as a package file says, or all alike.
#include <atomic>

#include "../arena.hpp"
#include "die_trace.hpp"
#include "machine.hpp"
#include "sim/model/package.hpp"
#include "sim/systemc/platform.hpp"
#include "sim/trace/systemc_run.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kSlice = 1 << 16;  // cycles between looks at the stop flag
constexpr u64 kLead = 1000;      // from begin() to the runs, where some die is Verilated (sim/systemc/platform.hpp)

class SystemcPackage final : public PackageMachine {
 public:
  SystemcPackage(const spec::Config& config, const PackageOptions& o) : SystemcPackage(config, o, spec_of(config, o)) {}

  u32 dies() const override { return u32(places_.size()); }
  const spec::Config& config() const override { return *spec::find_config(name_.c_str()); }
  void attach(u32 die, u64 base, std::span<std::uint8_t> memory) override { values_.die(places_.at(die)).dram().attach(base, memory); }
  DeviceInfo info() const override {
    return {"systemc", "A SystemC platform of " + std::to_string(dies()) + " dies of configuration " + name_ + ", cycle models or RTL.", name_, 0, true};
  }
  std::vector<DieOutcome> run(std::span<const Job> jobs) override {
    stop_ = false;
    std::vector<systemc::Chiplet::Job> all(values_.dies(), systemc::Chiplet::Job{{.code = halt_}, kMemoryBase, false});
    for (u32 d = 0; d < dies(); ++d) {
      all[places_[d]] = {moved(jobs[d].launch), jobs[d].code, jobs[d].resident};
      platform_.die(places_[d]).trace(traces_[d].callback || recorded_ ? &traces_[d].events : nullptr);
    }
    if (recorded_) recorded_->begin_launch();
    platform_.begin(all);
    const u64 start = platform_.cycles() + lead_;
    bool stopped = false;
    for (bool over = false; !over;) {
      if (stop_.exchange(false)) platform_.abort(), stopped = true;
      over = platform_.run(recorded_ ? kTraceWindow - platform_.cycles() % kTraceWindow : kSlice);
      for (u32 d = 0; d < dies(); ++d) traces_[d].tell(recorded_.get(), places_[d], start);
      if (recorded_) trace::sample(platform_, *recorded_);
    }
    if (recorded_) recorded_->end(platform_.cycles());
    if (stopped) return {};
    std::vector<DieOutcome> outcomes;
    for (u32 d = 0; d < dies(); ++d) {
      const model::Result& r = platform_.die(places_[d]).result();
      outcomes.push_back({r.fault, r.counters.values});
      traces_[d].total += r.counters.values[std::size_t(spec::Counter::cycles)];
    }
    return outcomes;
  }
  Status record(u64 keep, std::shared_ptr<trace::PackageTrace>& trace) override {
    recorded_ = std::make_shared<trace::PackageTrace>(
        trace::Header{.backend = "systemc", .config = name_, .columns = columns_, .rows = values_.dies() / columns_, .period_ps = period_ps_, .window = kTraceWindow, .keep = keep});
    trace = recorded_;
    return {};
  }
  u32 place(u32 die) const override { return places_.at(die); }
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
  SystemcPackage(const spec::Config& config, const PackageOptions& o, const package::PackageSpec& spec)
      : name_(config.name), program_columns_(o.columns), columns_(spec.columns), places_(compute_places(spec)), numbers_(spec.dies.size()), values_(config, spec.columns, spec.rows),
        traces_(places_.size()), period_ps_(spec.period_ps()), platform_(spec, values_, kMemoryBase, (o.memory_bytes + kPage - 1) / kPage * kPage) {
    for (const package::Die& d : spec.dies)
      if (d.as == "rtl") lead_ = kLead;
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
  std::vector<DieTrace> traces_;
  u64 period_ps_;
  systemc::Platform platform_;
  std::shared_ptr<trace::PackageTrace> recorded_;
  u64 lead_ = 0;
  std::atomic<bool> stop_ = false;
};

}  // namespace

std::unique_ptr<PackageMachine> systemc_package(const spec::Config& config, const PackageOptions& options) {
  return std::make_unique<SystemcPackage>(config, options);
}

}  // namespace jogak::driver
