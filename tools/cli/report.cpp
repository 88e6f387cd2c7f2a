#include "report.hpp"

#include "package_report.hpp"

#include <algorithm>
#include <cstdarg>

namespace jogak::cli {
namespace {

using spec::Counter;

void line(std::string& out, const char* format, ...) __attribute__((format(printf, 2, 3)));
void line(std::string& out, const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

double share(std::uint64_t part, std::uint64_t whole) { return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole); }

void phase(std::string& out, const char* name, const Totals& t, const spec::Config& config) {
  if (t.tokens == 0) return;
  const Use u = use(t, config);
  if (t.sum[Counter::cycles] == 0) {
    line(out, "%s: %d tokens in %d launches, %.0f multiply-accumulates a token, %.0f bytes loaded a token; no times, as there is no clock\n", name, t.tokens, t.launches,
         static_cast<double>(t.sum[Counter::macs]) / t.tokens, static_cast<double>(t.sum[Counter::load_bytes]) / t.tokens);
    return;
  }
  line(out, "%s: %d tokens in %d launches, %.0f cycles a token; array used %.1f %%, memory port used %.1f %%\n", name, t.tokens, t.launches,
       u.cycles_per_token, 100 * u.array, 100 * u.port);
}

struct Reason {
  const char* engine;
  const char* text;
  Counter counter;
};
constexpr Reason kReasons[] = {
    {"matrix", "multiplies", Counter::mx_busy},        {"matrix", "waits for a semaphore", Counter::mx_wait_sem},
    {"matrix", "waits for weights", Counter::mx_wait_load}, {"matrix", "has nothing to do", Counter::mx_idle},
    {"vector", "computes", Counter::ve_busy},          {"vector", "waits for a semaphore", Counter::ve_wait_sem},
    {"vector", "waits for a memory bank", Counter::ve_wait_mem}, {"vector", "has nothing to do", Counter::ve_idle},
    {"load", "takes data", Counter::ld_beats},         {"load", "waits for a semaphore", Counter::ld_wait_sem},
    {"load", "has nothing to do", Counter::ld_idle},   {"store", "sends data", Counter::st_beats},
    {"store", "waits for a semaphore", Counter::st_wait_sem}, {"store", "has nothing to do", Counter::st_idle},
    {"control", "waits for a full queue", Counter::seq_wait_queue}, {"control", "waits for a semaphore", Counter::seq_wait_sem},
    {"control", "loads the program", Counter::seq_fetch},
};

void reasons(std::string& out, const LaunchRecord& sum) {
  out += "\nshare of all cycles, by engine and reason\n";
  const char* last = "";
  for (const Reason& r : kReasons) {
    if (sum[r.counter] == 0) continue;  // not the case, or nothing that this machine counts
    line(out, "  %-8s %-26s %6.1f %%\n", std::string(last) == r.engine ? "" : r.engine, r.text, 100 * share(sum[r.counter], sum[Counter::cycles]));
    last = r.engine;
  }
}

constexpr const char* kSpent[] = {"array", "tiles", "vector", "memory", "control"};
constexpr const char* kSpentText[] = {"multiplies", "tiles and drain", "vector engine", "memory", "control"};

std::string row_name(const Timeline::Row& r) { return r.layer == kNoLayer ? r.op : "layer " + std::to_string(r.layer); }

// One line: cycles, their share of all, use of array and port, what the array waited for most.
void cell_line(std::string& out, const std::string& name, const Timeline::Cell& c, std::uint64_t all) {
  line(out, "  %-14s %11llu %6.1f %% %6.1f %% %6.1f %%", name.c_str(), static_cast<unsigned long long>(c.cycles), 100 * share(c.cycles, all),
       100 * share(c.spent[Timeline::kArray], c.cycles), 100 * share(c.beats, c.cycles));
  line(out, "   %-15s %5.1f %%", stall_text(c), 100 * share(c.spent[c.stall()], c.cycles));
}

// The operator of a layer that took longest.
std::string longest(const Timeline& timeline, std::uint32_t layer, std::uint64_t cycles) {
  const Timeline::Row* best = nullptr;
  const auto rows = timeline.rows();
  for (const Timeline::Row& r : rows)
    if (r.layer == layer && (best == nullptr || r.cell.cycles > best->cell.cycles)) best = &r;
  if (layer == kNoLayer || best == nullptr) return "";
  std::string out;
  line(out, "   %s %.0f %%", best->op.c_str(), 100 * share(best->cell.cycles, cycles));
  return out;
}

void layers(std::string& out, const Timeline& timeline, const LaunchRecord& sum) {
  out += "\ncycles by layer\n";
  line(out, "  %-14s %11s %8s %8s %8s   %-23s   %s\n", "", "cycles", "share", "array", "port", "array waits most for", "longest operator");
  for (const Timeline::Row& r : timeline.layers()) {
    cell_line(out, row_name(r), r.cell, sum[Counter::cycles]);
    out += longest(timeline, r.layer, r.cell.cycles) + "\n";
  }
}

// Busy is indexed ld, st, mx, ve.
void operators(std::string& out, const Timeline& timeline, const LaunchRecord& sum) {
  out += "\ncycles by operator, and share of all cycles with its commands in flight\n";
  line(out, "  %-14s %11s %8s %8s %8s   %-23s %8s %8s %8s %8s\n", "", "cycles", "share", "array", "port", "array waits most for", "matrix", "vector",
       "load", "store");
  const auto all = timeline.operators();
  std::vector<std::pair<std::string, Timeline::Cell>> rows(all.begin(), all.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second.cycles > b.second.cycles; });
  for (const auto& [name, cell] : rows) {
    cell_line(out, name, cell, sum[Counter::cycles]);
    for (const std::size_t e : {2u, 3u, 0u, 1u}) line(out, " %6.1f %%", 100 * share(cell.busy[e], sum[Counter::cycles]));
    out += "\n";
  }
}

nlohmann::json layers_json(const Timeline& timeline) {
  nlohmann::json list = nlohmann::json::array();
  const auto rows = timeline.rows();
  for (const Timeline::Row& l : timeline.layers()) {
    nlohmann::json j = cell_json(l.cell);
    j["name"] = row_name(l);
    if (l.layer != kNoLayer) {
      j["layer"] = l.layer;
      for (const Timeline::Row& r : rows)
        if (r.layer == l.layer) j["operators"][r.op] = cell_json(r.cell);
    }
    list.push_back(j);
  }
  return list;
}

LaunchRecord all(const Session& session) {
  LaunchRecord sum;
  for (const Step& s : session.steps()) sum.add(s.record);
  return sum;
}

}  // namespace

const char* stall_text(const Timeline::Cell& c) { return c.cycles == 0 ? "" : kSpentText[c.stall()]; }

nlohmann::json cell_json(const Timeline::Cell& c) {
  nlohmann::json j = {{"cycles", c.cycles}, {"array_use", share(c.spent[Timeline::kArray], c.cycles)}, {"port_use", share(c.beats, c.cycles)},
                      {"load", c.busy[0]}, {"store", c.busy[1]}, {"matrix", c.busy[2]}, {"vector", c.busy[3]}};
  for (std::size_t i = 0; i < Timeline::kSpents; ++i) j["spent"][kSpent[i]] = c.spent[i];
  if (c.cycles != 0) j["main_stall"] = kSpent[c.stall()];
  return j;
}

Totals totals(const std::vector<Step>& steps, bool decode) {
  Totals t;
  for (const Step& s : steps) {
    if ((s.rows == 1) != decode) continue;
    ++t.launches;
    t.tokens += s.rows;
    t.sum.add(s.record);
    t.dies = std::max<std::uint64_t>(1, s.dies.size());
  }
  return t;
}

Use use(const Totals& t, const spec::Config& config) {
  const std::uint64_t cycles = t.sum[Counter::cycles];
  if (cycles == 0) return {};
  return {static_cast<double>(cycles) / std::max(t.tokens, 1), share(t.sum[Counter::macs], cycles * config.rows * config.cols * t.dies),
          share(t.sum[Counter::ld_beats] + t.sum[Counter::st_beats], cycles)};
}

std::string profile_text(const Session& session, const spec::Config& config) {
  std::string out;
  phase(out, "prefill", totals(session.steps(), false), config);
  phase(out, "decode", totals(session.steps(), true), config);
  const LaunchRecord sum = all(session);
  if (session.timeline() != nullptr) {
    layers(out, *session.timeline(), sum);
    operators(out, *session.timeline(), sum);
  }
  if (sum[Counter::cycles] != 0) reasons(out, sum);
  return out + package_text(session, config);
}

nlohmann::json counters_json(const LaunchRecord& record) {
  nlohmann::json j;
  for (const spec::CounterInfo& c : spec::counters) j[c.name] = record.counters[c.index];
  return j;
}

nlohmann::json profile_json(const Session& session, const spec::Config& config) {
  nlohmann::json j = {{"counters", counters_json(all(session))}};
  if (session.dies() > 1) j["dies"] = package_json(session, config);
  for (const bool decode : {false, true}) {
    const Totals t = totals(session.steps(), decode);
    const Use u = use(t, config);
    j[decode ? "decode" : "prefill"] = {{"tokens", t.tokens}, {"launches", t.launches}};
    if (t.sum[Counter::cycles] == 0) continue;  // no clock, no times
    j[decode ? "decode" : "prefill"].update({{"cycles_per_token", u.cycles_per_token}, {"array_use", u.array}, {"port_use", u.port}});
  }
  if (session.timeline() == nullptr) return j;
  for (const auto& [name, cell] : session.timeline()->operators()) j["operators"][name] = cell_json(cell);
  j["layers"] = layers_json(*session.timeline());
  return j;
}

}  // namespace jogak::cli
