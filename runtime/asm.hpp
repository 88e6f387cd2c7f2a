// Programs as text. One instruction a line, fields by name in any order, what is left out is 0:
//
//   # double 4 rows
//         alui fn=add rd=r2 ra=r0 imm=0x40000000
//         loop rc=r1 end=last
//         vec op=mul bmode=scalar wr dst=r3 ds=r4 a=r3 as=r4 b=r2 rows=r5 cols=r6
//   last: signal eng=ve sem=1 n=1
//         halt
//
// Registers are r0..r63, numbers decimal or 0x.., enumerated values by name, a flag is its name alone (or
// flag=0/1). A label names the instruction that follows it and may stand in any field of type pc. What is not
// an instruction's encoding is written `.word lo hi`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "npu_spec.hpp"

namespace jogak {

// Throws Error("asm: line N: what, found, expected").
std::vector<spec::Insn> assemble(std::string_view text);

// One instruction; loop ends as numbers. Fields that are 0 are left out.
std::string disassemble(const spec::Insn& insn);
// A whole program, loop ends as labels; assemble() gives back the same instructions, whatever they are.
std::string disassemble(std::span<const spec::Insn> code);

}  // namespace jogak
