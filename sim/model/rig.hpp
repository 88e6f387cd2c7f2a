// For tests: a machine with one window per half of a small DRAM, and a builder to program it.
#pragma once

#include <random>

#include "machine.hpp"
#include "runtime/builder.hpp"

namespace jogak::model {

constexpr u64 kRigBase = 0x12'3456'7000;  // needs 40 bits
constexpr u32 kRigBytes = 1 << 16;

struct Rig {
  explicit Rig(const char* config = "nano", Options options = {})
      : machine(*spec::find_config(config), options), dram(machine.dram().allocate(kRigBase, 2 * kRigBytes)) {
    windows[0] = {kRigBase, kRigBytes, true, false};
    windows[1] = {kRigBase + kRigBytes, kRigBytes, true, true};
  }

  // Registers for a command's fields: each call loads the value into the next register.
  u32 reg(u32 value) {
    if (value == 0) return 0;
    if (++used_ == spec::limit::registers) used_ = 17;
    b.li(used_, value);
    return used_;
  }
  u8 r(u32 value) { return static_cast<u8>(reg(value)); }

  Result run(u64 watchdog = 0) {
    b.halt();
    return run_as_is(watchdog);
  }
  Result run_as_is(u64 watchdog = 0) {
    Launch launch{.code = b.code(), .windows = windows, .watchdog = watchdog};
    launch.args = args;
    return machine.launch(launch);
  }
  // Forget the program, keep the memories.
  void restart() { b = ProgramBuilder(), used_ = 16; }

  Machine machine;
  std::span<u8> dram;  // window 0, then window 1
  std::array<Window, spec::limit::windows> windows{};
  std::array<u32, spec::limit::args> args{};
  ProgramBuilder b;

 private:
  u32 used_ = 16;
};

// fp32 bits of all kinds: ordinary, huge, tiny, subnormal, zeros, infinities, NaNs.
inline u32 wild_float(std::mt19937_64& random) {
  const u32 bits = static_cast<u32>(random());
  constexpr u32 special[] = {0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001,
                             0x7F800001, 1, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF};
  switch (random() % 8) {
    case 0: return special[random() % std::size(special)];
    case 1: return bits;
    case 2: return (bits & 0x807FFFFF) | 0x00800000 * (1 + bits % 3);
    default: return (bits & 0x807FFFFF) | ((120 + (bits >> 8) % 16) << 23);
  }
}

}  // namespace jogak::model
