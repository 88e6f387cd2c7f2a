#include "package_trace.hpp"

#include <algorithm>

#include "error.hpp"

namespace jogak::trace {

namespace {

using spec::Counter;

constexpr const char* kEngineNames[] = {"load", "store", "matrix", "vector"};
constexpr const char* kLinkNames[] = {"link east", "link west", "link north", "link south"};
constexpr unsigned kLinkThread = 16;

struct Reason {
  const char* name;
  Counter counter;
};
// Why nothing went on, in cycles; several may count in the same cycle.
constexpr Reason kStalls[] = {
    {"load: semaphore", Counter::ld_wait_sem}, {"store: semaphore", Counter::st_wait_sem}, {"matrix: semaphore", Counter::mx_wait_sem},
    {"matrix: weights", Counter::mx_wait_load}, {"vector: semaphore", Counter::ve_wait_sem}, {"vector: memory bank", Counter::ve_wait_mem},
    {"sequencer: queue full", Counter::seq_wait_queue}, {"sequencer: semaphore", Counter::seq_wait_sem}, {"sequencer: program", Counter::seq_fetch}};
constexpr Reason kWork[] = {{"array", Counter::mx_busy}, {"vector", Counter::ve_busy}, {"read beats", Counter::ld_beats}, {"write beats", Counter::st_beats}};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

std::string meta(unsigned die, const char* what, const std::string& name, int thread = -1) {
  return "{\"ph\":\"M\",\"pid\":" + std::to_string(die) + (thread < 0 ? "" : ",\"tid\":" + std::to_string(thread)) + ",\"name\":\"" + what + "\",\"args\":{\"name\":" + quoted(name) + "}},\n";
}

u64 of(const std::vector<u64>& counters, Counter c) {
  const auto i = static_cast<std::size_t>(c);
  return i < counters.size() ? counters[i] : 0;
}
// A run's counters begin again with the next launch.
u64 grown(u64 now, u64 before) { return now >= before ? now - before : now; }

}  // namespace

PackageTrace::PackageTrace(const Header& h) : header_(h), dies_(std::size_t{h.columns} * h.rows) {
  if (dies_.empty() || h.window == 0 || h.period_ps == 0) throw Error("trace", "dies, window or period", "0", "more");
}

void PackageTrace::name(unsigned die, std::uint32_t pc, std::string name) {
  auto& names = dies_.at(die).names;
  if (names.size() <= pc) names.resize(pc + 1);
  names[pc] = std::move(name);
}

void PackageTrace::begin_launch() {
  for (Die& d : dies_) d.last.counters.clear();
}

void PackageTrace::command(unsigned die, spec::Engine engine, bool start, std::uint32_t pc, u64 cycle) {
  const auto e = static_cast<unsigned>(engine);
  Die& d = dies_.at(die);
  if (e >= kEngines || !complete()) return;
  if (start) return d.open[e].emplace_back(cycle, pc), void();
  if (d.open[e].empty()) throw Error("trace", "die " + std::to_string(die) + ", " + kEngineNames[e] + " engine", "the end of a command at " + std::to_string(pc), "its start before");
  const auto [begin, first] = d.open[e].front();
  d.open[e].pop_front();
  // Commands overlap in their engine; a slice begins where the one before ends.
  const std::string name = first < d.names.size() && !d.names[first].empty() ? d.names[first] : kEngineNames[e];
  spans_.push_back({die, e, std::max(begin, d.free_from[e]), cycle, name, first});
  d.free_from[e] = cycle;
}

void PackageTrace::end(u64 cycle) {
  for (unsigned d = 0; d < dies_.size(); ++d)
    for (unsigned e = 0; e < kEngines; ++e) {
      while (complete() && !dies_[d].open[e].empty()) command(d, static_cast<spec::Engine>(e), false, dies_[d].open[e].front().second, cycle);
      dies_[d].open[e].clear();
    }
}

void PackageTrace::count(unsigned die, u64 cycle, const std::string& name, const std::vector<Value>& values) {
  ++counted_;
  counts_ += "{\"ph\":\"C\",\"pid\":" + std::to_string(die) + ",\"ts\":" + std::to_string(cycle) + ",\"name\":" + quoted(name) + ",\"args\":{";
  for (std::size_t i = 0; i < values.size(); ++i) counts_ += (i == 0 ? "" : ",") + quoted(values[i].name) + ":" + std::to_string(values[i].value);
  counts_ += "}},\n";
}

void PackageTrace::links(unsigned die, u64 cycle, const DieSample& now) {
  Die& d = dies_[die];
  for (unsigned l = 0; l < kLinks; ++l) {
    const LinkSample &a = d.last.links[l], &b = now.links[l];
    if (!b.there) continue;
    if (!b.up && !d.down[l]) d.down[l] = true, d.down_since[l] = cycle;
    if (b.up && d.down[l]) {
      d.down[l] = false;
      spans_.push_back({die, kLinkThread + l, d.down_since[l], cycle, "down", -1});
    }
    count(die, cycle, kLinkNames[l], {{"flits", b.flits - a.flits}, {"damaged", b.damaged - a.damaged}, {"replays", b.replays - a.replays}});
  }
}

void PackageTrace::sample(unsigned die, u64 cycle, const DieSample& now) {
  Die& d = dies_.at(die);
  if (!complete()) return;
  std::vector<Value> stalls, work, queues;
  for (const Reason& r : kStalls) stalls.push_back({r.name, grown(of(now.counters, r.counter), of(d.last.counters, r.counter))});
  for (const Reason& r : kWork) work.push_back({r.name, grown(of(now.counters, r.counter), of(d.last.counters, r.counter))});
  for (unsigned e = 0; e < kEngines; ++e) queues.push_back({kEngineNames[e], now.queued[e]});
  count(die, cycle, "stalls", stalls);
  count(die, cycle, "work", work);
  count(die, cycle, "queues", queues);
  links(die, cycle, now);
  for (std::size_t c = 0; c < now.memory.size(); ++c) {
    const dram::Counts a = c < d.last.memory.size() ? d.last.memory[c] : dram::Counts{}, &b = now.memory[c];
    count(die, cycle, "dram channel " + std::to_string(c),
          {{"reads", grown(b.reads, a.reads)}, {"writes", grown(b.writes, a.writes)}, {"activates", grown(b.activates, a.activates)}, {"refreshes", grown(b.refreshes, a.refreshes)}, {"data ticks", grown(b.data_ticks, a.data_ticks)}});
  }
  d.last = now;
}

std::string PackageTrace::json() const {
  std::string out = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"schema\":\"jogak-trace-1\",\"backend\":" + quoted(header_.backend) + ",\"config\":" + quoted(header_.config) + ",\"columns\":" +
                    std::to_string(header_.columns) + ",\"rows\":" + std::to_string(header_.rows) + ",\"cycle_ps\":" + std::to_string(header_.period_ps) + ",\"window\":" + std::to_string(header_.window) +
                    "},\"traceEvents\":[\n";
  for (unsigned d = 0; d < dies_.size(); ++d) {
    out += meta(d, "process_name", "die " + std::to_string(d) + " (" + std::to_string(d % header_.columns) + ", " + std::to_string(d / header_.columns) + ")");
    for (unsigned e = 0; e < kEngines; ++e) out += meta(d, "thread_name", kEngineNames[e], static_cast<int>(e));
    for (unsigned l = 0; l < kLinks; ++l)
      if (dies_[d].last.links[l].there) out += meta(d, "thread_name", kLinkNames[l], static_cast<int>(kLinkThread + l));
  }
  for (const Span& s : spans_)
    out += "{\"ph\":\"X\",\"pid\":" + std::to_string(s.die) + ",\"tid\":" + std::to_string(s.thread) + ",\"ts\":" + std::to_string(s.begin) + ",\"dur\":" + std::to_string(s.end - s.begin) + ",\"name\":" + quoted(s.name) +
           ",\"args\":{" + (s.pc < 0 ? "" : "\"pc\":" + std::to_string(s.pc)) + "}},\n";
  out += counts_;
  out.resize(out.size() - 2);  // the last comma
  return out + "\n]}\n";
}

}  // namespace jogak::trace
