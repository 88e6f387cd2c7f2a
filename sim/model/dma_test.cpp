#include <doctest/doctest.h>

#include <numeric>

#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::Counter;
using spec::Engine;
using spec::Fault;
using spec::Space;

namespace {

struct Box {
  u32 win = 0;
  Space space = Space::aspm;
  u32 da = 0, ca = 0, len = 0, n1 = 1, ds1 = 0, cs1 = 0, n2 = 1, ds2 = 0, cs2 = 0;
  bool gather = false;
  u32 idx = 0;
};

void load(Rig& g, const Box& x) {
  const spec::Load i{.win = static_cast<u8>(x.win), .space = x.space, .gather = x.gather, .da = g.r(x.da),
                     .ca = g.r(x.ca), .len = g.r(x.len), .n1 = g.r(x.n1), .ds1 = g.r(x.ds1), .cs1 = g.r(x.cs1),
                     .n2 = g.r(x.n2), .ds2 = g.r(x.ds2), .cs2 = g.r(x.cs2), .idx = g.r(x.idx)};
  g.b.load(i);
}

void store(Rig& g, const Box& x) {
  const spec::Store i{.win = static_cast<u8>(x.win), .space = x.space, .da = g.r(x.da), .ca = g.r(x.ca),
                      .len = g.r(x.len), .n1 = g.r(x.n1), .ds1 = g.r(x.ds1), .cs1 = g.r(x.cs1),
                      .n2 = g.r(x.n2), .ds2 = g.r(x.ds2), .cs2 = g.r(x.cs2)};
  g.b.store(i);
}

void fill(Rig& rig, u64 seed = 1) {
  std::mt19937_64 random(seed);
  for (u8& b : rig.dram) b = static_cast<u8>(random());
}

Fault load_fault(const Box& x) {
  Rig rig;
  load(rig, x);
  const FaultRecord fault = rig.run().fault;
  if (fault.code != Fault::none) CHECK(fault.engine == (fault.code == Fault::index ? Engine::ld : Engine::seq));
  return fault.code;
}

Fault store_fault(const Box& x) {
  Rig rig;
  store(rig, x);
  return rig.run().fault.code;
}

}  // namespace

TEST_CASE("a box lands row by row, in every memory") {
  for (const Space space : {Space::wspm, Space::wsc, Space::aspm, Space::asc, Space::vmem}) {
    Rig rig;
    fill(rig);
    load(rig, {.space = space, .da = 100, .ca = 8, .len = 12, .n1 = 3, .ds1 = 50, .cs1 = 16,
               .n2 = 2, .ds2 = 1000, .cs2 = 256});
    const Result result = rig.run();
    REQUIRE(result.ok());
    const auto chip = rig.machine.memories().bytes(space);
    u64 wrong = 0, written = 0;
    std::vector<u8> expected(chip.size());
    for (u32 i2 = 0; i2 < 2; ++i2) {
      for (u32 i1 = 0; i1 < 3; ++i1) {
        for (u32 k = 0; k < 12; ++k) {
          expected[8 + i2 * 256 + i1 * 16 + k] = rig.dram[100 + i2 * 1000 + i1 * 50 + k];
          ++written;
        }
      }
    }
    for (std::size_t i = 0; i < chip.size(); ++i) wrong += chip[i] != expected[i];
    CHECK(wrong == 0);
    CHECK(result.counters[Counter::cmd_load] == 1);
    CHECK(result.counters[Counter::load_bytes] == written);
    CHECK(result.counters[Counter::gather_rows] == 0);
  }
}

TEST_CASE("store writes what load read, elsewhere") {
  for (const Space space : {Space::aspm, Space::asc, Space::vmem}) {
    Rig rig;
    fill(rig);
    const std::vector<u8> before(rig.dram.begin(), rig.dram.end());
    load(rig, {.space = space, .da = 6, .len = 64, .n1 = 4, .ds1 = 64, .cs1 = 64});
    store(rig, {.win = 1, .space = space, .da = 10, .len = 32, .n1 = 8, .ds1 = 48, .cs1 = 32});
    const Result result = rig.run();
    REQUIRE(result.ok());
    std::vector<u8> expected = before;
    for (u32 i = 0; i < 8; ++i) {
      std::copy_n(&before[6 + 32 * i], 32, &expected[kRigBytes + 10 + 48 * i]);
    }
    CHECK(std::equal(expected.begin(), expected.end(), rig.dram.begin()));
    CHECK(result.counters[Counter::store_bytes] == 256);
    CHECK(result.counters[Counter::cmd_store] == 1);
  }
}

TEST_CASE("gather takes its rows from a list in vector memory") {
  Rig rig;
  fill(rig);
  const u32 list[] = {7, 0, 7, 99};
  std::ranges::copy(list, rig.machine.memories().vmem.begin() + 21);
  load(rig, {.space = Space::aspm, .da = 4, .len = 16, .n1 = 4, .ds1 = 24, .cs1 = 32, .n2 = 2, .ds2 = 8000,
             .cs2 = 1024, .gather = true, .idx = 21});
  const Result result = rig.run();
  REQUIRE(result.ok());
  for (u32 i2 = 0; i2 < 2; ++i2) {
    for (u32 i1 = 0; i1 < 4; ++i1) {
      const auto row = rig.dram.subspan(4 + i2 * 8000 + list[i1] * 24, 16);
      CHECK(std::ranges::equal(row, std::span(rig.machine.memories().aspm).subspan(i2 * 1024 + i1 * 32, 16)));
    }
  }
  CHECK(result.counters[Counter::gather_rows] == 8);
}

TEST_CASE("a gather index outside the window is an asynchronous fault of the load engine") {
  for (const u32 bad : {4u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    for (const u32 stride : {0x4000u, 0xFFFFFFFEu}) {
      Rig rig;
      rig.machine.memories().vmem[1] = bad;
      load(rig, {.len = 2, .n1 = 2, .ds1 = stride, .cs1 = 32, .gather = true});
      const Result result = rig.run();
      const u32 pc = static_cast<u32>(rig.b.code().size()) - 2;
      CHECK(result.fault == FaultRecord{Fault::index, pc, Engine::ld, bad});
    }
  }
  Rig rig;
  rig.machine.memories().vmem[1] = 3;
  load(rig, {.len = 2, .n1 = 2, .ds1 = 0x4000, .cs1 = 32, .gather = true});
  CHECK(rig.run().ok());
}

TEST_CASE("bursts are cut at multiples of 64 port words, beats cover what they touch") {
  std::mt19937_64 random(3);
  for (const spec::Config& config : spec::configs) {
    Rig rig(config.name);
    const u32 da = static_cast<u32>(random() % 3000) & ~1u, len = 2 + (static_cast<u32>(random() % 3000) & ~1u);
    const u32 stride = 4100;
    load(rig, {.da = da, .len = len, .n1 = 3, .ds1 = stride, .cs1 = 4096});
    store(rig, {.win = 1, .da = da, .len = len, .n1 = 3, .ds1 = stride, .cs1 = 4096});
    const Result result = rig.run();
    REQUIRE(result.ok());
    u64 beats = 0, bursts = 0;
    for (u64 row = 0; row < 3; ++row) {
      u64 last_word = ~0ull, last_burst = ~0ull;
      for (u64 a = kRigBase + da + row * stride, end = a + len; a < end; ++a) {
        const u64 word = a / config.port_bytes;
        beats += word != last_word;
        bursts += word / 64 != last_burst;
        last_word = word, last_burst = word / 64;
      }
    }
    CHECK(result.counters[Counter::load_beats] == beats);
    CHECK(result.counters[Counter::load_bursts] == bursts);
    CHECK(result.counters[Counter::store_beats] == beats);
    CHECK(result.counters[Counter::store_bursts] == bursts);
  }
}

TEST_CASE("DMA alignment is checked first, even where nothing moves") {
  CHECK(load_fault({.da = 1, .len = 2}) == Fault::align);
  CHECK(load_fault({.ca = 1, .len = 2}) == Fault::align);
  CHECK(load_fault({.len = 3}) == Fault::align);
  CHECK(load_fault({.len = 2, .ds1 = 1}) == Fault::align);
  CHECK(load_fault({.len = 2, .cs1 = 1}) == Fault::align);
  CHECK(load_fault({.len = 2, .ds2 = 1}) == Fault::align);
  CHECK(load_fault({.len = 2, .cs2 = 1}) == Fault::align);
  CHECK(load_fault({.da = 1, .len = 2, .n1 = 0}) == Fault::align);
  CHECK(load_fault({.da = 2, .ca = 2, .len = 2, .ds1 = 2, .cs1 = 2, .ds2 = 2, .cs2 = 2}) == Fault::none);
  CHECK(load_fault({.space = Space::vmem, .da = 2, .ca = 4, .len = 4}) == Fault::none);
  CHECK(load_fault({.space = Space::vmem, .ca = 2, .len = 4}) == Fault::align);
  CHECK(load_fault({.space = Space::vmem, .len = 2}) == Fault::align);
  CHECK(load_fault({.space = Space::vmem, .len = 4, .cs1 = 2}) == Fault::align);
  CHECK(load_fault({.space = Space::vmem, .len = 4, .cs2 = 2}) == Fault::align);
  CHECK(store_fault({.win = 1, .da = 1, .len = 2}) == Fault::align);
  CHECK(store_fault({.win = 1, .space = Space::vmem, .ca = 2, .len = 4}) == Fault::align);
}

TEST_CASE("DMA shape comes before ranges, ranges see the whole box") {
  CHECK(load_fault({.len = (1 << 20) + 2}) == Fault::shape);
  CHECK(load_fault({.len = 1 << 20}) == Fault::window);
  CHECK(load_fault({.len = 2, .n1 = 65536}) == Fault::shape);
  CHECK(load_fault({.len = 2, .n2 = 65536}) == Fault::shape);
  CHECK(load_fault({.len = 2, .n1 = 65535}) == Fault::none);
  CHECK(load_fault({.len = 2, .n1 = 65536, .n2 = 0}) == Fault::shape);
  CHECK(load_fault({.da = kRigBytes - 2, .len = 2}) == Fault::none);
  CHECK(load_fault({.da = kRigBytes - 2, .len = 4}) == Fault::window);
  CHECK(load_fault({.da = kRigBytes, .len = 2, .n1 = 0}) == Fault::none);
  CHECK(load_fault({.len = 2, .n1 = 2, .ds1 = kRigBytes}) == Fault::window);
  CHECK(load_fault({.len = 2, .n1 = 2, .ds1 = 0x80000000, .n2 = 3, .ds2 = 0x80000000}) == Fault::window);
  CHECK(load_fault({.win = 2, .len = 2}) == Fault::window);
  CHECK(load_fault({.space = Space::asc, .ca = 4094, .len = 2}) == Fault::none);
  CHECK(load_fault({.space = Space::asc, .ca = 4094, .len = 4}) == Fault::onchip);
  CHECK(load_fault({.space = Space::asc, .len = 2, .n1 = 2, .cs1 = 4096}) == Fault::onchip);
  CHECK(load_fault({.space = Space::asc, .ca = 4096, .len = 2, .n2 = 0}) == Fault::none);
  CHECK(store_fault({.win = 0, .len = 2}) == Fault::window);
  CHECK(store_fault({.win = 1, .len = 2}) == Fault::none);
  CHECK(load_fault({.len = 2, .n1 = 2, .ds1 = kRigBytes, .gather = true}) == Fault::none);
  CHECK(load_fault({.len = 2, .n1 = 2, .gather = true, .idx = 16383}) == Fault::onchip);
  CHECK(load_fault({.len = 2, .n2 = 2, .ds2 = kRigBytes, .gather = true}) == Fault::window);
}

TEST_CASE("a faulting command changes nothing, earlier ones are complete") {
  Rig rig;
  fill(rig);
  load(rig, {.len = 32});
  load(rig, {.da = kRigBytes - 32, .ca = 32, .len = 64});
  const Result result = rig.run();
  CHECK(result.fault.code == Fault::window);
  CHECK(result.counters[Counter::cmd_load] == 1);
  CHECK(rig.machine.memories().aspm[31] == rig.dram[31]);
  CHECK(rig.machine.memories().aspm[32] == 0);
}
