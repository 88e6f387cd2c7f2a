// Random exchanges between four dies, and what the plain cycle model makes of them.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "sim/cycle/package.hpp"
#include "sim/package/spec.hpp"
#include "sim/rtl/exchange.hpp"
#include "time.hpp"

namespace jogak::systemc {

// nanoquad.yaml with other memories, and die b as something else.
inline package::PackageSpec spec_with(const std::string& preset, const char* as = nullptr) {
  std::ifstream in("boards/packages/nanoquad.yaml");
  std::ostringstream all;
  all << in.rdbuf();
  std::string text = all.str();
  text.replace(text.find("preset: ideal"), 13, "preset: " + preset);
  if (as != nullptr) text.replace(text.find("at: [1, 0]"), 10, std::string("at: [1, 0], as: ") + as);
  return package::parse_package(text, "test");
}

// Four dies that send each other boxes and signals, with memories of noise.
struct Exchange {
  explicit Exchange(u64 seed)
      : values(*spec::find_config("nanoquad"), 2, 2), programs(rtl::Exchange(values.die(0).config(), 4, seed, true).make(6)) {
    std::mt19937_64 random(seed);
    for (u32 d = 0; d < 4; ++d) {
      model::Machine& m = values.die(d);
      m.randomize(seed + d);
      for (u32& word : m.memories().vmem) word = 0x3f000000u | (static_cast<u32>(random()) & 0x80ffffffu);
      for (std::uint8_t& b : m.dram().allocate(rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes)) b = static_cast<std::uint8_t>(random());
      model::Launch l{.code = programs[d].code()};
      l.windows[0] = {rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes, true, true};
      for (u32 j = 0; j < 4; ++j) l.windows[1 + j] = {model::remote_base(j % 2, j / 2), model::kRemoteWindowBytes, false, true};
      launches.push_back(l);
    }
  }
  std::vector<model::Machine*> machines() {
    std::vector<model::Machine*> all;
    for (u32 d = 0; d < 4; ++d) all.push_back(&values.die(d));
    return all;
  }
  model::Package values;
  std::vector<ProgramBuilder> programs;
  std::vector<model::Launch> launches;
};

struct Outcome {
  std::vector<std::vector<cycle::Event>> events = std::vector<std::vector<cycle::Event>>(4);
  std::vector<std::array<u64, model::kCounters>> counters;
  std::vector<std::vector<u32>> memory;
};

inline void keep(Outcome& o, Exchange& x, const std::vector<model::Result>& results) {
  for (u32 d = 0; d < 4; ++d) {
    CHECK(results[d].ok());
    o.counters.push_back(results[d].counters.values);
    const auto& words = x.values.die(d).memories().vmem;
    o.memory.emplace_back(words.size());
    std::memcpy(o.memory.back().data(), words.data(), words.size() * 4);
  }
}

// launches: how often, one after the other, each so many cycles after begin().
inline Outcome plain(u64 seed, const package::PackageSpec& spec, int launches, u64 delay = 0) {
  Exchange x(seed);
  std::vector<std::unique_ptr<MemoryTiming>> behind;
  cycle::PackageOptions o;
  o.link = {spec.link()->gb_per_s(), u64(spec.link()->latency_ns * 1000), spec.link()->bit_error_rate};
  for (const auto& die : spec.dies) {
    behind.push_back(die.memory->make());
    o.memories.push_back({.behind = behind.back().get()});
  }
  cycle::Package package(x.values, o);
  Outcome outcome;
  for (u32 d = 0; d < 4; ++d) package.trace(d, &outcome.events[d]);
  for (int i = 0; i < launches; ++i) {
    std::vector<cycle::Package::Launch> all;
    for (const model::Launch& l : x.launches) all.push_back({.job = l, .code = rtl::kBase, .resident = false, .delay = delay});
    keep(outcome, x, package.launch(all));
  }
  return outcome;
}

inline void same(const Outcome& a, const Outcome& b) {
  CHECK(a.counters == b.counters);
  CHECK(a.memory == b.memory);
  for (u32 d = 0; d < 4; ++d) {
    REQUIRE(a.events[d].size() == b.events[d].size());
    CHECK(a.events[d].size() > 20);
    const auto told = [](const cycle::Event& e) {
      return "cycle " + std::to_string(e.cycle) + ", engine " + std::to_string(e.engine) + (e.start ? " starts" : " ends") + " pc " + std::to_string(e.pc);
    };
    for (std::size_t i = 0; i < a.events[d].size(); ++i) {
      CAPTURE(d);
      CAPTURE(i);
      REQUIRE(told(a.events[d][i]) == told(b.events[d][i]));
    }
  }
}

}  // namespace jogak::systemc
