// Where time went: counters of launches, and commands by operator where the device has a clock.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "loaded.hpp"

namespace jogak {

// Follows the commands of one program. Each cycle in which an engine has a command in flight belongs to the oldest one.
class Timeline {
 public:
  static constexpr std::size_t kEngines = 4;
  struct Span {
    std::uint64_t begin, end;  // cycles
    spec::Engine engine;
    std::uint32_t pc;
  };

  // keep: most spans to remember for a trace file; later ones only count.
  Timeline(const Program& program, std::size_t keep) : map_(program.map), keep_(keep) {}
  void event(const driver::TraceEvent& e);

  // Busy cycles of ld, st, mx, ve by operator.
  using Busy = std::array<std::uint64_t, kEngines>;
  const std::map<std::string, Busy>& operators() const { return operators_; }
  // In Chrome's trace format: a thread per engine, one microsecond per cycle.
  std::string chrome_json() const;
  bool complete() const { return spans_.size() < keep_; }

 private:
  std::string operator_at(std::uint32_t pc) const;
  struct Started {
    std::uint64_t cycle;
    std::uint32_t pc;
  };

  std::vector<MapEntry> map_;
  std::size_t keep_;
  std::array<std::deque<Started>, kEngines> open_;
  std::array<std::uint64_t, kEngines> free_from_{};  // an engine's last end
  std::map<std::string, Busy> operators_;
  std::vector<Span> spans_;
};

}  // namespace jogak
