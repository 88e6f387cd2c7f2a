#include <doctest/doctest.h>

#include <algorithm>

#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::Engine;
using spec::Space;

namespace {

enum Reg : u8 { kIn = 20, kOut, kAct, kSum, kRes, kLen, kOne, kCols, kRows, kTile, kBig, kRounds, kTmp };

// load -> mm -> vec -> store in six rounds over two buffers each; every wait is needed.
void pipeline(ProgramBuilder& b) {
  b.li(kLen, 64), b.li(kOne, 1), b.li(kCols, 8), b.li(kRows, 2), b.li(kTile, 256), b.li(kRounds, 6);
  b.li(kIn, 1024), b.li(kBig, 0x3F000000), b.li(kSum, 0), b.li(kRes, 1024);
  for (const u32 sem : {0u, 2u, 4u}) b.signal(Engine::seq, sem, 2);
  b.load({.space = Space::wspm, .len = kTile, .n1 = kOne, .n2 = kOne});
  b.loop(kRounds, [&] {
    b.wait(Engine::ld, 0);
    b.load({.space = Space::aspm, .da = kIn, .ca = kAct, .len = kLen, .n1 = kOne, .n2 = kOne});
    b.signal(Engine::ld, 1);
    b.wait(Engine::mx, 1);
    b.wait(Engine::mx, 2);
    b.li(kTmp, 32);
    b.mm({.a = kAct, .am = kTmp, .o = kSum, .om = kCols, .m = kRows, .kb = kOne, .nb = kOne});
    b.signal(Engine::mx, 0);
    b.signal(Engine::mx, 3);
    b.wait(Engine::ve, 3);
    b.wait(Engine::ve, 4);
    b.vec({.bmode = spec::Bmode::scalar, .wr = true, .dst = kRes, .ds = kCols, .a = kSum, .as = kCols, .b = kBig, .rows = kRows, .cols = kCols});
    b.signal(Engine::ve, 2);
    b.signal(Engine::ve, 5);
    b.wait(Engine::st, 5);
    b.muli(kTmp, kRes, 4);
    b.store({.win = 1, .space = Space::vmem, .da = kOut, .ca = kTmp, .len = kLen, .n1 = kOne, .n2 = kOne});
    b.signal(Engine::st, 4);
    b.addi(kIn, kIn, 64), b.addi(kOut, kOut, 64);
    b.li(kTmp, 64), b.sub(kAct, kTmp, kAct);
    b.li(kTmp, 16), b.sub(kSum, kTmp, kSum);
    b.li(kTmp, 2064), b.sub(kRes, kTmp, kRes);
  });
}

Rig checked() {
  Rig rig("nano", {.check = true, .record = true});
  std::mt19937_64 random(9);
  for (u8& byte : rig.dram) byte = static_cast<u8>(random());
  return rig;
}

std::string only(const Rig& rig) {
  const auto& found = rig.machine.violations();
  return found.size() == 1 ? found[0] : std::to_string(found.size()) + " violations";
}

// The violations of a program of a few commands.
std::string verdict(auto&& fill) {
  Rig rig = checked();
  fill(rig);
  REQUIRE(rig.run().ok());
  return rig.machine.violations().empty() ? "" : rig.machine.violations()[0];
}

spec::Vec vec_copy(Rig& g, u32 dst, u32 ds, u32 a, u32 as, u32 rows, u32 cols) {
  return {.bmode = spec::Bmode::scalar, .wr = true, .dst = g.r(dst), .ds = g.r(ds), .a = g.r(a),
          .as = g.r(as), .rows = g.r(rows), .cols = g.r(cols)};
}

}  // namespace

TEST_CASE("a synchronised pipeline is clean and the same in every order") {
  Rig rig = checked();
  pipeline(rig.b);
  REQUIRE(rig.run().ok());
  CHECK(rig.machine.violations().empty());
  for (u64 seed = 0; seed < 100; ++seed) {
    const FinalState other = rig.machine.replay(seed);
    REQUIRE(other.memories == rig.machine.memories());
    REQUIRE(other.dram == rig.machine.dram());
  }
  CHECK(std::ranges::count(rig.dram.subspan(kRigBytes, 384), 0) < 200);
}

TEST_CASE("without any one wait it is a race, and some order shows it") {
  Rig whole = checked();
  pipeline(whole.b);
  const std::vector<spec::Insn> code = whole.b.code();
  int waits = 0, shown = 0;
  for (std::size_t pc = 0; pc < code.size(); ++pc) {
    if (spec::opcode_of(code[pc]) != static_cast<u8>(spec::Op::wait)) continue;
    Rig rig = checked();
    for (std::size_t i = 0; i < code.size(); ++i) rig.b.emit(i == pc ? spec::encode(spec::Alu{}) : code[i]);
    REQUIRE(rig.run().ok());
    CAPTURE(pc);
    REQUIRE(!rig.machine.violations().empty());
    CHECK(rig.machine.violations()[0].find(" without order") != std::string::npos);
    bool differs = false;
    for (u64 seed = 0; seed < 50 && !differs; ++seed) {
      const FinalState other = rig.machine.replay(seed);
      differs = other.memories != rig.machine.memories() || !(other.dram == rig.machine.dram());
    }
    ++waits, shown += differs;
  }
  CHECK(waits == 6);
  CHECK(shown == 6);
}

TEST_CASE("a race is told with both commands and the place") {
  Rig rig = checked();
  rig.b.load({.space = Space::vmem, .ca = rig.r(64), .len = rig.r(32), .n1 = rig.r(1), .n2 = rig.r(1)});
  const u32 first = rig.b.pc() - 1;
  rig.b.vec(vec_copy(rig, 160, 0, 16, 0, 1, 8));
  REQUIRE(rig.run().ok());
  CHECK(only(rig) == "pc " + std::to_string(first) + " (load) and pc " + std::to_string(rig.b.pc() - 2) +
                         " (vec) touch vmem row 2 without order");
}

TEST_CASE("reads need no order, a write after a read does") {
  const auto program = [](bool write) {
    return verdict([write](Rig& g) {
      g.b.vec(vec_copy(g, 160, 0, 16, 0, 1, 8));
      const u8 ca = g.r(64), len = g.r(32), one = g.r(1);
      if (write) g.b.load({.space = Space::vmem, .ca = ca, .len = len, .n1 = one, .n2 = one});
      if (!write) g.b.store({.win = 1, .space = Space::vmem, .ca = ca, .len = len, .n1 = one, .n2 = one});
    });
  };
  CHECK(program(true).find("touch vmem row 2 without order") != std::string::npos);
  CHECK(program(false).empty());
}

TEST_CASE("order passes through the sequencer and through third engines") {
  const auto through = [](bool seq) {
    return verdict([seq](Rig& g) {
      const u8 len = g.r(32), one = g.r(1);
      g.b.load({.space = Space::vmem, .len = len, .n1 = one, .n2 = one});
      g.b.signal(Engine::ld, 1);
      g.b.wait(seq ? Engine::seq : Engine::mx, 1);
      if (seq) g.b.lds(40, 0);
      if (!seq) g.b.signal(Engine::mx, 2), g.b.wait(Engine::st, 2);
      g.b.store({.win = 1, .space = Space::vmem, .len = len, .n1 = one, .n2 = one});
    });
  };
  CHECK(through(true).empty());
  CHECK(through(false).empty());
  CHECK(verdict([](Rig& g) {
          const u8 len = g.r(32), one = g.r(1);
          g.b.load({.space = Space::vmem, .len = len, .n1 = one, .n2 = one});
          g.b.lds(40, 0);
        }).find("(load) and pc 3 (lds) touch vmem row 0") != std::string::npos);
}

TEST_CASE("credits of the sequencer order nothing") {
  const auto program = [](u32 credits) {
    return verdict([credits](Rig& g) {
      const u8 len = g.r(32), one = g.r(1);
      if (credits > 0) g.b.signal(Engine::seq, 1, credits);
      g.b.load({.space = Space::vmem, .len = len, .n1 = one, .n2 = one});
      g.b.signal(Engine::ld, 1);
      g.b.wait(Engine::st, 1);
      g.b.store({.win = 1, .space = Space::vmem, .len = len, .n1 = one, .n2 = one});
    });
  };
  CHECK(program(0).empty());
  CHECK(program(1).find("without order") != std::string::npos);
}

TEST_CASE("a late credit may not race with a pending wait") {
  const auto program = [](bool ordered) {
    return verdict([ordered](Rig& g) {
      g.b.signal(Engine::ld, 1);
      g.b.wait(Engine::st, 1);
      if (ordered) g.b.signal(Engine::st, 2), g.b.wait(Engine::seq, 2);
      g.b.signal(Engine::seq, 1);
    });
  };
  CHECK(program(false).find("while an earlier wait may be pending") != std::string::npos);
  CHECK(program(true).empty());
}

TEST_CASE("a semaphore has one signalling and one waiting engine") {
  CHECK(verdict([](Rig& g) {
          g.b.signal(Engine::ld, 7), g.b.signal(Engine::mx, 7);
        }) == "pc 1: semaphore 7 has two engines that signal it, ld and mx");
  CHECK(verdict([](Rig& g) {
          g.b.signal(Engine::ld, 7, 2), g.b.wait(Engine::ve, 7), g.b.wait(Engine::seq, 7);
        }) == "pc 2: semaphore 7 has two engines that wait for it, ve and seq");
  CHECK(verdict([](Rig& g) {
          g.b.signal(Engine::seq, 7), g.b.signal(Engine::ld, 7), g.b.wait(Engine::ve, 7, 2);
        }).empty());
}

TEST_CASE("DRAM is ordered by 64-byte lines, through whatever window") {
  const auto program = [](u32 offset) {
    return verdict([offset](Rig& g) {
      g.windows[2] = {kRigBase + kRigBytes - 64, 128, true, true};
      const u8 len = g.r(32), one = g.r(1), at = g.r(offset);
      g.b.store({.win = 1, .space = Space::vmem, .len = len, .n1 = one, .n2 = one});
      g.b.load({.win = 2, .space = Space::aspm, .da = at, .len = len, .n1 = one, .n2 = one});
    });
  };
  CHECK(program(32).empty());
  CHECK(program(96).find("touch DRAM line") != std::string::npos);
}

TEST_CASE("destinations inside one command") {
  const auto vec = [](u32 dst, u32 ds, u32 a, u32 as, u32 rows, u32 cols) {
    return verdict([=](Rig& g) { g.b.vec(vec_copy(g, dst, ds, a, as, rows, cols)); });
  };
  CHECK(vec(0, 8, 0, 8, 4, 8).empty());
  CHECK(vec(64, 8, 0, 8, 4, 8).empty());
  CHECK(vec(8, 8, 0, 8, 4, 8).ends_with("(vec): dst overlaps a without being the same box"));
  CHECK(vec(0, 16, 0, 8, 4, 8).ends_with("dst overlaps a without being the same box"));
  CHECK(vec(0, 0, 0, 0, 2, 8).ends_with("dst overlaps a without being the same box"));
  CHECK(vec(0, 0, 0, 8, 1, 8).empty());
  CHECK(verdict([](Rig& g) {
          spec::Vec v = vec_copy(g, 64, 8, 0, 8, 4, 8);
          v.red = spec::Vred::sum, v.r = g.r(31);
          g.b.vec(v);
        }).ends_with("r overlaps an operand"));
  CHECK(verdict([](Rig& g) {
          spec::Vec v = vec_copy(g, 64, 8, 0, 8, 4, 8);
          v.red = spec::Vred::sum, v.r = g.r(70);
          g.b.vec(v);
        }).ends_with("r overlaps dst"));
  CHECK(verdict([](Rig& g) {
          g.b.qnt({.group = spec::Qgroup::row, .r = g.r(4), .rows = g.r(1), .cols = g.r(8)});
        }).ends_with("(qnt): r overlaps a"));
  CHECK(verdict([](Rig& g) { g.b.qnt({.rows = g.r(2), .cols = g.r(8)}); }).ends_with("destination rows overlap"));
  CHECK(verdict([](Rig& g) {
          g.b.load({.space = Space::aspm, .len = g.r(32), .n1 = g.r(2), .cs1 = g.r(30), .n2 = g.r(1)});
        }).ends_with("(load): on-chip rows overlap each other"));
  CHECK(verdict([](Rig& g) {
          g.b.load({.space = Space::vmem, .gather = true, .len = g.r(32), .n1 = g.r(1), .n2 = g.r(1), .idx = g.r(7)});
        }).ends_with("(load): on-chip rows overlap the index list"));
}

TEST_CASE("a replay tells when an lds reads something else") {
  Rig rig = checked();
  rig.b.load({.space = Space::vmem, .len = rig.r(32), .n1 = rig.r(1), .n2 = rig.r(1)});
  rig.b.lds(40, 0);
  REQUIRE(rig.run().ok());
  bool told = false;
  for (u64 seed = 0; seed < 50 && !told; ++seed) {
    try {
      rig.machine.replay(seed);
    } catch (const Error& e) {
      told = std::string(e.what()).starts_with("model: replay: lds at pc");
    }
  }
  CHECK(told);
  Rig plain;
  CHECK_THROWS_AS(plain.machine.replay(1), Error);
}
