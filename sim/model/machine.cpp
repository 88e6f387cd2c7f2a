#include "machine.hpp"

#include "error.hpp"
#include "race.hpp"
#include "replay.hpp"
#include "resolve.hpp"

namespace jogak::model {

using spec::Counter;
using spec::Fault;

Machine::Machine(const spec::Config& config, Options options)
    : config_(config), options_(options), memories_(config) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;

void Machine::bind(const std::array<Window, spec::limit::windows>& windows) {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Window& w = windows[i];
    windows_[i] = BoundWindow{w, nullptr};
    if (w.size == 0) continue;
    if (is_remote(w.base)) {
      if (w.readable) throw Error("model", "window " + std::to_string(i), "a readable one of another chiplet", "one for stores only");
      continue;
    }
    windows_[i].host = dram_.find(w.base, w.size);
    if (w.base % 64 != 0 || windows_[i].host == nullptr) {
      throw Error("model", "window " + std::to_string(i),
                  std::to_string(w.size) + " bytes at " + std::to_string(w.base),
                  "a base that is a multiple of 64 inside one DRAM span");
    }
  }
}

Result Machine::launch(const Launch& launch) {
  begin(launch);
  while (!advance(~u64(0))) {
    if (blocked()) {
      result_.fault = waits_for();
      break;
    }
  }
  return result_;
}

FaultRecord Machine::waits_for() const {
  const auto wait = spec::decode<spec::Wait>(launch_.code[sequencer_.pc]);
  return {Fault::timeout, sequencer_.pc, wait.eng, wait.sem};
}

void Machine::begin(const Launch& launch) {
  if (launch.code.size() > config_.imem_words) {
    throw Error("model", "program length", std::to_string(launch.code.size()) + " instructions",
                "at most " + std::to_string(config_.imem_words));
  }
  bind(launch.windows);
  launch_ = launch;
  result_ = {};
  good_.assign(launch.code.size(), false);
  sequencer_ = Sequencer{};
  sequencer_.code_len = static_cast<u32>(launch.code.size());
  sequencer_.memories = &memories_;
  if (config_.chiplets > 1) sequencer_.remote = &remote_counts_;
  for (u32 i = 0; i < launch.args.size(); ++i) sequencer_.registers.set(i + 1, launch.args[i]);
  observers_.clear();
  if (options_.check) checker_ = races_ != nullptr ? std::make_unique<RaceChecker>(config_, *races_, die_) : std::make_unique<RaceChecker>(config_);
  if (options_.record) recorder_ = std::make_unique<Recorder>(config_, memories_, dram_, windows_);
  if (checker_) observers_.push_back(checker_.get());
  if (recorder_) observers_.push_back(recorder_.get());
}

bool Machine::advance(u64 instructions) {
  Env env{config_, windows_, memories_, result_.counters, options_.exact, remote_};
  sequencer_.blocked = false;
  for (; instructions > 0; --instructions) {
    if (sequencer_.halted || !result_.ok()) return true;
    result_.fault = next(env);
    if (sequencer_.blocked) return false;
  }
  return sequencer_.halted || !result_.ok();
}

// One instruction.
FaultRecord Machine::next(Env& env) {
  u64& executed = env.counters[Counter::instructions];
  const u32 pc = sequencer_.pc;
  const auto sync = [pc](Fault code) { return FaultRecord{code, pc, spec::Engine::seq, 0}; };
  if (launch_.watchdog != 0 && executed == launch_.watchdog) return sync(Fault::watchdog);
  if (pc >= launch_.code.size()) return sync(Fault::loop);
  const spec::Insn insn = launch_.code[pc];
  Fault fault = good_[pc] ? Fault::none : spec::check(insn);
  if (fault != Fault::none) return sync(fault);
  good_[pc] = true;
  EngineFault later;
  const auto op = static_cast<spec::Op>(spec::opcode_of(insn));
  fault = is_engine_op(op) ? issue(insn, env, later) : control(insn);
  if (fault != Fault::none) return sync(fault);
  if (sequencer_.blocked) return {};
  ++executed;
  if (op == spec::Op::signal) ++env.counters[Counter::signals];
  if (op == spec::Op::wait) ++env.counters[Counter::waits];
  if (later.code != Fault::none) return {later.code, pc, spec::instruction_of(insn)->engine, later.address};
  return {};
}

Fault Machine::issue(const spec::Insn& insn, Env& env, EngineFault& later) {
  Fault fault = check_fields(insn, env.config);
  if (fault != Fault::none) return fault;
  const Command command = resolve(insn, sequencer_.registers);
  fault = check(command, env);
  if (fault != Fault::none) return fault;
  if (hook_) hook_({sequencer_.pc, insn, &command, sequencer_.registers});
  for (Observer* o : observers_) o->command(sequencer_.pc, command, env);
  later = execute(command, env);
  model::advance(sequencer_);
  return Fault::none;
}

Fault Machine::control(const spec::Insn& insn) {
  const u32 pc = sequencer_.pc;
  const auto tell_hook = [&] { if (hook_) hook_({pc, insn, nullptr, sequencer_.registers}); };
  const auto op = static_cast<spec::Op>(spec::opcode_of(insn));
  if (op != spec::Op::wait) tell_hook();  // a wait executes when it no longer blocks
  const auto run_step = [&](const auto& decoded, auto&& tell) {
    const Fault fault = step(decoded, sequencer_);
    if (fault != Fault::none || sequencer_.blocked) return fault;
    for (Observer* o : observers_) tell(*o, decoded);
    return fault;
  };
  const auto quiet = [](Observer&, const auto&) {};
  switch (op) {
    case spec::Op::alu: return run_step(spec::decode<spec::Alu>(insn), quiet);
    case spec::Op::alui: return run_step(spec::decode<spec::Alui>(insn), quiet);
    case spec::Op::loop: return run_step(spec::decode<spec::Loop>(insn), quiet);
    case spec::Op::wait: {
      const Fault fault = run_step(spec::decode<spec::Wait>(insn), [pc](Observer& o, const spec::Wait& w) { o.wait(pc, w); });
      if (!sequencer_.blocked) tell_hook();
      return fault;
    }
    case spec::Op::signal:
      return run_step(spec::decode<spec::Signal>(insn),
                      [pc](Observer& o, const spec::Signal& s) { o.signal(pc, s); });
    case spec::Op::lds: {
      const u32 address = sequencer_.registers[spec::decode<spec::Lds>(insn).ra];
      return run_step(spec::decode<spec::Lds>(insn), [&](Observer& o, const spec::Lds&) {
        o.lds(pc, address, memories_.vmem[address]);
      });
    }
    default: return run_step(spec::Halt{}, quiet);
  }
}

void Machine::randomize(u64 seed) {
  const auto next = [&seed] {
    u64 z = seed += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  };
  for (const spec::Space space : {spec::Space::wspm, spec::Space::wsc, spec::Space::aspm,
                                  spec::Space::asc, spec::Space::vmem}) {
    const std::span<u8> bytes = memories_.bytes(space);
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      const u64 word = next();
      for (std::size_t k = 0; k < 8; ++k) bytes[i + k] = static_cast<u8>(word >> (8 * k));
    }
  }
}

const std::vector<std::string>& Machine::violations() const {
  static const std::vector<std::string> none;
  return checker_ ? checker_->violations() : none;
}

FinalState Machine::replay(u64 seed) const {
  if (!recorder_) throw Error("model", "replay", "no recorded launch", "Options::record and a launch");
  return recorder_->replay(seed);
}

}  // namespace jogak::model
