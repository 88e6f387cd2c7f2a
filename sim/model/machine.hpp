// The machine's meaning: a plain in-order interpreter of docs/isa.md.
//
//   Machine machine(*spec::find_config("edge"));
//   machine.dram().allocate(0, 1 << 20);
//   Launch launch{.code = code};
//   launch.windows[0] = {.base = 0, .size = 1 << 20, .readable = true, .writable = true};
//   const Result result = machine.launch(launch);
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "control.hpp"
#include "counters.hpp"
#include "execute.hpp"

namespace jogak::model {

class Recorder;
class RaceChecker;
class RaceNetwork;

struct Launch {
  std::span<const spec::Insn> code;
  std::array<u32, spec::limit::args> args{};
  std::array<Window, spec::limit::windows> windows{};
  u64 watchdog = 0;  // most instructions to execute; 0: no limit
};

// Synchronous faults name the sequencer; address is the bad index of a gather, else 0.
struct FaultRecord {
  spec::Fault code = spec::Fault::none;
  u32 pc = 0;
  spec::Engine engine = spec::Engine::ld;
  u64 address = 0;
  bool operator==(const FaultRecord&) const = default;
};

struct Result {
  FaultRecord fault;
  Counters counters;
  bool ok() const { return fault.code == spec::Fault::none; }
};

struct Options {
  bool exact = false;   // always the slow definition, never the fast paths
  bool check = false;   // look for races and program errors: see violations()
  bool record = false;  // keep what replay() needs (copies all memory at launch)
};

// An instruction that decoded and, for an engine, passed its checks; about to execute.
// command: the resolved engine command, null for the sequencer's own instructions.
struct Step {
  u32 pc;
  spec::Insn insn;
  const Command* command;
  const Registers& registers;
};

// Memories and DRAM at the end of a replay.
struct FinalState {
  Memories memories;
  Dram dram;
};

class Machine {
 public:
  explicit Machine(const spec::Config& config, Options options = {});
  ~Machine();
  Machine(Machine&&) noexcept;

  // Runs from pc 0 to halt or the first fault. Memories keep what earlier launches left.
  // Throws Error when a window is not backed by DRAM or the program is too long.
  Result launch(const Launch& launch);
  // The same in pieces: begin(), then advance() until it says that the run is over. The program must live until then.
  void begin(const Launch& launch);
  bool advance(u64 instructions);
  // advance() came back early: the machine waits for a semaphore that another chiplet signals.
  bool blocked() const { return sequencer_.blocked; }
  const Result& result() const { return result_; }

  // What the machine waits for, while it is blocked.
  FaultRecord waits_for() const;
  // The network that stores to other chiplets' memory go to, this being its die `die`; `races` is what checkers of all dies share, may be null.
  void join(Remote* remote, RaceNetwork* races, u32 die) { remote_ = remote, races_ = races, die_ = die; }
  // Another chiplet's signal.
  void remote_signal(u32 semaphore, u32 n) { remote_counts_[semaphore - spec::limit::semaphores] += n; }
  void clear_remote_signals() { remote_counts_ = {}; }

  const spec::Config& config() const { return config_; }
  Memories& memories() { return memories_; }
  const Memories& memories() const { return memories_; }
  Dram& dram() { return dram_; }
  const Dram& dram() const { return dram_; }
  const Registers& registers() const { return sequencer_.registers; }

  // Fills every on-chip memory with bytes that depend on the seed only: splitmix64 words,
  // little endian, in the order wspm, wsc, aspm, asc, vmem.
  void randomize(u64 seed);

  void on_instruction(std::function<void(const Step&)> hook) { hook_ = std::move(hook); }

  // What the checker found in the last launch, one sentence each; empty is good.
  const std::vector<std::string>& violations() const;
  // The last launch's commands again, in another legal order of the engines. Equal to the
  // machine's own final state for every seed, if the program has no race.
  FinalState replay(u64 seed) const;

 private:
  FaultRecord next(Env& env);
  spec::Fault issue(const spec::Insn& insn, Env& env, EngineFault& later);
  spec::Fault control(const spec::Insn& insn);
  void bind(const std::array<Window, spec::limit::windows>& windows);

  spec::Config config_;
  Options options_;
  Memories memories_;
  Dram dram_;
  Windows windows_{};
  Sequencer sequencer_;
  Launch launch_;
  Result result_;
  std::vector<bool> good_;  // instructions whose fields were checked: loops come back to them
  Remote* remote_ = nullptr;
  RaceNetwork* races_ = nullptr;
  u32 die_ = 0;
  std::array<u32, spec::limit::remote_semaphores> remote_counts_{};
  std::function<void(const Step&)> hook_;
  std::unique_ptr<RaceChecker> checker_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<class Observer*> observers_;
};

}  // namespace jogak::model
