// DRAM behind a port: addresses are spread over channels, groups, banks and rows, and each channel (channel.hpp) says when.
//
//   Dram dram({.preset = &find_preset("ddr4-3200"), .period_fs = 1'000'000});
//   dram.access(cycle, address, false, 7);
//   dram.advance(cycle + 100);   // dram.done(): {7, cycle of its data}
//
// An address, from its low bits: byte of an access, bank group, column of `interleave` bytes, channel, more columns, bank, rank, row. A write is
// done when the controller has taken it, as controllers answer; a read of what waits there is timed like any other.
#pragma once

#include <string>

#include "channel.hpp"
#include "sim/memory_timing.hpp"

namespace jogak::dram {

struct Options {
  const Preset* preset = nullptr;
  u64 period_fs = 1'000'000;      // of the port's clock
  u32 channels = 0;               // 0: the preset's
  u32 interleave = 256;           // bytes that follow each other in a channel
  u64 controller_fs = 10'000'000; // from port to DRAM and back, on top of the DRAM's own time
};

class Dram final : public MemoryTiming {
 public:
  // Throws Error for channels or an interleave that are no powers of two.
  explicit Dram(const Options& options);

  u32 access_bytes() const override { return access_bytes_; }
  void access(u64 cycle, u64 addr, bool write, u64 id) override;
  void advance(u64 cycle) override;
  u64 next() override;
  void restart() override;

  u32 channels() const { return u32(channels_.size()); }
  const Counts& counts(u32 channel) const { return channels_.at(channel).counts(); }
  u64 peak_bytes_per_second() const;

 private:
  Channel::Access place(u64 local) const;
  u64 tick_of(u64 cycle) const { return ((cycle - origin_) * options_.period_fs + clock_fs_ - 1) / clock_fs_; }
  void tell();  // ends of commands as cycles

  Options options_;
  const Preset& p_;
  u64 clock_fs_;
  u32 access_bytes_;
  std::vector<Channel> channels_;
  std::vector<Channel::End> ends_;
  u64 origin_ = 0;
  bool begun_ = false;
};

// "ideal", a preset's name, or NAME:KEY=VALUE,... with channels, mhz (of the NPU, 1000), controller (ns) and interleave (bytes). Throws
// Error that names what is not known. Empty for "ideal".
MemoryFactory parse_memory(const std::string& text);
// The options behind such a text; preset is null for "ideal".
Options parse_options(const std::string& text);

}  // namespace jogak::dram
