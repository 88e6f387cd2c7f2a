#include "cycle_chiplet.hpp"

#include <algorithm>

namespace jogak::systemc {

namespace {

constexpr u64 kAlone = 1 << 10;  // cycles that a chiplet without links runs ahead of SystemC's time

}  // namespace

CycleChiplet::CycleChiplet(const sc_core::sc_module_name& name, const Options& o, Values& values, u32 die)
    : Chiplet(name), options_(o), values_(values), die_(die), config_(values.machine(die).config()),
      network_(config_, {o.x, o.y, o.last_x, o.last_y}) {
  cycle::Chip::check(config_);
  if (o.memory_access != 0) memory_ = std::make_unique<SocketMemory>("memory", o.clock, o.memory_access);
  SC_HAS_PROCESS(CycleChiplet);
  SC_METHOD(run);
}

CycleChiplet::~CycleChiplet() = default;

void CycleChiplet::end_of_elaboration() {
  events_of_others_ |= wake_;
  if (memory_) events_of_others_ |= memory_->news();
  for (u32 l = 0; l < kLinks; ++l) {
    if (in[l].size() == 0) continue;
    events_of_others_ |= in[l]->news();
    ends_[l] = std::make_unique<End>(config_.port_bytes);
    ends_[l]->end.step({});  // the cycle between reset and the first one
    ends_[l]->end.step_phy(nullptr, ends_[l]->end.cross_read());
    if (traffic_ != nullptr) ends_[l]->reader.emplace(*traffic_, die_, l);
    linked_ = true;
  }
}

void CycleChiplet::launch(const Job& job, u64 cycle) {
  values_.begin(die_, job.launch);
  AxiPace::Options memory = options_.ideal;
  memory.behind = memory_.get();
  if (memory_) memory_->begin(cycle);
  chip_.emplace(config_, memory, values_.stream(die_), linked_ ? &network_ : nullptr);
  network_.abandon(false);
  chip_->trace(events_);
  chip_->launch({.code = job.code, .instructions = u32(job.launch.code.size()), .resident = job.resident});
  for (auto& e : ends_)
    if (e && e->reader) e->reader->begin();
  start_ = cycle;
  due_ = start_ + chip_->cycle();
  over_ = starves_ = aborted_ = false;
  wake_.notify(options_.clock.until(due_));
}

bool CycleChiplet::links_up() const {
  return std::ranges::all_of(ends_, [](const auto& e) { return !e || e->end.up(); });
}

bool CycleChiplet::rests() const {
  return network_.still() && std::ranges::all_of(ends_, [](const auto& e) { return !e || e->end.quiet() != 0; });
}

LinkUse CycleChiplet::sent(u32 l) const {
  return ends_[l] ? LinkUse{0, ends_[l]->words * config_.port_bytes, 0, ends_[l]->end.replays()} : LinkUse{};
}

void CycleChiplet::abort() {
  if (over_) return;
  aborted_ = true;
  chip_->abort();
  values_.close(die_);
  due_ = options_.clock.now() + 1;
  wake_.notify(options_.clock.until(due_));
}

// A cycle in which something may move, or without links many.
void CycleChiplet::run() {
  const u64 now = options_.clock.now();
  if (now == 0) {  // begins with cycle 1
    next_trigger(options_.clock.until(1), events_of_others_);
    return;
  }
  hear_memory();
  if (!linked_) return ahead();
  if (chip_) step_chip(now);
  step_network(now);
  const u64 then = next(now);
  if (then == kNever) next_trigger(events_of_others_);
  else next_trigger(options_.clock.until(then), events_of_others_);
}

void CycleChiplet::ahead() {
  const u64 now = options_.clock.now();
  const u64 end = now + (memory_ && memory_->foreign() ? 1 : kAlone);
  for (u64 cycle = std::max(now, due_); chip_ && !starves_ && cycle < end; cycle = due_) step_chip(cycle);
  if (!chip_ || due_ == kNever) next_trigger(events_of_others_);
  else next_trigger(options_.clock.until(std::max(now + 1, due_)), events_of_others_);
}

// A memory that answers by itself may have said when the chip has something to do.
void CycleChiplet::hear_memory() {
  if (!chip_ || !memory_ || !memory_->foreign()) return;
  chip_->memory_news();
  if (const u64 next = chip_->next(); next != u64(cycle::Matrix::kNever)) due_ = std::min(due_, start_ + next);
}

void CycleChiplet::step_chip(u64 now) {
  if (now <= start_) return;
  const u64 local = now - start_;
  const bool news = network_.seen() != seen_ || (network_.rx() != cycle::Network::Rx::none && chip_->open(local));
  if (now < due_ && !news) return;
  chip_->skip_to(local);
  if (!starves_ && chip_->hungry() && !values_.feed(die_)) {
    starves_ = true;
    changed_.notify(sc_core::SC_ZERO_TIME);
  }
  if (!starves_) (void)chip_->hungry();
  seen_ = network_.seen();
  const bool moved = chip_->step();
  const u64 next = chip_->next();
  due_ = moved ? now + 1 : next == u64(cycle::Matrix::kNever) ? kNever : start_ + next;
  if (chip_->over()) finish();
}

// What an end finds in this cycle; whether it moves.
bool CycleChiplet::gather(u32 l, u64 now) {
  End& e = *ends_[l];
  const bool arrives = in[l]->next() <= now, offered = network_.link_valid(l);
  e.steps = arrives || offered || now >= e.due || in[l]->turned(now);
  if (!e.steps) return false;
  if (e.at < now) e.end.skip(unsigned(now - e.at));
  e.inputs = {.in_valid = offered, .in_last = false, .out_ready = network_.link_ready(l), .phy_ready = out[l]->ready(now), .side_hear = in[l]->hear(now), .in_word = {}};
  if (offered) {
    const cycle::Hop& h = network_.link_out(l);
    e.inputs.in_last = h.last;
    const bool taken = e.end.in_ready();
    if (taken && !h.first) ++e.words;
    if (e.reader) e.reader->word(h.head, h.first, taken, e.inputs.in_word);
    if (h.first || !e.reader) e.inputs.in_word[0] = u32(h.head), e.inputs.in_word[1] = u32(h.head >> 32);
  }
  e.wire.reset();
  if (arrives) e.wire = in[l]->receive(now);
  if (e.inputs.phy_ready && e.end.phy_valid()) out[l]->send(now, e.end.phy_flit(), e.end.width());
  return true;
}

void CycleChiplet::step_network(u64 now) {
  std::array<cycle::Offer, cycle::Router::kPorts> offers{};
  u32 ready = 0;
  bool any = !network_.still();
  for (u32 l = 0; l < kLinks; ++l) {
    if (!ends_[l] || !gather(l, now)) continue;
    const link::LinkEnd& end = ends_[l]->end;
    ready |= u32(end.in_ready()) << l;
    if (!end.out_valid()) continue;
    const std::uint32_t* w = end.out_word();
    offers[l + 1] = {true, {w[0] | u64(w[1]) << 32, end.out_first(), end.out_last()}};
    any = true;
  }
  if (any) network_.step(offers, ready);
  for (u32 l = 0; l < kLinks; ++l) {
    End* e = ends_[l].get();
    if (e == nullptr || !e->steps) continue;
    const unsigned read = e->end.cross_read();
    e->end.step(e->inputs);
    e->end.step_phy(e->wire ? &*e->wire : nullptr, read, e->wire && !in[l]->received_damaged());
    e->at = now + 1;
    e->due = e->at + e->end.quiet();
    out[l]->set_hear(now, e->end.side_hear());
  }
}

// The next cycle in which anything may move.
u64 CycleChiplet::next(u64 now) const {
  if (!network_.still()) return now + 1;
  u64 next = chip_ ? (network_.seen() != seen_ ? std::max(now, start_) + 1 : due_) : kNever;
  for (u32 l = 0; l < kLinks; ++l)
    if (ends_[l]) next = std::min({next, ends_[l]->due, in[l]->next()});
  return std::max(next, now + 1);
}

void CycleChiplet::finish() {
  model::Machine& machine = values_.machine(die_);
  result_ = machine.result();
  if (aborted_) result_.fault = {};
  else if (!values_.executed(die_)) result_.fault = machine.waits_for();
  const std::array<u64, 64> timed = chip_->counters();
  for (const spec::CounterInfo& c : spec::counters)
    if (!c.exact) result_.counters.values[c.index] = timed[c.index];
  last_cycle_ = chip_->cycle();
  chip_.reset();
  network_.abandon(true);
  if (aborted_ || result_.fault.code != spec::Fault::none) network_.discard(true);  // else who sends to it could not end
  over_ = true, starves_ = false;
  due_ = kNever;
  changed_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace jogak::systemc
