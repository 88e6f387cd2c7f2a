// An AXI4 memory for Verilated designs: bytes and error answers, in the time of AxiPace (latency, one beat a cycle each
// way, stalls); checks the design's side of the protocol. Same bus rules as rtl/memory/npu_axi_pkg.sv.
//
//   AxiMemory memory({store, base, options});      store: the bytes at addresses base ..
//   each cycle, with clk low and inputs settled:
//     memory.sample(pins); clk = 1; eval; memory.drive(pins); clk = 0; eval
//
// During reset call drive() only. A read's first beat can be taken `read_latency` cycles after its address; a write
// response `write_latency` cycles after the burst's last beat or address. Writes reach the store when their response is
// offered, reads look at it when their beat is offered. Addresses outside the store answer DECERR. Broken rules throw
// jogak::Error.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "error.hpp"
#include "sim/axi_pace.hpp"

namespace jogak::rtl {

// Where the signals of a design live; Verilator's types for 1..8, 40 (address) and wider (data) bits. Pointers that
// the design drives are const. Channels that it has not stay null: all of ar/r, or all of aw/w/b.
struct AxiPins {
  const std::uint8_t* ar_valid = nullptr;
  std::uint8_t* ar_ready = nullptr;
  const std::uint64_t* ar_addr = nullptr;
  const std::uint8_t* ar_len = nullptr;
  std::uint8_t* r_valid = nullptr;
  const std::uint8_t* r_ready = nullptr;
  void* r_data = nullptr;  // port_bytes bytes
  std::uint8_t* r_resp = nullptr;
  std::uint8_t* r_last = nullptr;
  const std::uint8_t* aw_valid = nullptr;
  std::uint8_t* aw_ready = nullptr;
  const std::uint64_t* aw_addr = nullptr;
  const std::uint8_t* aw_len = nullptr;
  const std::uint8_t* w_valid = nullptr;
  std::uint8_t* w_ready = nullptr;
  const void* w_data = nullptr;  // port_bytes bytes
  const void* w_strb = nullptr;  // port_bytes bits
  const std::uint8_t* w_last = nullptr;
  std::uint8_t* b_valid = nullptr;
  const std::uint8_t* b_ready = nullptr;
  std::uint8_t* b_resp = nullptr;
};

struct AxiOptions {
  std::uint32_t port_bytes = 16;
  std::uint32_t read_latency = 64;   // as in AxiPace::Options
  std::uint32_t write_latency = 64;
  std::uint32_t stall = 0;
  std::uint64_t seed = 1;
  MemoryTiming* behind = nullptr;
};

class AxiMemory {
 public:
  struct Counts {
    std::uint64_t read_bursts = 0, read_beats = 0, write_bursts = 0, write_beats = 0;
  };

  AxiMemory(std::span<std::uint8_t> store, std::uint64_t base, const AxiOptions& options)
      : store_(store),
        base_(base),
        options_(options),
        pace_({options.read_latency, options.write_latency, options.stall, options.seed, options.behind, options.port_bytes}) {
    if (base % options.port_bytes != 0 || store.size() % options.port_bytes != 0)
      throw Error("axi memory", "store", std::to_string(base) + " + " + std::to_string(store.size()),
                  "multiples of the port's bytes");
  }

  // Accesses that touch [begin, end) answer SLVERR (and write nothing).
  void add_error(std::uint64_t begin, std::uint64_t end) { errors_.push_back({begin, end}); }
  void clear_errors() { errors_.clear(); }
  // A frozen memory takes and answers nothing.
  void freeze(bool frozen) { pace_.freeze(frozen); }
  // What is behind begins anew, as before a job; nothing may be in flight.
  void restart() { pace_.restart(); }
  const Counts& counts() const { return counts_; }
  std::uint64_t cycle() const { return pace_.cycle(); }
  bool quiet() const { return pace_.quiet() && beats_.empty(); }

  // Before the rising edge: what is transferred at it.
  void sample(const AxiPins& pins) {
    pace_.edge();
    if (pins.ar_valid) {
      sample_address(pins.ar_valid, pins.ar_ready, pins.ar_addr, pins.ar_len, ar_, "AR");
      if (ar_.moved) {
        pace_.ar(ar_.addr, ar_.len + 1u);
        ++counts_.read_bursts;
      }
      if (*pins.r_valid && *pins.r_ready) {
        pace_.r(options_.port_bytes);
        ++counts_.read_beats;
      }
    }
    if (pins.aw_valid) {
      sample_address(pins.aw_valid, pins.aw_ready, pins.aw_addr, pins.aw_len, aw_, "AW");
      if (aw_.moved) {
        pace_.aw(aw_.addr, aw_.len + 1u);
        ++counts_.write_bursts;
      }
      sample_data(pins);
      if (*pins.b_valid && *pins.b_ready) pace_.b();
      while (const u32 beats = pace_.match()) check_burst(beats);
    }
  }

  // After the rising edge: the memory's outputs for the next cycle.
  void drive(const AxiPins& pins) {
    if (pins.ar_valid) {
      if (pace_.offer_reads()) offer_read_beat(pins);
      *pins.ar_ready = pace_.ar_ready();
      *pins.r_valid = pace_.r_valid();
    }
    if (pins.aw_valid) {
      if (pace_.offer_writes()) offer_response(pins);
      *pins.aw_ready = pace_.aw_ready();
      *pins.w_ready = pace_.w_ready();
      *pins.b_valid = pace_.b_valid();
    }
  }

 private:
  using u8 = std::uint8_t;
  using u32 = std::uint32_t;
  using u64 = std::uint64_t;

  struct Address {
    bool moved = false, waiting = false;
    u64 addr = 0;
    u8 len = 0;
  };
  struct Beat {
    std::array<u8, 64> data;
    u64 strb;
    bool last;
    bool operator==(const Beat&) const = default;
  };
  struct Range {
    u64 begin, end;
  };

  [[noreturn]] static void broken(const std::string& rule, u64 found, const std::string& expected) {
    throw Error("axi", rule, std::to_string(found), expected);
  }

  void sample_address(const u8* valid, const u8* ready, const u64* addr, const u8* len, Address& channel,
                      const char* name) const {
    if (channel.waiting && (!*valid || *addr != channel.addr || *len != channel.len))
      broken(std::string(name) + " changed before ready, address", *addr, std::to_string(channel.addr));
    channel.moved = *valid && *ready;
    channel.waiting = *valid && !*ready;
    if (!*valid) return;
    channel.addr = *addr;
    channel.len = *len;
    const u64 bytes = u64(*len + 1) * options_.port_bytes;
    if (*addr % options_.port_bytes != 0)
      broken(std::string(name) + " address", *addr, "a multiple of the port's bytes");
    if ((*addr ^ (*addr + bytes - 1)) >> 12) broken(std::string(name) + " burst at", *addr, "within 4 KiB");
  }

  void sample_data(const AxiPins& pins) {
    Beat beat{};
    if (*pins.w_valid) {
      std::memcpy(beat.data.data(), pins.w_data, options_.port_bytes);
      std::memcpy(&beat.strb, pins.w_strb, (options_.port_bytes + 7) / 8);
      beat.last = *pins.w_last;
    }
    if (w_waiting_ && (!*pins.w_valid || beat != w_held_))
      broken("W changed before ready, cycle", cycle(), "stable data");
    w_waiting_ = *pins.w_valid && !*pins.w_ready;
    if (w_waiting_) w_held_ = beat;
    if (!*pins.w_valid || w_waiting_) return;
    beats_.push_back(beat);
    pace_.w();
    ++counts_.write_beats;
  }

  // The next beats taken are those of a burst.
  void check_burst(u32 beats) {
    for (u32 i = 0; i < beats; ++i) check_last(beats_[matched_ + i].last, i + 1 == beats);
    matched_ += beats;
  }
  void check_last(bool last, bool expected) const {
    if (last != expected) broken("W last at cycle " + std::to_string(cycle()), last, expected ? "1" : "0");
  }

  bool inside(u64 addr) const { return addr >= base_ && addr - base_ < store_.size(); }
  u8 answer(u64 addr) const {
    for (const Range& range : errors_)
      if (addr < range.end && addr + options_.port_bytes > range.begin) return 2;
    return inside(addr) ? 0 : 3;
  }

  void offer_read_beat(const AxiPins& pins) const {
    const AxiPace::Burst& burst = pace_.reading();
    *pins.r_resp = answer(burst.addr);
    *pins.r_last = burst.beats == 1;
    if (inside(burst.addr))
      std::memcpy(pins.r_data, &store_[burst.addr - base_], options_.port_bytes);
    else
      std::memset(pins.r_data, 0, options_.port_bytes);
  }

  void offer_response(const AxiPins& pins) {
    AxiPace::Burst burst = pace_.response();
    u8 resp = 0;
    for (u32 i = 0; i < burst.beats; ++i, burst.addr += options_.port_bytes) {
      const u8 status = answer(burst.addr);
      if (status > resp) resp = status;
      if (status == 0) write_beat(burst.addr, beats_.front());
      beats_.pop_front();
    }
    matched_ -= burst.beats;
    *pins.b_resp = resp;
  }
  void write_beat(u64 addr, const Beat& beat) {
    u8* to = &store_[addr - base_];
    for (u32 i = 0; i < options_.port_bytes; ++i)
      if (beat.strb >> i & 1) to[i] = beat.data[i];
  }

  std::span<u8> store_;
  u64 base_;
  AxiOptions options_;
  AxiPace pace_;
  Counts counts_;
  std::vector<Range> errors_;
  Address ar_, aw_;
  std::deque<Beat> beats_;   // taken and not yet written
  std::size_t matched_ = 0;  // of these, how many have their response queued
  bool w_waiting_ = false;
  Beat w_held_{};
};

}  // namespace jogak::rtl
