#include <doctest/doctest.h>

#include "rig.hpp"

using namespace jogak;
using namespace jogak::model;
using spec::AluFn;
using spec::Counter;
using spec::Engine;
using spec::Fault;

namespace {

u32 alu(AluFn fn, u32 a, u32 b) {
  Rig rig;
  rig.args = {a, b};
  rig.b.alu(fn, 20, 1, 2);
  rig.b.alui(fn, 21, 1, b);
  REQUIRE(rig.run().ok());
  CHECK(rig.machine.registers()[20] == rig.machine.registers()[21]);
  return rig.machine.registers()[20];
}

FaultRecord sync(Fault code, u32 pc) { return {code, pc, Engine::seq, 0}; }

}  // namespace

TEST_CASE("alu wraps, shifts by five bits, compares without sign") {
  CHECK(alu(AluFn::add, 0xFFFFFFFF, 2) == 1);
  CHECK(alu(AluFn::sub, 1, 2) == 0xFFFFFFFF);
  CHECK(alu(AluFn::mul, 0x10001, 0x10001) == 0x20001);
  CHECK(alu(AluFn::and_, 12, 10) == 8);
  CHECK(alu(AluFn::or_, 12, 10) == 14);
  CHECK(alu(AluFn::shl, 3, 33) == 6);
  CHECK(alu(AluFn::shr, 0x80000000, 63) == 1);
  CHECK(alu(AluFn::minu, 0xFFFFFFFF, 1) == 1);
  CHECK(alu(AluFn::maxu, 0xFFFFFFFF, 1) == 0xFFFFFFFF);
  CHECK(alu(AluFn::ltu, 1, 0xFFFFFFFF) == 1);
  CHECK(alu(AluFn::ltu, 2, 2) == 0);
  CHECK(alu(AluFn::eq, 2, 2) == 1);
  CHECK(alu(AluFn::eq, 2, 3) == 0);
}

TEST_CASE("r0 reads 0, arguments come in r1 to r16, the rest is cleared") {
  Rig rig;
  for (u32 i = 0; i < 16; ++i) rig.args[i] = 100 + i;
  rig.b.li(0, 7);
  rig.b.add(17, 0, 16);
  rig.b.add(18, 40, 1);
  REQUIRE(rig.run().ok());
  CHECK(rig.machine.registers()[0] == 0);
  CHECK(rig.machine.registers()[17] == 115);
  CHECK(rig.machine.registers()[18] == 100);
  rig.restart();
  rig.b.mov(1, 17);
  REQUIRE(rig.run().ok());
  CHECK(rig.machine.registers()[1] == 0);
}

TEST_CASE("loops nest four deep, run rc times, and rc 0 skips") {
  Rig rig;
  rig.args = {2, 3, 5, 7, 0};
  rig.b.loop(1, [&] {
    rig.b.loop(2, [&] {
      rig.b.loop(3, [&] { rig.b.loop(4, [&] { rig.b.addi(20, 20, 1); }); });
    });
    rig.b.loop(5, [&] { rig.b.addi(21, 21, 1); });
    rig.b.addi(22, 22, 1);
  });
  const Result result = rig.run();
  REQUIRE(result.ok());
  CHECK(rig.machine.registers()[20] == 2 * 3 * 5 * 7);
  CHECK(rig.machine.registers()[21] == 0);
  CHECK(rig.machine.registers()[22] == 2);
  // Per level: the loop instruction and the builder's filler at its end.
  const u64 third = 1 + 7, second = 1 + 5 * (third + 1), first = 1 + 3 * (second + 1);
  CHECK(result.counters[Counter::instructions] == 1 + 2 * (first + 1 + 1) + 1);
}

TEST_CASE("loop faults: depth, end, program counter") {
  const auto fault = [](auto&& fill) {
    Rig rig;
    rig.args = {2};
    fill(rig.b);
    return rig.run().fault;
  };
  const auto loop = [](ProgramBuilder& b, u16 end, u8 rc = 1) { b.emit(spec::Loop{rc, end}); };
  CHECK(fault([&](auto& b) { loop(b, 0); }) == sync(Fault::loop, 0));
  CHECK(fault([&](auto& b) { loop(b, 2); }) == sync(Fault::loop, 0));
  CHECK(fault([&](auto& b) { loop(b, 1); b.mov(0, 0); }).code == Fault::none);
  // An inner end may not be the outer end, even when the inner loop is skipped.
  CHECK(fault([&](auto& b) { loop(b, 2); loop(b, 2, 0); b.mov(0, 0); }) == sync(Fault::loop, 1));
  CHECK(fault([&](auto& b) {
          for (u16 i = 0; i < 5; ++i) loop(b, static_cast<u16>(10 - i));
          for (int i = 0; i < 8; ++i) b.mov(0, 0);
        }) == sync(Fault::loop, 4));
  Rig rig;
  rig.b.mov(0, 0);
  CHECK(rig.run_as_is().fault == sync(Fault::loop, 1));
}

TEST_CASE("semaphores: a wait takes only what earlier signals gave") {
  Rig rig;
  rig.b.signal(Engine::ld, 3, 2);
  rig.b.wait(Engine::mx, 3, 1);
  rig.b.wait(Engine::mx, 3, 1);
  rig.b.wait(Engine::mx, 3, 1);
  const Result result = rig.run();
  CHECK(result.fault == sync(Fault::semaphore, 3));
  CHECK(result.counters[Counter::signals] == 1);
  CHECK(result.counters[Counter::waits] == 2);
  CHECK(result.counters[Counter::instructions] == 3);
}

TEST_CASE("semaphores: at most 255 units, n 0 is reserved, launch clears them") {
  Rig rig;
  rig.b.signal(Engine::seq, 31, 255);
  rig.b.signal(Engine::seq, 31, 1);
  CHECK(rig.run().fault == sync(Fault::semaphore, 1));
  rig.restart();
  rig.b.wait(Engine::seq, 31, 1);
  CHECK(rig.run().fault == sync(Fault::semaphore, 0));
  rig.restart();
  rig.b.signal(Engine::seq, 31, 0);
  CHECK(rig.run().fault == sync(Fault::reserved, 0));
  rig.restart();
  rig.b.wait(Engine::seq, 31, 0);
  CHECK(rig.run().fault == sync(Fault::reserved, 0));
}

TEST_CASE("lds reads a word and faults past the end") {
  Rig rig;
  const u32 words = static_cast<u32>(rig.machine.memories().vmem.size());
  rig.machine.memories().vmem[words - 1] = 0x12345678;
  rig.args = {words - 1, words};
  rig.b.lds(20, 1);
  rig.b.lds(21, 2);
  CHECK(rig.run().fault == sync(Fault::onchip, 1));
  CHECK(rig.machine.registers()[20] == 0x12345678);
}

TEST_CASE("bits that mean nothing fault before anything else") {
  const auto fault = [](spec::Insn insn) {
    Rig rig;
    rig.b.emit(insn);
    return rig.run().fault;
  };
  CHECK(fault({0x00, 0}) == sync(Fault::opcode, 0));
  CHECK(fault({0xFF, 0}) == sync(Fault::opcode, 0));
  CHECK(fault({0x01, 1}) == sync(Fault::reserved, 0));
  CHECK(fault({0x02 | 11u << 8, 0}) == sync(Fault::reserved, 0));
  CHECK(fault({0x06 | 5u << 8 | 1u << 16, 0}) == sync(Fault::reserved, 0));
  CHECK(fault(spec::encode(spec::Store{.space = spec::Space::wspm})) == sync(Fault::reserved, 0));
  CHECK(fault(spec::encode(spec::Store{.space = spec::Space::wsc})) == sync(Fault::reserved, 0));
  CHECK(fault(spec::encode(spec::Mm{.wfmt = spec::Wfmt::e2m1, .colload = true})) == sync(Fault::reserved, 0));
  CHECK(fault(spec::encode(spec::Mm{.sparse = true})) == sync(Fault::reserved, 0));
  CHECK(fault(spec::encode(spec::Qnt{.group = spec::Qgroup::pair})) == sync(Fault::reserved, 0));
  CHECK(fault(spec::encode(spec::Mm{.colload = true})).code == Fault::none);
}

TEST_CASE("the watchdog stops before the instruction past the limit") {
  Rig rig;
  rig.b.mov(0, 0);
  rig.b.mov(0, 0);
  const Result enough = rig.run(3);
  CHECK(enough.ok());
  CHECK(enough.counters[Counter::instructions] == 3);
  const Result short_of = rig.run_as_is(2);
  CHECK(short_of.fault == sync(Fault::watchdog, 2));
  CHECK(short_of.counters[Counter::instructions] == 2);
}

TEST_CASE("a launch that no host could make is refused") {
  Rig rig;
  rig.windows[2] = {kRigBase + 64, 2 * kRigBytes, true, true};
  CHECK_THROWS_WITH_AS(rig.run(), doctest::Contains("model: window 2, found"), Error);
  rig.windows[2] = {kRigBase + 32, 64, true, true};
  CHECK_THROWS_AS(rig.run_as_is(), Error);
  rig.windows[2] = {};
  const std::vector<spec::Insn> code(5000);
  CHECK_THROWS_WITH_AS(rig.machine.launch({.code = code}), doctest::Contains("model: program length"), Error);
  CHECK_THROWS_AS(rig.machine.dram().allocate(kRigBase + 8, 8), Error);
  CHECK_THROWS_AS(rig.machine.dram().allocate(1ull << 40, 8), Error);
}

TEST_CASE("the hook sees every instruction with its values") {
  Rig rig;
  rig.args = {2, 4};
  rig.b.loop(1, [&] { rig.b.qnt({.a = 2, .rows = 3, .cols = 2}); });
  std::vector<u32> pcs;
  u32 seen = 0;
  rig.machine.on_instruction([&](const Step& step) {
    pcs.push_back(step.pc);
    if (step.command != nullptr) seen += std::get<QntCmd>(*step.command).cols;
  });
  rig.args[1] = 8;
  REQUIRE(rig.run().ok());
  CHECK(pcs == std::vector<u32>{0, 1, 1, 2});
  CHECK(seen == 16);
}

TEST_CASE("randomize depends on the seed only") {
  Rig a, b;
  a.machine.randomize(1);
  b.machine.randomize(1);
  CHECK(a.machine.memories() == b.machine.memories());
  b.machine.randomize(2);
  CHECK(a.machine.memories() != b.machine.memories());
}
