#include <doctest/doctest.h>

#include <bit>

#include "numerics.hpp"
#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::Bmode;
using spec::Counter;
using spec::Fault;
using spec::Vop;
using spec::Vred;

namespace {

struct Bench {
  explicit Bench(const char* name = "nano") : config(*spec::find_config(name)), memories(config) {}
  Env env(bool exact = true) { return {config, windows, memories, counters, exact}; }
  void run(const VecCmd& c, bool exact = true) {
    Env e = env(exact);
    REQUIRE(check(c, e) == Fault::none);
    execute(c, e);
  }
  void put(u32 at, std::initializer_list<float> values) {
    for (const float v : values) memories.vmem[at++] = std::bit_cast<u32>(v);
  }
  float get(u32 at) const { return std::bit_cast<float>(memories.vmem[at]); }

  const spec::Config& config;
  Memories memories;
  Windows windows{};
  Counters counters;
};

// One row of four at 0, b at 8, dst at 16, r at 24.
VecCmd row() {
  VecCmd c{};
  c.bmode = Bmode::vector;
  c.wr = true;
  c.b = 8, c.dst = 16, c.r = 24, c.rows = 1, c.cols = 4;
  return c;
}

VecCmd random_command(std::mt19937_64& random, u32 cols) {
  const auto below = [&](u64 n) { return static_cast<u32>(random() % n); };
  VecCmd c{};
  c.op = static_cast<Vop>(below(4)), c.bmode = static_cast<Bmode>(below(3));
  c.func = static_cast<spec::Vfunc>(below(4)), c.red = static_cast<Vred>(below(3));
  c.wr = below(4) != 0, c.nega = below(2), c.negb = below(2), c.absa = below(2);
  c.masked = below(2), c.linc = below(2);
  c.rows = 1 + below(5), c.cols = 1 + below(90);
  c.swap = c.cols % 2 == 0 && below(2);
  const u32 width = (c.cols + cols - 1) / cols * cols;
  c.a = cols * below(4), c.as = cols * below(12);
  c.b = c.bmode == Bmode::vector ? cols * below(9) : c.bmode == Bmode::scalar ? wild_float(random) : below(100);
  c.bs = c.bmode == Bmode::vector ? cols * below(9) : below(7);
  c.s = wild_float(random);
  c.lim = below(4) ? below(c.cols + 3) : 0xFFFFFFFFu;
  c.dst = 3000 / cols * cols, c.ds = width;
  c.r = 2500 + below(9);
  return c;
}

Fault with(auto&& change) {
  Bench bench;
  VecCmd c = row();
  change(c);
  return check(c, bench.env());
}

}  // namespace

TEST_CASE("each operation, by hand") {
  const auto result = [](auto&& change) {
    Bench bench;
    bench.put(0, {1, -2, 3, -4});
    bench.put(8, {10, 20, 30, 40});
    VecCmd c = row();
    change(c);
    bench.run(c);
    return std::vector<float>{bench.get(16), bench.get(17), bench.get(18), bench.get(19)};
  };
  using V = std::vector<float>;
  const u32 two = std::bit_cast<u32>(2.f);
  CHECK(result([](VecCmd&) {}) == V{10, -40, 90, -160});
  CHECK(result([&](VecCmd& c) { c.op = Vop::mad, c.s = two; }) == V{12, 16, 36, 32});
  CHECK(result([](VecCmd& c) { c.op = Vop::max; }) == V{10, 20, 30, 40});
  CHECK(result([](VecCmd& c) { c.op = Vop::min; }) == V{1, -2, 3, -4});
  CHECK(result([](VecCmd& c) { c.swap = true; }) == V{-20, 20, -120, 120});
  CHECK(result([](VecCmd& c) { c.absa = true; }) == V{10, 40, 90, 160});
  CHECK(result([](VecCmd& c) { c.absa = c.nega = true; }) == V{-10, -40, -90, -160});
  CHECK(result([](VecCmd& c) { c.negb = true; }) == V{-10, 40, -90, 160});
  CHECK(result([&](VecCmd& c) { c.bmode = Bmode::scalar, c.b = two; }) == V{2, -4, 6, -8});
  CHECK(result([](VecCmd& c) { c.bmode = Bmode::row_scalar, c.b = 10; }) == V{30, -60, 90, -120});
  CHECK(result([](VecCmd& c) { c.masked = true, c.lim = 2; }) == V{10, -40, 0, 0});
  CHECK(result([](VecCmd& c) { c.wr = false; }) == V{0, 0, 0, 0});
  CHECK(result([&](VecCmd& c) { c.bmode = Bmode::scalar, c.b = 0x3F800000, c.func = spec::Vfunc::recip; })[3] == -0.25f);
}

TEST_CASE("strides, row scalars, growing masks and reductions over rows") {
  Bench bench;
  for (u32 i = 0; i < 3; ++i) bench.put(i * 8, {1, 2, 3, 4, 5});
  bench.put(101, {1, 0, 10, 0, 100});
  VecCmd c{};
  c.bmode = Bmode::row_scalar;
  c.wr = c.masked = c.linc = true;
  c.red = Vred::sum;
  c.a = 0, c.as = 8, c.b = 101, c.bs = 2, c.dst = 200, c.ds = 16, c.r = 301, c.rows = 3, c.cols = 5, c.lim = 2;
  bench.run(c);
  CHECK(bench.get(301) == 3);
  CHECK(bench.get(302) == 60);
  CHECK(bench.get(303) == 1000);
  CHECK(bench.get(200 + 16 + 2) == 30);
  CHECK(bench.get(200 + 16 + 3) == 0);
  CHECK(bench.counters[Counter::vec_elems] == 15);
  CHECK(bench.counters[Counter::cmd_vec] == 1);
  c.red = Vred::max, c.lim = 0, c.nega = true;
  bench.run(c);
  CHECK(bench.memories.vmem[301] == 0xFF7FFFFF);
  CHECK(bench.get(302) == -10);
  CHECK(bench.memories.vmem[200 + 16 + 3] == 0xFF7FFFFF);
}

TEST_CASE("a swapped row may be written in place") {
  Bench bench;
  bench.put(0, {1, 2, 3, 4});
  VecCmd c = row();
  c.swap = true, c.bmode = Bmode::scalar, c.b = 0x3F800000, c.dst = 0;
  bench.run(c);
  CHECK(bench.get(0) == 2);
  CHECK(bench.get(1) == 1);
  CHECK(bench.get(3) == 3);
  CHECK(bench.get(4) == 0);
}

TEST_CASE("the fast lanes give the definition's bits") {
  std::mt19937_64 random(21);
  for (const char* name : {"nano", "edge"}) {
    Bench bench(name);
    int ran = 0;
    for (int round = 0; round < 3000; ++round) {
      if (round % 10 == 0) {
        for (u32& w : bench.memories.vmem) w = wild_float(random);
      }
      const VecCmd c = random_command(random, bench.config.cols);
      if (check(c, bench.env()) != Fault::none) continue;
      const std::vector<u32> before = bench.memories.vmem;
      bench.run(c, true);
      const std::vector<u32> expected = bench.memories.vmem;
      bench.memories.vmem = before;
      bench.run(c, false);
      CAPTURE(round);
      REQUIRE(bench.memories.vmem == expected);
      ++ran;
    }
    CHECK(ran > 2500);
  }
}

TEST_CASE("vec faults in their order, fields that are not used are not checked") {
  CHECK(with([](VecCmd&) {}) == Fault::none);
  CHECK(with([](VecCmd& c) { c.a = 4; }) == Fault::align);
  CHECK(with([](VecCmd& c) { c.as = 4; }) == Fault::align);
  CHECK(with([](VecCmd& c) { c.b = 4; }) == Fault::align);
  CHECK(with([](VecCmd& c) { c.bs = 4; }) == Fault::align);
  CHECK(with([](VecCmd& c) { c.b = 4, c.bs = 3, c.bmode = Bmode::row_scalar; }) == Fault::none);
  CHECK(with([](VecCmd& c) { c.b = 0xFFFFFFFF, c.bmode = Bmode::scalar; }) == Fault::none);
  CHECK(with([](VecCmd& c) { c.dst = 4; }) == Fault::align);
  CHECK(with([](VecCmd& c) { c.ds = 4; }) == Fault::align);
  CHECK(with([](VecCmd& c) { c.dst = 4, c.wr = false; }) == Fault::none);
  CHECK(with([](VecCmd& c) { c.rows = 65536; }) == Fault::shape);
  CHECK(with([](VecCmd& c) { c.cols = 65536, c.rows = 0; }) == Fault::shape);
  CHECK(with([](VecCmd& c) { c.cols = 3, c.swap = true; }) == Fault::shape);
  CHECK(with([](VecCmd& c) { c.a = 1 << 20, c.rows = 0; }) == Fault::none);
  const u32 words = 16384;
  CHECK(with([&](VecCmd& c) { c.a = words - 8, c.cols = 8; }) == Fault::none);
  CHECK(with([&](VecCmd& c) { c.a = words - 8, c.cols = 9; }) == Fault::onchip);
  CHECK(with([&](VecCmd& c) { c.rows = 2, c.as = words; }) == Fault::onchip);
  CHECK(with([&](VecCmd& c) { c.rows = 2, c.bs = words; }) == Fault::onchip);
  CHECK(with([&](VecCmd& c) { c.rows = 2, c.ds = words; }) == Fault::onchip);
  CHECK(with([&](VecCmd& c) { c.r = words; }) == Fault::none);
  CHECK(with([&](VecCmd& c) { c.r = words - 1, c.red = Vred::sum; }) == Fault::none);
  CHECK(with([&](VecCmd& c) { c.r = words - 1, c.rows = 2, c.red = Vred::max; }) == Fault::onchip);
  CHECK(with([&](VecCmd& c) { c.b = words - 1, c.bmode = Bmode::row_scalar; }) == Fault::none);
  CHECK(with([&](VecCmd& c) { c.b = words - 1, c.bs = 1, c.rows = 2, c.bmode = Bmode::row_scalar; }) == Fault::onchip);
}
