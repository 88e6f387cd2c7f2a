// Cells of a placed design one by one, as place and route writes them, and the chip of SDRAM.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "cells.hpp"
#include "error.hpp"
#include "sdram.hpp"

using namespace jogak;
using namespace jogak::netlist;

namespace {

// A design of the cells in `cells`, JSON, around a PLL of which net 1 is the clock, and of pins i0.. (nets 100..) and
// o0.. (from nets 200..).
std::unique_ptr<Device> made(const std::string& cells, int inputs, int outputs) {
  std::string ports, pins;
  const auto pin = [&](const std::string& name, int pad, const std::string& direction, const std::string& wire) {
    ports += (ports.empty() ? "" : ",") + ("\"" + name + "\":{\"direction\":\"x\",\"bits\":[" + std::to_string(pad) + "]}");
    pins += ",\"" + name + "$tr_io\":{\"type\":\"TRELLIS_IO\",\"parameters\":{\"DIR\":\"" + direction +
            "\"},\"connections\":{\"B\":[" + std::to_string(pad) + "]," + wire + "}}";
  };
  for (int i = 0; i < inputs; ++i) pin("i" + std::to_string(i), 300 + i, "INPUT", "\"O\":[" + std::to_string(100 + i) + "]");
  for (int i = 0; i < outputs; ++i) pin("o" + std::to_string(i), 400 + i, "OUTPUT", "\"I\":[" + std::to_string(200 + i) + "]");
  const auto path = std::filesystem::temp_directory_path() / ("jogak-netlist-" + std::to_string(::getpid()) + ".json");
  std::ofstream(path) << R"({"creator":"test","modules":{"top":{"settings":{"a":"1"},"ports":{)" << ports
                      << R"(},"cells":{"pll":{"type":"EHXPLLL","parameters":{"FEEDBK_PATH":"INT_OS2","CLKI_DIV":"1",)"
                      << R"("CLKFB_DIV":"1100","CLKOS2_DIV":"10","CLKOP_DIV":"1000"},"attributes":{},"connections":{"CLKOP":[1]}},)"
                      << cells << pins << R"(},"netnames":{"n":{"bits":[1]}}}}})";
  struct Remove {
    std::filesystem::path path;
    ~Remove() { std::filesystem::remove(path); }
  } remove{path};
  auto d = device_of(read_design(path));
  d->circuit.settle();
  return d;
}

void give(Device& d, unsigned value, int inputs) {
  for (int i = 0; i < inputs; ++i) d.circuit.set(d.pin("i" + std::to_string(i)).in, value >> i & 1);
  d.circuit.settle();
}
unsigned found(Device& d, int outputs) {
  unsigned v = 0;
  for (int i = 0; i < outputs; ++i) v |= static_cast<unsigned>(d.circuit.get(d.pin("o" + std::to_string(i)).out)) << i;
  return v;
}
void edge(Device& d) {
  d.circuit.edge();
  d.circuit.settle();
}
std::string flip_flop(const std::string& parameters, const std::string& pins) {
  return R"("f":{"type":"TRELLIS_FF","parameters":{)" + parameters + R"(},"connections":{"CLK":[1],"Q":[200],)" + pins + "}}";
}
std::string bus(const std::string& name, int count, int net) {
  std::string text;
  for (int i = 0; i < count; ++i) text += ",\"" + name + std::to_string(i) + "\":[" + std::to_string(net + i) + "]";
  return text;
}

}  // namespace

TEST_CASE("netlist: a look-up table, an open input is 1, the clock's ratio") {
  const auto d = made(R"("l":{"type":"TRELLIS_COMB","parameters":{"INITVAL":"0110000000000000"},"connections":{"A":[100],"B":[101],"C":[],"F":[200]}})", 2, 1);
  for (unsigned v = 0; v < 4; ++v) {
    give(*d, v, 2);
    CHECK(found(*d, 1) == ((v ^ v >> 1) & 1));
  }
  CHECK(d->clock_ratio == doctest::Approx(3.0));
}

TEST_CASE("netlist: a carry chain adds") {
  // Sum of two bits each: pass = A ^ B, made = A (INIT 0x666A as yosys writes adders).
  std::string cells;
  for (int i = 0; i < 3; ++i)
    cells += (i ? "," : "") + ("\"c" + std::to_string(i) + R"(":{"type":"TRELLIS_COMB","parameters":{"MODE":"CCU2","CCU2_INJECT1":"NO","INITVAL":"0110011001101010"},"connections":{)" +
             (i < 2 ? "\"A\":[" + std::to_string(100 + i) + "],\"B\":[" + std::to_string(102 + i) + "]," : "\"A\":[50],\"B\":[50],") +
             "\"F\":[" + std::to_string(200 + i) + "],\"FCO\":[" + std::to_string(20 + i) + "]" + (i ? ",\"FCI\":[" + std::to_string(19 + i) + "]" : "") + "}}");
  cells += R"(,"zero":{"type":"TRELLIS_COMB","parameters":{"INITVAL":"0000000000000000"},"connections":{"F":[50]}})";
  const auto d = made(cells, 4, 3);
  for (unsigned v = 0; v < 16; ++v) {
    give(*d, v, 4);
    CHECK(found(*d, 3) == (v & 3) + (v >> 2));
  }
}

TEST_CASE("netlist: flip-flops hold, are enabled and set") {
  const auto d = made(flip_flop(R"("SD":"1 ","CEMUX":"INV","LSRMUX":"LSR","REGSET":"SET","SRMODE":"LSR_OVER_CE")",
                                R"("DI":[100],"CE":[101],"LSR":[102])"), 3, 1);
  CHECK(found(*d, 1) == 1);  // as configured
  give(*d, 0b010, 3);
  edge(*d);
  CHECK(found(*d, 1) == 1);  // not enabled
  give(*d, 0b000, 3);
  edge(*d);
  CHECK(found(*d, 1) == 0);
  give(*d, 0b110, 3);
  CHECK(found(*d, 1) == 0);
  edge(*d);
  CHECK(found(*d, 1) == 1);  // set, enabled or not
  const auto a = made(flip_flop(R"("SD":"0 ","CEMUX":"1 ","LSRMUX":"LSR","REGSET":"RESET","SRMODE":"ASYNC")", R"("M":[100],"LSR":[101])"), 2, 1);
  give(*a, 0b01, 2);
  edge(*a);
  CHECK(found(*a, 1) == 1);
  give(*a, 0b11, 2);
  CHECK(found(*a, 1) == 0);  // without an edge
  edge(*a);
  give(*a, 0b01, 2);
  CHECK(found(*a, 1) == 0);
  edge(*a);
  CHECK(found(*a, 1) == 1);
}

TEST_CASE("netlist: a bit of distributed RAM") {
  const auto d = made(R"("w":{"type":"TRELLIS_RAMW","parameters":{},"connections":{"D0":[100],"B0":[101],"C0":[102],"A0":[103],"C1":[104],)"
                      R"("WADO0":[20],"WADO1":[21],"WADO2":[22],"WADO3":[23],"WDO0":[24]}},)"
                      R"("r":{"type":"TRELLIS_COMB","parameters":{"MODE":"DPRAM","WCKMUX":"WCK","WREMUX":"WRE","INITVAL":"0000000000000000"},"connections":)"
                      R"({"D":[106],"B":[107],"C":[108],"A":[109],"F":[200],"WD":[24],"WAD0":[20],"WAD1":[21],"WAD2":[22],"WAD3":[23],"WRE":[105],"WCK":[1]}})", 10, 1);
  const unsigned pattern = 0b1011000111010010;
  for (unsigned a = 0; a < 16; ++a) {
    give(*d, a | (pattern >> a & 1) << 4 | 1 << 5, 10);
    edge(*d);
  }
  for (unsigned a = 0; a < 16; ++a) {
    give(*d, a << 6 | 1 << 4 | a, 10);  // not enabled
    edge(*d);
    CHECK(found(*d, 1) == (pattern >> a & 1));
  }
}

TEST_CASE("netlist: block RAM of 9 bits: two ports, what was there before it is written") {
  const auto d = made(R"("m":{"type":"DP16KD","parameters":{"DATA_WIDTH_A":"1001","DATA_WIDTH_B":"1001","WRITEMODE_A":"READBEFOREWRITE",)"
                      R"("WEAMUX":"WEA","RSTAMUX":"INV","WEBMUX":"INV","RSTBMUX":"INV","CSA0MUX":"INV","CSA1MUX":"INV","CSA2MUX":"INV","CSB0MUX":"INV","CSB1MUX":"INV","CSB2MUX":"INV",)"
                      R"("INITVAL_00":")" + std::string(300, '0') + R"(00000000000000000101"},"connections":{"CLKA":[1],"CLKB":[1],"WEA":[113],"ADA3":[109],"ADA4":[110],"ADB3":[111],"ADB4":[112])" +
                      bus("DIA", 9, 100) + bus("DOA", 9, 200) + bus("DOB", 9, 209) + "}}", 14, 18);
  const auto run = [&](unsigned data, unsigned a, unsigned b, bool write) {
    give(*d, data | a << 9 | b << 11 | static_cast<unsigned>(write) << 13, 14);
    edge(*d);
    return found(*d, 18);
  };
  CHECK(run(0, 0, 0, false) == (0b101 | 0b101 << 9));
  CHECK((run(0x1f1, 0, 1, true) & 0x1ff) == 0b101);
  CHECK((run(0x0aa, 3, 0, true) >> 9) == 0x1f1);
  CHECK(run(0, 3, 3, false) == (0xaa | 0xaa << 9));
  CHECK(run(0, 0, 1, false) == 0x1f1);
}

TEST_CASE("netlist: block RAM of 36 bits is written by bytes") {
  const auto d = made(R"("m":{"type":"DP16KD","parameters":{"DATA_WIDTH_A":"100100","DATA_WIDTH_B":"100100","RSTAMUX":"INV","WEAMUX":"WEA","WEBMUX":"INV","RSTBMUX":"INV",)"
                      R"("CSA0MUX":"INV","CSA1MUX":"INV","CSA2MUX":"INV","CSB0MUX":"INV","CSB1MUX":"INV","CSB2MUX":"INV"},"connections":{"CLKA":[1],"CLKB":[1])" +
                      bus("DIA", 9, 100) + R"(,"DIB9":[100],"DIB17":[108],"ADA0":[109],"ADA3":[110],"DOA0":[200],"DOA8":[201],"DOB9":[202],"DOB17":[203]}})", 11, 4);
  give(*d, 0x101 | 1 << 9, 11);
  edge(*d), edge(*d);
  CHECK(found(*d, 4) == 0b0011);
  give(*d, 0x100 | 1 << 10, 11);
  edge(*d), edge(*d);
  CHECK(found(*d, 4) == 0b1011);
}

TEST_CASE("netlist: products with and without signs") {
  const auto d = made(R"("m":{"type":"MULT18X18D","parameters":{"A3MUX":"1 "},"connections":{"SIGNEDA":[103],"SIGNEDB":[103],"A17":[100],"A0":[101],"B1":[102])" +
                      bus("P", 20, 200) + "}}", 4, 20);
  for (unsigned v = 0; v < 16; ++v) {
    const long a = ((v & 1) ? ((v & 8) ? -131072 : 131072) : 0) + 8 + (v >> 1 & 1), b = v & 4 ? 2 : 0;
    give(*d, v, 4);
    CHECK(found(*d, 20) == (static_cast<unsigned long>(a * b) & 0xfffff));
  }
}

TEST_CASE("netlist: what is refused") {
  const std::string lut = R"("type":"TRELLIS_COMB","parameters":{"INITVAL":"1010101010101010"},"connections":)";
  CHECK_THROWS_AS(made("\"a\":{" + lut + R"({"A":[5],"F":[6]}},"b":{)" + lut + R"({"A":[6],"F":[5]}})", 0, 0), Error);
  CHECK_THROWS_AS(made("\"a\":{" + lut + R"({"F":[6]}},"b":{)" + lut + R"({"F":[6]}})", 0, 0), Error);
  CHECK_THROWS_AS(made(R"("a":{"type":"ALU54B","parameters":{},"connections":{}})", 0, 0), Error);
  CHECK_THROWS_AS(made("\"a\":{" + lut + R"({"A":[100, 101],"F":[200]}})", 2, 1), Error);
  CHECK_THROWS_AS(made(R"("f":{"type":"TRELLIS_FF","parameters":{},"connections":{"CLK":[100],"DI":[101],"Q":[200]}})", 2, 1), Error);
  CHECK_THROWS_AS(read_design("/no/such/netlist.json"), Error);
}

namespace {

SdramPins command(bool ras, bool cas, bool we, unsigned address = 0, unsigned bank = 0) {
  return {.enabled = true, .selected = true, .ras = ras, .cas = cas, .we = we, .bank = bank, .address = address, .mask = 0, .data = 0, .driven = false};
}
void rest(Sdram& s, int clocks) {
  for (int i = 0; i < clocks; ++i) s.clock(command(false, false, false));
}
Sdram started() {
  Sdram s(50);
  s.clock(command(true, false, true, 1 << 10));
  for (int i = 0; i < 2; ++i) rest(s, 5), s.clock(command(true, true, false));
  rest(s, 5);
  s.clock(command(true, true, true, 2 << 4));
  return s;
}

}  // namespace

TEST_CASE("netlist: the SDRAM gives what was written, two clocks after it is asked") {
  Sdram s = started();
  s.clock(command(true, false, false, 77, 2));
  rest(s, 2);
  SdramPins w = command(false, true, true, 5, 2);
  w.driven = true, w.data = 0xbeef;
  s.clock(w);
  w.data = 0x1234, w.mask = 2;
  s.clock(w);
  CHECK_FALSE(s.clock(command(false, true, false, 5, 2)).has_value());
  CHECK(s.clock(command(false, false, false)) == 0xbe34);
  CHECK_FALSE(s.clock(command(false, false, false)).has_value());
}

TEST_CASE("netlist: the SDRAM refuses what its data sheet forbids") {
  Sdram early(50);
  CHECK_THROWS_AS(early.clock(command(true, false, false)), Error);
  Sdram closed = started();
  CHECK_THROWS_AS(closed.clock(command(false, true, false)), Error);
  Sdram open = started();
  open.clock(command(true, false, false, 1));
  rest(open, 4);
  CHECK_THROWS_AS(open.clock(command(true, true, false)), Error);
  CHECK_THROWS_AS(open.clock(command(true, false, false, 2)), Error);
  Sdram soon = started();
  soon.clock(command(true, false, false, 1));
  CHECK_THROWS_AS(soon.clock(command(true, false, true, 0)), Error);
  Sdram tired = started();
  tired.clock(command(true, false, false, 1));
  rest(tired, 3'000'000);
  CHECK_FALSE(tired.clock(command(false, true, false)).has_value());
  rest(tired, 300'000);
  CHECK_THROWS_AS(tired.clock(command(false, true, false)), Error);
}
