#include "measure.hpp"

#include <algorithm>
#include <cstdio>

#include "report.hpp"

namespace jogak::cli {
namespace {

std::string layers(const Measurement::Row& r) {
  if (r.first == r.last) return "layer " + std::to_string(r.first);
  return "layers " + std::to_string(r.first) + " to " + std::to_string(r.last) + ", mean of one";
}

// The run of equal layers that a layer belongs to.
std::pair<std::uint32_t, std::uint32_t> group(const std::vector<Bound>& bounds, std::uint32_t layer) {
  for (const Bound& b : bounds)
    if (layer >= b.first && layer <= b.last) return {b.first, b.last};
  return {layer, layer};
}

void add(Measurement& m, const std::vector<Bound>& bounds, const Timeline::Row& r) {
  const auto [first, last] = group(bounds, r.layer);
  const auto same = [first = first, &r](const auto& x) { return x.first == first && x.op == r.op; };
  auto at = std::find_if(m.list.begin(), m.list.end(), same);
  if (at == m.list.end()) {
    m.list.push_back({.first = first, .last = last, .op = r.op});
    at = m.list.end() - 1;
    const auto rows = static_cast<std::uint64_t>(m.rows);
    // Logits of the last row only.
    if (const auto b = std::find_if(bounds.begin(), bounds.end(), same); b != bounds.end())
      at->bounded = true, at->port = b->port(rows), at->array = b->array(r.layer == kNoLayer ? 1 : rows, rows);
  }
  at->cell.add(r.cell);
  at->cycles += static_cast<double>(r.cell.cycles) / (last - first + 1);
}

std::string row_text(const Measurement::Row& r) {
  char need[40] = "        -         -", times[20] = "       -", line[200];
  if (r.bounded) {
    const auto bound = static_cast<double>(std::max(r.port, r.array));
    std::snprintf(need, sizeof need, "%9llu %9llu", static_cast<unsigned long long>(r.port), static_cast<unsigned long long>(r.array));
    std::snprintf(times, sizeof times, "%8.2f", r.cycles / bound);
  }
  const auto stalled = static_cast<double>(r.cell.spent[r.cell.stall()]), all = static_cast<double>(r.cell.cycles);
  std::snprintf(line, sizeof line, "  %-14s %19s %9.0f %8s   %-15s %5.1f %%\n", r.op.c_str(), need, r.cycles, times, stall_text(r.cell),
                all == 0 ? 0 : 100 * stalled / all);
  return line;
}

}  // namespace

Measurement measure(const Compiled& compiled, int rows) {
  Session session(compiled.program, "rtl");
  if (rows > session.rows())
    throw Error("measure", "rows", std::to_string(rows), "at most " + std::to_string(session.rows()) + ", the rows of a launch");
  session.start_timeline(0);
  std::vector<int> ids(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>(i) % session.model().vocab;
  (void)session.feed(ids);
  if (session.steps().size() > 1)
    throw Error("measure", "rows", std::to_string(rows) + ", which this pipeline takes in " + std::to_string(session.steps().size()) + " launches that overlap", "so few that one launch is as fast");
  Measurement m{.rows = rows, .cycles = session.steps().back().record[spec::Counter::cycles]};
  for (const Timeline::Row& r : session.timeline()->rows()) add(m, compiled.bounds, r);
  return m;
}

Measurement::Row Measurement::all() const {
  Row sum{.op = "all"};
  for (const Row& r : list) {
    const std::uint64_t layers = r.first == kNoLayer ? 1 : r.last - r.first + 1;
    sum.port += layers * r.port;
    sum.array += layers * r.array;
    sum.cell.add(r.cell);
  }
  sum.bounded = true;
  sum.cycles = static_cast<double>(cycles);
  return sum;
}

std::string Measurement::text() const {
  std::string out;
  char line[200];
  std::snprintf(line, sizeof line, "measured on the RTL: a launch of %d %s (below 1: its weights came while others were at work)\n  %-14s %9s %9s %9s %8s   %s\n",
                rows, rows == 1 ? "token" : "tokens", "", "port", "array", "measured", "of bound", "array waits most for");
  out += line;
  std::uint32_t group = kNoLayer;
  for (const Row& r : list) {
    if (r.first != group && r.first != kNoLayer) out += layers(r) + "\n";
    if (r.first != group && r.first == kNoLayer) out += "after the layers\n";
    group = r.first;
    out += row_text(r);
  }
  return out + "the launch\n" + row_text(all());
}

nlohmann::json Measurement::json() const {
  nlohmann::json list_json = nlohmann::json::array();
  for (const Row& r : list) {
    nlohmann::json j = {{"op", r.op}, {"cycles", r.cycles}, {"measured", cell_json(r.cell)}};
    if (r.first != kNoLayer) j["first_layer"] = r.first, j["last_layer"] = r.last;
    if (r.bounded) j["port_bound"] = r.port, j["array_bound"] = r.array;
    list_json.push_back(j);
  }
  return {{"rows", rows}, {"cycles", cycles}, {"port_bound", all().port}, {"array_bound", all().array}, {"operators", list_json}};
}

}  // namespace jogak::cli
