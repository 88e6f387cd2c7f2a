// npu_regs.h for C, isa.md and csr.md for people.
#include <sstream>

#include "spec.hpp"

namespace jogak::specgen {
namespace {

void define(std::ostream& out, const std::string& name, const std::string& value, const std::string& doc) {
  out << "#define JOGAK_" << name << " " << value << "u";
  if (!doc.empty()) out << " /* " << doc << " */";
  out << "\n";
}

std::string bit_range(const Field& f) {
  return f.bits == 1 ? std::to_string(f.pos) : std::to_string(f.pos + f.bits - 1) + ":" + std::to_string(f.pos);
}

}  // namespace

std::string emit_c_registers(const Spec& spec) {
  std::ostringstream out;
  out << "/* Printed by specgen from spec/npu.yaml. Do not edit. */\n#ifndef JOGAK_NPU_REGS_H\n#define JOGAK_NPU_REGS_H\n\n";
  define(out, "ISA_VERSION", std::to_string(spec.version), "");
  define(out, "ISA_HASH", hex(spec.hash, 8), "");
  out << "\n/* Byte offsets of 32-bit registers; _STRIDE bytes between the elements of an array. */\n";
  for (const auto& csr : spec.csrs) {
    define(out, "REG_" + upper(csr.name), hex(csr.offset, 3), csr.access + ": " + csr.doc);
    if (csr.count > 1) {
      define(out, "REG_" + upper(csr.name) + "_COUNT", std::to_string(csr.count), "");
      define(out, "REG_" + upper(csr.name) + "_STRIDE", std::to_string(csr.stride), "");
    }
  }
  out << "\n/* Indices of counters. */\n";
  for (const auto& c : spec.counters) define(out, "COUNTER_" + upper(c.name), std::to_string(c.index), c.doc);
  out << "\n/* Codes in JOGAK_REG_FAULT_CAUSE. */\n";
  for (const auto& f : spec.faults) define(out, "FAULT_" + upper(f.name), std::to_string(f.code), f.doc);
  out << "\n#endif\n";
  return out.str();
}

std::string emit_isa_tables(const Spec& spec) {
  std::ostringstream out;
  out << "# Instructions of ISA " << spec.name << " version " << spec.version << "\n\nHash " << hex(spec.hash, 8)
      << ". " << spec.instr_bits << " bits, little endian, opcode in bits 7:0; bits not listed are zero. "
      << "A `reg` names a register, the rest is in the instruction itself.\n";
  for (const auto& insn : spec.instructions) {
    out << "\n## " << insn.name << " (" << hex(insn.opcode, 2) << ", engine " << insn.engine << ")\n\n" << insn.doc << "\n";
    if (insn.fields.empty()) continue;
    out << "\n| bits | field | type |\n|--|--|--|\n";
    for (const auto& f : insn.fields) out << "| " << bit_range(f) << " | " << f.name << " | " << f.type << " |\n";
  }
  out << "\n## Types\n\n| type | bits | values |\n|--|--|--|\n";
  for (const auto& type : spec.types) {
    out << "| " << type.name << " | " << type.bits << " | ";
    for (const auto& v : type.values) out << v.name << " " << v.value << (&v == &type.values.back() ? "" : ", ");
    out << " |\n";
  }
  out << "\n## Limits\n\n| limit | value |\n|--|--|\n";
  for (const auto& [name, value] : spec.limits) out << "| " << name << " | " << value << " |\n";
  out << "\n## Faults\n\n| code | fault | raised | meaning |\n|--|--|--|--|\n";
  for (const auto& f : spec.faults)
    out << "| " << f.code << " | " << f.name << " | " << (f.async ? "any time" : "in program order") << " | " << f.doc << " |\n";
  return out.str();
}

std::string emit_csr_tables(const Spec& spec) {
  std::ostringstream out;
  out << "# Registers and counters of ISA " << spec.name << " version " << spec.version
      << "\n\n| offset | register | access | meaning |\n|--|--|--|--|\n";
  for (const auto& csr : spec.csrs) {
    out << "| " << hex(csr.offset, 3);
    if (csr.count > 1) out << " + " << csr.stride << " * i, i < " << csr.count;
    out << " | " << csr.name << " | " << csr.access << " | " << csr.doc << " |\n";
  }
  out << "\n## Counters\n\n| index | counter | kind | meaning |\n|--|--|--|--|\n";
  for (const auto& c : spec.counters)
    out << "| " << c.index << " | " << c.name << " | " << (c.exact ? "exact" : "timing") << " | " << c.doc << " |\n";
  return out.str();
}

}  // namespace jogak::specgen
