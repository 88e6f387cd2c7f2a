#include "traffic.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

#include "../schedule/explain.hpp"
#include "../schedule/weights.hpp"
#include "load.hpp"
#include "parts.hpp"

namespace jogak::package {

using schedule::Plan;
using u64 = std::uint64_t;

namespace {

// About what a store takes to another die's memory and a signal behind it, beside the links' own latency; of that each router on the way.
constexpr double kStoreCycles = 28, kRouterCycles = 15;

Gather all_to_all(const char* name, int dies, u64 bytes) {
  Gather g{name, {}, 1};
  for (int from = 0; from < dies; ++from)
    for (int i = 1; i < dies; ++i) g.messages.push_back({static_cast<std::uint32_t>(from), static_cast<std::uint32_t>((from + i) % dies), bytes});
  return g;
}

}  // namespace

std::vector<Gather> gathers(const Plan& p, int rows) {
  const auto bytes = [&](long long row) { return static_cast<u64>(row) * static_cast<u64>(rows); };
  if (p.stages > 1) {
    Gather on{"pass on", {}, 1, true}, last{"last rows", {}, 1};
    const auto end = static_cast<std::uint32_t>(p.stages - 1);
    for (std::uint32_t d = 0; d < end; ++d) on.messages.push_back({d, d + 1, bytes(4LL * p.dn)}), last.messages.push_back({end, d, 4ull * static_cast<u64>(p.dn)});
    return {on, last};
  }
  if (p.dies == 1) return {};
  const auto quantised = [](int columns) { return columns + columns / 16; };
  const u64 x = bytes(4LL * p.x_part);
  const auto in = [&] {
    if (!p.experts()) return all_to_all("ffn_gate_up", p.dies, bytes(quantised(p.ffn_part)));
    if (p.spread) return all_to_all(schedule::op::experts, p.dies, bytes(4LL * p.result_words()) / static_cast<u64>(p.dies));
    Gather experts = all_to_all(schedule::op::experts, p.dies, bytes(static_cast<long long>(p.mixture.top) * quantised(p.ek / p.dies)));
    experts.turns = static_cast<u64>(rows) * static_cast<u64>(p.mixture.top);
    return experts;
  };
  std::vector<Gather> all = {all_to_all("attention", p.dies, bytes(quantised(p.heads * p.hk))), all_to_all("attn_output", p.dies, x), in(), all_to_all("ffn_down", p.dies, x)};
  if (p.parallel) all.erase(all.begin() + 1);  // both products come onto the same columns
  return all;
}

std::vector<LinkLoad> loads(const Stand& stand, const std::vector<Message>& messages) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, LinkLoad> on;
  for (const Message& m : messages)
    for (const Hop& hop : way(stand.board, stand.place(m.from), stand.place(m.to))) {
      LinkLoad& l = on[{hop.from, hop.to}];
      l = {hop.from, hop.to, l.bytes + m.bytes, l.cycles + static_cast<double>(m.bytes) / hop.link.bytes};
    }
  std::vector<LinkLoad> list;
  for (const auto& [link, load] : on) list.push_back(load);
  return list;
}

namespace {

// Of messages that go at the same time.
GatherTime together(const Plan& p, const std::vector<Message>& messages, const Stand& stand) {
  GatherTime t;
  std::map<std::uint32_t, u64> sent;
  double link = 0, latency = 0;
  for (const Message& m : messages) {
    sent[m.from] += m.bytes;
    double cycles = kStoreCycles;
    for (const Hop& hop : way(stand.board, stand.place(m.from), stand.place(m.to))) cycles += kRouterCycles + hop.link.cycles;
    latency = std::max(latency, cycles);
  }
  for (const auto& [die, bytes] : sent) t.store = std::max(t.store, bytes / p.config.port_bytes);
  for (const LinkLoad& l : loads(stand, messages)) link = std::max(link, l.cycles);
  t.link = static_cast<u64>(link), t.latency = static_cast<u64>(latency);
  t.cycles = std::max(t.store, t.link) + t.latency;
  return t;
}

u64 between(const Plan& p, int rows, const Stand& stand) {
  u64 cycles = 0;
  for (const Gather& g : gathers(p, rows)) cycles += time_of(p, g, stand).cycles;
  return cycles;
}

}  // namespace

GatherTime time_of(const Plan& p, const Gather& gather, const Stand& stand) {
  if (!gather.chain) {
    GatherTime t = together(p, gather.messages, stand);
    t.cycles += t.latency * (gather.turns - 1), t.latency *= gather.turns;
    return t;
  }
  GatherTime sum;
  for (const Message& m : gather.messages) {
    const GatherTime t = together(p, {m}, stand);
    sum.store += t.store, sum.link += t.link, sum.latency += t.latency, sum.cycles += t.cycles;
  }
  return sum;
}

Stand best_stand(const Plan& p, Board board) {
  if (board.compute.size() != static_cast<std::size_t>(p.package_dies()))
    throw Error("package " + board.name, "program", "one for " + std::to_string(p.package_dies()) + " dies", "one for its " + std::to_string(board.compute.size()) + " compute dies (--dies)");
  Stand best{std::move(board), {}};
  best.order.resize(best.board.compute.size());
  std::iota(best.order.begin(), best.order.end(), 0u);
  const auto cost = [&](const Stand& s) { return std::pair(between(p, 1, s), between(p, p.rows, s)); };
  Stand stand = best;
  for (auto least = cost(best); std::next_permutation(stand.order.begin(), stand.order.end());)
    if (const auto c = cost(stand); c < least) least = c, best.order = stand.order;
  return best;
}

namespace {

std::string numbers(const std::vector<std::uint32_t>& list) {
  std::string text;
  for (const std::uint32_t n : list) text += (text.empty() ? "" : " ") + std::to_string(n);
  return text;
}

// What stands at a place, as profiles number it: the program's die, or behind these, by place, one that only carries.
std::uint32_t name(const Stand& stand, std::uint32_t place) {
  for (std::uint32_t die = 0; die < stand.order.size(); ++die)
    if (stand.place(die) == place) return die;
  const auto before = std::ranges::count_if(stand.board.compute, [place](std::uint32_t c) { return c < place; });
  return static_cast<std::uint32_t>(stand.order.size()) + place - static_cast<std::uint32_t>(before);
}

// Where the dies stand, and what it would be with die i as the i-th.
std::string explain_stand(const Plan& p, const Stand& stand) {
  Stand plain = stand;
  std::sort(plain.order.begin(), plain.order.end());
  std::string out = "  placement: dies " + numbers(plain.order) + " are the package's " + numbers(stand.order) + " (by place)";
  if (plain.order == stand.order) return out + "\n";
  return out + "; " + std::to_string(between(p, 1, stand)) + " cycles between them for 1 row instead of " + std::to_string(between(p, 1, plain)) + " in order, " +
         std::to_string(between(p, p.rows, stand)) + " instead of " + std::to_string(between(p, p.rows, plain)) + " for " + std::to_string(p.rows) + "\n";
}

}  // namespace

std::string explain(const Plan& p, const Stand& stand) {
  if (p.package_dies() == 1) return "";
  const Mesh mesh = stand.board.mesh;
  char text[300];
  std::snprintf(text, sizeof text, "%d dies, %u x %u, %s (links of %s), cycles for 1 row and for %d:\n", p.package_dies(), mesh.columns, mesh.rows,
                p.stages > 1 ? "a pipeline: sent in a launch" : p.spread ? "experts whole on a die: gathered in a layer" : "tensor-parallel: gathered in a layer",
                stand.board.name.empty() ? "64 GB/s at 1 GHz" : stand.board.name.c_str(), p.rows);
  std::string out = text;
  std::vector<Message> all;
  u64 store = 0, link = 0;
  const std::vector<Gather> one = gathers(p, 1), most = gathers(p, p.rows);
  for (std::size_t i = 0; i < one.size(); ++i) {
    const GatherTime a = time_of(p, one[i], stand), b = time_of(p, most[i], stand);
    all.insert(all.end(), most[i].messages.begin(), most[i].messages.end());
    store += b.store, link += b.link;
    std::snprintf(text, sizeof text, "  %-12s %7llu bytes a row to a die  %6llu (store %llu, link %llu, way %llu)  %8llu (store %llu, link %llu, %s bound)\n", one[i].name.c_str(),
                  static_cast<unsigned long long>(one[i].messages.front().bytes), static_cast<unsigned long long>(a.cycles), static_cast<unsigned long long>(a.store),
                  static_cast<unsigned long long>(a.link), static_cast<unsigned long long>(a.latency), static_cast<unsigned long long>(b.cycles),
                  static_cast<unsigned long long>(b.store), static_cast<unsigned long long>(b.link), b.store >= b.link ? "port" : "link");
    out += text;
  }
  LinkLoad busiest;
  for (const LinkLoad& l : loads(stand, all)) {
    std::snprintf(text, sizeof text, "  link %u > %u   %9llu bytes of %d rows\n", name(stand, l.from), name(stand, l.to), static_cast<unsigned long long>(l.bytes), p.rows);
    out += text;
    if (l.cycles > busiest.cycles) busiest = l;
  }
  const std::uint32_t from = name(stand, busiest.from), to = name(stand, busiest.to);
  std::snprintf(text, sizeof text, "  bound: %s; the busiest link, %u > %u, is busy %llu cycles of %llu and would be the bound below %.1f GB/s\n",
                store >= link ? "the sender's port" : ("link " + std::to_string(from) + " > " + std::to_string(to)).c_str(), from, to,
                static_cast<unsigned long long>(link), static_cast<unsigned long long>(std::max(store, link)),
                store == 0 ? 0.0 : static_cast<double>(busiest.bytes) * 68 / 64 / static_cast<double>(store));
  out += text;
  return out + explain_load(p) + explain_stand(p, stand) + explain_times(p, stand);
}

}  // namespace jogak::package
