// For tests: the model and the RTL side by side with the same memories, windows and program.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "runtime/builder.hpp"
#include "sim/model/machine.hpp"
#include "simulator.hpp"

namespace jogak::rtl {

using model::u16;
using model::u32;
using model::u64;
using model::u8;

constexpr u64 kDramBase = 0x12'3456'0000;  // needs 40 bits
constexpr u32 kCodeBytes = 1 << 15;        // the program lies before the window
constexpr u32 kWindowBytes = 1 << 16;

constexpr std::array kSpaces = {spec::Space::wspm, spec::Space::wsc, spec::Space::aspm, spec::Space::asc,
                                spec::Space::vmem};

// Window 0 is readable, 1 writable, 2 both; all show the same bytes.
class Cosim {
 public:
  explicit Cosim(const char* config, Options options = {}, model::Options model_options = {.check = true})
      : machine(*spec::find_config(config), model_options) {
    options.dram_base = kDramBase;
    options.dram_bytes = kCodeBytes + kWindowBytes;
    rtl = make_simulator(config, options);
    data_ = machine.dram().allocate(kDramBase + kCodeBytes, kWindowBytes);
    setup.code = kDramBase;
    for (u32 i = 0; i < 3; ++i) {
      setup.windows[i] = {.base = kDramBase + kCodeBytes, .size = kWindowBytes, .readable = i != 1, .writable = i != 0};
    }
    randomize(options.seed);
  }

  // The same random bytes everywhere: plain noise, in vector memory fp32 of all kinds.
  void randomize(u64 seed) {
    std::mt19937_64 random(seed);
    machine.randomize(seed);
    for (u32& word : machine.memories().vmem) word = float_bits(random);
    for (u8& byte : data_) byte = u8(random());
    share();
  }
  // Copies the model's memories to the RTL.
  void share() {
    for (const spec::Space space : kSpaces) rtl->poke(space, 0, machine.memories().bytes(space));
    std::ranges::copy(data_, rtl->dram().begin() + kCodeBytes);
  }

  // Runs b on the model, then on the RTL.
  void run(u64 limit = 20'000'000) {
    run_model();
    put_code();
    result = sim::run(*rtl, setup, limit);
    REQUIRE(result.done);
  }
  void run_model() {
    model::Launch launch{.code = b.code(), .args = setup.args, .watchdog = setup.watchdog};
    for (u32 i = 0; i < setup.windows.size(); ++i) {
      const sim::WindowSetup& w = setup.windows[i];
      launch.windows[i] = {w.base, w.size, w.readable, w.writable};
    }
    expected = machine.launch(launch);
    for (const std::string& v : machine.violations()) FAIL_CHECK("program error: " << v);
  }
  void put_code() {
    REQUIRE(b.code().size() * sizeof(spec::Insn) <= kCodeBytes);
    std::memcpy(rtl->dram().data(), b.code().data(), b.code().size() * sizeof(spec::Insn));
    setup.code_len = u32(b.code().size());
  }

  // Fault, exact counters, every byte.
  void compare() {
    CHECK(result.fault.code == expected.fault.code);
    CHECK(result.fault.pc == expected.fault.pc);
    if (expected.fault.code != spec::Fault::none) {
      CHECK(result.fault.engine == expected.fault.engine);
      CHECK(result.fault.address == expected.fault.address);
    }
    for (const spec::CounterInfo& c : spec::counters) {
      if (!c.exact) continue;
      CAPTURE(c.name);
      CHECK(result.counters[c.index] == expected.counters.values[c.index]);
    }
    compare_memories();
  }
  void compare_memories() {
    for (const spec::Space space : kSpaces) {
      const std::span<const u8> meant = machine.memories().bytes(space);
      std::vector<u8> found(meant.size());
      rtl->peek(space, 0, found);
      check_bytes(found, meant, "space " + std::to_string(u32(space)));
    }
    check_bytes(rtl->dram().subspan(kCodeBytes), data_, "dram");
  }

  // The next of registers 17 to 59, loaded with value.
  u8 r(u32 value) {
    if (value == 0) return 0;
    if (++used_ == 60) used_ = 17;
    b.li(used_, value);
    return u8(used_);
  }
  void restart() { b = ProgramBuilder(); }
  // The sequencer waits until everything issued is complete.
  void barrier() {
    for (u32 e = 0; e < 4; ++e) b.signal(static_cast<spec::Engine>(e), 28 + e);
    for (u32 e = 0; e < 4; ++e) b.wait(spec::Engine::seq, 28 + e);
  }

  std::span<u8> data() { return data_; }  // the window, as the model sees it

  static u32 float_bits(std::mt19937_64& random) {
    const u32 bits = u32(random());
    constexpr u32 special[] = {0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 1, 0x807FFFFF,
                               0x00800000, 0x7F7FFFFF, 0xFF7FFFFF};
    if (random() % 32 == 0) return special[random() % std::size(special)];
    return random() % 8 == 0 ? bits : (bits & 0x807FFFFF) | ((118 + (bits >> 8) % 16) << 23);
  }

  std::unique_ptr<Simulator> rtl;
  model::Machine machine;
  ProgramBuilder b;
  sim::LaunchSetup setup;
  model::Result expected;
  sim::RunResult result;

 private:
  static void check_bytes(std::span<const u8> found, std::span<const u8> meant, const std::string& where) {
    const auto [f, m] = std::ranges::mismatch(found, meant);
    if (f == found.end()) return;
    const auto at = f - found.begin();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < found.size(); ++i) wrong += found[i] != meant[i];
    FAIL_CHECK(where << ": byte " << at << ", found " << u32(*f) << ", expected " << u32(*m) << "; " << wrong
                     << " bytes differ");
  }

  std::span<u8> data_;
  u32 used_ = 16;
};

}  // namespace jogak::rtl
