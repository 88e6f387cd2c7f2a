#include "race.hpp"

#include <algorithm>

#include "resolve.hpp"

namespace jogak::model {

namespace {

constexpr std::size_t kSeq = static_cast<std::size_t>(spec::Engine::seq);
constexpr std::size_t kMostReports = 64;

void join(Clock& into, const Clock& other) {
  for (std::size_t e = 0; e < kEngines; ++e) into[e] = std::max(into[e], other[e]);
}

const char* op_name(spec::Op op) { return spec::find_instruction(static_cast<u8>(op))->name; }

std::string place(u32 pc, const char* op) {
  return "pc " + std::to_string(pc) + " (" + op + ")";
}

const char* unit(Store store) {
  constexpr const char* names[] = {"wspm word", "wsc word", "aspm block",
                                   "asc entry", "vmem row", "DRAM line"};
  return names[static_cast<std::size_t>(store)];
}

}  // namespace

RaceChecker::RaceChecker(const spec::Config& config) : config_(config) {}

void RaceChecker::report(std::string sentence) {
  if (violations_.size() < kMostReports &&
      std::ranges::find(violations_, sentence) == violations_.end()) {
    violations_.push_back(std::move(sentence));
  }
}

std::size_t RaceChecker::issued(spec::Engine engine) {
  const auto e = static_cast<std::size_t>(engine);
  join(clocks_[e], clocks_[kSeq]);
  ++clocks_[e][e];
  return e;
}

void RaceChecker::command(u32 pc, const Command& c, const Env& env) {
  const std::size_t engine = issued(engine_of(c));
  const Access now{clocks_[engine][engine], pc, op_name(op_of(c))};
  const std::string overlap = self_overlap(c, env);
  if (!overlap.empty()) report(place(pc, now.op) + ": " + overlap);
  for (const Touch& t : touches(c, env)) touch(engine, now, t);
}

void RaceChecker::lds(u32 pc, u32 address, u32) {
  const std::size_t engine = issued(spec::Engine::seq);
  const Access now{clocks_[engine][engine], pc, "lds"};
  touch(engine, now, {Store::vmem, u64(address) * 4, u64(address) * 4 + 3, false});
}

void RaceChecker::touch(std::size_t engine, const Access& now, const Touch& t) {
  const u64 size = granule(t.store, config_);
  auto& cells = cells_[static_cast<std::size_t>(t.store)];
  for (u64 index = t.first / size; index <= t.last / size; ++index) {
    Cell& cell = cells[index];
    compare(cell, engine, now, t, index);
    if (!t.write) {
      cell.reads[engine] = now;
      continue;
    }
    cell.write = now;
    cell.writer = static_cast<u8>(engine);
  }
}

void RaceChecker::compare(const Cell& cell, std::size_t engine, const Access& now, const Touch& t,
                          u64 index) {
  const auto against = [&](std::size_t other, const Access& earlier) {
    if (other == engine || earlier.time <= clocks_[engine][other]) return;
    report(place(earlier.pc, earlier.op) + " and " + place(now.pc, now.op) + " touch " +
           unit(t.store) + " " + std::to_string(index) + " without order");
  };
  against(cell.writer, cell.write);
  if (!t.write) return;
  for (std::size_t other = 0; other < kEngines; ++other) against(other, cell.reads[other]);
}

void RaceChecker::claim(int& owner, std::size_t engine, u32 pc, u32 sem, const char* role) {
  if (owner < 0) owner = static_cast<int>(engine);
  if (owner == static_cast<int>(engine)) return;
  report("pc " + std::to_string(pc) + ": semaphore " + std::to_string(sem) +
         " has two engines that " + role + " it, " + spec::engine_values[owner].name + " and " +
         spec::engine_values[engine].name);
}

void RaceChecker::signal(u32 pc, const spec::Signal& s) {
  const std::size_t engine = issued(s.eng);
  Semaphore& sem = semaphores_[s.sem];
  if (engine != kSeq) {
    claim(sem.signaller, engine, pc, s.sem, "signal");
    const u64 before = sem.given.empty() ? 0 : sem.given.back().total;
    sem.given.push_back({before + s.n, clocks_[engine]});
    return;
  }
  // A wait that might still be pending could take this credit instead of an engine's signal.
  if (sem.waiter >= 0 && sem.last_wait > clocks_[kSeq][sem.waiter]) {
    report(place(pc, "signal") + " adds credits to semaphore " + std::to_string(s.sem) +
           " while an earlier wait may be pending");
  }
  sem.credits += s.n;
}

void RaceChecker::wait(u32 pc, const spec::Wait& w) {
  const std::size_t engine = issued(w.eng);
  if (w.sem >= spec::limit::semaphores) return;  // of another chiplet: its accesses are not seen here
  Semaphore& sem = semaphores_[w.sem];
  claim(sem.waiter, engine, pc, w.sem, "wait for");
  sem.taken += w.n;
  sem.last_wait = clocks_[engine][engine];
  if (sem.taken <= sem.credits) return;
  const u64 needed = sem.taken - sem.credits;
  while (sem.oldest < sem.given.size() && sem.given[sem.oldest].total < needed) ++sem.oldest;
  if (sem.oldest < sem.given.size()) join(clocks_[engine], sem.given[sem.oldest].clock);
}

}  // namespace jogak::model
