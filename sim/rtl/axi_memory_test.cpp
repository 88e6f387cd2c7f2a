// The memory model itself: latency, order, errors, and that broken bus rules are seen.
#include <doctest/doctest.h>

#include "sim/rtl/axi_faults.hpp"

using jogak::rtl::Bus;
using jogak::rtl::RegisterBus;

namespace {

using u8 = std::uint8_t;
using u64 = std::uint64_t;

constexpr u64 base = jogak::rtl::kBusBase;

TEST_CASE("a read takes its latency, then a beat a cycle, bursts in order without a gap") {
  Bus bus;
  bus.read(base + 64, 3);
  bus.cycle();
  bus.read(base + 256, 1);
  bus.cycle();
  bus.ar_valid = 0;
  // The first address went in cycle 1: its beats are taken in cycles 11..14, the second burst's in 15 and 16.
  for (u64 cycle = 3; cycle <= 16; ++cycle) {
    REQUIRE(bus.r_valid == (cycle >= 11));
    if (cycle >= 11) {
      CHECK(bus.r_data == bus.word(cycle < 15 ? base + 64 + 8 * (cycle - 11) : base + 256 + 8 * (cycle - 15)));
      CHECK(bus.r_last == (cycle == 14 || cycle == 16));
      CHECK(bus.r_resp == 0);
    }
    bus.cycle();
  }
  CHECK_FALSE(bus.r_valid);
  CHECK(bus.memory.counts().read_beats == 6);
  CHECK(bus.memory.counts().read_bursts == 2);
  CHECK(bus.memory.quiet());
}

TEST_CASE("a write lands with its response, strobed, data may come before the address") {
  Bus bus;
  const u64 before = bus.word(base + 8);
  bus.w_valid = 1, bus.w_last = 1, bus.w_data = 0x1122334455667788, bus.w_strb = 0x0f;
  bus.cycle();
  bus.w_valid = 0;
  bus.write(base + 8, 0);
  bus.cycle();  // cycle 2: address and data are there, the response is taken in cycle 9
  bus.aw_valid = 0;
  for (int cycle = 3; cycle < 9; ++cycle) {
    CHECK_FALSE(bus.b_valid);
    CHECK(bus.word(base + 8) == before);
    bus.cycle();
  }
  CHECK(bus.b_valid);
  CHECK(bus.word(base + 8) == ((before & 0xffffffff00000000) | 0x55667788));
}

TEST_CASE("error answers") {
  Bus bus;
  bus.memory.add_error(base + 20, base + 21);
  std::vector<int> resp;
  bus.read(base + 8, 2);
  bus.cycle();
  bus.read(base + 8192, 0);
  for (int i = 0; i < 20; ++i) {
    bus.cycle();
    bus.ar_valid = 0;
    if (bus.r_valid) resp.push_back(bus.r_resp);
  }
  CHECK(resp == std::vector<int>{0, 2, 0, 3});
  bus.write(base + 16, 0);
  bus.w_valid = bus.w_last = 1;
  const u64 before = bus.word(base + 16);
  bus.cycle();
  bus.aw_valid = bus.w_valid = 0;
  while (!bus.b_valid) bus.cycle();
  CHECK(bus.b_resp == 2);
  CHECK(bus.word(base + 16) == before);
}

TEST_CASE("a frozen memory takes and answers nothing") {
  Bus bus;
  bus.read(base, 0);
  bus.cycle();
  bus.ar_valid = 0;
  bus.memory.freeze(true);
  for (int i = 0; i < 50; ++i) bus.cycle();
  CHECK_FALSE(bus.r_valid);
  CHECK_FALSE(bus.ar_ready);
  bus.memory.freeze(false);
  bus.cycle();
  CHECK(bus.r_valid);
}

TEST_CASE("stalls keep order and data") {
  Bus bus(160);
  u64 taken = 0;
  bus.read(base, 63);
  for (int i = 0; i < 2000 && taken < 64; ++i) {
    const bool moves = bus.r_valid && bus.r_ready;
    if (moves) CHECK(bus.r_data == bus.word(base + 8 * taken++));
    const bool accepted = bus.ar_valid && bus.ar_ready;
    bus.cycle();
    if (accepted) bus.ar_valid = 0;
  }
  CHECK(taken == 64);
}

TEST_CASE("every rule's fault is found, and none where there is none") {
  for (const jogak::rtl::AxiFault& fault : jogak::rtl::kAxiFaults) {
    CAPTURE(fault.rule);
    CHECK_THROWS_AS(fault.commit(), jogak::Error);
  }
  RegisterBus bus;
  for (int i = 0; i < 3; ++i) {
    bus.write();
    bus.b_ready = 0, bus.b_valid = 1, bus.b_resp = 2;
    bus.read();
    bus.r_valid = 1, bus.r_data = 5;
    bus.b_ready = 1;
    bus.cycle();
    bus.b_valid = 0, bus.r_valid = 0;
    bus.cycle();
  }
}

}  // namespace
