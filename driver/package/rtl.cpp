// A package of Verilated chiplets. Time passes for all dies with every register access; dies start when the last one is ready.
#include <algorithm>
#include <atomic>

#include "../arena.hpp"
#include "../guard.hpp"
#include "machine.hpp"
#include "sim/rtl/package.hpp"

namespace jogak::driver {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kSlice = 4096;  // cycles between looks at the abort flag
constexpr u32 kFault = 2 | 4;  // of status: a fault, or a dead bus

struct Group {
  std::unique_ptr<rtl::PackageSimulator> sim;
  std::vector<Arena> arenas;
  std::vector<bool> ready;
  std::vector<bool> over;  // dies that were seen to be
  u32 columns = 1;
  bool running = false;
  std::atomic<bool> stop = false;  // since the first die was started; the only one that abort(), from any thread, touches

  template <class F>
  void each(F&& f) {
    for (u32 i = 0; i < sim->dies(); ++i) f(sim->die(i));
  }
  void start(u32 index) {
    if (ready[index]) end_started();
    if (!running && std::ranges::none_of(ready, [](bool r) { return r; })) stop = false;
    ready[index] = true;
    for (const bool r : ready)
      if (!r) return;
    running = true;
    over.assign(ready.size(), false);
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
  // A die with a fault sends nothing more, so whoever waits for it would do so for ever.
  void abort_others_of_broken() {
    for (u32 i = 0; i < sim->dies(); ++i) {
      if (over[i] || !sim->die(i).irq()) continue;
      over[i] = true;
      if ((sim->die(i).read_csr(csr::status) & kFault) == 0) continue;
      for (u32 other = 0; other < sim->dies(); ++other)
        if (!sim->die(other).irq()) sim->die(other).write_csr(csr::control, 1);
    }
  }
  // Whether the job is over.
  bool wait(u64 limit) {
    for (u64 spent = 0; running && (limit == 0 || spent < limit); spent += kSlice) {
      if (stop.exchange(false)) each([](rtl::Simulator& s) { s.write_csr(csr::control, 1); });
      if (!sim->run_until_done(limit == 0 ? kSlice : std::min(kSlice, limit - spent))) {
        abort_others_of_broken();
        continue;
      }
      each([](rtl::Simulator& s) { s.write_csr(csr::ap_isr, 1); });
      running = false;
    }
    return !running;
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
    if (!callback) sim().on_trace({});
    else sim().on_trace([callback = std::move(callback)](const rtl::TraceEvent& e) { callback({e.cycle, e.engine, e.start, e.pc, e.counters}); });
    return {};
  }
  std::vector<LinkUse> links() const override {
    const int columns = static_cast<int>(group_->columns), dies = static_cast<int>(group_->sim->dies()), at = static_cast<int>(index_);
    const std::array<int, 4> to = {at % columns + 1 < columns ? at + 1 : -1, at % columns > 0 ? at - 1 : -1, at + columns < dies ? at + columns : -1, at - columns};
    std::vector<LinkUse> list;
    for (u32 l = 0; l < to.size(); ++l)
      if (to[l] >= 0) list.push_back({.to = static_cast<u32>(to[l]), .busy_cycles = static_cast<u64>(group_->sim->channel(index_, l).busy_ps() / kPeriodPs)});
    return list;
  }

 private:
  static constexpr double kPeriodPs = 1000;
  rtl::Simulator& sim() const { return group_->sim->die(index_); }
  Arena& arena() const { return group_->arenas[index_]; }

  std::shared_ptr<Group> group_;  // the package is there as long as one of its dies
  u32 index_;
};

}  // namespace

std::vector<std::unique_ptr<Device>> rtl_dies(const PackageOptions& options) {
  rtl::PackageOptions o;
  o.columns = options.columns, o.rows = options.rows;
  o.link.gb_per_s = options.link_gb_per_s, o.link.latency_ps = options.link_latency_ps;
  o.die.dram_base = kMemoryBase;
  o.die.dram_bytes = static_cast<std::size_t>((options.memory_bytes + kPage - 1) / kPage * kPage);
  const auto group = std::make_shared<Group>();
  group->sim = rtl::make_package(options.config, o);
  group->columns = options.columns;
  group->arenas.resize(group->sim->dies());
  group->ready.resize(group->sim->dies());
  std::vector<std::unique_ptr<Device>> dies;
  for (u32 i = 0; i < group->sim->dies(); ++i) {
    group->arenas[i].attach(group->sim->die(i).dram(), group->sim->die(i).dram_base());
    dies.push_back(std::make_unique<RtlDie>(group, i));
  }
  return dies;
}

}  // namespace jogak::driver
