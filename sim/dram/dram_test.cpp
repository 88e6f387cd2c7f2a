#include <doctest/doctest.h>

#include <map>

#include "error.hpp"
#include "measure.hpp"
#include "sim/axi_pace.hpp"

using namespace jogak;
using namespace jogak::dram;

namespace {

double ps(const Preset& p, u64 clocks) { return double(clocks) * double(p.clock_fs) / 1000; }

}  // namespace

TEST_CASE("an idle channel answers after row, column and burst, an open row after column and burst, another row waits for its closing") {
  for (const Preset& p : presets()) {
    CAPTURE(p.name);
    Probe probe(p);
    const double clock = ps(p, 1);
    CHECK(double(probe.alone(probe.at(0, 0, 0))) == doctest::Approx(ps(p, p.t.rcd + p.t.cl + p.burst)).epsilon(2 * clock / 30000));
    CHECK(double(probe.alone(probe.at(0, 0, 0, 1), 100000)) == doctest::Approx(ps(p, p.t.cl + p.burst)).epsilon(2 * clock / 15000));
    CHECK(double(probe.alone(probe.at(1, 0, 0), 100000)) == doctest::Approx(ps(p, p.t.rp + p.t.rcd + p.t.cl + p.burst)).epsilon(2 * clock / 45000));
    CHECK(probe.counts().activates == 2);
    CHECK(probe.counts().precharges == 1);
  }
}

TEST_CASE("commands keep every distance that the timing asks for") {
  // Two accesses at once to the same bank and row, group, other group: the distance of their ends is that of their commands.
  for (const Preset& p : presets()) {
    CAPTURE(p.name);
    const auto apart = [&](auto first, auto second) {
      Probe probe(p);
      std::map<u64, u64> end;
      probe.dram().access(0, first(probe), false, 0);
      probe.dram().access(0, second(probe), false, 1);
      probe.dram().advance(1000000);
      for (const auto& d : probe.dram().done()) end[d.id] = d.cycle;
      return double(end.at(1) - end.at(0)) / ps(p, 1);
    };
    const auto base = [](const Probe& q) { return q.at(0, 0, 0); };
    CHECK(apart(base, [](const Probe& q) { return q.at(0, 0, 0, 1); }) == doctest::Approx(p.t.ccd_l).epsilon(0.01));
    CHECK(apart(base, [](const Probe& q) { return q.at(1, 0, 0); }) ==
          doctest::Approx(std::max(p.t.ras, p.t.rcd + p.t.rtp) + p.t.rp + 0.0).epsilon(0.01));
    CHECK(apart(base, [](const Probe& q) { return q.at(0, 1, 0); }) == doctest::Approx(p.t.rrd_l).epsilon(0.01));
    if (p.groups > 1) CHECK(apart(base, [](const Probe& q) { return q.at(0, 0, 1); }) == doctest::Approx(p.t.rrd_s).epsilon(0.01));
  }
}

TEST_CASE("turning the bus around costs what the standards say") {
  const Preset& p = find_preset("ddr4-3200");
  Probe probe(p);
  // Open the row, then a write and a read of the same group.
  (void)probe.alone(probe.at(0, 0, 0));
  Dram& d = probe.dram();
  d.access(1000000, probe.at(0, 0, 0, 1), true, 0);
  d.advance(1000001);  // the write is issued: no read is there
  d.access(1000001, probe.at(0, 0, 0, 2), false, 1);
  d.advance(2000000);
  u64 read = 0;
  for (const auto& done : d.done())
    if (done.id == 1) read = done.cycle;
  const double clocks = double(read - 1000000) / 625;
  CHECK(clocks == doctest::Approx(p.t.cwl + 4 + p.t.wtr_l + p.t.cl + 4).epsilon(0.03));
}

TEST_CASE("one rank of four activates at a time, one refresh in every interval") {
  const Preset& p = find_preset("lpddr4-3200");
  Probe probe(p);
  const double rate = probe.rate(4000, [&](u64 i) { return probe.at(i / 8, i % 8, 0); });
  CHECK(rate <= 4e12 / ps(p, p.t.faw));
  CHECK(probe.counts().activates >= 4000);  // a refresh may close a row before it was read
  CHECK(probe.counts().activates < 4040);
  const double seconds = 4000 / rate;
  CHECK(double(probe.counts().refreshes) == doctest::Approx(seconds * 1e12 / ps(p, p.t.refi)).epsilon(0.15));
}

TEST_CASE("ranks: apart on the data bus, activated and refreshed each for itself") {
  Preset two = find_preset("ddr4-3200");
  two.ranks = 2;
  const u64 rank = u64(two.groups) * two.banks * two.row_bytes;  // bytes to the same place of the other rank
  const auto apart = [&](u64 other) {
    Probe probe(two);
    std::map<u64, u64> end;
    for (const u64 at : {u64(0), other}) (void)probe.alone(at);
    const u64 now = 10'000'000;
    probe.dram().advance(now);
    probe.dram().access(now, 64 * two.groups, false, 0);
    probe.dram().access(now, other + 64 * two.groups, false, 1);
    probe.dram().advance(now + 1'000'000);
    for (const auto& d : probe.dram().done()) end[d.id] = d.cycle;
    return double(end.at(1) - end.at(0)) / ps(two, 1);
  };
  // Rows are open or not alike: what differs is the bus.
  CHECK(apart(64) == doctest::Approx(two.t.rrd_s).epsilon(0.01));
  CHECK(apart(rank) == doctest::Approx(two.burst + two.t.rank_switch).epsilon(0.01));
  // Two ranks together activate twice as often as the four-activate window of one allows.
  const auto rate = [](const Preset& p) {
    Probe probe(p);
    std::mt19937_64 random(1);
    return probe.rate(20'000, [&](u64) { return (random() >> 20) * p.access_bytes(); });
  };
  CHECK(rate(two) > 1.3 * rate(find_preset("ddr4-3200")));
}

TEST_CASE("every access ends once, whatever the traffic, and how often time is asked changes nothing") {
  for (const Preset& p : presets()) {
    CAPTURE(p.name);
    std::map<u64, u64> ends[2];
    for (int often = 0; often < 2; ++often) {
      Dram dram({.preset = &p, .channels = 2});
      std::mt19937_64 random(5);
      u64 cycle = 0;
      const auto collect = [&] {
        for (const auto& d : dram.done()) CHECK(ends[often].emplace(d.id, d.cycle).second);
        dram.done().clear();
      };
      for (u64 id = 0; id < 3000; ++id) {
        const u64 gap = random() % 64 == 0 ? random() % 5000 : random() % 8;
        for (u64 i = 1; often && i <= gap; i += 1 + i / 64) dram.advance(cycle + i), (void)dram.next(), collect();
        cycle += gap;
        dram.access(cycle, (random() % (1 << (random() % 2 ? 12 : 24))) * dram.access_bytes(), random() % 3 == 0, id);
      }
      for (u64 next = dram.next(); next != ~u64(0); next = dram.next()) dram.advance(next);
      collect();
      CHECK(ends[often].size() == 3000);
    }
    CHECK(ends[0] == ends[1]);
  }
}

TEST_CASE("a port with DRAM behind it: beats in order, at most one a cycle, streams at the channel's pace") {
  Dram dram({.preset = &find_preset("lpddr4-4266")});
  AxiPace pace({.behind = &dram, .port_bytes = 16});
  u64 asked = 0, beats = 0, first = 0;
  while (beats < 64 * 200) {
    pace.edge();
    if (asked < 200 && pace.ar_ready()) pace.ar(asked++ * 1024, 64);
    if (pace.r_valid()) {
      if (beats++ == 0) first = pace.cycle();
      CHECK(pace.reading().addr == (beats - 1) * 16);
      pace.r(16);
    }
    pace.offer_reads();
    pace.offer_writes();
  }
  CHECK(first > 40);
  // 17.1 GB/s of peak in a port of 16: the port is the bound but for refresh.
  const double bytes_per_cycle = double(beats) * 16 / double(pace.cycle());
  CHECK(bytes_per_cycle > 0.88 * 16);
  CHECK(bytes_per_cycle < 16);
  CHECK(pace.quiet());
}

TEST_CASE("jumps of a port meet the moments that cycles would") {
  const auto run = [](bool jump) {
    Dram dram({.preset = &find_preset("ddr4-3200"), .period_fs = 1'300'000});
    AxiPace pace({.behind = &dram, .port_bytes = 8});
    std::mt19937_64 random(3);
    std::vector<u64> moments;
    for (u64 burst = 0; burst < 300;) {
      pace.edge();
      bool moved = false;
      if (pace.r_valid()) moments.push_back(pace.cycle()), pace.r(8), moved = true;
      if (pace.b_valid()) moments.push_back(pace.cycle() << 32), pace.b(), moved = true;
      if (!moved && pace.quiet()) {
        const u64 addr = random() % 4096 * 512, n = 1 + random() % 64;
        if (random() % 3 == 0) {
          pace.aw(addr, u32(n));
          for (u64 i = 0; i < n; ++i) pace.w();
          while (pace.match() != 0) continue;
        }
        pace.ar(addr + random() % 4096 * 4096, u32(1 + random() % 64));
        ++burst, moved = true;
      }
      moved |= pace.offer_reads();
      moved |= pace.offer_writes();
      if (moved || !jump) continue;
      const u64 ahead = pace.cycle() + 1, next = std::min(pace.due(), ahead + 1000);
      if (next <= ahead) continue;
      pace.skip(next - ahead);
      pace.offer_reads();
      pace.offer_writes();
    }
    return moments;
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("memories by name") {
  CHECK(!parse_memory("ideal"));
  CHECK(parse_memory("hbm2:channels=2,mhz=500")()->access_bytes() == 32);
  CHECK(parse_options("ddr4-3200:mhz=50").period_fs == 20'000'000);
  for (const char* bad : {"ddr9", "ddr4-3200:", "ddr4-3200:channels=3", "ddr4-3200:mhz=0", "ddr4-3200:bank=2", "ddr4-3200:mhz", "ddr4-3200:interleave=32"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_memory(bad), Error);
  }
}
