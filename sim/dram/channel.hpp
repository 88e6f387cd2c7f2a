// One DRAM channel: controller queues, banks, rows, buses, refresh; command by command, in ticks of the command clock. Nothing is stepped:
// the next command is the first that the queues and the timing allow.
//
// Policy: rows stay open until another is wanted (open page). First ready, first come: of the commands possible at the first possible
// tick, a column command before one for a row, an older access before a younger one; an access that kBypass younger ones have overtaken
// goes first. Writes wait until many have come or no read is there. Refresh: all banks of a rank, every tREFI, not postponed.
#pragma once

#include <deque>
#include <vector>

#include "presets.hpp"

namespace jogak::dram {

// What happened, for benchmarks, profiles and traces.
struct Counts {
  u64 reads = 0, writes = 0, activates = 0, precharges = 0, refreshes = 0;
  u64 data_ticks = 0;  // in which the data bus was taken
};

class Channel {
 public:
  static constexpr u32 kWindow = 32;   // accesses of each kind that compete; older ones wait in line
  static constexpr u32 kHigh = 24, kLow = 8;
  static constexpr u32 kBypass = 64;
  static constexpr u64 kNever = ~u64(0);

  struct Access {
    u64 id, arrival;
    u32 row;
    std::uint16_t bank, group, rank;  // numbers within the channel
  };
  struct End {
    u64 id, tick;  // a read's last data, a write's arrival in the controller's queue
  };

  // As commands leave, for who checks them. A refresh closes its rank's open banks by precharges before it.
  enum class Kind : std::uint8_t { none, read, write, act, pre, refresh };
  struct Command {
    Kind kind;
    u64 tick;
    u32 rank, group, bank;  // the latter two as in Access; 0 for refreshes
  };
  void watch(std::vector<Command>* commands) { commands_ = commands; }

  explicit Channel(const Preset& preset);

  void push(const Access& access, bool write, std::vector<End>& ends);
  bool empty() const { return reads_.empty() && writes_.empty(); }
  // The tick of the next command; kNever: nothing waits.
  u64 next();
  // Issues it.
  void issue(std::vector<End>& ends);
  const Counts& counts() const { return counts_; }

 private:
  struct Bank {
    u64 row = kNever, act = 0, pre = 0, column = 0;  // earliest ticks
  };
  struct Group {
    u64 act = 0, read = 0, write = 0;
  };
  struct Rank {
    u64 act = 0, pre = 0, read = 0, write = 0, refresh = 0;
    u64 acts[4] = {};  // the last four, next to be replaced at `oldest`
    u32 oldest = 0, count = 0;
  };
  enum class Step : std::uint8_t { none, column, act, pre, refresh };
  struct Choice {
    Step kind = Step::none;
    u32 index = 0;  // in the queue; of the rank, for refresh
    bool write = false;
    u64 tick = kNever;
  };
  using Queue = std::deque<Access>;

  bool serves_writes() const;
  Choice choose();
  u64 open_hits(const Queue& queue, u32 n) const;
  Choice first_step(const Access& a, bool write) const;
  void column(const Choice& c, std::vector<End>& ends);
  void activate(const Access& a, u64 tick);
  void refresh(u32 rank);
  void tell(Kind kind, u64 tick, u32 rank, u32 group = 0, u32 bank = 0) {
    if (commands_ != nullptr) commands_->push_back({kind, tick, rank, group, bank});
  }

  const Preset& p_;
  std::vector<Bank> banks_;
  std::vector<Group> groups_;
  std::vector<Rank> ranks_;
  Queue reads_, writes_;
  u64 row_bus_ = 0, column_bus_ = 0, now_ = 0;
  u32 overtaken_ = 0;  // times the oldest access was, since it is the oldest
  bool writing_ = false, chosen_ = false;
  Choice choice_;
  Counts counts_;
  std::vector<Command>* commands_ = nullptr;
};

}  // namespace jogak::dram
