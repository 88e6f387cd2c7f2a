#include "report.hpp"

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
    line(out, "%s: %d tokens in %d launches, %.0f multiply-accumulates a token, %.0f bytes loaded a token\n", name, t.tokens, t.launches,
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
    line(out, "  %-8s %-26s %6.1f %%\n", std::string(last) == r.engine ? "" : r.engine, r.text, 100 * share(sum[r.counter], sum[Counter::cycles]));
    last = r.engine;
  }
}

using Row = std::pair<std::string, Timeline::Busy>;
std::vector<Row> sorted(const Timeline& timeline) {
  std::vector<Row> rows(timeline.operators().begin(), timeline.operators().end());
  const auto most = [](const Row& r) { return *std::max_element(r.second.begin(), r.second.end()); };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) { return most(a) > most(b); });
  return rows;
}

// busy is indexed ld, st, mx, ve.
void operators(std::string& out, const Timeline& timeline, const LaunchRecord& sum) {
  out += "\ncycles by operator: commands in flight (share of all cycles)\n";
  line(out, "  %-14s %20s %20s %20s %20s\n", "", "matrix", "vector", "load", "store");
  for (const auto& [name, busy] : sorted(timeline)) {
    line(out, "  %-14s", name.c_str());
    for (const std::size_t e : {2u, 3u, 0u, 1u})
      line(out, " %11llu (%4.1f %%)", static_cast<unsigned long long>(busy[e]), 100 * share(busy[e], sum[Counter::cycles]));
    out += "\n";
  }
}

LaunchRecord all(const Session& session) {
  LaunchRecord sum;
  for (const Step& s : session.steps()) sum.add(s.record);
  return sum;
}

}  // namespace

Totals totals(const std::vector<Step>& steps, bool decode) {
  Totals t;
  for (const Step& s : steps) {
    if ((s.rows == 1) != decode) continue;
    ++t.launches;
    t.tokens += s.rows;
    t.sum.add(s.record);
  }
  return t;
}

Use use(const Totals& t, const spec::Config& config) {
  const std::uint64_t cycles = t.sum[Counter::cycles];
  if (cycles == 0) return {};
  return {static_cast<double>(cycles) / t.tokens, share(t.sum[Counter::macs], cycles * config.rows * config.cols),
          share(t.sum[Counter::ld_beats] + t.sum[Counter::st_beats], cycles)};
}

std::string profile_text(const Session& session, const spec::Config& config) {
  std::string out;
  phase(out, "prefill", totals(session.steps(), false), config);
  phase(out, "decode", totals(session.steps(), true), config);
  const LaunchRecord sum = all(session);
  if (session.timeline() != nullptr) operators(out, *session.timeline(), sum);
  if (sum[Counter::cycles] != 0) reasons(out, sum);
  return out;
}

nlohmann::json counters_json(const LaunchRecord& record) {
  nlohmann::json j;
  for (const spec::CounterInfo& c : spec::counters) j[c.name] = record.counters[c.index];
  return j;
}

nlohmann::json profile_json(const Session& session, const spec::Config& config) {
  nlohmann::json j = {{"counters", counters_json(all(session))}};
  for (const bool decode : {false, true}) {
    const Totals t = totals(session.steps(), decode);
    const Use u = use(t, config);
    j[decode ? "decode" : "prefill"] = {{"tokens", t.tokens}, {"launches", t.launches}, {"cycles_per_token", u.cycles_per_token},
                                        {"array_use", u.array}, {"port_use", u.port}};
  }
  if (session.timeline() == nullptr) return j;
  for (const auto& [name, busy] : session.timeline()->operators())
    j["operators"][name] = {{"load", busy[0]}, {"store", busy[1]}, {"matrix", busy[2]}, {"vector", busy[3]}};
  return j;
}

}  // namespace jogak::cli
