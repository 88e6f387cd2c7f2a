#include "package.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace jogak::cycle {

namespace {

constexpr u64 kTrainingCycles = 100'000, kSettleCycles = 1'000'000, kPatience = 200'000;
constexpr u64 kAhead = 1 << 12;  // instructions that the exact model executes at a time
constexpr u64 kNever = ~u64(0);

link::ChannelOptions channel_options(link::ChannelOptions o, u32 number) {
  o.seed += 101 * (number + 1);
  return o;
}

}  // namespace

// One end of a link; its channel is what it sends by.
struct Package::End {
  End(u32 port_bytes, const link::ChannelOptions& o) : end({.port_bytes = port_bytes, .open = true}), channel(o) {}

  void catch_up(u64 now) {
    if (at < now) end.skip(unsigned(now - at));
    at = now;
  }

  link::LinkEnd end;
  link::Channel channel;
  End* peer = nullptr;
  Die* neighbour = nullptr;
  u64 at = 1;  // the next cycle
  bool hear = false;
  link::LinkEnd::Inputs in;
  std::optional<link::Wire> wire;
  u64 words = 0;  // of data
};

struct Package::Die {
  Die(const spec::Config& config, const Network::Place& place) : recorder(config), network(config, place) {
    end_due.fill(kNever), arrival.fill(kNever);
  }

  Recorder recorder;
  Network network;
  u32 links = 0;  // bits: there is a neighbour
  std::array<u64, kLinks> end_due, arrival;  // the cycle before which an end does not move by itself; of the next flit for it
  std::array<std::unique_ptr<End>, kLinks> ends;
  AxiPace::Options memory;
  std::optional<Chip> chip;  // while it runs
  std::vector<Event>* events = nullptr;
  std::span<const spec::Insn> code;
  model::Result result;
  u64 start = 0, due = kNever;  // the launch's cycle; the cycle before which the chip need not be stepped
  u64 network_due = 1;          // likewise of the network and the links
  u32 seen = 0;                 // of the network, when the chip was stepped last
  bool over = true, executed = true, starves = false;  // executed: by the exact model
};

Package::Package(model::Package& values, const PackageOptions& o) : values_(values), period_ps_(o.period_ps) {
  const u32 columns = values.columns(), rows = values.dies() / columns;
  if (o.memories.size() > 1 && o.memories.size() != dies())
    throw Error("package", "memories", std::to_string(o.memories.size()), "one for all dies, or one a die: " + std::to_string(dies()));
  if (!o.links.empty() && o.links.size() != dies() * kLinks)
    throw Error("package", "links", std::to_string(o.links.size()), std::to_string(kLinks) + " a die: " + std::to_string(dies() * kLinks));
  for (u32 d = 0; d < dies(); ++d) {
    const spec::Config& config = values.die(d).config();
    Chip::check(config);
    dies_.push_back(std::make_unique<Die>(config, Network::Place{d % columns, d / columns, columns - 1, rows - 1}));
    if (!o.memories.empty()) dies_[d]->memory = o.memories[o.memories.size() == 1 ? 0 : d];
    Die& die = *dies_[d];
    values.die(d).on_instruction([this, &die, d](const model::Step& s) { die.recorder.step(s, values_.die(d).memories()); });
  }
  for (u32 d = 0; d < dies(); ++d) {
    if (d % columns + 1 < columns) connect(d, 0, o), connect(d + 1, 1, o);
    if (d + columns < dies()) connect(d, 2, o), connect(d + columns, 3, o);
  }
  const std::array<i64, kLinks> step = {1, -1, i64(columns), -i64(columns)};
  for (u32 d = 0; d < dies(); ++d)
    for (u32 l = 0; l < kLinks; ++l)
      if (End* e = dies_[d]->ends[l].get()) e->neighbour = dies_[std::size_t(i64(d) + step[l])].get(), e->peer = e->neighbour->ends[l ^ 1].get();
  while (!links_up() && now_ < kTrainingCycles) cycle();
  if (!links_up()) throw Error("package", "links", "some that do not train", "all up after " + std::to_string(kTrainingCycles) + " cycles");
}
Package::~Package() {
  for (u32 d = 0; d < dies(); ++d) values_.die(d).on_instruction({});
}

void Package::connect(u32 d, u32 l, const PackageOptions& o) {
  dies_[d]->ends[l] = std::make_unique<End>(values_.die(d).config().port_bytes, channel_options(o.links.empty() ? o.link : o.links[d * kLinks + l], d * kLinks + l));
  dies_[d]->links |= 1u << l;
  dies_[d]->end_due[l] = now_;
  link::LinkEnd& end = dies_[d]->ends[l]->end;
  end.step({});  // the cycle between reset and the first one
  end.step_phy(nullptr, end.cross_read());
}

std::vector<model::Result> Package::launch(std::span<const Launch> launches) {
  begin(launches);
  run(kNever);
  return results();
}

void Package::begin(std::span<const Launch> launches) {
  if (left_ != 0) throw Error("package", "launch", "a job in flight", "none");
  if (launches.size() != dies()) throw Error("package", "launches", std::to_string(launches.size()), std::to_string(dies()) + ", one a die");
  settle();
  aborted_ = false;
  for (u32 d = 0; d < dies(); ++d) values_.die(d).clear_remote_signals();
  for (u32 d = 0; d < dies(); ++d) {
    Die& die = *dies_[d];
    const Launch& l = launches[d];
    die.recorder.begin(l.job.windows);
    values_.die(d).begin(l.job);
    die.code = l.job.code;
    die.chip.emplace(values_.die(d).config(), die.memory, die.recorder.stream(), &die.network);
    die.chip->trace(die.events);
    die.network.abandon(false);
    die.chip->launch({.code = l.code, .instructions = u32(l.job.code.size()), .resident = l.resident});
    die.start = now_ + l.delay;
    moved_ = std::max(moved_, die.start);
    die.due = die.start + die.chip->cycle();
    die.over = die.executed = die.starves = false;
    ++left_;
  }
}

bool Package::run(u64 limit) {
  while (left_ != 0) {
    if (now_ > limit) return false;
    cycle();
    if (left_ == starving_ || now_ > moved_ + kPatience) {
      for (u32 d = 0; d < dies(); ++d)
        if (!dies_[d]->over) finish(d);
      return true;
    }
    if (const u64 event = next(); event != kNever) now_ = std::max(now_, std::min(event, std::max(limit, limit + 1)));
    else if (limit != kNever) now_ = limit + 1;
    else throw Error("package", "cycle " + std::to_string(now_), "nothing that could happen", "an end of all dies");
  }
  return true;
}

void Package::idle(u64 cycles) {
  if (left_ != 0) throw Error("package", "idle", "a job in flight", "none");
  for (const u64 end = now_ + cycles; now_ < end;) {
    cycle();
    now_ = std::max(now_, std::min(next(), end));
  }
}

void Package::abort() {
  aborted_ = true;
  for (auto& d : dies_) {
    if (d->over) {
      d->network.discard(true);
      continue;
    }
    d->chip->abort();
    d->recorder.stream().closed = d->executed = true;
    d->due = std::max(now_, d->start + 1);
  }
}

std::vector<model::Result> Package::results() const {
  std::vector<model::Result> results;
  for (const auto& d : dies_) results.push_back(d->result);
  return results;
}

// Cycle now_ of everything that may move in it.
void Package::cycle() {
  for (u32 d = 0; d < dies(); ++d) {
    Die& die = *dies_[d];
    if (now_ >= die.due) step_chip(d);
    if (now_ >= die.network_due || !die.network.still()) step_network(die);
  }
  for (const auto& [die, l] : turned_) {
    End& e = *die->ends[l];
    e.hear = !e.hear;
    e.neighbour->end_due[l ^ 1] = e.neighbour->network_due = now_ + 1;
  }
  turned_.clear();
  ++now_;
}

void Package::step_chip(u32 d) {
  Die& die = *dies_[d];
  die.chip->skip_to(now_ - die.start);
  if (!die.starves && die.chip->hungry()) feed(d);
  if (!die.starves) (void)die.chip->hungry();
  die.seen = die.network.seen();
  const bool moved = die.chip->step();
  if (moved) moved_ = now_;
  const u64 next = die.chip->next();
  if (next != u64(Matrix::kNever)) moved_ = std::max(moved_, die.start + next);
  die.due = moved ? now_ + 1 : next == u64(Matrix::kNever) ? kNever : die.start + next;
  if (die.chip->over()) finish(d);
}

// What an end finds in this cycle, and what it sends.
void Package::gather(Die& die, u32 l) {
  const u64 now_ps = now_ * period_ps_;
  End& e = *die.ends[l];
  const Network& network = die.network;
  e.catch_up(now_);
  e.in.in_valid = network.link_valid(l);
  e.in.out_ready = network.link_ready(l);
  e.in.phy_ready = e.channel.ready(now_ps);
  e.in.side_hear = e.peer->hear;
  if (e.in.in_valid) {
    const Hop& h = network.link_out(l);
    e.in.in_last = h.last;
    e.in.in_word[0] = u32(h.head), e.in.in_word[1] = u32(h.head >> 32);
    if (e.end.in_ready() && !h.first) ++e.words;
  }
  e.wire.reset();
  if (now_ >= die.arrival[l]) {
    e.wire = e.peer->channel.receive(now_ps);
    die.arrival[l] = next_arrival(e.peer->channel);
  }
  if (e.in.phy_ready && e.end.phy_valid()) {
    e.channel.send(now_ps, e.end.phy_flit(), e.end.width(), true);
    Die& to = *e.neighbour;
    to.arrival[l ^ 1] = next_arrival(e.channel);
    to.network_due = std::min(to.network_due, to.arrival[l ^ 1]);
  }
}

void Package::step_network(Die& die) {
  std::array<Offer, Router::kPorts> offers{};
  u32 active = 0, ready = 0;
  const bool still = die.network.still();
  for (u32 left = die.links; left != 0; left &= left - 1) {
    const u32 l = u32(std::countr_zero(left));
    if (now_ >= die.end_due[l] || now_ >= die.arrival[l] || (!still && die.network.link_valid(l))) active |= 1u << l;
  }
  for (u32 left = active; left != 0; left &= left - 1) {
    const u32 l = u32(std::countr_zero(left));
    gather(die, l);
    const link::LinkEnd& end = die.ends[l]->end;
    ready |= u32(end.in_ready()) << l;
    if (!end.out_valid()) continue;
    const std::uint32_t* w = end.out_word();
    offers[l + 1] = {true, {w[0] | u64(w[1]) << 32, end.out_first(), end.out_last()}};
  }
  if (!still || std::ranges::any_of(offers, &Offer::valid)) die.network.step(offers, ready);
  for (u32 left = active; left != 0; left &= left - 1) {
    const u32 l = u32(std::countr_zero(left));
    End& e = *die.ends[l];
    const unsigned read = e.end.cross_read();
    e.end.step(e.in);
    e.end.step_phy(e.wire ? &*e.wire : nullptr, read, e.wire && !e.peer->channel.received_damaged());
    e.at = now_ + 1;
    die.end_due[l] = e.at + e.end.quiet();
    if (e.hear != e.end.side_hear()) turned_.push_back({&die, l});
  }
  die.network_due = die.network.still() ? kNever : now_ + 1;
  for (u32 l = 0; l < kLinks; ++l) die.network_due = std::min({die.network_due, die.end_due[l], die.arrival[l]});
  if (die.chip && (die.network.seen() != die.seen || die.network.rx() != Network::Rx::none)) die.due = std::min(die.due, std::max(now_, die.start) + 1);
}

// The first cycle in which a channel's next flit is there.
u64 Package::next_arrival(const link::Channel& channel) const {
  const double ps = channel.next_ps();
  return std::isfinite(ps) ? u64(std::ceil(ps / double(period_ps_))) : kNever;
}

// The next cycle in which anything may move.
u64 Package::next() const {
  u64 next = kNever;
  for (const auto& d : dies_) next = std::min({next, d->due, d->network.still() ? d->network_due : now_});
  return next;
}

// More items for a die's sequencer. A die that waits for others lets them execute first.
void Package::feed(u32 d) {
  Die& die = *dies_[d];
  const auto fed = [&] { return die.executed || !die.recorder.stream().items.empty(); };
  execute(d);
  for (bool moved = true; !fed() && moved;) {
    moved = false;
    for (u32 j = 0; j < dies(); ++j)
      if (j != d) moved |= execute(j);
    moved |= execute(d);
  }
  die.starves = !fed();
  starving_ += die.starves;
}

// Returns whether the exact model did anything.
bool Package::execute(u32 d) {
  Die& die = *dies_[d];
  if (die.executed) return false;
  model::Machine& machine = values_.die(d);
  const u64 before = machine.result().counters[spec::Counter::instructions];
  die.executed = machine.advance(kAhead);
  const u64 after = machine.result().counters[spec::Counter::instructions];
  if (die.executed) die.recorder.end(machine.result().fault, after, die.code);
  return die.executed || after != before;
}

void Package::finish(u32 d) {
  Die& die = *dies_[d];
  die.result = values_.die(d).result();
  if (aborted_) die.result.fault = {};
  else if (!die.executed) die.result.fault = values_.die(d).waits_for();
  else if (!die.chip->over()) die.result.fault = {.code = spec::Fault::timeout, .engine = spec::Engine::st};  // nobody takes what it sends
  const std::array<u64, 64> timed = die.chip->counters();
  for (const spec::CounterInfo& c : spec::counters)
    if (!c.exact) die.result.counters.values[c.index] = timed[c.index];
  die.chip.reset();
  die.network.abandon(true);
  if (aborted_ || die.result.fault.code != spec::Fault::none) die.network.discard(true);  // else who sends to it could not end
  starving_ -= die.starves;
  die.over = true, die.starves = false;
  die.due = kNever;
  --left_;
}

// After a run that broke off, what is still on its way is thrown away.
void Package::settle() {
  const auto broken = [](const auto& d) { return d->result.fault.code != spec::Fault::none; };
  if (!aborted_ && std::ranges::none_of(dies_, broken)) return;
  for (auto& d : dies_) d->network.discard(true);
  const auto rests = [](const auto& d) {
    return d->network.still() && std::ranges::all_of(d->ends, [](const auto& e) { return !e || e->end.quiet() != 0; });
  };
  for (const u64 end = now_ + kSettleCycles; now_ < end;) {
    cycle();
    if (std::ranges::all_of(dies_, rests)) break;
  }
  for (auto& d : dies_) d->network.discard(false);
}

LinkCounters Package::link(u32 from, u32 l) const {
  const Die& die = *dies_.at(from);
  if (l >= kLinks || !die.ends[l]) return {};
  const End& e = *die.ends[l];
  return {e.channel.flits(), e.end.data_flits(), e.words * values_.die(from).config().port_bytes, e.end.replays(), e.peer->end.errors(), e.end.trainings(),
          u64(e.channel.busy_ps() / double(period_ps_))};
}

link::Channel& Package::channel(u32 from, u32 l) {
  const Die& die = *dies_.at(from);
  if (l >= kLinks || !die.ends[l]) throw Error("package", "link " + std::to_string(l) + " of die " + std::to_string(from), "a border of the mesh", "a neighbour there");
  return die.ends[l]->channel;
}

std::array<u64, 64> Package::counters(u32 die) const {
  const Die& d = *dies_.at(die);
  if (d.chip) return d.chip->counters();
  std::array<u64, 64> c{};
  std::ranges::copy(d.result.counters.values, c.begin());
  return c;
}
u32 Package::queued(u32 die, u32 engine) const { return dies_.at(die)->chip ? dies_[die]->chip->queued(engine) : 0; }
u64 Package::start(u32 die) const { return dies_.at(die)->start; }
bool Package::link_up(u32 die, u32 link) const {
  const auto& end = dies_.at(die)->ends[link];
  return !end || end->end.up();
}
bool Package::links_up() const {
  for (const auto& d : dies_)
    for (const auto& e : d->ends)
      if (e && !e->end.up()) return false;
  return true;
}

void Package::trace(u32 die, std::vector<Event>* events) { dies_.at(die)->events = events; }

}  // namespace jogak::cycle
