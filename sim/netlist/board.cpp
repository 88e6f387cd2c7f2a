#include "board.hpp"

namespace jogak::netlist {
namespace {

constexpr u64 kLockAfter = 32;  // cycles until the PLL says that it is locked
constexpr int kFrameBits = 10;  // start, 8 bits, stop

template <typename Get>
unsigned number(const std::vector<Net>& nets, const Get& get) {
  unsigned v = 0;
  for (std::size_t i = 0; i < nets.size(); ++i) v |= static_cast<unsigned>(get(nets[i])) << i;
  return v;
}

}  // namespace

NetlistBoard::NetlistBoard(const std::filesystem::path& netlist, double mhz, double baud)
    : device_(device_of(read_design(netlist))),
      clock_mhz_(mhz * device_->clock_ratio),
      bit_cycles_(clock_mhz_ * 1e6 / baud),
      sdram_(clock_mhz_) {
  const auto outs = [&](const std::string& port) {
    std::vector<Net> nets;
    for (std::size_t i = 0; i < device_->pins.at(port).size(); ++i) nets.push_back(device_->pin(port, i).out);
    return nets;
  };
  const auto out = [&](const std::string& port) { return device_->pin(port).out; };
  sdram_nets_ = {outs("sdram_a"),    outs("sdram_ba"),    outs("sdram_dm"),  outs("sdram_dq"),  {},
                 out("sdram_cke"),   out("sdram_cs_n"),   out("sdram_ras_n"), out("sdram_cas_n"), out("sdram_we_n"),
                 device_->pin("sdram_dq").drives};
  for (const Pin& p : device_->pins.at("sdram_dq")) sdram_nets_.data_in.push_back(p.in);
  rx_ = device_->pin("serial_rx").in, tx_ = out("serial_tx");
  device_->circuit.set(rx_, true);
  device_->circuit.set(device_->pin("reset").in, false);
  device_->circuit.settle();
  std::vector<u8> nothing;
  while (cycles_ < 2 * kLockAfter) tick(nullptr, nothing);
}

bool NetlistBoard::tick(const u8* in, std::vector<u8>& out) {
  if (cycles_ == kLockAfter) device_->circuit.set(device_->locked, true);
  const bool taken = say(in);
  memory();
  device_->circuit.settle();
  hear(out);
  device_->circuit.edge();
  device_->circuit.settle();
  ++cycles_;
  return taken;
}

void NetlistBoard::memory() {
  const auto get = [&](Net n) { return device_->circuit.get(n); };
  const auto& n = sdram_nets_;
  const auto word = sdram_.clock({.enabled = get(n.enabled), .selected = !get(n.selected), .ras = !get(n.ras), .cas = !get(n.cas),
                                  .we = !get(n.we), .bank = number(n.bank, get), .address = number(n.address, get),
                                  .mask = number(n.mask, get), .data = number(n.data, get), .driven = get(n.drives)});
  if (!word) return;
  for (std::size_t i = 0; i < n.data_in.size(); ++i) device_->circuit.set(n.data_in[i], *word >> i & 1);
}

// The line to the board: one bit every bit_cycles_.
bool NetlistBoard::say(const u8* in) {
  const auto now = static_cast<double>(cycles_);
  if (now < next_bit_) return false;
  bool taken = false;
  if (saying_ == 0 && in != nullptr) {
    saying_ = 1u << kFrameBits | 1u << (kFrameBits - 1) | static_cast<unsigned>(*in) << 1;  // a mark, stop, byte, start
    taken = true;
    next_bit_ = now;
  }
  if (saying_ == 0) return false;
  device_->circuit.set(rx_, saying_ & 1);
  saying_ >>= 1;
  if (saying_ == 1) saying_ = 0;  // only the mark is left
  next_bit_ += bit_cycles_;
  return taken;
}

// The line from the board, sampled in the middle of every bit.
void NetlistBoard::hear(std::vector<u8>& out) {
  const bool level = device_->circuit.get(tx_);
  const auto now = static_cast<double>(cycles_);
  if (hearing_ < 0) {
    if (level) return;
    hearing_ = 0, heard_ = 0, next_sample_ = now + bit_cycles_ / 2;
  }
  if (now < next_sample_) return;
  heard_ |= static_cast<unsigned>(level) << hearing_;
  next_sample_ += bit_cycles_;
  if (++hearing_ < kFrameBits) return;
  hearing_ = -1;
  if ((heard_ & 1) == 0 && heard_ >> (kFrameBits - 1) == 1) out.push_back(static_cast<u8>(heard_ >> 1));
}

}  // namespace jogak::netlist
