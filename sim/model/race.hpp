// Finds programs whose result depends on timing: accesses without order, semaphores with two
// owners, commands that overlap themselves. Vector clocks over the engines of a chiplet, or of a whole package.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "footprint.hpp"
#include "observer.hpp"
#include "race_network.hpp"

namespace jogak::model {

class RaceChecker : public Observer {
 public:
  explicit RaceChecker(const spec::Config& config);
  // Of one die of a package: what it sends is compared with what the others do, and the other way round.
  RaceChecker(const spec::Config& config, RaceNetwork& network, u32 die);

  void command(u32 pc, const Command&, const Env&) override;
  void wait(u32 pc, const spec::Wait&) override;
  void signal(u32 pc, const spec::Signal&) override;
  void lds(u32 pc, u32 address, u32 value) override;

  // From another die, at whatever moment its way brings it: bytes of this die's memory, or n of a remote semaphore.
  void arrives(std::size_t way, const Access& sent, const Touch& touch);
  void signalled(std::size_t way, const Access& sent, u32 semaphore, u32 n);
  // The die's program has ended, and all its engines with it: what it knows then.
  Clock ended() const;

  void report(std::string sentence);
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Cell {
    Access write;
    u16 writer = 0;
    std::array<Access, kEngines> reads{};
  };
  // Units of a semaphore: from engine or die in order, and credits of the sequencer.
  struct Semaphore {
    int signaller = -1, waiter = -1;
    struct Batch {
      u64 total;  // units given up to and including this signal
      Clock clock;
    };
    std::deque<Batch> given;  // not consumed yet
    u64 credits = 0, taken = 0, total = 0;
    u64 last_wait = 0;  // the waiter's clock at its last wait
    struct Taken {
      u64 time, total;
    };
    std::deque<Taken> waits;  // of a remote one, that the signaller may not know of
    u64 known = 0;            // units that it knows to be taken
  };

  void touch(std::size_t actor, const Clock& clock, const Access& access, const Touch& touch);
  void compare(const Cell& cell, std::size_t actor, const Clock& clock, const Access& now, const Touch& touch, u64 index);
  void send(std::size_t engine, const Access& access, const Touch& touch);
  void claim(int& owner, std::size_t engine, u32 pc, u32 sem, const char* role);
  void take(std::size_t engine, const spec::Wait& wait);
  // The sequencer issued something to engine: all it knows, the engine knows. Returns the engine's index.
  std::size_t issued(spec::Engine engine);

  std::size_t actor(std::size_t engine) const { return first_ + engine; }
  std::string who(std::size_t actor, const Access& access) const;
  std::string where(Store store, u64 index) const;
  std::string here(u32 pc) const;

  spec::Config config_;
  RaceNetwork* network_ = nullptr;
  u32 die_ = 0;
  std::size_t first_ = 0;  // this die's first actor
  std::vector<Clock> clocks_;
  std::array<Semaphore, spec::limit::semaphores + spec::limit::remote_semaphores> semaphores_;
  std::array<std::unordered_map<u64, Cell>, kStores> cells_;
  std::vector<std::string> violations_;
};

// Program errors inside one command: what overlaps what, empty if nothing does.
std::string self_overlap(const Command& command, const Env& env);

}  // namespace jogak::model
