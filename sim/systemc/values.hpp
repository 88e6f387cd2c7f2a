// The exact model behind a platform's cycle models: it executes ahead and fills their streams. A die that waits for others lets them
// execute first.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sim/cycle/recorder.hpp"
#include "sim/model/machine.hpp"
#include "time.hpp"

namespace jogak::systemc {

class Values {
 public:
  // The machines of a package, or one alone; they must live as long. Takes their observers.
  explicit Values(std::vector<model::Machine*> machines);
  ~Values();

  u32 dies() const { return u32(machines_.size()); }
  model::Machine& machine(u32 die) { return *machines_.at(die); }
  cycle::Stream& stream(u32 die) { return dies_.at(die)->recorder.stream(); }

  void begin(u32 die, const model::Launch& launch);
  // More items in the die's stream; false: it waits in vain.
  bool feed(u32 die);
  // Executes more of a die's program, or what it waits for; false: nothing moves any more.
  bool advance(u32 die);
  // Nobody takes the die's items: they are not kept.
  void ignore(u32 die) { dies_.at(die)->ignored = true; }
  // The run is broken off: what is in the stream is all.
  void close(u32 die);
  bool executed(u32 die) const { return dies_.at(die)->executed; }

 private:
  struct Die {
    explicit Die(const spec::Config& config) : recorder(config) {}
    cycle::Recorder recorder;
    std::span<const spec::Insn> code;
    bool executed = true, ignored = false;
  };
  bool execute(u32 die);

  std::vector<model::Machine*> machines_;
  std::vector<std::unique_ptr<Die>> dies_;
};

}  // namespace jogak::systemc
