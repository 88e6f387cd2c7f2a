// A bus made of variables, and one fault for every rule that the watchers of the AXI ports check: what a design must do to be found out.
// For their test, and for the benchmark axi-check.
#pragma once

#include <array>
#include <vector>

#include "axi_lite_watch.hpp"
#include "axi_memory.hpp"

namespace jogak::rtl {

constexpr std::uint64_t kBusBase = 0x12'0000'0000;

// A master of a memory of 8 KiB whose bytes are known.
struct Bus {
  using u8 = std::uint8_t;
  using u64 = std::uint64_t;

  u8 ar_valid = 0, ar_ready = 0, ar_len = 0, r_valid = 0, r_ready = 1, r_resp = 0, r_last = 0;
  u8 aw_valid = 0, aw_ready = 0, aw_len = 0, w_valid = 0, w_ready = 0, w_last = 0, b_valid = 0, b_ready = 1, b_resp = 0;
  u64 ar_addr = 0, aw_addr = 0, r_data = 0, w_data = 0;
  u8 w_strb = 0xff;
  std::vector<u8> store = std::vector<u8>(8192);
  AxiMemory memory;
  AxiPins pins{&ar_valid, &ar_ready, &ar_addr, &ar_len,  &r_valid, &r_ready, &r_data,
               &r_resp,   &r_last,   &aw_valid, &aw_ready, &aw_addr, &aw_len, &w_valid,
               &w_ready,  &w_data,   &w_strb,  &w_last,  &b_valid, &b_ready, &b_resp};

  explicit Bus(std::uint32_t stall = 0)
      : memory(store, kBusBase, {.port_bytes = 8, .read_latency = 10, .write_latency = 7, .stall = stall}) {
    for (std::size_t i = 0; i < store.size(); ++i) store[i] = static_cast<u8>(i * 37 + (i >> 8));
    memory.drive(pins);
  }
  void cycle() {
    memory.sample(pins);
    memory.drive(pins);
  }
  u64 word(u64 addr) const {
    u64 value;
    std::memcpy(&value, &store[addr - kBusBase], 8);
    return value;
  }
  void read(u64 addr, u8 len) { ar_valid = 1, ar_addr = addr, ar_len = len; }
  void write(u64 addr, u8 len) { aw_valid = 1, aw_addr = addr, aw_len = len; }
  // Whatever is offered waits.
  void freeze() {
    memory.freeze(true);
    memory.drive(pins);
  }
};

// A slave of registers made of variables; its requests are taken at once.
struct RegisterBus {
  std::uint8_t aw_valid = 0, aw_ready = 1, w_valid = 0, w_ready = 1, b_valid = 0, b_ready = 1, b_resp = 0;
  std::uint8_t ar_valid = 0, ar_ready = 1, r_valid = 0, r_ready = 1, r_resp = 0;
  std::uint32_t r_data = 0;
  AxiLiteWatch watch;

  void cycle() {
    watch.sample({&aw_valid, &aw_ready, &w_valid, &w_ready, &b_valid, &b_ready, &b_resp, &ar_valid, &ar_ready, &r_valid, &r_ready, &r_resp, &r_data});
    aw_valid = w_valid = ar_valid = 0;
  }
  void write() {
    aw_valid = w_valid = 1;
    cycle();
  }
  void read() {
    ar_valid = 1;
    cycle();
  }
};

struct AxiFault {
  const char* rule;
  void (*commit)();  // throws jogak::Error where the rule is watched
};

inline constexpr AxiFault kAxiFaults[] = {
    {"an address is a multiple of the port's bytes", [] {
       Bus bus;
       bus.read(kBusBase + 4, 0);
       bus.cycle();
     }},
    {"a burst stays within 4 KiB", [] {
       Bus bus;
       bus.read(kBusBase + 4096 - 16, 2);
       bus.cycle();
     }},
    {"AW stays as it is until it is taken", [] {
       Bus bus;
       bus.freeze();
       bus.write(kBusBase, 0);
       bus.cycle();
       bus.aw_addr = kBusBase + 8;
       bus.cycle();
     }},
    {"a burst's length stays until it is taken", [] {
       Bus bus;
       bus.freeze();
       bus.read(kBusBase, 3);
       bus.cycle();
       bus.ar_len = 2;
       bus.cycle();
     }},
    {"AR is not withdrawn", [] {
       Bus bus;
       bus.freeze();
       bus.read(kBusBase, 0);
       bus.cycle();
       bus.ar_valid = 0;
       bus.cycle();
     }},
    {"W's data stay until they are taken", [] {
       Bus bus;
       bus.freeze();
       bus.w_valid = 1;
       bus.cycle();
       bus.w_data = 5;
       bus.cycle();
     }},
    {"W's strobes stay until they are taken", [] {
       Bus bus;
       bus.freeze();
       bus.w_valid = 1;
       bus.cycle();
       bus.w_strb = 0x0f;
       bus.cycle();
     }},
    {"W is not withdrawn", [] {
       Bus bus;
       bus.freeze();
       bus.w_valid = 1;
       bus.cycle();
       bus.w_valid = 0;
       bus.cycle();
     }},
    {"a burst's last beat is marked", [] {
       Bus bus;
       bus.write(kBusBase, 0);
       bus.w_valid = 1, bus.w_last = 0;
       bus.cycle();
     }},
    {"no other beat is", [] {
       Bus bus;
       bus.write(kBusBase, 1);
       bus.w_valid = 1, bus.w_last = 1;
       bus.cycle();
       bus.aw_valid = 0;
       bus.cycle();
     }},
    {"registers: B stays until it is taken", [] {
       RegisterBus bus;
       bus.write();
       bus.b_valid = 1, bus.b_ready = 0;
       bus.cycle();
       bus.b_valid = 0;
       bus.cycle();
     }},
    {"registers: R's data stay until they are taken", [] {
       RegisterBus bus;
       bus.read();
       bus.r_valid = 1, bus.r_ready = 0;
       bus.cycle();
       bus.r_data = 7;
       bus.cycle();
     }},
    {"registers: no B before address and data", [] {
       RegisterBus bus;
       bus.aw_valid = 1;
       bus.cycle();
       bus.b_valid = 1;
       bus.cycle();
     }},
    {"registers: one B a write", [] {
       RegisterBus bus;
       bus.write();
       bus.b_valid = 1;
       bus.cycle();
       bus.cycle();
     }},
    {"registers: no R without a read", [] {
       RegisterBus bus;
       bus.r_valid = 1;
       bus.cycle();
     }},
    {"registers: no exclusive answers", [] {
       RegisterBus bus;
       bus.read();
       bus.r_valid = 1, bus.r_resp = 1;
       bus.cycle();
     }},
};

}  // namespace jogak::rtl
