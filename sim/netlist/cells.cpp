#include "cells.hpp"

#include <set>
#include <unordered_map>

#include "error.hpp"

namespace jogak::netlist {
namespace {

constexpr u32 kLow = 0xffff;  // a table of four inputs in one of five

class Builder {
 public:
  Builder(const Design& design, Device& device) : design_(design), d_(device) {}

  void run() {
    find_clock();
    for (const Cell& c : design_.cells) add(c);
    for (const auto& [name, nets] : design_.ports)
      for (const u32 n : nets) d_.pins[name].push_back(pads_[n]);
    d_.circuit.finish();
  }

 private:
  [[noreturn]] static void refuse(const Cell& c, const std::string& what, const std::string& found, const std::string& expected) {
    throw Error("netlist", c.type + " " + c.name + ", " + what, found, expected);
  }
  static void must(const Cell& c, const std::string& key, const std::set<std::string>& known) {
    const std::string found = c.text(key, *known.begin());
    if (known.count(found) == 0) refuse(c, key, found, *known.begin());
  }
  static void unused(const Cell& c, std::initializer_list<const char*> pins) {
    for (const char* p : pins)
      if (c.connected(p)) refuse(c, std::string("pin ") + p, "a net", "none");
  }

  Net net(u32 number) {
    const auto [found, is_new] = nets_.try_emplace(number, kZero);
    if (is_new) found->second = d_.circuit.net();
    return found->second;
  }
  Net input(const Cell& c, const std::string& pin, Net otherwise) {
    const auto found = c.pins.find(pin);
    return found == c.pins.end() ? otherwise : net(found->second);
  }
  Net output(const Cell& c, const std::string& pin) { return input(c, pin, kZero); }
  // A pin that may rest at a level which its multiplexer gives; `rest` without one.
  Net strapped(const Cell& c, const std::string& pin, bool rest) {
    const std::string mux = c.text(pin + "MUX", rest ? "1" : "0");
    if (c.connected(pin)) return mux == "INV" ? inverted(net(c.pins.at(pin))) : net(c.pins.at(pin));
    if (mux == "INV") return kZero;  // an open pin is 1
    return mux == "1" || mux == pin ? kOne : kZero;
  }
  Net inverted(Net n) {
    if (n <= kOne) return n == kZero ? kOne : kZero;
    const Net out = d_.circuit.net();
    d_.circuit.add(Table{{n, kZero, kZero, kZero, kZero}, 0b01, out});
    return out;
  }

  void find_clock();
  void check_clock(const Cell& c, const std::string& pin) const {
    const auto found = c.pins.find(pin);
    if (found == c.pins.end() || clocks_.count(found->second) == 0) refuse(c, "pin " + pin, "another net", "the PLL's first clock");
  }

  void add(const Cell& c);
  void add_slice(const Cell& c);
  void add_carry(const Cell& c, const std::array<Net, 4>& in, u32 truth);
  void add_bit_ram(const Cell& c, const std::array<Net, 4>& in, u32 truth);
  void add_write_side(const Cell& c);
  void add_flip_flop(const Cell& c);
  void add_word_ram(const Cell& c);
  WordRam::Port port(const Cell& c, const std::string& side);
  void add_multiplier(const Cell& c);
  void add_pin(const Cell& c);
  void add_pin_registers(const Cell& c);

  const Design& design_;
  Device& d_;
  std::unordered_map<u32, Net> nets_;
  std::set<u32> clocks_;
  std::unordered_map<u32, Pin> pads_;
};

void Builder::find_clock() {
  const Cell* pll = nullptr;
  for (const Cell& c : design_.cells)
    if (c.type == "EHXPLLL") {
      if (pll != nullptr) refuse(c, "PLLs", "two", "one");
      pll = &c;
    }
  if (pll == nullptr) throw Error("netlist", "design", "no EHXPLLL", "one");
  const auto number = [&](const char* key) { return static_cast<double>(pll->bits(key)); };
  if (pll->text("FEEDBK_PATH", "") != "INT_OS2") refuse(*pll, "FEEDBK_PATH", pll->text("FEEDBK_PATH", ""), "INT_OS2");
  d_.clock_ratio = number("CLKFB_DIV") * number("CLKOS2_DIV") / number("CLKI_DIV") / number("CLKOP_DIV");
  if (pll->connected("LOCK")) d_.locked = net(pll->pins.at("LOCK"));
  clocks_.insert(pll->pins.at("CLKOP"));
  for (const Cell& c : design_.cells)
    if (c.type == "DCCA" && clocks_.count(c.pins.at("CLKI")) != 0) clocks_.insert(c.pins.at("CLKO"));
}

void Builder::add(const Cell& c) {
  if (c.type == "TRELLIS_COMB") return add_slice(c);
  if (c.type == "TRELLIS_FF") return add_flip_flop(c);
  if (c.type == "TRELLIS_RAMW") return add_write_side(c);
  if (c.type == "DP16KD") return add_word_ram(c);
  if (c.type == "MULT18X18D") return add_multiplier(c);
  if (c.type == "TRELLIS_IO") return add_pin(c);
  if (c.type == "IOLOGIC") return add_pin_registers(c);
  if (c.type != "EHXPLLL" && c.type != "DCCA") refuse(c, "type", c.type, "a known cell");
}

void Builder::add_slice(const Cell& c) {
  std::array<Net, 4> in{};
  for (std::size_t i = 0; i < 4; ++i) in[i] = input(c, std::string(1, "ABCD"[i]), kOne);
  const u32 truth = static_cast<u32>(c.bits("INITVAL")) & kLow;
  const std::string mode = c.text("MODE", "LOGIC");
  unused(c, {"OFX", "FXA", "FXB", "M"});
  if (mode == "CCU2") return add_carry(c, in, truth);
  if (mode == "DPRAM") return add_bit_ram(c, in, truth);
  if (mode == "LOGIC") {
    if (c.connected("F")) d_.circuit.add(Table{{in[0], in[1], in[2], in[3], kZero}, truth, output(c, "F")});
  } else if (mode != "RAMW_BLOCK") {
    refuse(c, "MODE", mode, "LOGIC, CCU2, DPRAM or RAMW_BLOCK");
  }
}

// Half of a CCU2C. The table of all four inputs is the sum without its carry, and passes the carry on; where it does
// not, the table of A and B in the lowest quarter is the carry. INJECT1: this bit takes no carry into its sum.
void Builder::add_carry(const Cell& c, const std::array<Net, 4>& in, u32 truth) {
  const bool inject = c.text("CCU2_INJECT1", "NO") == "YES";
  const std::array<Net, 5> five = {in[0], in[1], in[2], in[3], input(c, "FCI", kZero)};
  u32 made = 0;
  for (u32 i = 0; i < 16; ++i) made |= (truth >> (i & 3) & 1u & ~static_cast<u32>(inject)) << i;
  const u32 without = ~truth & made & kLow, with = (truth | without) & kLow;
  if (c.connected("F")) d_.circuit.add(Table{five, truth | (inject ? truth : ~truth & kLow) << 16, output(c, "F")});
  if (c.connected("FCO")) d_.circuit.add(Table{five, without | with << 16, output(c, "FCO")});
}

// Address bits of reading: D, B, C, A, low first; the order in the table is A, B, C, D.
void Builder::add_bit_ram(const Cell& c, const std::array<Net, 4>& in, u32 truth) {
  must(c, "WREMUX", {"WRE"});
  must(c, "WCKMUX", {"WCK"});
  check_clock(c, "WCK");
  const u32 table = d_.circuit.add(Table{{in[0], in[1], in[2], in[3], kZero}, truth, output(c, "F")});
  d_.circuit.add(BitRam{table,
                        {input(c, "WAD3", kZero), input(c, "WAD1", kZero), input(c, "WAD2", kZero), input(c, "WAD0", kZero)},
                        input(c, "WD", kZero),
                        input(c, "WRE", kOne)});
}

void Builder::add_write_side(const Cell& c) {
  static constexpr std::pair<const char*, const char*> kWires[] = {
      {"D0", "WADO0"}, {"B0", "WADO1"}, {"C0", "WADO2"}, {"A0", "WADO3"}, {"C1", "WDO0"}, {"A1", "WDO1"}, {"D1", "WDO2"}, {"B1", "WDO3"}};
  for (const auto& [from, to] : kWires)
    if (c.connected(to)) d_.circuit.add(Table{{input(c, from, kZero), kZero, kZero, kZero, kZero}, 0b10, output(c, to)});
}

void Builder::add_flip_flop(const Cell& c) {
  must(c, "CLKMUX", {"CLK"});
  must(c, "LSRMUX", {"LSR", "INV"});
  must(c, "CEMUX", {"CE", "INV", "1"});
  check_clock(c, "CLK");
  const std::string enable = c.text("CEMUX", "CE");
  const Net ce = enable == "1" ? kOne : input(c, "CE", kOne), set = input(c, "LSR", kZero);
  d_.circuit.add(FlipFlop{input(c, c.text("SD", "0") == "1" ? "DI" : "M", kZero),
                          enable == "INV" ? inverted(ce) : ce,
                          c.connected("LSR") && c.text("LSRMUX", "LSR") == "INV" ? inverted(set) : set,
                          output(c, "Q"),
                          c.text("REGSET", "RESET") == "SET",
                          c.text("SRMODE", "LSR_OVER_CE") == "ASYNC"});
}

WordRam::Port Builder::port(const Cell& c, const std::string& side) {
  WordRam::Port p{};
  p.width = static_cast<int>(c.bits("DATA_WIDTH_" + side));
  const std::string mode = c.text("WRITEMODE_" + side, "NORMAL");
  p.mode = mode == "NORMAL" ? WriteMode::keep : mode == "READBEFOREWRITE" ? WriteMode::old : WriteMode::through;
  for (std::size_t i = 0; i < 14; ++i) p.address[i] = strapped(c, "AD" + side + std::to_string(i), false);
  p.enable = strapped(c, "CE" + side, true);
  p.write = strapped(c, "WE" + side, true);
  p.reset = strapped(c, "RST" + side, false);
  must(c, "REGMODE_" + side, {"NOREG"});
  must(c, "CSDECODE_" + side, {"0b000"});
  for (const char* select : {"0", "1", "2"})
    if (strapped(c, "CS" + side + select, false) != kZero) refuse(c, "CS" + side + select, "a net or 1", "0");
  p.reads = p.writes = true;
  return p;
}

void Builder::add_word_ram(const Cell& c) {
  WordRam r{};
  r.ports = {port(c, "A"), port(c, "B")};
  auto& [a, b] = r.ports;
  const bool wide = a.width == 36;
  if (wide != (b.width == 36)) refuse(c, "DATA_WIDTH_B", std::to_string(b.width), std::to_string(a.width));
  if (wide) a.reads = b.writes = false;
  const auto bus = [&](std::array<Net, 36>& nets, std::size_t from, const std::string& name, bool in) {
    for (std::size_t i = 0; i < 18; ++i) nets[from + i] = in ? strapped(c, name + std::to_string(i), false) : output(c, name + std::to_string(i));
  };
  bus(a.in, 0, "DIA", true), bus(wide ? a.in : b.in, wide ? 18 : 0, "DIB", true);
  bus(wide ? b.out : a.out, 0, "DOA", false), bus(b.out, wide ? 18 : 0, "DOB", false);
  for (auto* p : {&a, &b}) {
    const std::string side = p == &a ? "A" : "B";
    for (std::size_t i = static_cast<std::size_t>(p->width); i < 36; ++i) p->out[i] = kZero;
    p->reads = p->reads && p->enable != kZero;
    p->writes = p->writes && p->enable != kZero && p->write != kZero;
    if (p->reads || p->writes) check_clock(c, "CLK" + side), must(c, "CLK" + side + "MUX", {"CLK" + side});
    if (!p->reads) p->out.fill(kZero);
    if (p->reads && p->reset != kZero) must(c, "RESETMODE", {"SYNC"});
  }
  for (u32 row = 0; row < 64; ++row) {  // 16 words of 18 bits, 20 apart
    static constexpr char kHex[] = "0123456789ABCDEF";
    const std::string bits = c.text(std::string("INITVAL_") + kHex[row >> 4] + kHex[row & 15], "0");
    for (u32 i = 0; i < 320 && i < bits.size(); ++i)
      if (bits[bits.size() - 1 - i] == '1' && i % 20 < 18) r.words[16 * row + i / 20] |= 1u << i % 20;
  }
  d_.circuit.add(r);
}

void Builder::add_multiplier(const Cell& c) {
  Multiplier m{};
  for (std::size_t i = 0; i < 18; ++i) {
    m.a[i] = strapped(c, "A" + std::to_string(i), false);
    m.b[i] = strapped(c, "B" + std::to_string(i), false);
  }
  m.signed_a = input(c, "SIGNEDA", kZero);
  m.signed_b = input(c, "SIGNEDB", kZero);
  for (std::size_t i = 0; i < 36; ++i) {
    const std::string pin = "P" + std::to_string(i);
    m.product[i] = c.connected(pin) ? output(c, pin) : d_.circuit.net();
  }
  for (const auto& [key, value] : c.parameters)
    if (key.rfind("REG_", 0) == 0 && key.find("_CLK") != std::string::npos && value != "NONE") refuse(c, key, value, "NONE");
  d_.circuit.add(m);
}

void Builder::add_pin(const Cell& c) {
  Pin& p = pads_[c.pins.at("B")];
  const std::string direction = c.text("DIR", "INPUT");
  if (direction != "INPUT") {
    p.out = input(c, c.connected("IOLDO") ? "IOLDO" : "I", kZero);
    unused(c, {"IOLTO"});
    p.drives = direction == "OUTPUT" ? kOne : inverted(input(c, "T", kZero));
  }
  if (direction == "OUTPUT") return;
  p.in = d_.circuit.net();
  if (c.connected("O")) d_.circuit.add(Table{{p.in, p.out, p.drives, kZero, kZero}, 0xCA, output(c, "O")});
}

// A register in or out of a pin. The pin that carries a clock out is left alone: nothing here reads it.
void Builder::add_pin_registers(const Cell& c) {
  if (c.text("MODE", "") == "IDDRX1_ODDRX1") return;
  if (c.text("MODE", "") != "IREG_OREG") refuse(c, "MODE", c.text("MODE", ""), "IREG_OREG");
  check_clock(c, "CLK");
  const bool asynchronous = c.text("SRMODE", "ASYNC") == "ASYNC";
  const auto add = [&](const std::string& part, const std::string& from, const std::string& to, const std::string& side) {
    if (!c.connected(to) || !c.connected(from)) return;
    const Net set = c.text("LSR" + side + "MUX", "0") == "0" ? kZero : input(c, "LSR", kZero);
    const Net enable = c.text("CE" + side + "MUX", "1") == "1" ? kOne : input(c, "CE", kOne);
    d_.circuit.add(FlipFlop{net(c.pins.at(from)), c.text("CEMUX", "CE") == "INV" ? inverted(enable) : enable, set, output(c, to),
                            c.text(part + ".REGSET", "RESET") == "SET", asynchronous});
  };
  add("OUTREG", "TXDATA0", "IOLDO", "O");
  add("FF", "PADDI", "INFF", "I");
}

}  // namespace

const Pin& Device::pin(const std::string& port, std::size_t bit) const {
  const auto found = pins.find(port);
  if (found == pins.end() || bit >= found->second.size()) throw Error("netlist", "pins of the design", "no " + port + " " + std::to_string(bit), "it");
  return found->second[bit];
}

std::unique_ptr<Device> device_of(const Design& design) {
  auto d = std::make_unique<Device>();
  Builder(design, *d).run();
  return d;
}

}  // namespace jogak::netlist
