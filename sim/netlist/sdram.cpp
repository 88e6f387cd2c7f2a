#include "sdram.hpp"

#include <cmath>
#include <string>

#include "error.hpp"

namespace jogak::netlist {
namespace {

constexpr unsigned kRows = 8192, kColumns = 512, kAll = 1u << 10;
constexpr double kActiveNs = 20, kPrechargeNs = 20, kOpenNs = 44, kWriteNs = 15, kRefreshNs = 66;
constexpr double kWindowMs = 64 * 1.01;  // controllers round the time between refreshes up to whole cycles

}  // namespace

Sdram::Sdram(double mhz) : words_(4 * kRows * kColumns) {
  const auto cycles = [&](double ns) { return static_cast<unsigned>(std::ceil(ns * mhz / 1000 - 1e-9)); };
  active_ = cycles(kActiveNs), precharge_ = cycles(kPrechargeNs), open_ = cycles(kOpenNs);
  write_ = cycles(kWriteNs), refresh_ = cycles(kRefreshNs);
  window_ = static_cast<std::uint64_t>(kWindowMs * 1000 * mhz);
}

void Sdram::need(bool good, const char* what) const {
  if (!good) throw Error("sdram", "command at clock " + std::to_string(now_), what, "what its data sheet allows");
}

std::optional<unsigned> Sdram::clock(const SdramPins& p) {
  if (p.enabled && p.selected) command(p);
  ++now_;
  if (used_ && now_ - window_start_ >= window_) {
    forgotten_ = forgotten_ || in_window_ < kRows;
    window_start_ = now_, in_window_ = 0;
  }
  const std::optional<unsigned> driven = coming_[now_ % coming_.size()];
  coming_[now_ % coming_.size()].reset();
  need(!driven || !p.driven, "data from the controller while the chip gives a word");
  return driven;
}

void Sdram::command(const SdramPins& p) {
  if (p.ras && p.cas && p.we) return set_mode(p.address);
  if (p.ras && p.cas) return refresh();
  if (p.ras && p.we) return precharge(p.bank, (p.address & kAll) != 0);
  if (p.ras) return activate(p);
  if (p.cas) return access(p, p.we);
  need(!p.we, "an end of burst");
}

void Sdram::set_mode(unsigned mode) {
  for (const Bank& b : banks_) need(b.row < 0, "a mode while a row is open");
  need(start_refreshes_ >= 2, "a mode before two refreshes");
  need((mode & 0xf) == 0, "a mode with bursts");
  latency_ = mode >> 4 & 7;
  need(latency_ == 2 || latency_ == 3, "a mode with another latency than 2 or 3");
  used_ = forgotten_ = false;
}

void Sdram::refresh() {
  need(start_refreshes_ >= 0, "a refresh before all banks were closed");
  for (const Bank& b : banks_) {
    need(b.row < 0, "a refresh while a row is open");
    need_after(b.closed, precharge_, "a refresh too soon after a row was closed");
  }
  need_after(refreshed_, refresh_, "a refresh too soon after another");
  refreshed_ = now_;
  ++refreshes_, ++in_window_, ++start_refreshes_;
}

void Sdram::precharge(unsigned bank, bool all) {
  for (unsigned i = 0; i < banks_.size(); ++i) {
    Bank& b = banks_[i];
    if ((i != bank && !all) || b.row < 0) continue;
    need_after(b.opened, open_, "a row closed too soon");
    need_after(b.written, write_, "a row closed too soon after a write");
    b.row = -1, b.closed = now_;
  }
  if (all && start_refreshes_ < 0) start_refreshes_ = 0;
}

void Sdram::activate(const SdramPins& p) {
  Bank& b = banks_[p.bank];
  need(latency_ != 0, "a row opened before the mode was set");
  need(b.row < 0, "a row opened in a bank with an open row");
  need_after(b.closed, precharge_, "a row opened too soon after the last was closed");
  need_after(refreshed_, refresh_, "a row opened too soon after a refresh");
  b.row = static_cast<int>(p.address % kRows), b.opened = now_;
  if (!used_) window_start_ = now_, in_window_ = 0;
  used_ = true;
}

void Sdram::access(const SdramPins& p, bool write) {
  Bank& b = banks_[p.bank];
  need(b.row >= 0, "a word of a bank without an open row");
  need_after(b.opened, active_, "a word too soon after its row was opened");
  std::uint16_t& word = words_[(p.bank * kRows + static_cast<unsigned>(b.row)) * kColumns + p.address % kColumns];
  if (write) {
    need(p.driven, "a write without data");
    const unsigned keep = (p.mask & 1 ? 0xffu : 0) | (p.mask & 2 ? 0xff00u : 0);
    word = static_cast<std::uint16_t>((word & keep) | (p.data & ~keep));
    b.written = now_;
  } else {
    need(!forgotten_, "a read after rows were not refreshed for 64 ms");
    coming_[(now_ + latency_) % coming_.size()] = word;
  }
  if ((p.address & kAll) != 0) {  // the row is closed as soon as that may be
    b.row = -1, b.closed = write ? now_ + write_ : now_;
  }
}

}  // namespace jogak::netlist
