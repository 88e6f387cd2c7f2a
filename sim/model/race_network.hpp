// What the race checkers of a package's dies share: who acts, and what is under way between dies.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "footprint.hpp"

namespace jogak::model {

class RaceChecker;

constexpr std::size_t kEngines = 5;

// clock[a]: how many steps of actor a certainly happened before.
using Clock = std::vector<u64>;
inline void join(Clock& into, const Clock& other) {
  for (std::size_t a = 0; a < into.size(); ++a) into[a] = std::max(into[a], other[a]);
}

// A step of an actor, by a command.
struct Access {
  u64 time = 0;  // the actor's own clock, 0: none
  u32 pc = 0;
  const char* op = "";
};

// Actors are the engines of each die and, behind them, the ways from die to die. What a way carries arrives in the order in which the store
// engine sent it, at any time after: the sender does not know when, the receiver knows it behind a remote signal.
class RaceNetwork {
 public:
  RaceNetwork(u32 columns, u32 rows);

  u32 dies() const { return columns_ * rows_; }
  std::size_t actors() const { return ways_.size() + dies() * kEngines; }
  bool is_way(std::size_t actor) const { return actor >= dies() * kEngines; }
  u32 sender(std::size_t way) const { return static_cast<u32>(way - dies() * kEngines) / dies(); }
  const Clock& clock(std::size_t way) const { return ways_[way - dies() * kEngines].clock; }

  // A launch begins: nothing has happened.
  void begin();
  void add(u32 die, RaceChecker& checker) { checkers_[die] = &checker; }
  // Die `from`, whose store engine knows `engine`, stores a run of bytes to the address in `touch`.
  void send(u32 from, const Clock& engine, const Access& access, const Touch& touch);
  // All dies have halted: all that was sent must have come.
  void end();

 private:
  struct Way {
    Clock clock;
    Access last;
  };
  u32 columns_, rows_;
  std::vector<Way> ways_;  // from * dies + to
  std::vector<RaceChecker*> checkers_;
};

}  // namespace jogak::model
