#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "numerics.hpp"
#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::Counter;
using spec::Fault;

namespace {

struct Bench {
  Bench() : config(*spec::find_config("nano")), memories(config) {}
  Env env(bool exact = true) { return {config, windows, memories, counters, exact}; }
  void run(const QntCmd& c, bool exact = true) {
    Env e = env(exact);
    REQUIRE(check(c, e) == Fault::none);
    execute(c, e);
  }
  i8 q(u32 at) const { return static_cast<i8>(memories.aspm[at]); }
  u32 scale(u32 block) const { return u32(memories.asc[2 * block] | memories.asc[2 * block + 1] << 8) << 16; }

  const spec::Config& config;
  Memories memories;
  Windows windows{};
  Counters counters;
};

QntCmd command(spec::Qgroup group, u32 rows, u32 cols) {
  QntCmd c{};
  c.group = group, c.rows = rows, c.cols = cols;
  return c;
}

Fault with(QntCmd c, auto&& change) {
  Bench bench;
  change(c);
  return check(c, bench.env());
}

}  // namespace

TEST_CASE("blocks have their own scale, the tail is zero-filled") {
  Bench bench;
  std::mt19937_64 random(2);
  for (u32 i = 0; i < 2; ++i) {
    for (u32 j = 0; j < 72; ++j) {
      bench.memories.vmem[80 + i * 80 + j] = std::bit_cast<u32>(float(i32(random() % 2001) - 1000) * (j < 32 ? 1.f : 0.01f));
    }
  }
  std::ranges::fill(bench.memories.aspm, u8(99));
  QntCmd c = command(spec::Qgroup::block, 2, 70);
  c.a = 80, c.as = 80, c.dst = 64, c.ds = 128;
  bench.run(c);
  for (u32 i = 0; i < 2; ++i) {
    for (u32 blk = 0; blk < 3; ++blk) {
      const u32* x = &bench.memories.vmem[80 + i * 80 + blk * 32];
      const u32 n = blk < 2 ? 32 : 6;
      const auto expected = num::quant_scale(num::absmax(x, n));
      const float scale = std::bit_cast<float>(bench.scale(2 + i * 4 + blk));
      CHECK(bench.scale(2 + i * 4 + blk) == u32(expected.scale) << 16);
      for (u32 k = 0; k < 32; ++k) {
        const i8 q = bench.q(64 + i * 128 + blk * 32 + k);
        CHECK(q == (k < n ? num::quant_value(x[k], expected.recip) : 0));
        if (k < n) CHECK(std::abs(q * scale - std::bit_cast<float>(x[k])) <= scale * 0.51f);
      }
    }
    CHECK(bench.q(64 + i * 128 + 96) == 99);
  }
  CHECK(bench.counters[Counter::vec_elems] == 140);
  CHECK(bench.counters[Counter::cmd_qnt] == 1);
}

TEST_CASE("a row group has one scale, written as fp32") {
  Bench bench;
  for (u32 j = 0; j < 40; ++j) bench.memories.vmem[j] = std::bit_cast<u32>(float(j));
  bench.memories.asc[0] = 7;
  QntCmd c = command(spec::Qgroup::row, 1, 40);
  c.r = 1001;
  bench.run(c);
  const float scale = std::bit_cast<float>(bench.memories.vmem[1001]);
  CHECK(scale == doctest::Approx(39.0 / 127).epsilon(0.01));
  CHECK(scale * 127 >= 39.f);
  CHECK(bench.q(39) == static_cast<i8>(39 / scale + 0.5f));
  CHECK(bench.q(1) == static_cast<i8>(1 / scale + 0.5f));
  CHECK(bench.q(40) == 0);
  CHECK(bench.memories.asc[0] == 7);
}

TEST_CASE("pairs of blocks share a scale") {
  for (const u32 cols : {64u, 70u, 100u, 30u}) {
    Bench bench;
    for (u32 j = 0; j < cols; ++j) bench.memories.vmem[j] = std::bit_cast<u32>(float(j % 7) * (j / 32 == 1 ? 30.f : 1.f));
    std::ranges::fill(bench.memories.asc, u8(7));
    QntCmd c = command(spec::Qgroup::pair, 1, cols);
    bench.run(c);
    for (u32 blk = 0; blk < 4; ++blk) {
      if (blk * 32 >= cols) {
        CHECK(bench.memories.asc[2 * blk] == 7);
        continue;
      }
      const u32 first = blk / 2 * 64;
      const auto expected = num::quant_scale(num::absmax(&bench.memories.vmem[first], std::min(64u, cols - first)));
      CHECK(bench.scale(blk) == u32(expected.scale) << 16);
      for (u32 k = blk * 32; k < std::min(cols, blk * 32 + 32); ++k) CHECK(bench.q(k) == num::quant_value(bench.memories.vmem[k], expected.recip));
    }
  }
}

TEST_CASE("zero, tiny, infinite and NaN blocks") {
  const auto run = [](u32 bits) {
    Bench bench;
    bench.memories.vmem[0] = std::bit_cast<u32>(1.f);
    bench.memories.vmem[1] = bits;
    if (bits < 0x10000000) bench.memories.vmem[0] = 0;
    std::ranges::fill(bench.memories.aspm, u8(99));
    bench.run(command(spec::Qgroup::block, 1, 2));
    CHECK(bench.q(0) == 0);
    CHECK(bench.q(1) == 0);
    return bench.scale(0);
  };
  CHECK(run(0) == 0);
  CHECK(run(1) == 0);
  CHECK(run(0x00900000) == 0);
  CHECK(run(0x7F800000) == 0x7FC00000);
  CHECK(run(0xFF800000) == 0x7FC00000);
  CHECK(run(0x7FC00000) == 0x7FC00000);
  CHECK(run(0xFFFFFFFF) == 0x7FC00000);
}

TEST_CASE("the fast way gives the definition's bits") {
  std::mt19937_64 random(4);
  int nonzero = 0;
  for (int round = 0; round < 400; ++round) {
    Bench slow;
    for (u32& w : slow.memories.vmem) {
      w = wild_float(random);
      // Mostly finite and of one size, or every group is NaN or all zero but one.
      if (round % 4 != 0) w = (w & 0x807FFFFF) | (120 + random() % 4) << 23;
      if (round % 4 == 3) w = (w & ~0xFFFFu) | 0x8000;  // many ties
    }
    Bench fast;
    fast.memories = slow.memories;
    QntCmd c = command(static_cast<spec::Qgroup>(round % 3), 20, 1 + random() % 256);
    c.as = 256, c.ds = 256, c.r = 16000;
    slow.run(c, true);
    fast.run(c, false);
    REQUIRE(slow.memories == fast.memories);
    nonzero += slow.q(0) != 0;
  }
  CHECK(nonzero > 200);
}

TEST_CASE("qnt faults in their order") {
  const QntCmd block = command(spec::Qgroup::block, 1, 32), by_row = command(spec::Qgroup::row, 1, 32);
  CHECK(with(block, [](QntCmd&) {}) == Fault::none);
  CHECK(with(block, [](QntCmd& c) { c.dst = 16; }) == Fault::align);
  CHECK(with(block, [](QntCmd& c) { c.ds = 16; }) == Fault::align);
  CHECK(with(block, [](QntCmd& c) { c.a = 4; }) == Fault::align);
  CHECK(with(block, [](QntCmd& c) { c.as = 4; }) == Fault::align);
  CHECK(with(block, [](QntCmd& c) { c.rows = 65536; }) == Fault::shape);
  CHECK(with(block, [](QntCmd& c) { c.cols = 65536; }) == Fault::shape);
  CHECK(with(block, [](QntCmd& c) { c.cols = 257; }) == Fault::none);
  CHECK(with(by_row, [](QntCmd& c) { c.cols = 256; }) == Fault::none);
  CHECK(with(by_row, [](QntCmd& c) { c.cols = 257; }) == Fault::shape);
  CHECK(with(by_row, [](QntCmd& c) { c.cols = 257, c.rows = 0; }) == Fault::shape);
  CHECK(with(block, [](QntCmd& c) { c.a = 16384 - 32; }) == Fault::none);
  CHECK(with(block, [](QntCmd& c) { c.a = 16384 - 24; }) == Fault::onchip);
  CHECK(with(block, [](QntCmd& c) { c.dst = 65536 - 32; }) == Fault::none);
  CHECK(with(block, [](QntCmd& c) { c.dst = 65536 - 32, c.cols = 33; }) == Fault::onchip);
  CHECK(with(block, [](QntCmd& c) { c.rows = 2, c.ds = 65536; }) == Fault::onchip);
  CHECK(with(block, [](QntCmd& c) { c.r = 16384; }) == Fault::none);
  CHECK(with(by_row, [](QntCmd& c) { c.r = 16384; }) == Fault::onchip);
  CHECK(with(by_row, [](QntCmd& c) { c.r = 16383; }) == Fault::none);
}
