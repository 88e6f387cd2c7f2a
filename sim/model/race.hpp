// Finds programs whose result depends on timing: accesses without order, semaphores with two
// owners, commands that overlap themselves. Vector clocks over the five engines.
#pragma once

#include <string>
#include <unordered_map>

#include "footprint.hpp"
#include "observer.hpp"

namespace jogak::model {

constexpr std::size_t kEngines = 5;

// clock[e]: how many of e's commands certainly happened before.
using Clock = std::array<u64, kEngines>;

class RaceChecker : public Observer {
 public:
  explicit RaceChecker(const spec::Config& config);

  void command(u32 pc, const Command&, const Env&) override;
  void wait(u32 pc, const spec::Wait&) override;
  void signal(u32 pc, const spec::Signal&) override;
  void lds(u32 pc, u32 address, u32 value) override;

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Access {
    u64 time = 0;  // the engine's own clock, 0: none
    u32 pc = 0;
    const char* op = "";
  };
  struct Cell {
    Access write;
    u8 writer = 0;
    std::array<Access, kEngines> reads{};
  };
  // Units of a semaphore: from engine signals in order, and credits of the sequencer.
  struct Semaphore {
    int signaller = -1, waiter = -1;
    struct Batch {
      u64 total;  // units given by the engine up to and including this signal
      Clock clock;
    };
    std::vector<Batch> given;
    std::size_t oldest = 0;  // batches before this one are consumed
    u64 credits = 0, taken = 0;
    u64 last_wait = 0;  // the waiter's clock at its last wait
  };

  void touch(std::size_t engine, const Access& access, const Touch& touch);
  void compare(const Cell& cell, std::size_t engine, const Access& now, const Touch& touch, u64 index);
  void claim(int& owner, std::size_t engine, u32 pc, u32 sem, const char* role);
  void report(std::string sentence);
  // The sequencer issued something to engine: all it knows, the engine knows.
  std::size_t issued(spec::Engine engine);

  spec::Config config_;
  std::array<Clock, kEngines> clocks_{};
  std::array<Semaphore, spec::limit::semaphores> semaphores_;
  std::array<std::unordered_map<u64, Cell>, kStores> cells_;
  std::vector<std::string> violations_;
};

// Program errors inside one command: what overlaps what, empty if nothing does.
std::string self_overlap(const Command& command, const Env& env);

}  // namespace jogak::model
