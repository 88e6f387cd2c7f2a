// Packages: model and RTL agree bit by bit on random programs in which every die sends to every other, over links with latency, slow
// lanes and wrong bits, with random memory stalls.
#include "sim/rtl/package.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "error.hpp"
#include "exchange.hpp"

using namespace jogak;
using namespace jogak::rtl;
using model::u32;
using model::u64;
using model::u8;
using spec::Engine;
using spec::Space;

namespace {

// The package twice, with the same memories and programs.
class Both {
 public:
  Both(const PackageOptions& o, u64 seed) : config(*spec::find_config("nanoquad")), model(config, o.columns, o.rows, {.check = true}) {
    PackageOptions with = o;
    with.die.dram_base = kBase, with.die.dram_bytes = kCodeBytes + kWindowBytes;
    rtl = make_package("nanoquad", with);
    std::mt19937_64 random(seed);
    for (u32 d = 0; d < model.dies(); ++d) {
      model::Machine& m = model.die(d);
      m.randomize(seed + d);
      for (u32& word : m.memories().vmem) word = 0x3f000000u | (static_cast<u32>(random()) & 0x80ffffffu);
      dram.push_back(m.dram().allocate(kBase + kCodeBytes, kWindowBytes));
      for (u8& b : dram.back()) b = u8(random());
      for (const Space s : kSpaces) rtl->die(d).poke(s, 0, m.memories().bytes(s));
      std::ranges::copy(dram.back(), rtl->die(d).dram().begin() + kCodeBytes);
    }
  }

  void launch(const std::vector<ProgramBuilder>& programs) {
    const u32 columns = model.columns();
    launches.clear();
    for (u32 d = 0; d < model.dies(); ++d) {
      model::Launch l{.code = programs[d].code()};
      sim::LaunchSetup setup{.code = kBase, .code_len = u32(programs[d].code().size())};
      l.windows[0] = {kBase + kCodeBytes, kWindowBytes, true, true};
      for (u32 j = 0; j < model.dies(); ++j) l.windows[1 + j] = {model::remote_base(j % columns, j / columns), model::kRemoteWindowBytes, false, true};
      if (extra.size != 0) l.windows[7] = extra;
      for (u32 w = 0; w < l.windows.size(); ++w) setup.windows[w] = {l.windows[w].base, l.windows[w].size, l.windows[w].readable, l.windows[w].writable};
      launches.push_back(l);
      REQUIRE(l.code.size() * sizeof(spec::Insn) <= kCodeBytes);
      std::memcpy(rtl->die(d).dram().data(), l.code.data(), l.code.size() * sizeof(spec::Insn));
      sim::launch(rtl->die(d), setup);
    }
  }
  void run(const std::vector<ProgramBuilder>& programs, u64 limit = 400'000) {
    launch(programs);
    expected = model.launch(launches);
    if (midway) midway();
    if (!rtl->run_until_done(limit)) throw Error("package test", "cycles", "some dies still running after " + std::to_string(limit), "all done");
    for (u32 d = 0; d < model.dies(); ++d) found.push_back(sim::collect(rtl->die(d)));
    for (u32 d = 0; d < model.dies(); ++d)
      for (const std::string& v : model.die(d).violations()) FAIL_CHECK("die " << d << ": " << v);
  }

  void compare() {
    for (u32 d = 0; d < model.dies(); ++d) {
      CAPTURE(d);
      CHECK(found[d].fault.code == expected[d].fault.code);
      CHECK(found[d].fault.pc == expected[d].fault.pc);
      if (expected[d].fault.code != spec::Fault::none) CHECK(found[d].fault.address == expected[d].fault.address);
      for (const spec::CounterInfo& c : spec::counters) {
        CAPTURE(c.name);
        if (c.exact) CHECK(found[d].counters[c.index] == expected[d].counters.values[c.index]);
      }
      for (const Space s : kSpaces) {
        const auto want = model.die(d).memories().bytes(s);
        std::vector<u8> got(want.size());
        rtl->die(d).peek(s, 0, got);
        const auto at = std::ranges::mismatch(got, want).in1 - got.begin();
        CAPTURE(static_cast<int>(s));
        CHECK(at == static_cast<long>(want.size()));
      }
      CHECK(std::ranges::equal(rtl->die(d).dram().subspan(kCodeBytes, kWindowBytes), dram[d]));
    }
  }

  const spec::Config& config;
  model::Package model;
  std::unique_ptr<PackageSimulator> rtl;
  std::vector<std::span<u8>> dram;
  std::vector<model::Launch> launches;
  std::function<void()> midway;  // after the launch
  std::vector<model::Result> expected;
  std::vector<sim::RunResult> found;
  model::Window extra;  // window 7
};

void exchange(const PackageOptions& options, u64 seed, u32 rounds) {
  CAPTURE(seed);
  Both both(options, seed);
  both.run(Exchange(both.config, both.model.dies(), seed).make(rounds));
  for (const auto& e : both.expected) REQUIRE(e.ok());
  both.compare();
}

}  // namespace

TEST_CASE("package: random exchanges of 1, 2 and 4 dies, model and RTL") {
  for (u64 seed = 1; seed <= 12; ++seed) {
    constexpr std::array<std::array<u32, 2>, 4> kMeshes = {{{2, 2}, {2, 1}, {1, 2}, {1, 1}}};
    const auto [columns, rows] = kMeshes[seed % 4];
    PackageOptions o;
    o.columns = columns, o.rows = rows;
    o.link = {seed % 3 == 0 ? 4.0 : 34.0, seed * 900, seed % 4 == 0 ? 1e-5 : 0, seed};
    o.die.seed = seed, o.die.stall = seed % 2 ? 0 : 60;
    exchange(o, seed, 6);
  }
}

TEST_CASE("package: links that train again in the middle of a run lose nothing") {
  PackageOptions o;
  o.link = {17, 2000, 1e-5, 3};
  Both both(o, 5);
  // Lanes of two links break while the dies wait at the start; they go on with half of them.
  both.rtl->channel(0, 0).break_lanes(true, false);
  both.rtl->channel(3, 3).break_lanes(false, true);
  both.run(Exchange(both.config, 4, 5).make(8));
  for (const auto& e : both.expected) REQUIRE(e.ok());
  both.compare();
}

TEST_CASE("package: stores to no chiplet or memory are bus errors, at the right address") {
  struct Bad { u64 base; u32 offset; u32 len; };
  const u32 vmem = u32(Space::vmem) << spec::limit::remote_region_bit, aspm = u32(Space::aspm) << spec::limit::remote_region_bit;
  for (const Bad& bad : {Bad{model::remote_base(2, 0), vmem, 64}, {model::remote_base(0, 1), vmem, 64}, {model::remote_base(1, 0), 0, 64},
                         {model::remote_base(1, 0), vmem + 65536 - 32, 64}, {model::remote_base(1, 0), vmem + 2, 64}, {model::remote_base(1, 0), aspm + 65535 - 61, 64},
                         {model::remote_base(1, 0), model::remote_signal_offset(33, 0), 4}, {model::remote_base(1, 0), model::remote_signal_offset(33, 1) + 8, 4}}) {
    CAPTURE(bad.base);
    CAPTURE(bad.offset);
    PackageOptions o;
    o.columns = 2, o.rows = 1;
    Both both(o, 9);
    std::vector<ProgramBuilder> programs(2);
    ProgramBuilder& b = programs[0];
    b.li(20, bad.offset), b.li(21, bad.len), b.li(22, 1);
    spec::Store s{};
    s.win = 7, s.space = Space::vmem, s.da = 20, s.len = 21, s.n1 = s.n2 = 22;
    b.store(s);
    b.signal(Engine::st, 0), b.wait(Engine::seq, 0);
    for (ProgramBuilder& p : programs) p.halt();
    both.extra = {bad.base, model::kRemoteWindowBytes, false, true};
    both.run(programs);
    CHECK(both.expected[0].fault.code == spec::Fault::bus);
    for (u32 d = 0; d < 2; ++d) CHECK(both.found[d].fault.code == both.expected[d].fault.code);
    CHECK(both.found[0].fault.address == both.expected[0].fault.address);
  }
}

TEST_CASE("package: local signals never reach remote semaphores, a die that waits in vain is named and can be aborted") {
  PackageOptions o;
  o.columns = 2, o.rows = 1;
  {
    Both both(o, 3);
    std::vector<ProgramBuilder> programs(2);
    programs[0].emit(spec::Signal{Engine::st, 40, 1});
    for (ProgramBuilder& p : programs) p.halt();
    both.run(programs);
    CHECK(both.expected[0].fault.code == spec::Fault::semaphore);
    both.compare();
  }
  Both both(o, 4);
  std::vector<ProgramBuilder> programs(2);
  programs[1].wait(Engine::mx, 40, 3);
  for (ProgramBuilder& p : programs) p.halt();
  std::vector<model::Launch> launches = {{.code = programs[0].code()}, {.code = programs[1].code()}};
  const auto expected = both.model.launch(launches);
  CHECK(expected[0].ok());
  CHECK(expected[1].fault == model::FaultRecord{spec::Fault::timeout, 0, Engine::mx, 40});
  CHECK_THROWS_AS(both.run(programs, 5000), const Error&);
  both.rtl->die(1).write_csr(spec::csr::control, 1);
  CHECK(both.rtl->run_until_done(5000));
  CHECK(sim::collect(both.rtl->die(1)).aborted);
}

TEST_CASE("package: links die and come back in the middle of the traffic, in one direction or both, nothing is lost") {
  for (const bool both_ways : {false, true}) {
    CAPTURE(both_ways);
    PackageOptions o;
    o.link = {17, 2000, 1e-6, 3};
    Both both(o, 11);
    const u64 begin = both.rtl->cycles();
    both.midway = [&] {
      both.rtl->run_until_done(600);
      for (const auto& [die, link] : {std::pair{0u, 0u}, {2u, 3u}}) {
        both.rtl->channel(die, link).cut(true);
        if (both_ways) both.rtl->channel(die == 0 ? 1 : 0, link ^ 1).cut(true);
      }
      CHECK_FALSE(both.rtl->run_until_done(6000));
      CHECK_FALSE(both.rtl->link_up(0, 0));
      CHECK_FALSE(both.rtl->link_up(0, 2));
      for (const auto& [die, link] : {std::pair{0u, 0u}, {2u, 3u}}) {
        both.rtl->channel(die, link).cut(false);
        if (both_ways) both.rtl->channel(die == 0 ? 1 : 0, link ^ 1).cut(false);
      }
    };
    both.run(Exchange(both.config, 4, 11).make(8));
    CHECK(both.rtl->cycles() - begin > 6600);
    CHECK(both.rtl->replays() > 0);
    for (const auto& e : both.expected) REQUIRE(e.ok());
    both.compare();
  }
}

TEST_CASE("package: a die that never answers is reported with what waits for it, in time") {
  const auto refused = [](Both& both, const std::vector<ProgramBuilder>& programs, u64 limit, u64 patience) {
    both.launch(programs);
    const u64 begin = both.rtl->cycles();
    try {
      run_to_end(*both.rtl, limit, patience);
    } catch (const Error& e) {
      CHECK(both.rtl->cycles() - begin <= std::min(limit, patience + 3000));
      return std::string(e.what());
    }
    return std::string("it ended");
  };
  PackageOptions o;
  o.columns = 2, o.rows = 1;
  {  // Its program forgets to signal.
    Both both(o, 4);
    std::vector<ProgramBuilder> programs(2);
    programs[0].wait(Engine::st, kData + 1, 3);
    programs[0].wait(Engine::seq, kRoom + 1, 2);
    for (ProgramBuilder& p : programs) p.halt();
    const std::string text = refused(both, programs, 1'000'000, 5000);
    CHECK(text.find("die 0: its store engine waits for 3 of semaphore 33, which another die signals") != std::string::npos);
    CHECK(text.find("die 0: its sequencer waits for 2 of semaphore 49") != std::string::npos);
    CHECK(text.find("die 1") == std::string::npos);
    CHECK(text.find("down") == std::string::npos);
  }
  {  // It is cut off for good.
    Both both(o, 5);
    both.rtl->channel(1, 1).cut(true);
    const std::string text = refused(both, Exchange(both.config, 2, 5).make(6), 60'000, 20'000);
    CHECK(text.find("of semaphore") != std::string::npos);
    CHECK(text.find("link east of die 0 is down") != std::string::npos);
    CHECK(text.find("link west of die 1 is down") != std::string::npos);
  }
  {  // No lanes are left between them.
    Both both(o, 6);
    both.rtl->channel(0, 0).break_lanes(true, true);
    const std::string text = refused(both, Exchange(both.config, 2, 6).make(6), 60'000, 20'000);
    CHECK(text.find("link east of die 0 is down") != std::string::npos);
  }
}
