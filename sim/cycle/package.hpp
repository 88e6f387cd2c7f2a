// A package in time: the cycle model of every chiplet with its network interface and router (rtl/npu_chiplet.sv), links between neighbours,
// a memory of its own for each. Values are the exact package's, which executes ahead.
//
//   model::Package values(config, 2, 2);
//   cycle::Package package(values, {.link = {.gb_per_s = 64}});
//   results = package.launch(launches);         // counters of time included
//
// In pieces: begin(launches); while (!package.run(package.cycles() + n)) ...; results().
#pragma once

#include <memory>
#include <optional>

#include "chip.hpp"
#include "recorder.hpp"
#include "sim/link/channel.hpp"
#include "sim/link/link_end.hpp"
#include "sim/model/package.hpp"

namespace jogak::cycle {

struct PackageOptions {
  link::ChannelOptions link = {};           // of every link; each has noise of its own
  std::vector<link::ChannelOptions> links = {};  // else, if not empty: what die d sends by its link l, at d * kLinks + l
  u64 period_ps = 1000;                     // of the dies' common clock
  std::vector<AxiPace::Options> memories = {};  // of each die; one: of all; none: the default
};

struct LinkCounters {  // of one direction; since the package was made
  u64 flits = 0, data_flits = 0;  // all; those with data, replays included
  u64 payload_bytes = 0;          // data words of packets
  u64 replays = 0, errors = 0, trainings = 0;  // errors: bad flits that arrived
  u64 busy_cycles = 0;            // with a flit on the lanes
};

class Package {
 public:
  static constexpr u32 kLinks = 4;  // east, west, north, south

  struct Launch {
    model::Launch job;     // its code must live until the end
    u64 code = 0;          // address of the program
    bool resident = false;
    u64 delay = 0;         // cycles from begin() to the launch
  };

  // Every link trains first: cycles pass. Throws Error for a configuration that the cycle model is not made for, and for links that do not train.
  Package(model::Package& values, const PackageOptions& options);
  ~Package();

  u32 dies() const { return values_.dies(); }
  model::Package& values() { return values_; }

  // One launch a die. A die that waits in vain ends with fault timeout when all others have ended, as in the exact package; so do all, 200,000 cycles
  // after the last in which one got on: nobody takes what they send.
  std::vector<model::Result> launch(std::span<const Launch> launches);
  void begin(std::span<const Launch> launches);
  // To the end of all dies (true) or to cycle `limit` (false).
  bool run(u64 limit);
  // Of a launch that has ended.
  std::vector<model::Result> results() const;
  // Ends the run early. Memories are then as the exact package left them: somewhat ahead.
  void abort();
  bool aborted() const { return aborted_; }

  // Time passes between launches: for links, and words that are on their way.
  void idle(u64 cycles);

  // Since the package was made.
  u64 cycles() const { return now_ - 1; }
  // What die `from` sends by its link; of a border's link all 0.
  LinkCounters link(u32 from, u32 link) const;
  link::Channel& channel(u32 from, u32 link);
  bool links_up() const;
  // For traces: counters of a die's run so far (spec::Counter, those that time decides), entries in an engine's queue, the cycle of its launch.
  std::array<u64, 64> counters(u32 die) const;
  u32 queued(u32 die, u32 engine) const;
  u64 start(u32 die) const;
  bool link_up(u32 die, u32 link) const;  // of a border's link true
  // Starts and ends of a die's commands, in cycles since its launch. From the next launch on.
  void trace(u32 die, std::vector<Event>* events);

 private:
  struct End;
  struct Die;

  void connect(u32 die, u32 link, const PackageOptions& options);
  void cycle();
  void step_chip(u32 die);
  void step_network(Die& die);
  void gather(Die& die, u32 link);
  u64 next() const;
  u64 next_arrival(const link::Channel& channel) const;
  void feed(u32 die);
  bool execute(u32 die);
  void finish(u32 die);
  void settle();

  model::Package& values_;
  u64 period_ps_;
  std::vector<std::unique_ptr<Die>> dies_;
  std::vector<std::pair<Die*, u32>> turned_;  // ends whose side wire changes in this cycle
  u64 now_ = 1;          // the next cycle
  u64 moved_ = 0;        // the last one in which a die got on, or will
  u32 left_ = 0, starving_ = 0;  // dies that run; that wait in vain
  bool aborted_ = false;
};

}  // namespace jogak::cycle
