// Makes a program legal: watches a run, finds accesses of different engines without order, inserts signals and waits.
// Also tells what is certain when a run is cut short.
#pragma once

#include <functional>

#include "case.hpp"
#include "error.hpp"
#include "sim/model/footprint.hpp"

namespace jogak::fuzz {

constexpr std::size_t kEngines = 5;

// An access that came too early: `at` must wait for what engine `from` did at item `earlier`.
struct Conflict {
  u32 at, earlier;
  Engine from, to;
};

// A command's write: certain before another command if `time` is at most that one's clock of the engine.
struct Write {
  u32 item;
  std::size_t engine;
  u64 time;
  model::Touch touch;
};
struct Moment {
  u32 item;
  std::size_t engine;
  std::array<u64, kEngines> clock;
  std::vector<model::Touch> touches;
};

// A command of more runs than a random program should spend its time on.
struct TooLarge {};
constexpr u64 kMostRuns = 100'000;

// Vector clocks over a run in program order. Semaphores in `ignored` give no order.
class Order {
 public:
  Order(const spec::Config& config, u32 ignored);

  void step(const model::Step& step, u32 item, const model::Env& env);

  const std::vector<Conflict>& conflicts() const { return conflicts_; }
  // Every engine command that was issued, when asked for before the run.
  void keep_moments() { keep_ = true; }
  const std::vector<Moment>& moments() const { return moments_; }

 private:
  using Clock = std::array<u64, kEngines>;
  struct Cell {
    u32 write_time = 0, write_item = 0, writer = 0;
    std::array<u32, kEngines> read_time{}, read_item{};
  };
  struct Batch {
    u64 total;
    Clock clock;
  };
  struct Semaphore {
    std::vector<Batch> given;
    std::size_t oldest = 0;
    u64 credits = 0, taken = 0;
  };

  std::size_t issued(Engine engine);
  void touch(std::size_t engine, u32 item, const model::Touch& t);
  void against(std::size_t other, u32 time, u32 earlier, std::size_t engine, u32 item);
  void signal(const spec::Signal& s);
  void wait(const spec::Wait& w);

  spec::Config config_;
  u32 ignored_;
  bool keep_ = false;
  std::array<Clock, kEngines> clocks_{};
  std::array<Semaphore, spec::limit::semaphores> semaphores_;
  std::array<std::vector<Cell>, model::kStores> cells_;
  std::vector<Conflict> conflicts_;
  std::vector<Moment> moments_;
};

// Inserts what the conflicts ask for. Hoisted: the signal may come long before the wait, on a semaphore of its own.
// pair_semaphores[from * kEngines + to] and free_semaphores are dealt out as they are needed.
struct Semaphores {
  std::array<int, kEngines * kEngines> pair;
  std::vector<u8> unused;
  u32 next_unit;  // number of the next unit of lines
};
void insert_order(std::vector<Item>& items, const std::vector<Conflict>& conflicts, Semaphores& semaphores,
                  Random& random, bool hoist);

}  // namespace jogak::fuzz
