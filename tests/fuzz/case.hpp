// One random program with everything that its run depends on.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sim/model/machine.hpp"
#include "sim/simulator.hpp"

namespace jogak::fuzz {

using model::u16;
using model::u32;
using model::u64;
using model::u8;
using spec::Engine;

constexpr u64 kDramBase = 0x12'3456'0000;  // needs 40 bits
constexpr u32 kCodeBytes = 1 << 15;        // the program lies before the data
constexpr u64 kDataBase = kDramBase + kCodeBytes;
constexpr u32 kDataBytes = 1 << 16;
constexpr u32 kPoolWords = 128;  // the first words of vector memory: index lists and constants that nothing overwrites
constexpr u32 kNoUnit = ~0u;

inline constexpr std::array kSpaces = {spec::Space::wspm, spec::Space::wsc, spec::Space::aspm, spec::Space::asc,
                                       spec::Space::vmem};

// Small fast generator: xorshift64*.
class Random {
 public:
  explicit Random(u64 seed) : state_((seed + 1) * 0x9E3779B97F4A7C15ull ^ 0x5DEECE66Dull) {
    for (int i = 0; i < 4; ++i) next();
  }
  u64 next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Dull;
  }
  u32 word() { return u32(next() >> 32); }
  u32 below(u64 n) { return u32((next() >> 32) % n); }
  bool one_in(u32 n) { return below(n) == 0; }
  template <class T, std::size_t N>
  T pick(const T (&values)[N]) {
    return values[below(N)];
  }

 private:
  u64 state_;
};

// A line of a program; loops are brackets until emit() knows where they end.
struct Item {
  enum class Kind : u8 { insn, loop, end };
  // What emit() puts into the end field of a wrong loop.
  enum class End : u8 { as_is, self, past_code, enclosing };
  Kind kind = Kind::insn;
  spec::Insn insn{};   // loop: its register; the end field is filled in
  u32 unit = kNoUnit;  // lines of one unit are dropped together
  End end = End::as_is;
};

struct Code {
  std::vector<spec::Insn> insns;
  std::vector<u32> item_of;  // index of the item that gave the instruction
};

// Loop ends are strictly nested: instructions without effect are added where brackets close together.
Code emit(const std::vector<Item>& items);

struct Range {
  u64 begin, end;
};
struct Patch {
  u32 word, value;  // of vector memory
};

struct Case {
  u64 seed = 0;
  std::vector<Item> items{};
  std::array<u32, spec::limit::args> args{};
  std::array<sim::WindowSetup, spec::limit::windows> windows{};
  u32 watchdog = 0;
  std::vector<Patch> pool{};              // vector memory before the launch
  std::optional<Patch> harmless{};        // index fault: with this patch too, there is none
  std::optional<Range> error{};           // DRAM addresses that answer errors
  spec::Fault fault = spec::Fault::none;  // what the program was made for

  // The error keeps the program from being loaded.
  bool unloadable() const { return error && error->begin < kDataBase; }
};

// The memories before the launch, on chip and DRAM data: depends on the seed only, and on the pool.
void fill(const Case& c, model::Memories& memories, std::span<u8> data);

sim::LaunchSetup setup_of(const Case& c, u32 code_len);

}  // namespace jogak::fuzz
