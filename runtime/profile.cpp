#include "profile.hpp"

#include <algorithm>

namespace jogak {
namespace {

constexpr const char* kNames[] = {"load", "store", "matrix", "vector"};

}  // namespace

std::string Timeline::operator_at(std::uint32_t pc) const {
  for (const MapEntry& e : map_)
    if (pc >= e.first && pc <= e.last) return e.layer.empty() ? e.op : e.layer + " " + e.op;
  return "(none)";
}

void Timeline::event(const driver::TraceEvent& e) {
  const auto engine = static_cast<std::size_t>(e.engine);
  if (engine >= kEngines) return;
  if (e.start) {
    open_[engine].push_back({e.cycle, e.pc});
    return;
  }
  if (open_[engine].empty()) return;
  const Started s = open_[engine].front();
  open_[engine].pop_front();
  const std::uint64_t begin = std::max(s.cycle, free_from_[engine]);
  free_from_[engine] = e.cycle;
  operators_[operator_at(s.pc)][engine] += e.cycle - begin;
  if (spans_.size() < keep_) spans_.push_back({begin, e.cycle, e.engine, s.pc});
}

std::string Timeline::chrome_json() const {
  std::string out = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
  for (std::size_t i = 0; i < kEngines; ++i) {
    out += "{\"ph\":\"M\",\"pid\":1,\"tid\":" + std::to_string(i) + ",\"name\":\"thread_name\",\"args\":{\"name\":\"" + kNames[i] + "\"}},\n";
  }
  for (const Span& s : spans_) {
    out += "{\"ph\":\"X\",\"pid\":1,\"tid\":" + std::to_string(static_cast<int>(s.engine)) + ",\"ts\":" + std::to_string(s.begin) +
           ",\"dur\":" + std::to_string(s.end - s.begin) + ",\"name\":\"" + operator_at(s.pc) + "\",\"args\":{\"pc\":" + std::to_string(s.pc) + "}},\n";
  }
  return out + "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"jogak\"}}\n]}\n";
}

}  // namespace jogak
