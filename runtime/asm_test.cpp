#include "asm.hpp"

#include <doctest/doctest.h>

#include <random>

#include "builder.hpp"

using namespace jogak;

namespace {

std::string refusal(std::string_view text) {
  try {
    assemble(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("text becomes the instructions it names") {
  const auto code = assemble(R"(
        # a loop around one command
        alui fn=add rd=r2 ra=r0 imm=0x40000000
        loop rc=r1 end=last     # the label is below
        load win=1 space=wspm da=r3 ca=r4 len=r5 n1=r6 n2=r6 gather idx=r63
  last: signal eng=ld sem=31 n=255
        mm wfmt=e2m1 wscale=e8m0 acc colload=0 w=r1
        halt
)");
  ProgramBuilder b;
  b.li(2, 0x40000000);
  b.loop(1, [&] {
    b.load({.win = 1, .space = spec::Space::wspm, .gather = true, .da = 3, .ca = 4, .len = 5, .n1 = 6, .n2 = 6, .idx = 63});
    b.signal(spec::Engine::ld, 31, 255);
  });
  b.mm({.wfmt = spec::Wfmt::e2m1, .wscale = spec::Wscale::e8m0, .acc = true, .w = 1});
  b.halt();
  CHECK(code == b.code());
}

TEST_CASE("disassembly of anything assembles to the same bits") {
  std::mt19937_64 random(1);
  std::vector<spec::Insn> code;
  for (const spec::Instruction& i : spec::instructions) {
    for (int n = 0; n < 200; ++n) {
      spec::Insn insn{static_cast<std::uint64_t>(i.op), 0};
      for (unsigned f = 0; f < i.field_count; ++f) {
        const bool small = random() % 2 != 0;
        spec::detail::put(insn, i.fields[f].pos, i.fields[f].width, small ? random() % 3 : random());
      }
      code.push_back(insn);
    }
  }
  for (int n = 0; n < 500; ++n) code.push_back({random(), random() >> random() % 64});
  const std::string text = disassemble(code);
  CHECK(assemble(text) == code);
  CHECK(disassemble(assemble(text)) == text);
  for (const spec::Insn& insn : code) {
    const auto one = assemble(disassemble(insn));
    REQUIRE(one.size() == 1);
    CHECK(one[0] == insn);
  }
}

TEST_CASE("loop ends are shown as labels") {
  const std::string text = disassemble(assemble("loop rc=r1 end=1\nhalt\n"));
  CHECK(text == "        loop rc=r1 end=L1\nL1:     halt\n");
}

TEST_CASE("mistakes are named with their line") {
  CHECK(refusal("halt\nhalf\n") == "asm: line 2: instruction, found half, expected a name of docs/isa.md");
  CHECK(refusal("alu rz=r1") == "asm: line 1: field of alu, found rz, expected a name of docs/isa.md");
  CHECK(refusal("alu rd=r1 rd=r1").starts_with("asm: line 1: field of alu, found rd twice"));
  CHECK(refusal("alu rd=r64") == "asm: line 1: rd, found r64, expected a number of 6 bits");
  CHECK(refusal("alu rd=1").starts_with("asm: line 1: rd, found 1, expected a register"));
  CHECK(refusal("alu fn=div").starts_with("asm: line 1: fn, found div, expected one of add, sub"));
  CHECK(refusal("wait sem=64 n=1").starts_with("asm: line 1: sem, found 64"));
  CHECK(refusal("loop rc=r1 end=x").starts_with("asm: line 1: end, found x, expected a number or a label"));
  CHECK(refusal("alui imm=x\nx: halt").starts_with("asm: line 1: imm, found x, expected a number"));
  CHECK(refusal("x: halt\nx: halt").starts_with("asm: line 2: label, found x"));
  CHECK(refusal(".word 1").starts_with("asm: line 1: .word, found 1 numbers"));
  CHECK(refusal(".word 1 0xg").starts_with("asm: line 1: .word, found 0xg"));
  CHECK(refusal("# nothing\n\n").empty());
}

TEST_CASE("the builder keeps loop ends apart and refuses what cannot be encoded") {
  ProgramBuilder b;
  b.loop(1, [&] { b.loop(2, [&] { b.mov(3, 4); }); });
  CHECK(b.code() == assemble("loop rc=r1 end=3\nloop rc=r2 end=2\nalui rd=r3 ra=r4\nalui\n"));
  CHECK_THROWS_WITH_AS(b.li(64, 0), "builder: register, found 64, expected below 64", Error);
  CHECK_THROWS_AS(b.wait(spec::Engine::ld, 64), Error);
  CHECK_THROWS_AS(b.signal(spec::Engine::ld, 32), Error);  // only other chiplets signal it
  CHECK_THROWS_AS(b.signal(spec::Engine::ld, 0, 256), Error);
  CHECK_THROWS_AS(b.loop(1, [] {}), Error);
}
