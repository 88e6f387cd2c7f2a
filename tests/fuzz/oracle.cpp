#include "generate.hpp"

namespace jogak::fuzz {

Oracle::Oracle(std::string_view config)
    : config_(spec::find_config(std::string(config).c_str())),
      machine_(*config_, {.check = true}),
      recorder_(*config_, {.exact = true, .record = true}) {
  data_ = machine_.dram().allocate(kDataBase, kDataBytes);
  recorder_data_ = recorder_.dram().allocate(kDataBase, kDataBytes);
}

model::Launch Oracle::launch_of(const Case& c, const Code& code) const {
  model::Launch launch{.code = code.insns, .args = c.args, .watchdog = c.watchdog};
  for (u32 i = 0; i < c.windows.size(); ++i) {
    const sim::WindowSetup& w = c.windows[i];
    launch.windows[i] = {w.base, w.size, w.readable, w.writable};
  }
  return launch;
}

model::Env Oracle::env(const Case& c) {
  for (u32 i = 0; i < c.windows.size(); ++i) {
    const sim::WindowSetup& w = c.windows[i];
    windows_[i] = model::BoundWindow{{w.base, w.size, w.readable, w.writable}, nullptr};
  }
  return {*config_, windows_, machine_.memories(), counters_};
}

Meaning Oracle::run(const Case& c, std::function<void(const model::Step&, u32)> hook) {
  Meaning meaning{.code = emit(c.items), .result = {}, .violations = {}};
  fill(c, machine_.memories(), data_);
  machine_.on_instruction({});
  if (hook) {
    machine_.on_instruction([&](const model::Step& s) { hook(s, meaning.code.item_of[s.pc]); });
  }
  meaning.result = machine_.launch(launch_of(c, meaning.code));
  meaning.violations = machine_.violations();
  machine_.on_instruction({});
  return meaning;
}

bool Oracle::replays(const Case& c, u64 seed) {
  const Code code = emit(c.items);
  fill(c, recorder_.memories(), recorder_data_);
  recorder_.launch(launch_of(c, code));
  const model::FinalState other = recorder_.replay(seed);
  return other.memories == recorder_.memories() && other.dram == recorder_.dram();
}

}  // namespace jogak::fuzz
