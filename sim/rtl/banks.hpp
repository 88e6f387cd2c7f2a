// Where the bytes of an on-chip memory lie in a Verilated model: pieces of a fixed size, dealt out to RAMs in turn.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "error.hpp"
#include "npu_spec.hpp"

namespace jogak::rtl {

struct Banks {
  std::vector<std::uint8_t*> rams;
  std::size_t piece = 0;  // bytes of a RAM's word
  std::size_t bytes = 0;

  template <class Array>
  void add(Array& ram) {
    rams.push_back(reinterpret_cast<std::uint8_t*>(&ram[0]));
    piece = sizeof(ram[0]);
    bytes += sizeof(ram);
  }

  // move(chip, i, n): n bytes at `chip` are bytes i.. of the range.
  template <class Move>
  void copy(std::size_t at, std::size_t count, Move move) const {
    if (at > bytes || count > bytes - at) {
      throw Error("rtl simulator", "on-chip range", std::to_string(at) + " + " + std::to_string(count),
                  "at most " + std::to_string(bytes));
    }
    for (std::size_t i = 0; i < count;) {
      const std::size_t index = (at + i) / piece, within = (at + i) % piece;
      const std::size_t n = std::min(piece - within, count - i);
      move(rams[index % rams.size()] + index / rams.size() * piece + within, i, n);
      i += n;
    }
  }
};

// Where the NPU is in the Verilated hierarchy.
#ifndef JOGAK_NPU_PATH
#define JOGAK_NPU_PATH npu__DOT__
#endif
#define JOGAK_JOIN2(a, b) a##b
#define JOGAK_JOIN(a, b) JOGAK_JOIN2(a, b)

// Configurations have different numbers of RAMs: those that a model has are added.
#define JOGAK_RAM(banks, name)                                                \
  if constexpr (requires { root.JOGAK_JOIN(JOGAK_NPU_PATH, name##__DOT__mem); }) \
  (banks).add(root.JOGAK_JOIN(JOGAK_NPU_PATH, name##__DOT__mem))
#define JOGAK_RAM_AT(banks, before, n) JOGAK_RAM(banks, before##__BRA__##n##__KET____DOT__u_ram)
#define JOGAK_RAMS(banks, before) \
  JOGAK_RAM_AT(banks, before, 0); \
  JOGAK_RAM_AT(banks, before, 1); \
  JOGAK_RAM_AT(banks, before, 2); \
  JOGAK_RAM_AT(banks, before, 3)
#define JOGAK_RAMS_16(banks, before) \
  JOGAK_RAMS(banks, before);         \
  JOGAK_RAM_AT(banks, before, 4); \
  JOGAK_RAM_AT(banks, before, 5); \
  JOGAK_RAM_AT(banks, before, 6); \
  JOGAK_RAM_AT(banks, before, 7); \
  JOGAK_RAM_AT(banks, before, 8); \
  JOGAK_RAM_AT(banks, before, 9); \
  JOGAK_RAM_AT(banks, before, 10); \
  JOGAK_RAM_AT(banks, before, 11); \
  JOGAK_RAM_AT(banks, before, 12); \
  JOGAK_RAM_AT(banks, before, 13); \
  JOGAK_RAM_AT(banks, before, 14); \
  JOGAK_RAM_AT(banks, before, 15)

// Fills banks[space] from the model's root.
template <class Root>
void collect_banks(Root& root, const spec::Config& config, std::array<Banks, 5>& banks) {
  JOGAK_RAMS(banks[0], u_wspm__DOT__u_data__DOT__gen_piece);
  JOGAK_RAMS(banks[1], u_wspm__DOT__u_scale__DOT__gen_piece);
  JOGAK_RAMS(banks[2], u_aspm__DOT__gen_ram);
  JOGAK_RAMS_16(banks[3], u_aspm__DOT__gen_scale);
  JOGAK_RAMS(banks[4], u_vmem__DOT__gen_bank);
  const std::array<std::size_t, 5> expected = {config.wspm_bytes, config.wsc_bytes, config.aspm_bytes,
                                               config.asc_bytes, config.vmem_bytes};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (banks[i].bytes != expected[i]) {
      throw Error("rtl simulator", "bytes of memory " + std::to_string(i), std::to_string(banks[i].bytes),
                  std::to_string(expected[i]));
    }
  }
}

#undef JOGAK_RAMS_16
#undef JOGAK_RAMS
#undef JOGAK_RAM_AT
#undef JOGAK_RAM
#undef JOGAK_JOIN
#undef JOGAK_JOIN2

}  // namespace jogak::rtl
