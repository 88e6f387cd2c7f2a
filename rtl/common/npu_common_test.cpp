// Queue, register slice and RAM wrapper against a deque and an array, under random traffic.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>

#include "Vnpu_common_bench.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {

struct Bench {
  Bench() {
    Verilated::randReset(2);
    dut = std::make_unique<Vnpu_common_bench>();
    dut->clk_i = dut->rst_ni = dut->in_valid_i = dut->out_ready_i = dut->ren_i = dut->wen_i = 0;
    dut->long_valid_i = dut->long_ready_i = 0;
    edge();
    dut->rst_ni = 1;
    dut->eval();
  }
  void edge() {
    dut->eval();
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->eval();
  }
  std::unique_ptr<Vnpu_common_bench> dut;
  std::mt19937 rng{7};
};

// The last one is the register slice.
TEST_CASE("queues: order, full, empty, count") {
  constexpr std::array<std::size_t, 4> depth = {1, 4, 11, 2};
  Bench bench;
  auto& d = *bench.dut;
  std::array<std::deque<std::uint16_t>, 4> want;
  std::array<long, 4> passed{};
  for (int cycle = 0; cycle < 20000; ++cycle) {
    // Phases that fill, drain and keep the level.
    const unsigned fill = cycle / 500 % 3;
    d.in_data_i = static_cast<std::uint16_t>(bench.rng());
    d.in_valid_i = (fill == 1 ? bench.rng() & bench.rng() : bench.rng() | (fill == 2 ? 15 : 0)) & 15;
    d.out_ready_i = (fill == 0 ? bench.rng() & bench.rng() : bench.rng() | (fill == 2 ? 15 : 0)) & 15;
    d.eval();
    for (unsigned q = 0; q < 4; ++q) {
      const bool ready = d.in_ready_o >> q & 1, valid = d.out_valid_o >> q & 1;
      REQUIRE(ready == (want[q].size() < depth[q]));
      REQUIRE(valid == !want[q].empty());
      if (q < 3) REQUIRE((d.count_o >> 8 * q & 0xff) == want[q].size());
      if (valid) REQUIRE((d.out_data_o >> 16 * q & 0xffff) == want[q].front());
      if (valid && (d.out_ready_i >> q & 1)) want[q].pop_front(), ++passed[q];
      if (ready && (d.in_valid_i >> q & 1)) want[q].push_back(d.in_data_i);
    }
    bench.edge();
  }
  for (const long words : passed) CHECK(words > 3000);
}

TEST_CASE("queue in a RAM: order, full, two cycles") {
  Bench bench;
  auto& d = *bench.dut;
  std::deque<std::uint16_t> ram, out;  // out: the word at the output
  long passed = 0, full = 0;
  for (int cycle = 0; cycle < 20000; ++cycle) {
    const unsigned fill = cycle / 500 % 3;
    d.in_data_i = static_cast<std::uint16_t>(bench.rng());
    d.long_valid_i = fill == 2 || (fill == 1 ? bench.rng() % 4 == 0 : bench.rng() % 4 != 0);
    d.long_ready_i = fill == 2 || (fill == 0 ? bench.rng() % 4 == 0 : bench.rng() % 4 != 0);
    d.eval();
    REQUIRE(d.long_ready_o == (ram.size() < 8));
    REQUIRE(d.long_valid_o == !out.empty());
    if (!out.empty()) REQUIRE(d.long_data_o == out.front());
    const bool pop = !out.empty() && d.long_ready_i, push = d.long_valid_i && ram.size() < 8;
    full += ram.size() == 8;
    passed += pop;
    if (pop) out.pop_front();
    if (out.empty() && !ram.empty()) out.push_back(ram.front()), ram.pop_front();
    if (push) ram.push_back(d.in_data_i);
    bench.edge();
  }
  CHECK(passed > 3000);
  CHECK(full > 1000);
}

TEST_CASE("RAM: mask, held output, written pieces undefined, others old") {
  Bench bench;
  auto& d = *bench.dut;
  std::array<std::uint32_t, 32> want{};
  std::uint32_t out = 0;
  bool known = false;
  long collisions = 0;
  for (unsigned cycle = 0; cycle < 20000; ++cycle) {
    const bool fill = cycle < 32;
    d.wen_i = fill || bench.rng() % 2;
    d.waddr_i = fill ? cycle : bench.rng() % 32;
    d.wmask_i = fill ? 15 : bench.rng() % 16;
    d.wdata_i = static_cast<std::uint32_t>(bench.rng());
    d.ren_i = !fill && bench.rng() % 2;
    d.raddr_i = bench.rng() % 4 == 0 ? d.waddr_i : bench.rng() % 32;
    if (d.ren_i) out = want[d.raddr_i], known = true;
    collisions += d.ren_i && d.wen_i && d.raddr_i == d.waddr_i;
    for (unsigned b = 0; b < 4 && d.wen_i; ++b) {
      const std::uint32_t bits = 0xffu << 8 * b;
      if (!(d.wmask_i >> b & 1)) continue;
      if (d.ren_i && d.raddr_i == d.waddr_i) out ^= bits;
      want[d.waddr_i] = (want[d.waddr_i] & ~bits) | (d.wdata_i & bits);
    }
    bench.edge();
    if (known) REQUIRE(d.rdata_o == out);
  }
  CHECK(collisions > 1000);
}

}  // namespace
