// Stores and signals between the dies of a package: what needs order is told with dies, engines and bytes.
#include <doctest/doctest.h>

#include <array>
#include <functional>

#include "package.hpp"
#include "runtime/builder.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::Engine;
using spec::Space;

namespace {

constexpr u32 kData = 32, kRoom = 33;

// A die's program; window i shows die i.
class Code {
 public:
  // `bytes` of vector memory from byte `from` to byte `at` of another die's.
  void push(u32 die, u32 at, u32 from, u32 bytes = 64) { store(die, u32(Space::vmem) << spec::limit::remote_region_bit | at, from, bytes); }
  void tell(u32 die, u32 semaphore, u32 n = 1) { store(die, remote_signal_offset(semaphore, n), 0x8000, 4); }
  // Reads and writes the same 16 words at byte `at`.
  void vec(u32 at, u32 to) {
    b.vec({.bmode = spec::Bmode::scalar, .wr = true, .dst = r(to / 4), .a = r(at / 4), .rows = r(1), .cols = r(16)});
  }
  void read(u32 at) { vec(at, 0x4000); }
  ProgramBuilder b;

 private:
  u8 r(u32 value) {
    if (++used_ == spec::limit::registers) used_ = 17;
    b.li(used_, value);
    return static_cast<u8>(used_);
  }
  void store(u32 die, u32 offset, u32 from, u32 bytes) {
    b.store({.win = u8(die), .space = Space::vmem, .da = r(offset), .ca = r(from), .len = r(bytes), .n1 = r(1), .n2 = r(1)});
  }
  u32 used_ = 16;
};

using Fill = std::function<void(std::array<Code, 4>&)>;

// The first thing that is wrong with programs of four dies; empty: nothing.
std::string verdict(const Fill& fill) {
  Package package(*spec::find_config("nanoquad"), 2, 2, {.check = true});
  std::array<Code, 4> dies;
  fill(dies);
  std::vector<Launch> launches;
  for (Code& die : dies) {
    die.b.halt();
    Launch launch{.code = die.b.code()};
    for (u32 w = 0; w < 4; ++w) launch.windows[w] = {remote_base(w % 2, w / 2), kRemoteWindowBytes, false, true};
    launches.push_back(launch);
  }
  for (const Result& r : package.launch(launches)) REQUIRE(r.ok());
  for (u32 d = 0; d < 4; ++d)
    if (!package.die(d).violations().empty()) return package.die(d).violations().front();
  return "";
}
bool ends(const std::string& text, const std::string& end) { return text.ends_with(end); }

}  // namespace

TEST_CASE("a store behind whose signal the other die reads is in order, without the wait it is a race") {
  const auto program = [](bool waits) {
    return verdict([waits](auto& die) {
      die[0].push(1, 0x100, 0x40), die[0].tell(1, kData);
      if (waits) die[1].b.wait(Engine::ve, kData);
      die[1].read(0x100);
      if (!waits) die[1].b.wait(Engine::mx, kData);
    });
  };
  CHECK(program(true).empty());
  CHECK(program(false) == "die 0 st pc 5 (store) and die 1 ve pc 4 (vec) touch vmem row 8 (bytes 256 to 287) of die 1 without order");
}

TEST_CASE("a signal ahead of its data orders nothing, neither does the signal of another die or for another engine") {
  CHECK(ends(verdict([](auto& die) {
               die[0].tell(1, kData), die[0].push(1, 0x100, 0x40), die[0].tell(1, kRoom);
               die[1].b.wait(Engine::ve, kData), die[1].read(0x100), die[1].b.wait(Engine::ve, kRoom);
             }), "touch vmem row 8 (bytes 256 to 287) of die 1 without order"));
  CHECK(ends(verdict([](auto& die) {
               die[0].push(3, 0x100, 0x40), die[0].tell(1, kData), die[0].tell(3, kRoom);
               die[1].b.wait(Engine::st, kData), die[1].tell(3, kData);
               die[3].b.wait(Engine::ve, kData), die[3].read(0x100), die[3].b.wait(Engine::mx, kRoom);
             }), "touch vmem row 8 (bytes 256 to 287) of die 3 without order"));
  CHECK(ends(verdict([](auto& die) {
               die[0].push(1, 0x100, 0x40), die[0].tell(1, kData);
               die[1].b.wait(Engine::mx, kData), die[1].read(0x100);
             }), "touch vmem row 8 (bytes 256 to 287) of die 1 without order"));
}

TEST_CASE("the receiver's earlier reads and writes are in order with a store only by a signal back") {
  const auto program = [](bool back, bool writes) {
    return verdict([=](auto& die) {
      writes ? die[1].vec(0x4000, 0x100) : die[1].read(0x100);
      die[1].b.signal(Engine::ve, 0), die[1].b.wait(Engine::st, 0), die[1].tell(0, kRoom);
      if (back) die[0].b.wait(Engine::st, kRoom);
      die[0].push(1, 0x100, 0x40), die[0].tell(1, kData);
      if (!back) die[0].b.wait(Engine::st, kRoom);
      die[1].b.wait(Engine::ve, kData);
    });
  };
  for (const bool writes : {false, true}) {
    CHECK(program(true, writes).empty());
    CHECK(ends(program(false, writes), "of die 1 without order"));
  }
}

TEST_CASE("what two dies store to the same bytes needs order, it passes through a third") {
  const auto program = [](bool ordered, u32 second) {
    return verdict([=](auto& die) {
      die[0].push(3, 0x100, 0x40), die[0].tell(3, kData);
      if (ordered) die[3].b.wait(Engine::st, kData), die[3].tell(2, kData), die[2].b.wait(Engine::st, kData);
      die[2].push(3, second, 0x40), die[2].tell(3, kRoom);
      if (!ordered) die[3].b.wait(Engine::st, kData);
      die[3].b.wait(Engine::st, kRoom);
    });
  };
  CHECK(program(true, 0x100).empty());
  CHECK(program(false, 0x200).empty());
  CHECK(program(false, 0x120) == "die 0 st pc 5 (store) and die 2 st pc 5 (store) touch vmem row 9 (bytes 288 to 319) of die 3 without order");
}

TEST_CASE("a local signal of the store engine does not say that what it sent has come") {
  CHECK(ends(verdict([](auto& die) {
               die[0].push(1, 0x100, 0x40), die[0].b.signal(Engine::st, 0), die[0].b.wait(Engine::ve, 0), die[0].vec(0x4000, 0x40);  // its source may be written again
               die[0].b.signal(Engine::ve, 1), die[0].b.wait(Engine::st, 1), die[0].tell(2, kData), die[0].tell(1, kData);
               die[2].b.wait(Engine::st, kData), die[2].push(1, 0x100, 0x40), die[2].tell(1, kRoom);
               die[1].b.wait(Engine::ve, kData), die[1].b.wait(Engine::ve, kRoom);
             }), "touch vmem row 8 (bytes 256 to 287) of die 1 without order"));
}

TEST_CASE("a remote semaphore has one die that signals it, one engine that waits, and stays below its limit") {
  CHECK(verdict([](auto& die) {
          die[0].tell(3, kData), die[2].tell(3, kData), die[3].b.wait(Engine::ve, kData, 2);
        }) == "semaphore 32 of die 3 has two dies that signal it, 0 and die 2 st pc 5 (store)");
  CHECK(verdict([](auto& die) {
          die[0].tell(1, kData, 2), die[1].b.wait(Engine::ve, kData), die[1].b.wait(Engine::mx, kData);
        }) == "die 1 pc 1: semaphore 32 has two engines that wait for it, ve and mx");
  const auto twice = [](bool told) {
    return verdict([told](auto& die) {
      die[0].tell(1, kData, 200);
      die[1].b.wait(Engine::st, kData, 200), die[1].tell(0, kRoom);
      if (told) die[0].b.wait(Engine::st, kRoom);
      die[0].tell(1, kData, 100);
      if (!told) die[0].b.wait(Engine::st, kRoom);
      die[1].b.wait(Engine::st, kData, 100);
    });
  };
  CHECK(twice(true).empty());
  CHECK(twice(false) == "die 0 st pc 11 (store) may bring semaphore 32 of die 1 above 255");
}

TEST_CASE("a die halts only when everything sent to it has come") {
  CHECK(verdict([](auto& die) { die[0].push(1, 0x100, 0x40); }) == "die 1 may halt before what die 0 sends it at pc 5 has come");
  CHECK(verdict([](auto& die) { die[0].push(1, 0x100, 0x40), die[0].tell(1, kData); }) == "die 1 may halt before what die 0 sends it at pc 11 has come");
  CHECK(verdict([](auto& die) { die[0].push(1, 0x100, 0x40), die[0].tell(1, kData), die[1].b.wait(Engine::seq, kData); }).empty());
}
