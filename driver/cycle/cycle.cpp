// The cycle model behind the machine's registers: the exact model computes, sim/cycle says when. Both advance in wait(),
// on the caller's thread, the exact model a few thousand instructions ahead; so memory holds more than the machine would
// have written when a job is aborted. abort() from another thread is taken up by wait() at its next slice.
#include <optional>

#include "../backends.hpp"
#include "../model/timed.hpp"
#include "sim/cycle/chip.hpp"
#include "sim/cycle/recorder.hpp"
#include "sim/dram/dram.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 kAhead = 1 << 12;    // instructions that the exact model executes at a time

class CycleDevice final : public TimedDevice {
 public:
  CycleDevice(const spec::Config& config, u64 memory_bytes, std::unique_ptr<MemoryTiming> behind)
      : TimedDevice(config, memory_bytes), behind_(std::move(behind)), recorder_(machine_.config()) {
    machine_.on_instruction([this](const model::Step& s) { recorder_.step(s, machine_.memories()); });
  }

  DeviceInfo info() const override {
    return {"cycle", "The cycle model of configuration " + std::string(machine_.config().name) + ": exact values, the RTL's cycles.",
            machine_.config().name, memory_.size(), true};
  }
  Status start() override {
    return guarded([&] {
      if (chip_) return Status(Code::bad_argument, "cycle device: start, found a job in flight, expected none");
      model::Launch launch;
      if (Status s = registers_.launch(arena_, code_, launch); !s.ok()) return s;
      recorder_.begin(launch.windows);
      machine_.begin(launch);
      registers_.begin();
      stop_ = aborted_ = false;
      chip_.emplace(machine_.config(), AxiPace::Options{.behind = behind_.get()}, recorder_.stream());
      chip_->trace(events());
      chip_->launch({.code = registers_.code_address(), .instructions = u32(code_.size()), .resident = registers_.resident()});
      return Status{};
    });
  }

  Status wait(u64 limit) override {
    return guarded([&] {
      const u64 end = !chip_ || limit == 0 ? ~u64(0) : chip_->cycle() + limit;
      while (chip_) {
        if (stop_.exchange(false)) aborted_ = true, chip_->abort();
        const cycle::Chip::Stop stop = chip_->run(std::min(end, chip_->cycle() + kSlice));
        tell_events();
        if (stop == cycle::Chip::Stop::done) finish();
        else if (stop == cycle::Chip::Stop::starved) execute();
        else if (chip_->cycle() >= end)
          return Status(Code::timeout, "cycle device: job, found it running after " + std::to_string(limit) + " cycles, expected its end");
      }
      registers_.clear_interrupt();
      return Status{};
    });
  }

 private:
  // More instructions for the sequencer.
  void execute() {
    if (aborted_) {
      recorder_.stream().closed = true;
    } else if (const bool over = machine_.advance(kAhead); machine_.blocked()) {
      throw Error("cycle model", "pc " + std::to_string(machine_.waits_for().pc), "a wait for another chiplet", "a program of one chiplet");
    } else if (over) {
      const model::Result& result = machine_.result();
      recorder_.end(result.fault, result.counters[spec::Counter::instructions], code_);
    }
  }

  void finish() {
    std::array<u64, model::kCounters> counters = chip_->counters();
    for (const spec::CounterInfo& c : spec::counters)
      if (c.exact) counters[c.index] = machine_.result().counters.values[c.index];
    registers_.end(aborted_ ? model::FaultRecord{} : machine_.result().fault, aborted_, counters);
    spend(chip_->cycle());
    chip_.reset();
  }

  std::unique_ptr<MemoryTiming> behind_;  // what is behind the port; null: an ideal memory
  cycle::Recorder recorder_;
  std::optional<cycle::Chip> chip_;  // while a job is in flight
};

}  // namespace

Status open_cycle(const OpenOptions& options, std::unique_ptr<Device>& device) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr)
    return {Code::bad_argument, "cycle device: configuration, found " + options.config + ", expected one of spec/configs"};
  cycle::Chip::check(*config);
  const MemoryFactory behind = dram::parse_memory(target_or(options.backend, "ideal"));
  device = std::make_unique<CycleDevice>(*config, options.memory_bytes, behind ? behind() : nullptr);
  return {};
}

}  // namespace jogak::driver
