#include "order.hpp"

#include <algorithm>

#include "sim/model/resolve.hpp"

namespace jogak::fuzz {

namespace {

constexpr std::size_t kSeq = std::size_t(Engine::seq);

u64 store_bytes(model::Store store, const spec::Config& c) {
  switch (store) {
    case model::Store::wspm:
      return c.wspm_bytes;
    case model::Store::wsc:
      return c.wsc_bytes;
    case model::Store::aspm:
      return c.aspm_bytes;
    case model::Store::asc:
      return c.asc_bytes;
    case model::Store::vmem:
      return c.vmem_bytes;
    case model::Store::dram:
      break;
  }
  return kDataBytes;
}

}  // namespace

Order::Order(const spec::Config& config, u32 ignored) : config_(config), ignored_(ignored) {
  for (std::size_t s = 0; s < model::kStores; ++s) {
    const auto store = static_cast<model::Store>(s);
    cells_[s].resize(store_bytes(store, config) / model::granule(store, config));
  }
}

std::size_t Order::issued(Engine engine) {
  const auto e = std::size_t(engine);
  for (std::size_t k = 0; k < kEngines; ++k) clocks_[e][k] = std::max(clocks_[e][k], clocks_[kSeq][k]);
  ++clocks_[e][e];
  return e;
}

namespace {

u64 runs(const model::Command& command) {
  const auto box = [](const model::DmaBox& b) { return b.empty() ? 0 : u64(b.n1) * b.n2; };
  if (const auto* load = std::get_if<model::LoadCmd>(&command)) return box(*load);
  if (const auto* store = std::get_if<model::StoreCmd>(&command)) return box(*store);
  return 0;
}

}  // namespace

void Order::step(const model::Step& step, u32 item, const model::Env& env) {
  if (step.command) {
    if (runs(*step.command) > kMostRuns) throw TooLarge{};
    const std::size_t engine = issued(model::engine_of(*step.command));
    const std::vector<model::Touch> all = model::touches(*step.command, env);
    for (const model::Touch& t : all) touch(engine, item, t);
    if (keep_) moments_.push_back({item, engine, clocks_[engine], all});
    return;
  }
  switch (static_cast<spec::Op>(spec::opcode_of(step.insn))) {
    case spec::Op::signal:
      return signal(spec::decode<spec::Signal>(step.insn));
    case spec::Op::wait:
      return wait(spec::decode<spec::Wait>(step.insn));
    case spec::Op::lds: {
      const u64 at = u64(step.registers[spec::decode<spec::Lds>(step.insn).ra]) * 4;
      if (at < config_.vmem_bytes) touch(issued(Engine::seq), item, {model::Store::vmem, at, at + 3, false});
      return;
    }
    default:
      return;
  }
}

void Order::touch(std::size_t engine, u32 item, const model::Touch& t) {
  const u64 base = t.store == model::Store::dram ? kDataBase : 0;
  const u64 size = model::granule(t.store, config_);
  const u32 now = u32(clocks_[engine][engine]);
  for (u64 i = (t.first - base) / size; i <= (t.last - base) / size; ++i) {
    Cell& cell = cells_[std::size_t(t.store)][i];
    against(cell.writer, cell.write_time, cell.write_item, engine, item);
    if (!t.write) {
      cell.read_time[engine] = now, cell.read_item[engine] = item;
      continue;
    }
    for (std::size_t e = 0; e < kEngines; ++e) against(e, cell.read_time[e], cell.read_item[e], engine, item);
    cell.write_time = now, cell.write_item = item, cell.writer = u32(engine);
  }
}

// What is found is taken as repaired from here on.
void Order::against(std::size_t other, u32 time, u32 earlier, std::size_t engine, u32 item) {
  if (other == engine || time <= clocks_[engine][other]) return;
  clocks_[engine][other] = time;
  const Conflict found{item, earlier, static_cast<Engine>(other), static_cast<Engine>(engine)};
  for (const Conflict& c : conflicts_) {
    if (c.at == found.at && c.from == found.from && c.to == found.to) return;
  }
  conflicts_.push_back(found);
}

void Order::signal(const spec::Signal& s) {
  if (ignored_ >> s.sem & 1) return;
  const std::size_t engine = issued(s.eng);
  Semaphore& sem = semaphores_[s.sem];
  if (engine == kSeq) {
    sem.credits += s.n;
    return;
  }
  sem.given.push_back({(sem.given.empty() ? 0 : sem.given.back().total) + s.n, clocks_[engine]});
}

void Order::wait(const spec::Wait& w) {
  if (ignored_ >> w.sem & 1) return;
  const std::size_t engine = issued(w.eng);
  Semaphore& sem = semaphores_[w.sem];
  sem.taken += w.n;
  if (sem.taken <= sem.credits) return;
  while (sem.oldest < sem.given.size() && sem.given[sem.oldest].total < sem.taken - sem.credits) ++sem.oldest;
  if (sem.oldest == sem.given.size()) return;
  const Clock& clock = sem.given[sem.oldest].clock;
  for (std::size_t k = 0; k < kEngines; ++k) clocks_[engine][k] = std::max(clocks_[engine][k], clock[k]);
}

namespace {

struct Insertion {
  u32 before;
  Item item;
  std::size_t number;  // in the order of their making
};

Item line(const spec::Insn& insn, u32 unit) { return {.insn = insn, .unit = unit}; }

// For every item the loop line around it.
std::vector<u32> parents(const std::vector<Item>& items) {
  std::vector<u32> result(items.size()), open{~0u};
  for (u32 i = 0; i < items.size(); ++i) {
    if (items[i].kind == Item::Kind::end) open.pop_back();
    result[i] = open.back();
    if (items[i].kind == Item::Kind::loop) open.push_back(i);
  }
  return result;
}

// Does a taken-together pair cost a semaphore of its own, and where may its signal go: after `earlier`.
void hoisted(const std::vector<u32>& parent, const Conflict& c, u8 sem, u32 unit, Random& random,
             std::vector<Insertion>& out) {
  std::vector<u32> places, before;
  for (u32 i = c.earlier + 1; i <= c.at; ++i) {
    if (parent[i] == parent[c.at]) places.push_back(i);
  }
  const u32 start = parent[c.at] == kNoUnit ? 0 : parent[c.at] + 1;
  for (u32 i = start; i <= c.earlier; ++i) {
    if (parent[i] == parent[c.at]) before.push_back(i);
  }
  const u8 parts = u8(1 + random.below(2));
  u32 total = 0;
  for (u8 p = 0; p < parts; ++p) {
    const u8 n = u8(1 + random.below(random.one_in(4) ? 100 : 3));
    // The last part soon after the access, mostly: as much as possible lies between signal and wait. Others anywhere.
    u32 place = random.one_in(3) ? places[random.below(places.size())] : places.front();
    if (p + 1 < parts && !before.empty()) place = before[random.below(before.size())];
    out.push_back({place, line(spec::encode(spec::Signal{c.from, sem, n}), unit), out.size()});
    total += n;
  }
  const u8 first = total > 1 && random.one_in(2) ? u8(1 + random.below(total - 1)) : 0;
  if (first) out.push_back({c.at, line(spec::encode(spec::Wait{c.to, sem, first}), unit), out.size()});
  out.push_back({c.at, line(spec::encode(spec::Wait{c.to, sem, u8(total - first)}), unit), out.size()});
}

}  // namespace

void insert_order(std::vector<Item>& items, const std::vector<Conflict>& conflicts, Semaphores& semaphores,
                  Random& random, bool hoist) {
  const std::vector<u32> parent = parents(items);
  std::vector<Insertion> insertions;
  for (const Conflict& c : conflicts) {
    const u32 unit = semaphores.next_unit++;
    const bool near = c.earlier < c.at && parent[c.earlier] == parent[c.at];
    const auto to_come = std::size_t(std::ranges::count(semaphores.pair, -1)) - kEngines - kEngines + 1;
    if (hoist && near && semaphores.unused.size() > to_come) {
      const u8 sem = semaphores.unused.back();
      semaphores.unused.pop_back();
      hoisted(parent, c, sem, unit, random, insertions);
      continue;
    }
    int& pair = semaphores.pair[std::size_t(c.from) * kEngines + std::size_t(c.to)];
    if (pair < 0) {
      if (semaphores.unused.empty()) throw Error("fuzz", "semaphores", "none left", "one for each pair of engines");
      pair = semaphores.unused.back();
      semaphores.unused.pop_back();
    }
    insertions.push_back({c.at, line(spec::encode(spec::Signal{c.from, u8(pair), 1}), unit), insertions.size()});
    insertions.push_back({c.at, line(spec::encode(spec::Wait{c.to, u8(pair), 1}), unit), insertions.size()});
  }
  std::ranges::sort(insertions, {}, [](const Insertion& i) { return std::pair(i.before, i.number); });
  std::vector<Item> result;
  std::size_t next = 0;
  for (u32 i = 0; i < items.size(); ++i) {
    for (; next < insertions.size() && insertions[next].before == i; ++next) result.push_back(insertions[next].item);
    result.push_back(items[i]);
  }
  items = std::move(result);
}

}  // namespace jogak::fuzz
