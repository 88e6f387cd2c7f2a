// One chiplet and its memory as SystemC modules (sim/systemc): the cycles of the backend `cycle`, sockets where another memory may be put.
#include "../backends.hpp"
#include "../model/timed.hpp"
#include "sim/systemc/platform.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

package::PackageSpec alone(const spec::Config& config, const std::string& memory) {
  package::PackageSpec spec;
  spec.name = "one";
  spec.columns = spec.rows = 1;
  spec.clock_mhz = u32(1'000'000'000 / dram::parse_options(memory).period_fs);
  spec.dies.resize(1);
  spec.dies[0].name = "die", spec.dies[0].config = config.name;
  spec.dies[0].memory = package::MemoryKind{.name = "memory", .timing = memory};
  return spec;
}

class SystemcDevice final : public TimedDevice {
 public:
  SystemcDevice(const spec::Config& config, u64 memory_bytes, const std::string& memory)
      : TimedDevice(config, memory_bytes), platform_(alone(config, memory), {&machine_}) {}

  DeviceInfo info() const override {
    return {"systemc", "A SystemC platform of one chiplet of configuration " + std::string(machine_.config().name) + ", with the cycle model in it.",
            machine_.config().name, memory_.size(), true};
  }
  Status start() override {
    return guarded([&] {
      if (running_) return Status(Code::bad_argument, "systemc device: start, found a job in flight, expected none");
      systemc::Chiplet::Job job{{}, registers_.code_address(), registers_.resident()};
      if (Status s = registers_.launch(arena_, code_, job.launch); !s.ok()) return s;
      registers_.begin();
      stop_ = aborted_ = false;
      platform_.die(0).trace(events());
      platform_.begin({job});
      running_ = true;
      return Status{};
    });
  }
  Status wait(u64 limit) override {
    return guarded([&] {
      for (u64 spent = 0; running_; ) {
        if (stop_.exchange(false)) aborted_ = true, platform_.abort();
        const u64 piece = limit == 0 ? kSlice : std::min(kSlice, limit - spent);
        const bool over = platform_.run(piece);
        spent += piece;
        tell_events();
        if (over) finish();
        else if (limit != 0 && spent >= limit)
          return Status(Code::timeout, "systemc device: job, found it running after " + std::to_string(limit) + " cycles, expected its end");
      }
      registers_.clear_interrupt();
      return Status{};
    });
  }

 private:
  void finish() {
    const model::Result& r = platform_.die(0).result();
    registers_.end(r.fault, aborted_, r.counters.values);
    spend(platform_.die(0).local_cycle());
    running_ = false;
  }

  systemc::Platform platform_;
  bool running_ = false;
};

}  // namespace

Status open_systemc(const OpenOptions& options, std::unique_ptr<Device>& device) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr)
    return {Code::bad_argument, "systemc device: configuration, found " + options.config + ", expected one of spec/configs"};
  device = std::make_unique<SystemcDevice>(*config, options.memory_bytes, target_or(options.backend, "ideal"));
  return {};
}

}  // namespace jogak::driver
