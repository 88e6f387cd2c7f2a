#include "race.hpp"

#include <algorithm>

#include "remote.hpp"
#include "resolve.hpp"

namespace jogak::model {

namespace {

constexpr std::size_t kSeq = static_cast<std::size_t>(spec::Engine::seq);
constexpr std::size_t kMostReports = 64;

const char* op_name(spec::Op op) { return spec::find_instruction(static_cast<u8>(op))->name; }

const char* unit(Store store) {
  constexpr const char* names[] = {"wspm word", "wsc word", "aspm block",
                                   "asc entry", "vmem row", "DRAM line"};
  return names[static_cast<std::size_t>(store)];
}

}  // namespace

RaceChecker::RaceChecker(const spec::Config& config) : config_(config), clocks_(kEngines, Clock(kEngines)) {}

RaceChecker::RaceChecker(const spec::Config& config, RaceNetwork& network, u32 die)
    : config_(config), network_(&network), die_(die), first_(die * kEngines), clocks_(kEngines, Clock(network.actors())) {
  network.add(die, *this);
}

// "pc 3 (vec)"; in a package with die and engine before it.
std::string RaceChecker::who(std::size_t actor, const Access& access) const {
  const std::string what = "pc " + std::to_string(access.pc) + " (" + access.op + ")";
  if (network_ == nullptr) return what;
  const bool way = network_->is_way(actor);
  const std::size_t die = way ? network_->sender(actor) : actor / kEngines, engine = way ? static_cast<std::size_t>(spec::Engine::st) : actor % kEngines;
  return "die " + std::to_string(die) + " " + spec::engine_values[engine].name + " " + what;
}

std::string RaceChecker::where(Store store, u64 index) const {
  const std::string name = unit(store) + (" " + std::to_string(index));
  if (network_ == nullptr) return name;
  const u64 size = granule(store, config_);
  return name + " (bytes " + std::to_string(index * size) + " to " + std::to_string(index * size + size - 1) + ") of die " + std::to_string(die_);
}

std::string RaceChecker::here(u32 pc) const { return (network_ == nullptr ? "pc " : "die " + std::to_string(die_) + " pc ") + std::to_string(pc); }

void RaceChecker::report(std::string sentence) {
  if (violations_.size() < kMostReports &&
      std::ranges::find(violations_, sentence) == violations_.end()) {
    violations_.push_back(std::move(sentence));
  }
}

std::size_t RaceChecker::issued(spec::Engine engine) {
  const auto e = static_cast<std::size_t>(engine);
  join(clocks_[e], clocks_[kSeq]);
  ++clocks_[e][actor(e)];
  return e;
}

void RaceChecker::command(u32 pc, const Command& c, const Env& env) {
  const std::size_t engine = issued(engine_of(c));
  const Access now{clocks_[engine][actor(engine)], pc, op_name(op_of(c))};
  const std::string overlap = self_overlap(c, env);
  if (!overlap.empty()) report(who(actor(engine), now) + ": " + overlap);
  for (const Touch& t : touches(c, env)) {
    if (t.store == Store::dram && is_remote(t.first)) send(engine, now, t);
    else touch(actor(engine), clocks_[engine], now, t);
  }
}

void RaceChecker::send(std::size_t engine, const Access& now, const Touch& t) {
  if (network_ != nullptr) network_->send(die_, clocks_[engine], now, t);
}

void RaceChecker::lds(u32 pc, u32 address, u32) {
  const std::size_t engine = issued(spec::Engine::seq);
  const Access now{clocks_[engine][actor(engine)], pc, "lds"};
  touch(actor(engine), clocks_[engine], now, {Store::vmem, u64(address) * 4, u64(address) * 4 + 3, false});
}

void RaceChecker::arrives(std::size_t way, const Access& sent, const Touch& t) { touch(way, network_->clock(way), sent, t); }

void RaceChecker::touch(std::size_t actor, const Clock& clock, const Access& now, const Touch& t) {
  const u64 size = granule(t.store, config_);
  auto& cells = cells_[static_cast<std::size_t>(t.store)];
  for (u64 index = t.first / size; index <= t.last / size; ++index) {
    Cell& cell = cells[index];
    compare(cell, actor, clock, now, t, index);
    if (!t.write) {
      cell.reads[actor - first_] = now;
      continue;
    }
    cell.write = now;
    cell.writer = static_cast<u16>(actor);
  }
}

void RaceChecker::compare(const Cell& cell, std::size_t actor, const Clock& clock, const Access& now, const Touch& t, u64 index) {
  const auto against = [&](std::size_t other, const Access& earlier) {
    if (other == actor || earlier.time <= clock[other]) return;
    report(who(other, earlier) + " and " + who(actor, now) + " touch " + where(t.store, index) + " without order");
  };
  against(cell.writer, cell.write);
  if (!t.write) return;
  for (std::size_t e = 0; e < kEngines; ++e) against(this->actor(e), cell.reads[e]);
}

void RaceChecker::claim(int& owner, std::size_t engine, u32 pc, u32 sem, const char* role) {
  if (owner < 0) owner = static_cast<int>(engine);
  if (owner == static_cast<int>(engine)) return;
  report(here(pc) + ": semaphore " + std::to_string(sem) +
         " has two engines that " + role + " it, " + spec::engine_values[owner].name + " and " +
         spec::engine_values[engine].name);
}

void RaceChecker::signal(u32 pc, const spec::Signal& s) {
  const std::size_t engine = issued(s.eng);
  Semaphore& sem = semaphores_[s.sem];
  if (engine != kSeq) {
    claim(sem.signaller, engine, pc, s.sem, "signal");
    sem.given.push_back({sem.total += s.n, clocks_[engine]});
    return;
  }
  // A wait that might still be pending could take this credit instead of an engine's signal.
  if (sem.waiter >= 0 && sem.last_wait > clocks_[kSeq][actor(static_cast<std::size_t>(sem.waiter))]) {
    report(here(pc) + " (signal) adds credits to semaphore " + std::to_string(s.sem) +
           " while an earlier wait may be pending");
  }
  sem.credits += s.n;
}

void RaceChecker::signalled(std::size_t way, const Access& sent, u32 semaphore, u32 n) {
  Semaphore& sem = semaphores_[semaphore];
  const auto from = static_cast<int>(network_->sender(way));
  if (sem.signaller < 0) sem.signaller = from;
  if (sem.signaller != from) {
    report("semaphore " + std::to_string(semaphore) + " of die " + std::to_string(die_) + " has two dies that signal it, " + std::to_string(sem.signaller) + " and " +
           who(way, sent));
  }
  const Clock& clock = network_->clock(way);
  for (; !sem.waits.empty() && sem.waits.front().time <= clock[actor(static_cast<std::size_t>(sem.waiter))]; sem.waits.pop_front()) sem.known = sem.waits.front().total;
  sem.given.push_back({sem.total += n, clock});
  if (sem.total - sem.known <= spec::limit::semaphore_max) return;
  report(who(way, sent) + " may bring semaphore " + std::to_string(semaphore) + " of die " + std::to_string(die_) + " above " + std::to_string(spec::limit::semaphore_max));
}

void RaceChecker::wait(u32 pc, const spec::Wait& w) {
  const std::size_t engine = issued(w.eng);
  claim(semaphores_[w.sem].waiter, engine, pc, w.sem, "wait for");
  take(engine, w);
}

void RaceChecker::take(std::size_t engine, const spec::Wait& w) {
  Semaphore& sem = semaphores_[w.sem];
  sem.taken += w.n;
  sem.last_wait = clocks_[engine][actor(engine)];
  if (w.sem >= spec::limit::semaphores) sem.waits.push_back({sem.last_wait, sem.taken});
  if (sem.taken <= sem.credits) return;
  const u64 needed = sem.taken - sem.credits;
  while (!sem.given.empty() && sem.given.front().total < needed) sem.given.pop_front();
  if (!sem.given.empty()) join(clocks_[engine], sem.given.front().clock);
}

Clock RaceChecker::ended() const {
  Clock all = clocks_[kSeq];
  for (const Clock& c : clocks_) join(all, c);
  return all;
}

}  // namespace jogak::model
