#include "channel.hpp"

#include <algorithm>

namespace jogak::dram {

namespace {

void at_least(u64& tick, u64 value) { tick = std::max(tick, value); }

}  // namespace

Channel::Channel(const Preset& p) : p_(p), banks_(p.ranks * p.groups * p.banks), groups_(p.ranks * p.groups), ranks_(p.ranks) {
  for (Rank& r : ranks_) r.refresh = p.t.refi;
}

void Channel::push(const Access& access, bool write, std::vector<End>& ends) {
  (write ? writes_ : reads_).push_back(access);
  if (write && writes_.size() <= kWindow) ends.push_back({access.id, access.arrival});
  chosen_ = false;
}

bool Channel::serves_writes() const {
  if (writes_.empty() || reads_.empty()) return reads_.empty();
  return writing_ ? writes_.size() > kLow : writes_.size() >= kHigh;
}

u64 Channel::next() {
  if (empty()) return kNever;
  if (!chosen_) choice_ = choose(), chosen_ = true;
  return choice_.tick;
}

// Banks whose open row one of the first n wants, as bits.
u64 Channel::open_hits(const Queue& queue, u32 n) const {
  u64 hits = 0;
  for (u32 i = 0; i < n; ++i)
    if (banks_[queue[i].bank].row == queue[i].row) hits |= u64(1) << queue[i].bank;
  return hits;
}

// The command that the access needs next, and when timing allows it.
Channel::Choice Channel::first_step(const Access& a, bool write) const {
  const Bank& b = banks_[a.bank];
  const Group& g = groups_[a.group];
  const Rank& r = ranks_[a.rank];
  Choice c{.write = write, .tick = std::max(a.arrival, now_)};
  if (b.row == a.row) {
    c.kind = Step::column;
    c.tick = std::max({c.tick, b.column, write ? g.write : g.read, write ? r.write : r.read, column_bus_});
  } else if (b.row == kNever) {
    c.kind = Step::act;
    c.tick = std::max({c.tick, b.act, g.act, r.act, row_bus_});
    if (r.count == 4) at_least(c.tick, r.acts[r.oldest] + p_.t.faw);
  } else {
    c.kind = Step::pre;
    c.tick = std::max({c.tick, b.pre, r.pre, row_bus_});
  }
  return c;
}

Channel::Choice Channel::choose() {
  const bool write = serves_writes();
  const Queue& queue = write ? writes_ : reads_;
  const u32 n = overtaken_ >= kBypass && write == writing_ ? 1 : std::min(kWindow, u32(queue.size()));
  const u64 hits = open_hits(queue, n);
  u64 seen = 0;  // banks that an older access has a row command for
  Choice best;
  for (u32 i = 0; i < n; ++i) {
    const u64 bit = u64(1) << queue[i].bank;
    const bool hit = banks_[queue[i].bank].row == queue[i].row;
    if (!hit && ((seen | hits) & bit) != 0) continue;
    if (!hit) seen |= bit;
    Choice c = first_step(queue[i], write);
    c.index = i;
    if (c.tick < best.tick || (c.tick == best.tick && c.kind == Step::column && best.kind != Step::column)) best = c;
  }
  for (u32 r = 0; r < ranks_.size(); ++r)
    if (ranks_[r].refresh <= best.tick) best = {Step::refresh, r, false, ranks_[r].refresh};
  return best;
}

void Channel::issue(std::vector<End>& ends) {
  next();
  const Choice c = choice_;
  chosen_ = false;
  if (c.kind == Step::refresh) return refresh(c.index);
  now_ = c.tick;
  const Queue& queue = c.write ? writes_ : reads_;
  if (c.kind == Step::column) return column(c, ends);
  u64& bus = row_bus_;
  if (c.kind == Step::act) {
    bus = c.tick + p_.act_clocks;
    const Access& a = queue[c.index];
    activate(a, c.tick);
    tell(Kind::act, c.tick, a.rank, a.group, a.bank);
  } else {
    bus = c.tick + p_.pre_clocks;
    const Access& a = queue[c.index];
    Bank& b = banks_[a.bank];
    b.row = kNever;
    at_least(b.act, c.tick + p_.t.rp);
    at_least(ranks_[a.rank].pre, c.tick + p_.t.ppd);
    tell(Kind::pre, c.tick, a.rank, a.group, a.bank);
    ++counts_.precharges;
  }
  if (!p_.two_buses) column_bus_ = row_bus_;
}

void Channel::activate(const Access& a, u64 tick) {
  Bank& b = banks_[a.bank];
  Rank& r = ranks_[a.rank];
  b.row = a.row;
  b.column = tick + p_.t.rcd;
  at_least(b.pre, tick + p_.t.ras);
  b.act = tick + p_.t.rc;
  groups_[a.group].act = tick + p_.t.rrd_l;
  r.act = tick + p_.t.rrd_s;
  r.acts[r.count < 4 ? r.count++ : r.oldest++ % 4] = tick;
  r.oldest %= 4;
  ++counts_.activates;
}

void Channel::column(const Choice& c, std::vector<End>& ends) {
  const Timing& t = p_.t;
  Queue& queue = c.write ? writes_ : reads_;
  const Access a = queue[c.index];
  tell(c.write ? Kind::write : Kind::read, c.tick, a.rank, a.group, a.bank);
  const u64 data = c.tick + (c.write ? t.cwl : t.cl) + p_.burst;  // the end of its data
  column_bus_ = c.tick + p_.column_clocks;
  if (!p_.two_buses) row_bus_ = column_bus_;
  at_least(banks_[a.bank].pre, c.write ? data + t.wr : c.tick + t.rtp);
  // The next column commands: of the same kind, then of the other one.
  const u64 write_after_read = c.tick + t.cl + p_.burst + 2 - t.cwl;
  for (u32 i = 0; i < ranks_.size(); ++i) {
    const u64 apart = c.tick + p_.burst + (i == a.rank ? 0 : t.rank_switch);
    at_least(c.write ? ranks_[i].write : ranks_[i].read, i == a.rank ? c.tick + t.ccd_s : apart);
    if (!c.write) at_least(ranks_[i].write, write_after_read);
    else at_least(ranks_[i].read, i == a.rank ? data + t.wtr_s : std::max(apart, data + t.rank_switch - std::min<u64>(t.cl, data)));
  }
  Group& g = groups_[a.group];
  at_least(c.write ? g.write : g.read, c.tick + t.ccd_l);
  if (c.write) at_least(g.read, data + t.wtr_l);

  if (writing_ != c.write || c.index == 0) overtaken_ = 0;
  else ++overtaken_;
  writing_ = c.write;
  queue.erase(queue.begin() + c.index);
  counts_.data_ticks += p_.burst;
  ++(c.write ? counts_.writes : counts_.reads);
  if (!c.write) ends.push_back({a.id, data});
  else if (queue.size() >= kWindow) ends.push_back({queue[kWindow - 1].id, c.tick});
}

// All banks are closed as soon as they may be, then the rank does nothing else.
void Channel::refresh(u32 rank) {
  const u32 n = p_.groups * p_.banks;
  Rank& r = ranks_[rank];
  u64 close = std::max(r.refresh, r.pre), begin = r.refresh;
  for (u32 i = rank * n; i < (rank + 1) * n; ++i)
    if (banks_[i].row != kNever) at_least(close, banks_[i].pre), at_least(begin, close + p_.t.rp);
  for (u32 i = rank * n; i < (rank + 1) * n; ++i) {
    if (banks_[i].row == kNever) at_least(begin, banks_[i].act);
    else tell(Kind::pre, close, rank, i / p_.banks, i);
  }
  at_least(r.pre, close + p_.t.ppd);
  tell(Kind::refresh, begin, rank);
  for (u32 i = rank * n; i < (rank + 1) * n; ++i) banks_[i].row = kNever, banks_[i].act = begin + p_.t.rfc;
  r.refresh += p_.t.refi;
  ++counts_.refreshes;
}

}  // namespace jogak::dram
