// The cycle model of a package beside the exact package: same values, ends, faults; pieces and repeated runs. Its time is compared with the
// RTL's by jogak-package-fuzz (tests/cycle).
#include "sim/cycle/package.hpp"

#include <doctest/doctest.h>

#include "error.hpp"
#include "sim/rtl/exchange.hpp"

using namespace jogak;
using model::u32;
using model::u64;
using spec::Engine;

namespace {

constexpr u64 kBase = rtl::kBase;

struct Job {
  explicit Job(std::vector<ProgramBuilder> p, u32 columns = 2, u32 rows = 1) : values(*spec::find_config("nanoquad"), columns, rows), programs(std::move(p)) {
    for (u32 d = 0; d < values.dies(); ++d) {
      values.die(d).randomize(d);
      values.die(d).dram().allocate(kBase, rtl::kWindowBytes);
      model::Launch l{.code = programs[d].code()};
      l.windows[0] = {kBase, rtl::kWindowBytes, true, true};
      for (u32 j = 0; j < values.dies(); ++j) l.windows[1 + j] = {model::remote_base(j % columns, j / columns), model::kRemoteWindowBytes, false, true};
      launches.push_back(l);
    }
  }
  std::vector<cycle::Package::Launch> timed() const {
    std::vector<cycle::Package::Launch> t;
    for (const model::Launch& l : launches) t.push_back({.job = l, .code = kBase});
    return t;
  }
  model::Package values;
  std::vector<ProgramBuilder> programs;
  std::vector<model::Launch> launches;
};

std::vector<ProgramBuilder> exchange(u32 dies, u64 seed) { return rtl::Exchange(*spec::find_config("nanoquad"), dies, seed, true).make(5); }

u64 cycles_of(const model::Result& r) { return r.counters[spec::Counter::cycles]; }

// 4 bytes of vector memory to `offset` of the window's chiplet.
void store(ProgramBuilder& b, u32 window, u32 offset) {
  b.li(20, offset), b.li(21, 4), b.li(22, 1);
  spec::Store s{};
  s.win = static_cast<model::u8>(window), s.space = spec::Space::vmem, s.da = 20, s.len = 21, s.n1 = s.n2 = 22;
  b.store(s);
}

}  // namespace

TEST_CASE("cycle package: values are the exact package's, a run in pieces, and one again, is the same run") {
  Job exact(exchange(4, 7), 2, 2), whole(exchange(4, 7), 2, 2), pieces(exchange(4, 7), 2, 2);
  const auto expected = exact.values.launch(exact.launches);
  cycle::Package a(whole.values, {.link = {.gb_per_s = 17, .bit_error_rate = 1e-5}}), b(pieces.values, {.link = {.gb_per_s = 17, .bit_error_rate = 1e-5}});
  const auto found = a.launch(whole.timed());
  b.begin(pieces.timed());
  while (!b.run(b.cycles() + 100)) {
  }
  CHECK(a.cycles() == b.cycles());
  const auto again = b.results();
  u64 replays = 0;
  for (u32 d = 0; d < 4; ++d) {
    CAPTURE(d);
    CHECK(found[d].fault == expected[d].fault);
    CHECK(whole.values.die(d).memories() == exact.values.die(d).memories());
    CHECK(found[d].counters.values == again[d].counters.values);
    for (const spec::CounterInfo& c : spec::counters)
      if (c.exact) CHECK(found[d].counters.values[c.index] == expected[d].counters.values[c.index]);
    CHECK(cycles_of(found[d]) > 1000);
    for (u32 l = 0; l < cycle::Package::kLinks; ++l) {
      const cycle::LinkCounters n = a.link(d, l);
      replays += n.replays;
      const bool there = (d % 2 == 0 && l == 0) || (d % 2 == 1 && l == 1) || (d < 2 && l == 2) || (d >= 2 && l == 3);
      CHECK((n.flits != 0) == there);
      CHECK(n.payload_bytes <= 64 * n.data_flits);
      CHECK(n.busy_cycles >= n.flits * 4);  // 68 bytes at 17 a cycle
    }
  }
  CHECK(replays > 0);
  const auto second = a.launch(whole.timed());
  for (u32 d = 0; d < 4; ++d) CHECK(second[d].ok());
}

TEST_CASE("cycle package: links have rates of their own, and a slow one costs time") {
  u64 cycles[2];
  for (const bool slow : {false, true}) {
    Job job(exchange(2, 3));
    cycle::PackageOptions o;
    o.links.resize(2 * cycle::Package::kLinks, {.gb_per_s = 64});
    if (slow) o.links[0].gb_per_s = 0.5;  // die 0, east
    cycle::Package package(job.values, o);
    const auto results = package.launch(job.timed());
    cycles[slow] = cycles_of(results[1]);
    CHECK((package.link(0, 0).busy_cycles > 100 * package.link(0, 0).flits) == slow);
  }
  CHECK(cycles[1] > cycles[0] + 500);
}

TEST_CASE("cycle package: a die that waits in vain is named as in the exact package, and the next launch runs") {
  std::vector<ProgramBuilder> programs(2);
  programs[1].wait(Engine::mx, 40, 3);
  for (ProgramBuilder& p : programs) p.halt();
  Job job(std::move(programs)), exact({ProgramBuilder(job.programs[0]), ProgramBuilder(job.programs[1])});
  cycle::Package package(job.values, {});
  const auto found = package.launch(job.timed()), expected = exact.values.launch(exact.launches);
  CHECK(found[0].ok());
  CHECK(found[1].fault == expected[1].fault);
  CHECK(found[1].fault == model::FaultRecord{spec::Fault::timeout, 0, Engine::mx, 40});
  auto t = job.timed();
  t[1].job.code = t[0].job.code;
  const auto next = package.launch(t);
  CHECK(next[0].ok());
  CHECK(next[1].ok());
}

TEST_CASE("cycle package: a store to no chiplet is a bus error, and what a stopped die did not take is thrown away") {
  std::vector<ProgramBuilder> programs(2);
  store(programs[0], 7, u32(spec::Space::vmem) << spec::limit::remote_region_bit);
  programs[0].signal(Engine::st, 0), programs[0].wait(Engine::seq, 0);
  // Die 1 sends to die 0, which has stopped by then.
  programs[1].li(1, 2000), programs[1].loop(1, [&] { programs[1].mov(2, 2); });
  for (int i = 0; i < 40; ++i) store(programs[1], 1, model::remote_signal_offset(33, 1));
  for (ProgramBuilder& p : programs) p.halt();
  Job job(std::move(programs));
  auto t = job.timed();
  t[0].job.windows[7] = {model::remote_base(5, 0), model::kRemoteWindowBytes, false, true};
  cycle::Package package(job.values, {});
  const auto found = package.launch(t);
  CHECK(found[0].fault.code == spec::Fault::bus);
  CHECK(found[0].fault.engine == Engine::st);
  CHECK(found[1].ok());
  // The fault stops it long before its sequencer would end.
  CHECK(cycles_of(found[0]) < 400);
  std::vector<ProgramBuilder> good = exchange(2, 3);
  for (u32 d = 0; d < 2; ++d) t[d].job.code = good[d].code();
  for (const auto& r : package.launch(t)) CHECK(r.ok());
}

TEST_CASE("cycle package: abort ends every die") {
  std::vector<ProgramBuilder> programs(2);
  for (ProgramBuilder& p : programs) {
    p.li(1, 60000), p.loop(1, [&] { p.li(2, 60000), p.loop(2, [&] { p.mov(3, 3); }); });
    p.halt();
  }
  Job job(std::move(programs));
  cycle::Package package(job.values, {});
  package.begin(job.timed());
  CHECK(!package.run(package.cycles() + 5000));
  CHECK_THROWS_AS(package.begin(job.timed()), const Error&);
  package.abort();
  CHECK(package.run(package.cycles() + 5000));
  CHECK(package.aborted());
  for (const auto& r : package.results()) CHECK(r.ok());
}

TEST_CASE("cycle package: what does not fit is refused") {
  Job job(exchange(2, 1));
  CHECK_THROWS_AS(cycle::Package(job.values, {.memories = std::vector<AxiPace::Options>(3)}), const Error&);
  CHECK_THROWS_WITH_AS(cycle::Package(job.values, {.link = {.gb_per_s = 34, .bit_error_rate = 0.3}}), doctest::Contains("links"), const Error&);
  cycle::Package package(job.values, {});
  auto t = job.timed();
  t.pop_back();
  CHECK_THROWS_AS(package.begin(t), const Error&);
}
