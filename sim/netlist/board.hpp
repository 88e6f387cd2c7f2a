// A board whose FPGA is a placed design: its oscillator, SDRAM chip and serial line around it.
#pragma once

#include <filesystem>
#include <memory>

#include "cells.hpp"
#include "sdram.hpp"

namespace jogak::netlist {

class NetlistBoard {
 public:
  // netlist: what `jogak synth` leaves as placed.json; mhz: of the oscillator; baud: of the serial line. Throws Error.
  explicit NetlistBoard(const std::filesystem::path& netlist, double mhz = 25, double baud = 1e6);

  // One clock; takes the byte if `in` holds one and the line is free (then true), appends what the board says to `out`.
  // Throws Error where the board treats its memory as the data sheet forbids.
  bool tick(const u8* in, std::vector<u8>& out);
  u64 cycles() const { return cycles_; }
  double clock_mhz() const { return clock_mhz_; }
  double baud() const { return clock_mhz_ * 1e6 / bit_cycles_; }
  u64 evaluations() const { return device_->circuit.evaluations(); }

 private:
  void memory();
  bool say(const u8* in);
  void hear(std::vector<u8>& out);

  std::unique_ptr<Device> device_;
  double clock_mhz_, bit_cycles_;
  Sdram sdram_;
  struct {
    std::vector<Net> address, bank, mask, data, data_in;
    Net enabled, selected, ras, cas, we, drives;
  } sdram_nets_;
  Net rx_, tx_;
  u64 cycles_ = 0;
  unsigned saying_ = 0, heard_ = 0;             // the frame's bits that are left to say; those heard so far
  double next_bit_ = 0, next_sample_ = 0;       // when, in cycles
  int hearing_ = -1;                            // number of the next bit, or -1
};

}  // namespace jogak::netlist
