// The SystemVerilog package and the C++ header read the same instruction the same way.
#include <doctest/doctest.h>

#include <random>

#include "Vlayout_probe.h"
#include "npu_spec.hpp"

namespace spec = jogak::spec;

namespace {

void apply(Vlayout_probe& probe, const spec::Insn& insn) {
  for (int word = 0; word < 4; ++word)
    probe.insn_i[word] = static_cast<std::uint32_t>((word < 2 ? insn.lo : insn.hi) >> (32 * (word & 1)));
  probe.eval();
}

void compare(Vlayout_probe& probe, const spec::Insn& insn) {
  apply(probe, insn);
  REQUIRE(probe.alui_imm_o == spec::decode<spec::Alui>(insn).imm);
  REQUIRE(probe.loop_end_o == spec::decode<spec::Loop>(insn).end);
  REQUIRE(probe.signal_n_o == spec::decode<spec::Signal>(insn).n);
  REQUIRE(probe.load_idx_o == spec::decode<spec::Load>(insn).idx);
  REQUIRE(probe.store_cs2_o == spec::decode<spec::Store>(insn).cs2);
  REQUIRE(probe.mm_nb_o == spec::decode<spec::Mm>(insn).nb);
  REQUIRE(probe.vec_cols_o == spec::decode<spec::Vec>(insn).cols);
  REQUIRE(bool(probe.vec_linc_o) == spec::decode<spec::Vec>(insn).linc);
  REQUIRE(probe.qnt_cols_o == spec::decode<spec::Qnt>(insn).cols);
  REQUIRE(probe.fault_o == static_cast<unsigned>(spec::check(insn)));
  const spec::Instruction* kind = spec::instruction_of(insn);
  REQUIRE(probe.engine_o == static_cast<unsigned>(kind ? kind->engine : spec::Engine::seq));
}

}  // namespace

TEST_CASE("RTL and C++ agree on layout, engine and legality of random instructions") {
  Vlayout_probe probe;
  std::mt19937_64 random(7);
  unsigned legal = 0;
  for (int i = 0; i < 20000; ++i) {
    spec::Insn insn{random(), random()};
    compare(probe, insn);  // any bits
    const auto& kind = spec::instructions[random() % std::size(spec::instructions)];
    insn.lo = (insn.lo & ~0xffull) | static_cast<std::uint64_t>(kind.op);
    if (kind.used_bits < 64) insn.lo &= (1ull << kind.used_bits) - 1;
    insn.hi &= kind.used_bits > 64 ? (1ull << (kind.used_bits - 64)) - 1 : 0;
    compare(probe, insn);  // a known opcode, no spare bit
    legal += spec::check(insn) == spec::Fault::none;
  }
  CHECK(legal > 5000);
  CHECK(legal < 20000);
}
