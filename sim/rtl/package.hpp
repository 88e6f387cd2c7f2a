// A package of Verilated chiplets (rtl/npu_chiplet.sv): a mesh, a link between neighbours, a memory of its own for each.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/link/channel.hpp"
#include "simulator.hpp"

namespace jogak::rtl {

class Transport;

struct PackageOptions {
  unsigned columns = 2, rows = 2;   // of the mesh; die x + y * columns
  link::ChannelOptions link;        // of every link; each has noise of its own
  std::uint64_t period_ps = 1000;   // of the dies' common clock
  Options die;                      // memory of each die, and the seed of its stalls
  unsigned access_cycles = 0;       // that every register access takes; 0: as many as it needs
  unsigned look_cycles = 1;         // run_until_done looks at the interrupts in cycles that are multiples of it
  // The dies are split over this many processes (cut.hpp), each with as many as the others, in order; null: one process has all. The same
  // cycles as one process with the same options; access_cycles must not be 0.
  Transport* transport = nullptr;
};

// A wait that has not been granted.
struct Waiting {
  unsigned die, user;                // user: an engine, in the order of spec::Engine, or 4: the sequencer
  unsigned semaphore, amount;
  bool operator==(const Waiting&) const = default;
};

// One chiplet of a package, for who brings its links: its machine, whose accesses pass time by calling back, and a cycle's ends of links.
class Chiplet {
 public:
  virtual ~Chiplet() = default;
  virtual Simulator& machine() = 0;
  // A cycle: what arrives, what is ready, what the other ends' side wires show (bits, by link); then what is sent; then its end.
  virtual void receive(unsigned link, const link::Wire* wire) = 0;
  virtual void prepare(unsigned links_ready, unsigned side_hear) = 0;
  virtual bool sends(unsigned link) = 0;
  virtual link::Wire flit(unsigned link) = 0;
  virtual link::Width width(unsigned link) = 0;
  virtual void end_cycle() = 0;
  virtual bool hears(unsigned link) = 0;
  virtual bool up(unsigned link) = 0;
  virtual std::uint32_t replays(unsigned link) = 0;
};
// pass: called for every cycle that an access of the machine takes; it does all of the above. Throws Error as make_package.
std::unique_ptr<Chiplet> make_chiplet(const std::string& config, const Options& options, std::function<void()> pass);

class PackageSimulator {
 public:
  virtual ~PackageSimulator() = default;
  virtual unsigned dies() const = 0;
  // Is the die simulated in this process? Memories of others can be written to no effect; their DRAM cannot be read.
  virtual bool mine(unsigned index) const = 0;
  // Time passes for all dies when it passes for one.
  virtual Simulator& die(unsigned index) = 0;
  // Runs until every die has raised its interrupt (true) or `cycles` have passed.
  virtual bool run_until_done(std::uint64_t cycles) = 0;
  // So many cycles, whoever runs.
  virtual void pass(std::uint64_t cycles) = 0;
  virtual std::uint64_t cycles() const = 0;
  // For traces: counters of the run so far (spec::Counter), entries in an engine's queue, flits sent again by a link. Of this process's dies.
  virtual std::vector<std::uint64_t> counters(unsigned die) = 0;
  virtual unsigned queued(unsigned die, spec::Engine engine) const = 0;
  virtual std::uint64_t link_replays(unsigned die, unsigned link) const = 0;
  // Of this process with others; 0 in one process.
  virtual std::uint64_t exchanges() const = 0;
  // What die `from` sends by its link (0 east, 1 west, 2 north, 3 south).
  virtual link::Channel& channel(unsigned from, unsigned link) = 0;
  virtual bool links_up() const = 0;
  virtual bool link_up(unsigned die, unsigned link) const = 0;   // links as above; of a border's link true; of this process's dies
  // In the last cycle, of this process's dies.
  virtual std::vector<Waiting> waiting() const = 0;
  virtual std::uint64_t replays() const = 0;
  // Over all processes, which all call these: the sum of a number, and what each of them says, in order.
  virtual std::uint64_t sum(std::uint64_t here) const = 0;
  virtual std::string together(const std::string& here) const = 0;
};

// Every link is up. Throws Error for a configuration without links or whose RTL was not built.
std::unique_ptr<PackageSimulator> make_package(const std::string& config, const PackageOptions& options);

// What the dies that have not ended wait for, and which links are down, in words; all processes ask.
std::string what_waits(PackageSimulator& package);

// Looks whether a run still gets on. It does not after `cycles` in which no die did: no instruction, no beat of a memory port, no step of array or
// vector engine, and the same waits.
class Patience {
 public:
  Patience(PackageSimulator& package, std::uint64_t cycles) : cycles_(cycles), since_(package.cycles()) {}
  // Cycles between looks.
  std::uint64_t look() const { return std::clamp<std::uint64_t>(cycles_ / 20, 1000, 20'000); }
  bool over(PackageSimulator& package);

 private:
  std::uint64_t cycles_, since_, steps_ = 0;
  std::vector<Waiting> waits_;
};

// Runs to the end of every die, or throws Error that names who has not ended: dies, what their engines wait for, links that are down. That
// is when `limit` cycles have passed, or `patience` cycles without progress. Over several processes all end together, with the same error.
void run_to_end(PackageSimulator& package, std::uint64_t limit, std::uint64_t patience = 200'000);

}  // namespace jogak::rtl
