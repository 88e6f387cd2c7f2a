// npu_axi_watch.sv: every rule broken once, by number, and traffic that breaks none.
#include <doctest/doctest.h>

#include <functional>

#include "Vaxi_watch.h"

namespace {

constexpr int kBytes = 8;  // of nano's port

struct Bus {
  Bus() {
    top.rst_ni = 0;
    top.arsize_i = top.awsize_i = 3;
    top.arburst_i = top.awburst_i = 1;
    edge();
    top.rst_ni = 1;
  }
  ~Bus() { top.final(); }
  void edge() {
    top.clk_i = 0, top.eval();
    top.clk_i = 1, top.eval();
    if (broken == 0) broken = top.broken_o;
  }
  void idle(int cycles = 1) {
    top.arvalid_i = top.awvalid_i = top.wvalid_i = top.wlast_i = top.s_awvalid_i = top.s_wvalid_i = top.s_arvalid_i = top.s_bvalid_i = top.s_rvalid_i = 0;
    for (int i = 0; i < cycles; ++i) edge();
  }
  void read(std::uint64_t addr, int beats, bool ready = true) {
    top.arvalid_i = 1, top.arready_i = ready, top.araddr_i = addr, top.arlen_i = static_cast<std::uint8_t>(beats - 1);
    edge();
  }
  void address(std::uint64_t addr, int beats, bool ready = true) {
    top.awvalid_i = 1, top.awready_i = ready, top.awaddr_i = addr, top.awlen_i = static_cast<std::uint8_t>(beats - 1);
    edge();
    if (ready) top.awvalid_i = 0;
  }
  void word(std::uint64_t data, bool last, bool ready = true, std::uint8_t strobes = 0xff) {
    top.wvalid_i = 1, top.wready_i = ready, top.wdata_i = data, top.wstrb_i = strobes, top.wlast_i = last;
    edge();
    if (ready) top.wvalid_i = 0;
  }
  void ask_write() {
    top.s_awvalid_i = top.s_awready_i = top.s_wvalid_i = top.s_wready_i = 1;
    edge();
    top.s_awvalid_i = top.s_wvalid_i = 0;
  }
  void ask_read() {
    top.s_arvalid_i = top.s_arready_i = 1;
    edge();
    top.s_arvalid_i = 0;
  }
  void answer_write(bool ready, int resp = 0) {
    top.s_bvalid_i = 1, top.s_bready_i = ready, top.s_bresp_i = static_cast<std::uint8_t>(resp);
    edge();
    if (ready) top.s_bvalid_i = 0;
  }
  void answer_read(bool ready, std::uint32_t data, int resp = 0) {
    top.s_rvalid_i = 1, top.s_rready_i = ready, top.s_rdata_i = data, top.s_rresp_i = static_cast<std::uint8_t>(resp);
    edge();
    if (ready) top.s_rvalid_i = 0;
  }

  VerilatedContext context;
  Vaxi_watch top{&context};
  int broken = 0;
};

struct Fault {
  int rule;
  const char* what;
  std::function<void(Bus&)> commit;
};

const Fault kFaults[] = {
    {1, "AR's address changes", [](Bus& b) { b.read(0, 1, false), b.read(8, 1); }},
    {1, "AR's length changes", [](Bus& b) { b.read(0, 1, false), b.read(0, 2); }},
    {1, "AR is withdrawn", [](Bus& b) { b.read(0, 1, false), b.idle(); }},
    {2, "AW's address changes", [](Bus& b) { b.address(0, 1, false), b.address(64, 1); }},
    {2, "AW is withdrawn", [](Bus& b) { b.address(0, 1, false), b.idle(); }},
    {3, "W's data change", [](Bus& b) { b.address(0, 2), b.word(1, false, false), b.word(2, false); }},
    {3, "W's strobes change", [](Bus& b) { b.address(0, 2), b.word(1, false, false), b.word(1, false, true, 1); }},
    {3, "W is withdrawn", [](Bus& b) { b.address(0, 2), b.word(1, false, false), b.idle(); }},
    {4, "an address between words, read", [](Bus& b) { b.read(4, 1); }},
    {4, "an address between words, write", [](Bus& b) { b.address(12, 1); }},
    {5, "a read over 4 KiB", [](Bus& b) { b.read(4096 - 2 * kBytes, 3); }},
    {5, "a write over 4 KiB", [](Bus& b) { b.address(8192 - kBytes, 2); }},
    {6, "narrow words", [](Bus& b) { b.top.arsize_i = 2, b.read(0, 1); }},
    {6, "no incrementing burst", [](Bus& b) { b.top.awburst_i = 2, b.address(0, 1); }},
    {7, "last too early", [](Bus& b) { b.address(0, 2), b.word(1, true); }},
    {7, "last too late", [](Bus& b) { b.address(0, 1), b.word(1, false); }},
    {7, "last too early, in front of the address", [](Bus& b) { b.word(1, true), b.address(0, 2), b.idle(); }},
    {8, "B without a write", [](Bus& b) { b.answer_write(true); }},
    {8, "B twice", [](Bus& b) { b.ask_write(), b.answer_write(true), b.answer_write(true); }},
    {9, "B's answer changes", [](Bus& b) { b.ask_write(), b.answer_write(false), b.answer_write(true, 2); }},
    {10, "R without a read", [](Bus& b) { b.answer_read(true, 0); }},
    {11, "R's data change", [](Bus& b) { b.ask_read(), b.answer_read(false, 1), b.answer_read(true, 2); }},
    {11, "R is withdrawn", [](Bus& b) { b.ask_read(), b.answer_read(false, 1), b.idle(); }},
    {12, "B says EXOKAY", [](Bus& b) { b.ask_write(), b.answer_write(true, 1); }},
    {12, "R says EXOKAY", [](Bus& b) { b.ask_read(), b.answer_read(true, 1, 1); }},
};

}  // namespace

TEST_CASE("axi watch: each rule is found broken") {
  int seen = 0;
  for (const Fault& f : kFaults) {
    Bus bus;
    f.commit(bus);
    CHECK_MESSAGE(bus.broken == f.rule, f.what);
    seen |= 1 << f.rule;
  }
  CHECK(seen == 0x1ffe);
}

TEST_CASE("axi watch: what the rules allow breaks none") {
  Bus b;
  b.read(0, 1, false), b.read(0, 1, false), b.read(0, 1);  // waits
  b.read(4096 - 2 * kBytes, 2), b.read(0xff'ffff'f000, 64), b.idle();
  b.address(64, 2), b.address(4096, 1);  // two bursts, then their words
  b.word(1, false, false), b.word(1, false), b.word(2, true), b.idle(2), b.word(3, true, false), b.word(3, true);
  b.word(4, false), b.word(5, true), b.address(128, 2), b.idle();  // words before their address
  b.ask_write(), b.answer_write(false), b.answer_write(true);
  b.ask_read(), b.ask_read(), b.answer_read(true, 7), b.answer_read(false, 8, 2), b.answer_read(true, 8, 2), b.idle();
  CHECK(b.broken == 0);
}
