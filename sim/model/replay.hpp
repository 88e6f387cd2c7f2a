// A launch written down as what the sequencer issues, to be executed again in another order.
#pragma once

#include "machine.hpp"
#include "observer.hpp"

namespace jogak::model {

class Recorder : public Observer {
 public:
  // Copies all memory as it is before the launch.
  Recorder(const spec::Config&, const Memories&, const Dram&, const Windows&);

  void command(u32 pc, const Command&, const Env&) override;
  void wait(u32 pc, const spec::Wait&) override;
  void signal(u32 pc, const spec::Signal&) override;
  void lds(u32 pc, u32 address, u32 value) override;

  // Engines advance in an order drawn from seed. Throws Error when an lds reads another value
  // than it did in program order, or when no engine can go on.
  FinalState replay(u64 seed) const;

 private:
  struct Read {
    u32 address, value;
  };
  struct Event {
    u32 pc;
    spec::Engine engine;
    std::variant<Command, spec::Wait, spec::Signal, Read> what;
  };
  friend class Replayer;

  spec::Config config_;
  Memories memories_;
  Dram dram_;
  Windows windows_;
  std::vector<Event> events_;
};

}  // namespace jogak::model
