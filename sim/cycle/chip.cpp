#include "chip.hpp"

#include "error.hpp"

namespace jogak::cycle {

namespace {

constexpr i64 kFill = 2;        // from an empty sequencer to the cycle in which an instruction is taken in
constexpr i64 kNever = Matrix::kNever;
constexpr u32 kAll = (1u << kEngines) - 1;

bool same_bank(u32 a, u32 b) { return ((a ^ b) & 3) == 0; }

const spec::Config& checked(const spec::Config& c) {
  Chip::check(c);
  return c;
}

}  // namespace

void Chip::check(const spec::Config& c) {
  const auto legal = [](u32 n) { return n == 8 || n == 16 || n == 32; };
  if (!legal(c.rows) || !legal(c.cols)) {
    throw Error("cycle model", "configuration", std::string(c.name) + " with an array of " + std::to_string(c.rows) + " x " + std::to_string(c.cols),
                "rows and columns of 8, 16 or 32");
  }
}

Chip::Chip(const spec::Config& config, AxiPace::Options memory, Stream& stream, Network* network)
    : n_(checked(config)), stream_(stream), memory_((memory.port_bytes = config.port_bytes, memory)), network_(network), store_port_(memory_, network),
      loader_(n_), load_(n_), store_(n_), matrix_(n_), vector_(n_), stalls_(memory.stall != 0) {
  memory_.restart();
  memory_.offer_reads();
  memory_.offer_writes();
}

void Chip::launch(const LaunchOptions& o) {
  loader_.start(o.code, o.instructions, o.resident);
  keep_ = o.keep;
  seq_.state = Sequencer::State::launch;
  seq_.at = kFirstLoad;
  memory_.skip(1);
  now_ = levels_since_ = 1;  // in cycle 0, which no counter counts, nothing but the launch happens
}

Chip::Stop Chip::run(u64 limit) {
  while (!over_) {
    if (hungry()) return Stop::starved;
    if (u64(now_) >= limit) return Stop::limit;
    if (!tick()) skip_to(std::min(limit, next()));
  }
  return Stop::done;
}

bool Chip::hungry() {
  if (seq_.state != Sequencer::State::need || now_ < seq_.at) return false;
  if (!keep_ && seq_.next == stream_.items.size()) seq_.next = 0, stream_.clear();
  if (seq_.next == stream_.items.size()) return !stream_.closed;
  decode(seq_.at);
  return false;
}

void Chip::abort() { kill_next_ = true; }

void Chip::kill() {
  kill_ = true;
  loader_.kill();
  for (Front& f : fronts_) f.stop();
  fronts_moved_ = true;
}

// One cycle; returns whether anything moved.
bool Chip::tick() {
  memory_.edge();
  if (kill_next_ && !kill_) kill();
  moved_ = kill_ || fault_;
  if (fronts_moved_) look_at_fronts();
  over_ = seq_.state == Sequencer::State::idle && loader_.idle() && !fault_ && !load_.fault() && !store_.fault() && (empty_ & engines_idle()) == kAll;
  fault_ = false;
  if (load_.fault() || store_.fault()) kill_next_ = true;
  if (network_ != nullptr) rx_ = open(u64(now_)) ? network_->rx() : Network::Rx::none;
  lds_asks_ = seq_.state == Sequencer::State::lds && now_ >= seq_.at;
  arbitrate();
  semaphores();
  note_levels(levels());
  engines();
  moved_ |= memory_.offer_reads();
  moved_ |= memory_.offer_writes();
  ++now_;
  return moved_ || over_;
}

u32 Chip::engines_idle() const {
  return u32(load_.idle()) << kLd | u32(store_.idle()) << kSt | u32(matrix_.idle()) << kMx | u32(vector_.idle()) << kVe;
}

void Chip::look_at_fronts() {
  fronts_moved_ = false;
  offers_ = empty_ = waits_ = restless_ = 0;
  for (u32 e = 0; e < kEngines; ++e) {
    const Front& f = fronts_[e];
    offers_ |= u32(f.offers()) << e;
    empty_ |= u32(f.empty()) << e;
    restless_ |= u32(!f.still()) << e;
    sig_[e] = f.signal();
    take_[e] = f.take();
    waits_ |= u32(take_[e].valid) << e;
  }
}

// Nothing moves before the next moment that one of them waits for.
u64 Chip::next() const {
  if (stalls_) return u64(now_);
  i64 next = matrix_.next_event(now_);
  if (seq_.at >= now_) next = std::min(next, seq_.at);
  const auto due = [&](u64 cycle) { return cycle == ~u64(0) ? kNever : now_ + i64(cycle - memory_.cycle()) - 1; };
  next = std::min(next, due(memory_.due()));
  return u64(std::max(next, now_));
}

void Chip::skip_to(u64 to) {
  if (i64(to) <= now_) return;
  memory_.skip(to - u64(now_));
  memory_.offer_reads();
  memory_.offer_writes();
  now_ = i64(to);
}

// Vector memory and the scratchpads: who is granted in this cycle.
void Chip::arbitrate() {
  const bool a = vector_.reads_a(), b = vector_.reads_b(), st = store_.reads_vmem();
  const bool ix = lds_asks_ || load_.asks_index(), third = st || b || ix;
  grant_a_ = grant_b_ = grant_ix_ = grant_st_ = grant_ve_ = false;
  grant_ld_ = true;
  if (a || third) {
    const u32 mx = matrix_.read_row(now_), a_row = vector_.a_row();
    const u32 row = st ? store_.vmem_row() : b ? vector_.b_row() : lds_asks_ ? seq_.item.at : load_.index_row();
    const bool busy = mx != Matrix::kNone;
    grant_a_ = a && !(busy && same_bank(mx, a_row));
    const bool granted = third && !(busy && same_bank(mx, row)) && !(a && same_bank(a_row, row));
    grant_st_ = granted && st;
    grant_b_ = granted && !st && b;
    grant_ix_ = granted && !st && !b;
  }
  const bool waits = (a && !grant_a_) || (b && !grant_b_);
  arbitrate_vmem_writes();
  bank_waits_ += u64(waits || (vector_.writes() && !grant_ve_));
  if (store_.reads_aspm()) grant_st_ = !matrix_.reads_aspm(now_);
  arbitrate_aspm();
}

// The load engine and the network share a port, which takes turns with the vector engine.
void Chip::arbitrate_vmem_writes() {
  const bool ve = vector_.writes(), ld = load_.writes_vmem();
  const bool rx = rx_ == Network::Rx::vmem && (!ld || network_->v_turn), port = ld || rx;
  bool taken = false;
  if (ve || port) {
    const bool turn = port && (ld_waits_ || !ve);
    const u32 mx = matrix_.write_row(now_), row = !turn ? vector_.write_row() : rx ? network_->rx_row() : load_.vmem_row();
    const bool granted = mx == Matrix::kNone || !same_bank(mx, row);
    grant_ve_ = granted && ve && !turn;
    taken = granted && turn;
    if (ld) grant_ld_ = taken && !rx;
  }
  ld_waits_ = port && !taken;
  if (network_ == nullptr || !taken) return;
  network_->v_turn = !rx;
  if (rx) network_->receive(), moved_ = true;
}

void Chip::arbitrate_aspm() {
  const bool ld = load_.writes_aspm();
  const bool rx = (rx_ == Network::Rx::aspm || rx_ == Network::Rx::asc) && (!ld || network_->as_turn);
  if (!ld && !rx) return;
  const bool scales = rx ? rx_ == Network::Rx::asc : load_.writes_scales();
  const bool ready = !vector_.writes_aspm() || (scales && !vector_.writes_scales());
  if (ld) grant_ld_ = ready && !rx;
  if (network_ == nullptr || !ready) return;
  network_->as_turn = !rx;
  if (rx) network_->receive(), moved_ = true;
}

void Chip::semaphores() {
  const bool asks = seq_.state == Sequencer::State::sem && now_ >= seq_.at;
  sems_.sig_granted = sems_.take_granted = kUsers;
  const bool rx = rx_ == Network::Rx::signal;
  if (!restless_ && !asks && !rx && sems_.still()) return;
  sig_[kSeq] = take_[kSeq] = sig_[kRx] = {};
  if (rx) sig_[kRx] = {true, u8(network_->rx_sem()), u8(network_->rx_amount())};
  if (asks) (seq_.item.kind == Kind::wait ? take_ : sig_)[kSeq] = {true, seq_.item.sem, seq_.item.n};
  sems_.decide(sig_);
  if (sems_.sig_granted == kRx) network_->receive();
  moved_ |= sems_.step(sig_, take_);
}

// Of this cycle.
u32 Chip::levels() const {
  const u32 idle = engines_idle(), granted = sems_.take_granted < kEngines ? 1u << sems_.take_granted : 0;
  u32 l = (waits_ & ~granted) << Sem | (empty_ & idle) << Idle | (~idle & kAll) << Busy;
  if (!loader_.idle()) l |= 1u << SeqFetch;
  if (now_ < seq_.at) return l;
  if (seq_.state == Sequencer::State::push && !fronts_[seq_.item.engine].push_ready()) l |= 1u << SeqQueue;
  if (seq_.state == Sequencer::State::sem) l |= 1u << SeqSem;
  return l;
}

// Levels of the cycles before this one are counted when they change.
void Chip::note_levels(u32 levels) {
  if (levels == levels_now_) return;
  for (u32 bits = levels_now_; bits != 0; bits &= bits - 1) levels_[u32(std::countr_zero(bits))] += u64(now_ - levels_since_);
  levels_now_ = levels;
  levels_since_ = now_;
}

// What the load engine takes now, with the list of a gather at hand.
const DmaCmd* Chip::accept_load() {
  const DmaCmd& c = fronts_[kLd].command().dma;
  if (!c.gather) return &c;
  if (keep_) {
    list_ = stream_.lists[next_list_++];
  } else {
    list_ = std::move(stream_.lists.front());
    stream_.lists.pop_front();
  }
  return &c;
}

void Chip::engines() {
  done_ = u32(load_.done()) << kLd | u32(store_.done()) << kSt | u32(matrix_.done(now_)) << kMx | u32(vector_.finish()) << kVe;
  accept_ = 0;
  if (offers_ != 0) {
    accept_ = u32(offers_ >> kLd & 1 && load_.ready(fronts_[kLd].command().dma)) << kLd | u32(store_.ready()) << kSt |
              u32(matrix_.ready(now_)) << kMx | u32(vector_.ready()) << kVe;
    accept_ &= offers_;
  }
  const bool gather_granted = grant_ix_ && !lds_asks_, loaded = loader_.loaded();
  const auto accepted = [&](u32 e) { return (accept_ >> e & 1) != 0; };
  if (events_ != nullptr) trace_engines();

  if (!loader_.idle()) {
    moved_ |= loader_.step(read_port_, memory_);
  } else if (accepted(kLd) || !load_.asleep() || memory_.r_valid() || stalls_) {
    const DmaCmd* cmd = accepted(kLd) ? accept_load() : nullptr;
    load_.step({cmd, &list_, gather_granted, grant_ld_}, read_port_, memory_);
    moved_ |= !load_.asleep();
  }
  if (accepted(kSt) || !store_.asleep() || network_ != nullptr || memory_.b_valid() || stalls_) {
    store_.step(accepted(kSt) ? &fronts_[kSt].command().dma : nullptr, grant_st_, store_port_);
    moved_ |= !store_.asleep();
  }
  matrix_.step(accepted(kMx) ? &fronts_[kMx].command().mm : nullptr, now_);
  if (accepted(kVe) || !vector_.idle()) {
    vector_.step({accepted(kVe) ? &fronts_[kVe].command().vec : nullptr, grant_a_, grant_b_, grant_ve_});
    moved_ = true;
  }
  const bool queue = seq_.item.engine < kEngines && fronts_[seq_.item.engine].push_ready();
  fronts();
  if (now_ >= seq_.at) sequence(seq_.state == Sequencer::State::launch ? loaded : queue);
  if (kill_) seq_.state = Sequencer::State::idle;
}

void Chip::fronts() {
  const auto bit = [](u32 user) { return user < kEngines ? 1u << user : 0; };
  const u32 took = bit(sems_.take_granted), signalled = bit(sems_.sig_granted);
  for (u32 left = restless_ | accept_ | done_ | took | signalled; left != 0; left &= left - 1) {
    const u32 e = u32(std::countr_zero(left));
    fronts_[e].step(accept_ >> e & 1, done_ >> e & 1, took >> e & 1, signalled >> e & 1);
    moved_ = fronts_moved_ = true;
  }
}

void Chip::trace_engines() {
  const auto tell = [&](u32 e, bool start, u16 pc) {
    events_->push_back({u64(now_), u8(e), start, pc, matrix_.busy_until(now_), load_.beats(), store_.beats()});
  };
  for (u32 e = 0; e < kEngines; ++e) {
    if (done_ >> e & 1) tell(e, false, fronts_[e].oldest_pc());
    if (fronts_[e].accepted()) tell(e, true, fronts_[e].head_pc());
  }
}

// ready: the program is there; the item's queue has room.
void Chip::sequence(bool ready) {
  using State = Sequencer::State;
  switch (seq_.state) {
    case State::launch:
      if (ready) decode_after(now_ + kFill);
      break;
    case State::lds:
      moved_ = true;
      if (grant_ix_) decode_after(now_ + 2);
      break;
    case State::push:
      if (!ready) break;
      fronts_[seq_.item.engine].push({seq_.item.kind == Kind::command ? Front::What::command
                                      : seq_.item.kind == Kind::wait  ? Front::What::wait
                                                                      : Front::What::signal,
                                      seq_.item.sem, seq_.item.n, seq_.item.pc},
                                     seq_.command);
      moved_ = fronts_moved_ = true;
      decode_after(now_);
      break;
    case State::sem:
      if (sems_.take_granted == kSeq || sems_.sig_granted == kSeq) decode_after(now_ + 1);
      break;
    case State::fault:
      fault_ = true;
      [[fallthrough]];
    case State::act:
      seq_.state = State::idle;
      moved_ = true;
      break;
    default: break;
  }
}

// The item at hand takes effect in cycle `at`; the next one is taken in then or a refill later.
void Chip::decode_after(i64 at) {
  seq_.at = at + (seq_.item.refill ? kFill : 0);
  seq_.state = Sequencer::State::need;
  seq_.item.refill = false;
  if (seq_.next < stream_.items.size()) decode(seq_.at);
}

void Chip::decode(i64 taken_in) {
  using State = Sequencer::State;
  for (;;) {
    seq_.item = stream_.items[seq_.next++];
    Item& item = seq_.item;
    seq_.at = taken_in + item.lead + item.check;
    if (item.kind != Kind::empty) break;
    taken_in = seq_.at + (item.refill ? kFill : 0);
    if (seq_.next < stream_.items.size()) continue;
    item.refill = false;
    seq_.at = taken_in;
    seq_.state = State::need;
    return;
  }
  switch (seq_.item.kind) {
    case Kind::lds: seq_.state = State::lds; break;
    case Kind::halt: seq_.state = State::act; break;
    case Kind::fault: seq_.state = State::fault; break;
    case Kind::command:
      seq_.command = stream_.commands[seq_.item.at];
      seq_.state = State::push;
      break;
    default: seq_.state = seq_.item.engine == kSeq ? State::sem : State::push; break;
  }
}

std::array<u64, 64> Chip::counters() const {
  using spec::Counter;
  std::array<u64, 64> c{};
  const auto put = [&](Counter counter, u64 value) { c[std::size_t(counter)] = value; };
  put(Counter::cycles, u64(now_ - 1));
  const auto level = [&](u32 l) { return levels_[l] + (levels_now_ >> l & 1) * u64(now_ - levels_since_); };
  constexpr std::array<std::array<Counter, 3>, kEngines> per_engine = {{
      {Counter::ld_wait_sem, Counter::ld_idle, Counter::ld_busy}, {Counter::st_wait_sem, Counter::st_idle, Counter::st_busy},
      {Counter::mx_wait_sem, Counter::mx_idle, Counter::mx_busy}, {Counter::ve_wait_sem, Counter::ve_idle, Counter::ve_busy}}};
  for (u32 e = 0; e < kEngines; ++e) {
    put(per_engine[e][0], level(Sem + e));
    put(per_engine[e][1], level(Idle + e));
    put(per_engine[e][2], level(Busy + e));
  }
  put(Counter::mx_busy, matrix_.busy());
  put(Counter::mx_wait_load, matrix_.wait_load());
  put(Counter::ve_wait_mem, bank_waits_);
  put(Counter::ld_beats, load_.beats());
  put(Counter::st_beats, store_.beats());
  put(Counter::seq_wait_queue, level(SeqQueue));
  put(Counter::seq_wait_sem, level(SeqSem));
  put(Counter::seq_fetch, level(SeqFetch));
  return c;
}

}  // namespace jogak::cycle
