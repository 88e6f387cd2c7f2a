#include <algorithm>
#include <atomic>

#include "../guard.hpp"
#include "../host_memory.hpp"
#include "../model/registers.hpp"
#include "machine.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

// All dies of a package.
struct Group {
  struct Die {
    Die(PackageMachine& machine, u32 index, u64 bytes) : registers(machine.config()), memory(static_cast<std::size_t>(bytes)) {
      arena.attach(memory.bytes(), kMemoryBase);
      machine.attach(index, kMemoryBase, memory.bytes());
    }
    ModelRegisters registers;
    HostMemory memory;
    Arena arena;
    std::vector<spec::Insn> code;
    PackageMachine::Job job;
    bool ready = false;
  };
  std::unique_ptr<PackageMachine> machine;
  std::vector<std::unique_ptr<Die>> dies;
  std::atomic<bool> stopped = false;  // since the first of them was started

  Status start(u32 index) {
    Die& d = *dies[index];
    if (d.ready && stopped) end_started();
    if (d.ready) return {Code::bad_argument, "package: start of die " + std::to_string(index) + ", found it started, expected the other dies' turns"};
    if (std::ranges::none_of(dies, [](const auto& other) { return other->ready; })) stopped = false;
    if (Status s = d.registers.launch(d.arena, d.code, d.job.launch); !s.ok()) return s;
    d.job.code = d.registers.code_address(), d.job.resident = d.registers.resident();
    d.registers.begin();
    d.ready = true;
    for (const auto& other : dies)
      if (!other->ready) return {};
    return run();
  }
  Status run() {
    std::vector<PackageMachine::Job> jobs;
    for (const auto& d : dies) jobs.push_back(d->job), d->ready = false;
    std::vector<DieOutcome> outcomes;
    try {
      if (!stopped) outcomes = machine->run(jobs);
    } catch (...) {
      for (const auto& d : dies) d->registers.end({}, true, {});
      throw;
    }
    for (u32 i = 0; i < dies.size(); ++i) {
      if (outcomes.empty()) dies[i]->registers.end({}, true, {});
      else dies[i]->registers.end(outcomes[i].fault, false, outcomes[i].counters);
    }
    return {};
  }
  // From any thread, so the dies themselves are left to whoever starts and waits.
  void stop() {
    stopped = true;
    machine->stop();
  }
  // Started but not all of them, and stopped: nothing runs.
  void end_started() {
    for (const auto& d : dies)
      if (d->ready) d->ready = false, d->registers.end({}, true, {});
  }
};

class DieDevice final : public Die {
 public:
  DieDevice(std::shared_ptr<Group> group, u32 index) : group_(std::move(group)), index_(index) {}

  DeviceInfo info() const override {
    DeviceInfo i = group_->machine->info();
    i.memory_bytes = die().memory.size();
    return i;
  }
  Status alloc(u64 bytes, u64& address) override {
    return guarded([&] { return die().arena.alloc(bytes, address); });
  }
  Status free(u64 address) override { return die().arena.free(address); }
  Status copy_in(u64 address, std::span<const std::uint8_t> bytes) override { return die().arena.copy_in(address, bytes); }
  Status copy_out(u64 address, std::span<std::uint8_t> bytes) override { return die().arena.copy_out(address, bytes); }

  Status write_csr(u32 offset, u32 value) override {
    const Status s = check_csr(offset);
    if (!s.ok()) return s;
    switch (die().registers.write(offset, value)) {
      case ModelRegisters::Action::start: return start();
      case ModelRegisters::Action::abort: return abort();
      default: return {};
    }
  }
  Status read_csr(u32 offset, u32& value) override {
    const Status s = check_csr(offset);
    if (s.ok()) value = die().registers.read(offset);
    return s;
  }

  Status start() override {
    return guarded([&] { return group_->start(index_); });
  }
  Status wait(u64) override {
    if (die().ready && group_->stopped) group_->end_started();
    if (die().ready)
      return {Code::bad_argument, "package: wait for die " + std::to_string(index_) + ", found dies that were not started, expected a start of each"};
    die().registers.clear_interrupt();
    return {};
  }
  Status abort() override {
    group_->stop();
    return {};
  }
  std::vector<LinkUse> links() const override { return group_->machine->links(index_); }
  u32 place() const override { return group_->machine->place(index_); }
  Status record(u64 keep, std::shared_ptr<trace::PackageTrace>& trace) override {
    return guarded([&] { return group_->machine->record(keep, trace); });
  }
  Status trace(TraceCallback callback) override { return group_->machine->trace(index_, std::move(callback)); }

 private:
  Group::Die& die() const { return *group_->dies[index_]; }

  std::shared_ptr<Group> group_;  // the package is there as long as one of its dies
  u32 index_;
};

}  // namespace

std::vector<std::unique_ptr<Device>> make_dies(std::unique_ptr<PackageMachine> machine, u64 memory_bytes) {
  const auto group = std::make_shared<Group>();
  std::vector<std::unique_ptr<Device>> devices;
  for (u32 i = 0; i < machine->dies(); ++i) {
    group->dies.push_back(std::make_unique<Group::Die>(*machine, i, memory_bytes));
    devices.push_back(std::make_unique<DieDevice>(group, i));
  }
  group->machine = std::move(machine);
  return devices;
}

}  // namespace jogak::driver
