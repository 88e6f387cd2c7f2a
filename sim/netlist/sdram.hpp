// A chip of single-data-rate SDRAM, 4 banks of 8,192 rows of 512 words of 16 bits, as its pins see it: one command per
// clock, burst of one. What its data sheet forbids throws: a command before the start sequence, to a bank that is not
// open (or is), too soon, or a read after rows were not refreshed in time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace jogak::netlist {

struct SdramPins {
  bool enabled, selected, ras, cas, we;  // all true when active; enabled: the clock's enable
  unsigned bank, address, mask, data;    // mask: bytes that are not written
  bool driven;                           // whether the controller drives the data
};

class Sdram {
 public:
  explicit Sdram(double mhz);

  // One clock. The word that the chip drives until the next one, if it does. Throws Error.
  std::optional<unsigned> clock(const SdramPins& pins);

  std::uint64_t refreshes() const { return refreshes_; }

 private:
  struct Bank {
    int row = -1;                                  // open, or -1
    std::uint64_t opened = 0, closed = 0, written = 0;  // when
  };

  void command(const SdramPins& p);
  void activate(const SdramPins& p);
  void access(const SdramPins& p, bool write);
  void precharge(unsigned bank, bool all);
  void refresh();
  void set_mode(unsigned mode);
  void need(bool good, const char* what) const;
  void need_after(std::uint64_t since, unsigned cycles, const char* what) const { need(now_ >= since + cycles, what); }

  std::vector<std::uint16_t> words_;
  std::array<Bank, 4> banks_;
  unsigned active_, precharge_, open_, write_, refresh_;  // waits in cycles: tRCD, tRP, tRAS, tWR, tRFC
  std::uint64_t window_;                                  // cycles in which all rows must be refreshed
  std::uint64_t now_ = 1000, refreshed_ = 0, window_start_ = 0, refreshes_ = 0, in_window_ = 0;
  unsigned latency_ = 0;  // 0: no mode yet
  bool used_ = false, forgotten_ = false;  // since the mode was set: from the first row on, what is stored must last
  int start_refreshes_ = -1;
  std::array<std::optional<unsigned>, 4> coming_;  // words under way, by clock
};

}  // namespace jogak::netlist
