#include "traffic.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

#include "../schedule/explain.hpp"
#include "../schedule/weights.hpp"
#include "parts.hpp"

namespace jogak::package {

using schedule::Plan;
using u64 = std::uint64_t;

namespace {

// At 1 GHz: links of 64 GB/s with 68 bytes for 64, as the cycle model has them where nobody says otherwise; about what a store takes to another
// die's memory and a signal behind it, per hop.
constexpr double kLinkBytes = 64.0 * 64 / 68;
constexpr u64 kHopCycles = 45;

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
    Gather on{"pass on", {}, 1}, last{"last rows", {}, 1};
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

std::vector<LinkLoad> loads(const Mesh& mesh, const std::vector<Message>& messages) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, u64> on;
  for (const Message& m : messages) {
    std::uint32_t at = m.from;
    while (at != m.to) {
      const std::uint32_t x = at % mesh.columns, to_x = m.to % mesh.columns;
      const std::uint32_t next = x != to_x ? (x < to_x ? at + 1 : at - 1) : (at < m.to ? at + mesh.columns : at - mesh.columns);
      on[{at, next}] += m.bytes;
      at = next;
    }
  }
  std::vector<LinkLoad> list;
  for (const auto& [link, bytes] : on) list.push_back({link.first, link.second, bytes});
  return list;
}

GatherTime time_of(const Plan& p, const Gather& gather) {
  const Mesh mesh = mesh_of(p.package_dies());
  GatherTime t;
  std::map<std::uint32_t, u64> sent;
  for (const Message& m : gather.messages) sent[m.from] += m.bytes;
  for (const auto& [die, bytes] : sent) t.store = std::max(t.store, bytes / p.config.port_bytes);
  for (const LinkLoad& l : loads(mesh, gather.messages))
    if (l.bytes > t.busiest.bytes) t.busiest = l;
  t.link = static_cast<u64>(static_cast<double>(t.busiest.bytes) / kLinkBytes);
  t.latency = gather.turns * kHopCycles * (mesh.columns + mesh.rows - 2);
  if (p.stages > 1 && gather.messages.size() > 1 && gather.messages.front().from != gather.messages.back().from) {  // one after the other
    const auto turns = static_cast<u64>(gather.messages.size());
    t.store *= turns, t.link *= turns, t.latency *= turns;
  }
  return t;
}

std::string explain(const Plan& p) {
  if (p.package_dies() == 1) return "";
  const Mesh mesh = mesh_of(p.package_dies());
  char text[300];
  std::snprintf(text, sizeof text, "%d dies, %u x %u, %s (links of 64 GB/s at 1 GHz), cycles for 1 row and for %d:\n", p.package_dies(), mesh.columns, mesh.rows,
                p.stages > 1 ? "a pipeline: sent in a launch" : p.spread ? "experts whole on a die: gathered in a layer" : "tensor-parallel: gathered in a layer", p.rows);
  std::string out = text;
  std::vector<Message> all;
  u64 store = 0, link = 0;
  const std::vector<Gather> one = gathers(p, 1), most = gathers(p, p.rows);
  for (std::size_t i = 0; i < one.size(); ++i) {
    const GatherTime a = time_of(p, one[i]), b = time_of(p, most[i]);
    all.insert(all.end(), most[i].messages.begin(), most[i].messages.end());
    store += b.store, link += b.link;
    std::snprintf(text, sizeof text, "  %-12s %7llu bytes a row to a die  %6llu (store %llu, link %llu, way %llu)  %8llu (store %llu, link %llu, %s bound)\n", one[i].name.c_str(),
                  static_cast<unsigned long long>(one[i].messages.front().bytes), static_cast<unsigned long long>(a.cycles()), static_cast<unsigned long long>(a.store),
                  static_cast<unsigned long long>(a.link), static_cast<unsigned long long>(a.latency), static_cast<unsigned long long>(b.cycles()),
                  static_cast<unsigned long long>(b.store), static_cast<unsigned long long>(b.link), b.store >= b.link ? "port" : "link");
    out += text;
  }
  LinkLoad busiest;
  for (const LinkLoad& l : loads(mesh, all)) {
    std::snprintf(text, sizeof text, "  link %u > %u   %9llu bytes of %d rows\n", l.from, l.to, static_cast<unsigned long long>(l.bytes), p.rows);
    out += text;
    if (l.bytes > busiest.bytes) busiest = l;
  }
  std::snprintf(text, sizeof text, "  bound: %s; the busiest link, %u > %u, is busy %llu cycles of %llu and would be the bound below %.1f GB/s\n",
                store >= link ? "the sender's port" : ("link " + std::to_string(busiest.from) + " > " + std::to_string(busiest.to)).c_str(), busiest.from, busiest.to,
                static_cast<unsigned long long>(link), static_cast<unsigned long long>(std::max(store, link)),
                store == 0 ? 0.0 : static_cast<double>(busiest.bytes) * 68 / 64 / static_cast<double>(store));
  out += text;
  return out + explain_times(p);
}

}  // namespace jogak::package
