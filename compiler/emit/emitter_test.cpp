#include "emitter.hpp"

#include <doctest/doctest.h>

#include "sim/model/machine.hpp"

using namespace jogak;
using emit::Emitter;
using emit::Reg;
using spec::AluFn;

namespace {

std::uint32_t run(Emitter& e, Reg result) {
  e.put(spec::Halt{});
  model::Machine machine(*spec::find_config("nano"));
  const auto done = machine.launch({.code = e.program().code(), .watchdog = 100000});
  REQUIRE(done.ok());
  return machine.registers()[result];
}

}  // namespace

TEST_CASE("constants hold where they are used, however often a loop's body evicts them") {
  Emitter e;
  const Reg total = e.variable();
  e.set(total, 0);
  const int kinds = 60;  // more than there are registers
  e.loop(e.constant(3), [&] {
    for (int i = 1; i <= kinds; ++i) e.alu(AluFn::add, total, total, e.constant(1000 + static_cast<unsigned>(i)));
    e.loop(e.constant(2), [&] {
      for (int i = 1; i <= kinds; ++i) e.alu(AluFn::add, total, total, e.constant(7000 + static_cast<unsigned>(i)));
    });
  });
  const unsigned sum = kinds * (kinds + 1) / 2;
  CHECK(run(e, total) == 3 * (kinds * 1000 + sum + 2 * (kinds * 7000 + sum)));
}

TEST_CASE("a loop's constants are loaded before it, a loop of zero rounds leaves later ones right") {
  Emitter e;
  const Reg total = e.variable();
  e.set(total, 0);
  e.loop(0, [&] { e.alu(AluFn::add, total, total, e.constant(5)); });
  e.alu(AluFn::add, total, total, e.constant(5));
  e.loop(e.constant(100), [&] { e.alu(AluFn::add, total, total, e.constant(9)); });
  const std::size_t length = e.program().pc();
  CHECK(run(e, total) == 5 + 900);
  // Nothing but the addition repeats.
  model::Machine machine(*spec::find_config("nano"));
  const auto done = machine.launch({.code = e.program().code(), .watchdog = 100000});
  CHECK(done.counters[spec::Counter::instructions] == length + 1 - 2 + 100);  // one skipped body, 100 rounds instead of 1, halt
}

TEST_CASE("repeat makes no loop of one, nothing of none, variables end with a sentence") {
  Emitter e;
  int bodies = 0;
  e.repeat(0, [&] { ++bodies; });
  CHECK(bodies == 0);
  e.repeat(1, [&] { ++bodies; });
  CHECK(bodies == 1);
  CHECK(e.program().pc() == 0);
  CHECK_THROWS_WITH_AS([&] { for (int i = 0; i < 64; ++i) e.variable(); }(), doctest::Contains("at most"), Error);
}
