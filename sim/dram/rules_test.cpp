// Every command of a channel under random traffic against the standards' rules, written down here once more as distances between commands.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "channel.hpp"

using namespace jogak::dram;

namespace {

using Kind = Channel::Kind;
using Command = Channel::Command;

class Rules {
 public:
  explicit Rules(const Preset& p) : p_(p) {}

  void command(const Command& c) {
    INFO(p_.name, " command ", int(c.kind), " at ", c.tick, " rank ", c.rank, " bank ", c.bank);
    for (const Command& b : before_) {
      const u64 least = apart(b, c);
      if (c.tick < b.tick + least) FAIL("after ", int(b.kind), " at ", b.tick, " of bank ", b.bank, ": expected ", least, " later");
    }
    const bool open = open_.count(c.bank) != 0;
    if (c.kind == Kind::act) activate(c, open);
    else if (c.kind == Kind::refresh) refresh(c);
    else if (!open) FAIL("bank is closed");
    if (c.kind == Kind::pre) open_.erase(c.bank);
    before_.push_back(c);
    std::erase_if(before_, [&](const Command& b) { return b.tick + 2000 < c.tick; });
    ++seen_[c.kind];
  }
  const std::map<Kind, u64>& seen() const { return seen_; }

 private:
  static bool column(const Command& c) { return c.kind == Kind::read || c.kind == Kind::write; }
  u64 latency(const Command& c) const { return c.kind == Kind::read ? p_.t.cl : p_.t.cwl; }

  void activate(const Command& c, bool open) {
    if (open) FAIL("bank is open");
    open_.insert(c.bank);
    auto& acts = acts_[c.rank];
    if (acts.size() >= 4 && c.tick < acts[acts.size() - 4] + p_.t.faw) FAIL("five activates within tFAW");
    acts.push_back(c.tick);
  }
  void refresh(const Command& c) {
    const u32 banks = p_.groups * p_.banks;
    for (const u32 b : open_)
      if (b / banks == c.rank) FAIL("bank ", b, " is open");
    // The n-th is due after n intervals and waits for nothing but its banks.
    const u64 due = ++refreshes_[c.rank] * p_.t.refi;
    CHECK(c.tick >= due);
    CHECK(c.tick < due + p_.t.ras + p_.t.rp + p_.t.rc + p_.t.wr + 100);
  }
  // Clocks from b to c at least.
  u64 apart(const Command& b, const Command& c) const {
    const Timing& t = p_.t;
    const bool rank = b.rank == c.rank, group = rank && b.group == c.group, bank = group && b.bank == c.bank;
    if (column(b) && column(c)) {
      u64 least = b.kind == c.kind ? (group ? t.ccd_l : rank ? t.ccd_s : 0) : 0;
      if (b.kind == Kind::write && c.kind == Kind::read && rank) least = t.cwl + p_.burst + (group ? t.wtr_l : t.wtr_s);
      // Data do not meet on their bus: another rank's come later, and turning it around takes two clocks.
      const u64 gap = !rank ? t.rank_switch : b.kind == Kind::read && c.kind == Kind::write ? 2 : 0, end = latency(b) + p_.burst + gap;
      return std::max(least, end > latency(c) ? end - latency(c) : 0);
    }
    if (!rank) return 0;
    if (b.kind == Kind::pre && c.kind == Kind::pre && b.tick != c.tick) return t.ppd;  // all at once before a refresh
    if (b.kind == Kind::refresh && c.kind != Kind::pre) return t.rfc;
    if (c.kind == Kind::refresh) return b.kind == Kind::pre ? t.rp : 0;
    if (b.kind == Kind::act && c.kind == Kind::act) return bank ? t.rc : group ? t.rrd_l : t.rrd_s;
    if (!bank) return 0;
    if (b.kind == Kind::act) return c.kind == Kind::pre ? t.ras : t.rcd;
    if (b.kind == Kind::pre) return t.rp;
    if (c.kind == Kind::pre) return b.kind == Kind::read ? t.rtp : t.cwl + p_.burst + t.wr;
    return 0;
  }

  const Preset& p_;
  std::vector<Command> before_;
  std::set<u32> open_;
  std::map<u32, std::vector<u64>> acts_;
  std::map<u32, u64> refreshes_;
  std::map<Kind, u64> seen_;
};

void check(const Preset& p, unsigned seed) {
  Channel channel(p);
  std::vector<Command> commands;
  std::vector<Channel::End> ends;
  channel.watch(&commands);
  std::mt19937_64 random(seed);
  u64 now = 0;
  for (u64 id = 0; id < 4000; ++id) {
    const bool burst = id / 500 % 2 != 0;  // in turn crowded and with pauses
    now += burst ? random() % 2 : random() % 40;
    Channel::Access a{};
    a.id = id, a.arrival = now;
    a.rank = std::uint16_t(random() % p.ranks);
    a.group = std::uint16_t(a.rank * p.groups + random() % p.groups);
    a.bank = std::uint16_t(a.group * p.banks + random() % p.banks);
    a.row = u32(random() % (id % 3000 < 1500 ? 2 : 64));
    while (!channel.empty() && channel.next() < now) channel.issue(ends);
    channel.push(a, random() % 3 == 0, ends);
  }
  while (!channel.empty()) channel.issue(ends);
  CHECK(ends.size() == 4000);
  std::ranges::stable_sort(commands, {}, &Command::tick);
  Rules rules(p);
  for (const Command& c : commands) rules.command(c);
  for (const Kind k : {Kind::read, Kind::write, Kind::act, Kind::pre, Kind::refresh}) CHECK(rules.seen().at(k) >= 3);
}

}  // namespace

TEST_CASE("no command comes earlier than the standards allow") {
  for (const Preset& p : presets())
    for (unsigned seed = 1; seed < 4; ++seed) check(p, seed);
  Preset two = find_preset("ddr4-3200");
  two.ranks = 2;
  check(two, 9);
}
