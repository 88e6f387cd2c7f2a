// A package of Verilated chiplets. Time passes for all dies with every register access; dies start when the last one is ready.
#include <algorithm>
#include <atomic>
#include <optional>

#include "../arena.hpp"
#include "../guard.hpp"
#include "error.hpp"
#include "machine.hpp"
#include "sim/rtl/package.hpp"
#include "sim/trace/package_run.hpp"

namespace jogak::driver {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kSlice = 4096;  // cycles between looks at the abort flag
constexpr u32 kFault = 2 | 4;  // of status: a fault, or a dead bus
constexpr u32 kDiscard = 1u << 16;  // of place
constexpr u64 kPatience = 200'000;  // cycles without progress of any die
constexpr double kFlitsHeld = 1024; // of one link and what is behind it

struct Group {
  std::vector<Arena> arenas;
  std::vector<bool> ready;
  std::vector<bool> over;  // dies that were seen to be
  package::PackageSpec spec;
  std::vector<trace::Counts> counts;  // of the dies' DRAM; none: ideal memories
  std::vector<TraceCallback> callbacks;
  std::unique_ptr<rtl::PackageSimulator> sim;
  std::shared_ptr<trace::PackageTrace> recorded;
  bool running = false;
  std::atomic<bool> stop = false;  // since the first die was started; the only one that abort(), from any thread, touches
  std::optional<rtl::Patience> patience;
  bool broken = false;  // the run was told to end: dies that have ended throw away what comes, so that the others can

  template <class F>
  void each(F&& f) {
    for (u32 i = 0; i < sim->dies(); ++i) f(sim->die(i));
  }
  void watch(u32 index) {
    const bool any = recorded || callbacks[index];
    sim->die(index).on_trace(!any ? std::function<void(const rtl::TraceEvent&)>() : [this, index](const rtl::TraceEvent& e) {
      if (recorded) recorded->command(index, e.engine, e.start, e.pc, sim->cycles());
      if (callbacks[index]) callbacks[index]({e.cycle, e.engine, e.start, e.pc, e.counters});
    });
  }
  Status record(u64 keep, std::shared_ptr<trace::PackageTrace>& trace) {
    recorded = std::make_shared<trace::PackageTrace>(
        trace::Header{.backend = "rtl", .config = sim->die(0).config().name, .columns = spec.columns, .rows = spec.rows, .period_ps = spec.period_ps(), .window = kTraceWindow, .keep = keep});
    for (u32 d = 0; d < sim->dies(); ++d) watch(d);
    trace = recorded;
    return {};
  }
  void start(u32 index) {
    if (ready[index]) end_started();
    if (!running && std::ranges::none_of(ready, [](bool r) { return r; })) stop = false;
    ready[index] = true;
    for (const bool r : ready)
      if (!r) return;
    running = true;
    over.assign(ready.size(), false);
    patience.emplace(*sim, kPatience), broken = false;
    if (recorded) recorded->begin_launch();
    ready.assign(ready.size(), false);
    each([](rtl::Simulator& s) {
      s.write_csr(csr::ap_gie, 1);
      s.write_csr(csr::ap_ier, 1);
      s.write_csr(csr::ap_isr, 1);
    });
    each([](rtl::Simulator& s) { s.write_csr(csr::ap_ctrl, 1); });
  }
  // Stopped before all were started: nothing runs.
  void end_started() {
    if (stop) ready.assign(ready.size(), false);
  }
  void abort_running() {
    broken = true;
    each([](rtl::Simulator& s) {
      if (!s.irq()) s.write_csr(csr::control, 1);
    });
  }
  // A die with a fault sends nothing more, so whoever waits for it would do so for ever.
  void abort_others_of_broken() {
    for (u32 i = 0; i < sim->dies(); ++i) {
      if (over[i] || !sim->die(i).irq()) continue;
      over[i] = true;
      if ((sim->die(i).read_csr(csr::status) & kFault) != 0) abort_running();
    }
  }
  // Whether ended dies throw away what comes for them. Else it waits for their next run.
  void discard(bool all) {
    each([all](rtl::Simulator& s) {
      if (s.irq()) s.write_csr(csr::place, (s.read_csr(csr::place) & ~kDiscard) | (all ? kDiscard : 0));
    });
  }
  // Until nothing of a run that was broken off is on its way: all that links, routers and queues may hold, one after the other.
  void settle() {
    const auto link = spec.link();
    const double ps = link ? kFlitsHeld * link::kFlitBytes * 1000 / link->gb_per_s() + kFlitsHeld / 64 * link->latency_ns * 1000 : 0;
    discard(true);
    sim->pass(static_cast<u64>(ps / static_cast<double>(spec.period_ps())) + kSlice);
    discard(false);
  }
  // Whether the job is over. Throws Error, with the job ended, where no die gets on.
  bool wait(u64 limit) {
    std::string stuck;
    for (const u64 begin = sim->cycles(); running && (limit == 0 || sim->cycles() - begin < limit);) {
      const u64 slice = recorded ? trace::rest(*recorded, sim->cycles()) : kSlice;
      if (stop.exchange(false)) abort_running();
      const bool all = sim->run_until_done(limit == 0 ? slice : std::min(slice, limit - (sim->cycles() - begin)));
      if (recorded) trace::sample(*sim, *recorded, counts);
      if (all) {
        end();
      } else if (broken) {
        discard(true);
      } else {
        abort_others_of_broken();
        if (!broken && patience->over(*sim)) stuck = rtl::what_waits(*sim), abort_running();
      }
    }
    if (!stuck.empty()) throw Error("rtl package", "job", stuck + ", unchanged for " + std::to_string(kPatience) + " cycles", "its end");
    return !running;
  }
  void end() {
    if (broken) settle();
    each([](rtl::Simulator& s) { s.write_csr(csr::ap_isr, 1); });
    running = false;
    if (recorded) recorded->end(sim->cycles());
  }
};

class RtlDie final : public Die {
 public:
  RtlDie(std::shared_ptr<Group> group, u32 index) : group_(std::move(group)), index_(index) {}

  DeviceInfo info() const override {
    const std::string name = sim().config().name;
    return {"rtl", "A package of " + std::to_string(group_->sim->dies()) + " Verilated chiplets of configuration " + name + ", cycle accurate.", name, arena().size(), true};
  }
  Status alloc(u64 bytes, u64& address) override {
    return guarded([&] { return arena().alloc(bytes, address); });
  }
  Status free(u64 address) override { return arena().free(address); }
  Status copy_in(u64 address, std::span<const std::uint8_t> bytes) override { return arena().copy_in(address, bytes); }
  Status copy_out(u64 address, std::span<std::uint8_t> bytes) override { return arena().copy_out(address, bytes); }
  Status write_csr(u32 offset, u32 value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (s.ok()) sim().write_csr(offset, value);
      return s;
    });
  }
  Status read_csr(u32 offset, u32& value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (s.ok()) value = sim().read_csr(offset);
      return s;
    });
  }
  Status start() override {
    return guarded([&] {
      group_->start(index_);
      return Status{};
    });
  }
  Status wait(u64 limit) override {
    return guarded([&] {
      if (group_->ready[index_]) group_->end_started();
      if (group_->ready[index_])
        return Status(Code::bad_argument, "package: wait for die " + std::to_string(index_) + ", found dies that were not started, expected a start of each");
      if (group_->wait(limit)) return Status{};
      return Status(Code::timeout, "rtl package: job, found it running after " + std::to_string(limit) + " cycles, expected its end");
    });
  }
  Status abort() override {
    group_->stop = true;
    return {};
  }
  Status trace(TraceCallback callback) override {
    group_->callbacks[index_] = std::move(callback);
    group_->watch(index_);
    return {};
  }
  u32 place() const override { return index_; }
  Status record(u64 keep, std::shared_ptr<trace::PackageTrace>& trace) override {
    return guarded([&] { return group_->record(keep, trace); });
  }
  std::vector<LinkUse> links() const override {
    const int columns = static_cast<int>(group_->spec.columns), dies = static_cast<int>(group_->sim->dies()), at = static_cast<int>(index_);
    const std::array<int, 4> to = {at % columns + 1 < columns ? at + 1 : -1, at % columns > 0 ? at - 1 : -1, at + columns < dies ? at + columns : -1, at - columns};
    std::vector<LinkUse> list;
    for (u32 l = 0; l < to.size(); ++l)
      if (to[l] >= 0) list.push_back({.to = static_cast<u32>(to[l]), .busy_cycles = static_cast<u64>(group_->sim->channel(index_, l).busy_ps() / static_cast<double>(group_->spec.period_ps())), .counted = false});
    return list;
  }

 private:
  rtl::Simulator& sim() const { return group_->sim->die(index_); }
  Arena& arena() const { return group_->arenas[index_]; }

  std::shared_ptr<Group> group_;  // the package is there as long as one of its dies
  u32 index_;
};

}  // namespace

std::vector<std::unique_ptr<Device>> rtl_dies(const spec::Config& config, const PackageOptions& options) {
  const auto group = std::make_shared<Group>();
  group->spec = spec_of(config, options);
  const package::PackageSpec& spec = group->spec;
  rtl::PackageOptions o;
  o.columns = options.columns, o.rows = options.rows;
  o.period_ps = spec.period_ps();
  if (const auto kind = spec.link()) o.link = channel_of(*kind);
  for (const package::Die& d : spec.dies)
    if (d.memory->timing != spec.dies[0].memory->timing)
      throw Error("package " + spec.name, "memories on rtl", spec.dies[0].memory->timing + " and " + d.memory->timing, "one kind, for this machine");
  const dram::Options memory = dram::parse_options(spec.dies[0].memory->timing);
  if (memory.preset != nullptr) o.die.memory = trace::watched(memory, group->counts);
  o.die.dram_base = kMemoryBase;
  o.die.dram_bytes = static_cast<std::size_t>((options.memory_bytes + kPage - 1) / kPage * kPage);
  group->sim = rtl::make_package(options.config, o);
  group->arenas.resize(group->sim->dies());
  group->ready.resize(group->sim->dies());
  group->callbacks.resize(group->sim->dies());
  std::vector<std::unique_ptr<Device>> dies;
  for (u32 i = 0; i < group->sim->dies(); ++i) {
    group->arenas[i].attach(group->sim->die(i).dram(), group->sim->die(i).dram_base());
    dies.push_back(std::make_unique<RtlDie>(group, i));
  }
  return dies;
}

}  // namespace jogak::driver
