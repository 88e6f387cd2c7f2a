// Packages with memory and io dies between compute dies: they only carry.
#include "exchange_test.hpp"
#include "platform.hpp"

using namespace jogak;
using namespace jogak::systemc;

namespace {

constexpr u64 kMemoryBytes = 1 << 20;

// Two dies that send each other boxes and signals, at these places of a mesh; the other dies halt at once.
struct Pair {
  Pair(u64 seed, u32 columns, u32 rows, std::array<u32, 2> at)
      : places(at), values(*spec::find_config("nanoquad"), columns, rows), programs(rtl::Exchange(values.die(0).config(), 2, seed, true).make(6)), launches(values.dies(), {.code = halt}) {
    std::mt19937_64 random(seed);
    for (u32 i = 0; i < 2; ++i) {
      model::Machine& m = die(i);
      m.randomize(seed + i);
      for (u32& word : m.memories().vmem) word = 0x3f000000u | (static_cast<u32>(random()) & 0x80ffffffu);
      for (std::uint8_t& b : m.dram().allocate(rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes)) b = static_cast<std::uint8_t>(random());
      model::Launch& l = launches[places[i]];
      l.code = programs[i].code();
      l.windows[0] = {rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes, true, true};
      for (u32 j = 0; j < 2; ++j) l.windows[1 + j] = {model::remote_base(places[j] % columns, places[j] / columns), model::kRemoteWindowBytes, false, true};
    }
  }
  model::Machine& die(u32 i) { return values.die(places[i]); }

  const std::vector<spec::Insn> halt{spec::encode(spec::Halt{})};
  std::array<u32, 2> places;
  model::Package values;
  std::vector<ProgramBuilder> programs;
  std::vector<model::Launch> launches;
};

struct Ran {
  std::vector<std::vector<cycle::Event>> events = std::vector<std::vector<cycle::Event>>(2);
  std::vector<model::Result> results;
};

Ran on_plain(Pair& p, const package::PackageSpec& spec) {
  std::vector<std::unique_ptr<MemoryTiming>> behind;
  cycle::PackageOptions o;
  o.link = {spec.link()->gb_per_s(), u64(spec.link()->latency_ns * 1000), 0};
  for (const package::Die& d : spec.dies) o.memories.push_back({.behind = behind.emplace_back(d.memory ? d.memory->make() : nullptr).get()});
  cycle::Package package(p.values, o);
  Ran ran;
  for (u32 i = 0; i < 2; ++i) package.trace(p.places[i], &ran.events[i]);
  std::vector<cycle::Package::Launch> all;
  for (const model::Launch& l : p.launches) all.push_back({.job = l, .code = rtl::kBase});
  ran.results = package.launch(all);
  return ran;
}

Ran on_systemc(Pair& p, Platform& platform) {
  Ran ran;
  for (u32 i = 0; i < 2; ++i) platform.die(p.places[i]).trace(&ran.events[i]);
  std::vector<Chiplet::Job> jobs;
  for (const model::Launch& l : p.launches) jobs.push_back({l, rtl::kBase, false});
  platform.begin(jobs);
  int pieces = 0;
  while (!platform.run(10'000)) REQUIRE(++pieces < 1000);
  for (u32 d = 0; d < platform.dies(); ++d) ran.results.push_back(platform.die(d).result());
  return ran;
}

// What each engine started, in its order, and what it ended.
std::vector<std::vector<u32>> orders(const std::vector<cycle::Event>& events) {
  std::vector<std::vector<u32>> by_engine(32);
  for (const cycle::Event& e : events) by_engine.at(e.engine * 2u + e.start).push_back(e.pc);
  return by_engine;
}

u64 cycles(const model::Result& r) { return r.counters[spec::Counter::cycles]; }

package::PackageSpec spec_of(const char* file, const std::string& config) {
  package::PackageSpec spec = package::read_package(std::string("boards/packages/") + file);
  for (package::Die& d : spec.dies) {
    d.config = config;
    for (auto& l : d.links)
      if (l) l->bit_error_rate = 0;
  }
  return spec;
}

void carried(u64 seed, const package::PackageSpec& spec, std::array<u32, 2> places) {
  CAPTURE(seed);
  // Side by side, on the exact model alone and in time.
  Pair exact(seed, 2, 1, {0, 1}), beside(seed, 2, 1, {0, 1});
  const std::vector<model::Result> meant = exact.values.launch(exact.launches);
  package::PackageSpec two = spec;
  two.dies = {spec.dies[places[0]], spec.dies[places[1]]};
  const Ran direct = on_plain(beside, two);
  // In the package, as modules and as the plain cycle model.
  Pair far(seed, spec.columns, spec.rows, places), again(seed, spec.columns, spec.rows, places);
  Platform platform(spec, far.values, rtl::kBase, kMemoryBytes);
  const Ran ran = on_systemc(far, platform);
  for (const model::Result& r : ran.results) CHECK(r.ok());
  for (u32 i = 0; i < 2; ++i) {
    CAPTURE(i);
    const model::Result& r = ran.results[places[i]];
    for (const auto space : rtl::kSpaces) CHECK(std::ranges::equal(far.die(i).memories().bytes(space), exact.die(i).memories().bytes(space)));
    for (const spec::CounterInfo& c : spec::counters)
      if (c.exact) CHECK(r.counters.values[c.index] == meant[i].counters.values[c.index]);
    CHECK(ran.events[i].size() > 20);
    CHECK(orders(ran.events[i]) == orders(direct.events[i]));
  }
  for (u32 d = 0; d < spec.dies.size(); ++d) {  // what passes
    if (spec.dies[d].as == "rtl") continue;     // counts nothing
    u64 sent = 0;
    for (u32 l = 0; l < kLinks; ++l) sent += platform.use(d, l).payload_bytes;
    CHECK(sent > 0);
  }
  const Ran plain = on_plain(again, spec);
  for (u32 d = 0; d < spec.dies.size(); ++d) CHECK(ran.results[d].counters.values == plain.results[d].counters.values);
}

}  // namespace

TEST_CASE("an io die between two compute dies carries their packets: bits and order of the exact model") {
  package::PackageSpec spec = spec_of("io-pair.yaml", "nanoquad");
  SUBCASE("cycle models") {}
  SUBCASE("DDR4") {
    for (package::Die& d : spec.dies)
      if (d.memory) d.memory->timing = "ddr4-3200";
  }
#if JOGAK_SYSTEMC_RTL
  SUBCASE("the io die Verilated") { spec.dies[1].as = "rtl"; }
#endif
  for (u64 seed = 1; seed < 4; ++seed) carried(seed, spec, {0, 2});
}

TEST_CASE("a die between costs a router and a link each way") {
  constexpr u32 kRounds = 100;
  const package::PackageSpec spec = spec_of("io-pair.yaml", "nanoquad");
  const auto run = [&](u32 columns, std::array<u32, 2> places) {
    Pair p(1, columns, 1, places);
    for (u32 i = 0; i < 2; ++i) {  // a signal there, then one back
      ProgramBuilder& b = p.programs[i] = {};
      b.li(17, model::remote_signal_offset(32, 1)), b.li(18, 4), b.li(19, 1);
      for (u32 r = 0; r < kRounds; ++r) {
        if (i == 1) b.wait(spec::Engine::st, 32);
        b.store({.win = std::uint8_t(2 - i), .space = spec::Space::vmem, .da = 17, .len = 18, .n1 = 19, .n2 = 19});
        if (i == 0) b.wait(spec::Engine::st, 32);
      }
      b.halt();
      p.launches[places[i]].code = b.code();
    }
    if (columns == 2) {
      package::PackageSpec two = spec;
      two.dies = {spec.dies[0], spec.dies[2]};
      return cycles(on_plain(p, two).results[0]);
    }
    Platform platform(spec, p.values, rtl::kBase, kMemoryBytes);
    return cycles(on_systemc(p, platform).results[0]);
  };
  const double hop = double(run(3, {0, 2}) - run(2, {0, 1})) / (2 * kRounds);
  MESSAGE("a die between: " << hop << " cycles a way");
  CHECK(hop > spec.link()->latency_ns);  // at 1 GHz
  CHECK(hop < 30);
}

TEST_CASE("a memory die carries one way, an io die the other") {
  const package::PackageSpec spec = spec_of("memory-corner.yaml", "nanoquad");
  for (u64 seed = 1; seed < 4; ++seed) carried(seed, spec, {0, 3});
  Pair p(1, 2, 2, {0, 3});
  Platform platform(spec, p.values, rtl::kBase, kMemoryBytes);
  CHECK(platform.memory(1) != nullptr);
  CHECK(platform.memory(2) == nullptr);
}
