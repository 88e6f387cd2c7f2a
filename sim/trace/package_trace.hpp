// One trace of a package, whoever simulates it: Chrome's trace format (chrome://tracing, ui.perfetto.dev), docs/trace.md.
//
//   trace::PackageTrace trace({.backend = "cycle", .config = "quad", .columns = 2, .rows = 2});
//   trace::run(package, trace, limit);   // package_run.hpp
//   file << trace.json();
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "npu_spec.hpp"
#include "sim/dram/dram.hpp"

namespace jogak::trace {

using u64 = std::uint64_t;

constexpr unsigned kEngines = 4, kLinks = 4;

struct Header {
  std::string backend = {}, config = {};
  unsigned columns = 1, rows = 1;
  u64 period_ps = 1000;   // of a cycle
  u64 window = 256;       // cycles between two samples
  u64 keep = 0;           // most slices and counter events; later ones are dropped (0: all)
};

// Everything since the simulation began; the trace takes differences.
struct LinkSample {
  bool there = false, up = false;
  u64 flits = 0, damaged = 0, replays = 0;  // sent by this die
};
struct DieSample {
  std::vector<u64> counters = {};  // by index of spec::Counter, of the run
  std::array<unsigned, kEngines> queued{};
  std::array<LinkSample, kLinks> links{};
  std::vector<dram::Counts> memory = {};  // by channel
};

class PackageTrace {
 public:
  explicit PackageTrace(const Header& header);

  const Header& header() const { return header_; }
  // What a command at this pc of a die is called; else it is called by its engine.
  void name(unsigned die, std::uint32_t pc, std::string name);
  // Of one launch of several: counters begin again.
  void begin_launch();
  // In the order of time for each die and engine.
  void command(unsigned die, spec::Engine engine, bool start, std::uint32_t pc, u64 cycle);
  // The run is over: commands that a fault has killed end here.
  void end(u64 cycle);
  void sample(unsigned die, u64 cycle, const DieSample& now);
  std::string json() const;
  bool complete() const { return header_.keep == 0 || spans_.size() + counted_ < header_.keep; }

  struct Span {
    unsigned die, thread;
    u64 begin, end;
    std::string name;
    std::int64_t pc;  // -1: none
    bool operator==(const Span&) const = default;
  };
  const std::vector<Span>& spans() const { return spans_; }

 private:
  struct Value {
    const char* name;
    u64 value;
  };
  struct Die {
    std::array<std::deque<std::pair<u64, std::uint32_t>>, kEngines> open;  // commands under way: cycle, pc
    std::array<u64, kEngines> free_from{};
    std::array<u64, kLinks> down_since{};
    std::array<bool, kLinks> down{};
    std::vector<std::string> names;
    DieSample last;
  };
  void count(unsigned die, u64 cycle, const std::string& name, const std::vector<Value>& values);
  void links(unsigned die, u64 cycle, const DieSample& now);

  Header header_;
  std::vector<Die> dies_;
  std::vector<Span> spans_;
  std::string counts_;  // finished events
  u64 counted_ = 0;
};

}  // namespace jogak::trace
