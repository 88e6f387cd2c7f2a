// npu_pkg.sv: sizes, enums, instruction and command structs for the RTL of one configuration.
#include <algorithm>
#include <sstream>

#include "spec.hpp"

namespace jogak::specgen {
namespace {

std::string logic(unsigned bits) {
  return bits == 1 ? "logic" : "logic [" + std::to_string(bits - 1) + ":0]";
}

void size(std::ostream& out, const std::string& name, std::uint64_t value) {
  out << "  localparam int unsigned " << name << " = 32'd" << value << ";\n";
}

void sizes(std::ostream& out, const Spec& spec, const Config& c) {
  size(out, "Rows", c.rows);
  size(out, "Cols", c.cols);
  size(out, "Lanes", c.lanes);
  size(out, "PortBytes", c.port_bytes);
  size(out, "WspmBytes", c.wspm_bytes);
  size(out, "WscBytes", c.wsc_bytes);
  size(out, "AspmBytes", c.aspm_bytes);
  size(out, "AscBytes", c.asc_bytes);
  size(out, "VmemBytes", c.vmem_bytes);
  size(out, "VmemWords", c.vmem_bytes / 4);
  size(out, "VmemRows", c.vmem_bytes / 4 / c.cols);
  size(out, "ImemWords", c.imem_words);
  size(out, "Chiplets", c.chiplets);
  out << "  localparam bit Sparse = 1'b" << c.sparse << ";\n";
  const std::uint64_t block = limit_of(spec, "block");
  size(out, "Slices", c.rows >= block ? 1 : block / c.rows);
  out << "\n";
  for (const auto& [name, value] : spec.limits) size(out, camel(name), value);
  size(out, "InsnBits", spec.instr_bits);
  size(out, "IsaVersion", spec.version);
  out << "  localparam logic [31:0] IsaHash = 32'h" << hex(spec.hash, 8).substr(2) << ";\n"
      << "  localparam logic [31:0] ConfigHash = 32'h" << hex(c.hash, 8).substr(2) << ";\n\n";
}

void enumeration(std::ostream& out, const std::string& name, unsigned bits, const std::vector<EnumValue>& values) {
  out << "  typedef enum " << logic(bits) << " {\n";
  for (std::size_t i = 0; i < values.size(); ++i)
    out << "    " << upper(name) << "_" << upper(values[i].name) << " = " << bits << "'d" << values[i].value
        << (i + 1 < values.size() ? ",\n" : "\n");
  out << "  } " << name << "_e;\n\n";
}

void enumerations(std::ostream& out, const Spec& spec) {
  std::vector<EnumValue> opcodes, faults;
  std::uint32_t last = 0;
  for (const auto& insn : spec.instructions) opcodes.push_back({insn.name, insn.opcode});
  for (const auto& fault : spec.faults) {
    faults.push_back({fault.name, fault.code});
    last = std::max(last, fault.code);
  }
  enumeration(out, "op", 8, opcodes);
  out << "  typedef op_e opcode_e;\n\n";
  enumeration(out, "fault", bits_for(last), faults);
  for (const auto& type : spec.types)
    if (!type.values.empty()) enumeration(out, type.name, type.bits, type.values);
}

// First field of the YAML in the least significant bits, so the list is printed from its end.
void instruction(std::ostream& out, const Spec& spec, const Instruction& insn) {
  out << "  typedef struct packed {\n";
  if (insn.used_bits < spec.instr_bits) out << "    " << logic(spec.instr_bits - insn.used_bits) << " rsvd;\n";
  for (auto f = insn.fields.rbegin(); f != insn.fields.rend(); ++f)
    out << "    " << logic(f->bits) << " " << sv_name(f->name) << ";\n";
  out << "    logic [7:0] opcode;\n  } " << insn.name << "_insn_t;\n\n";
}

void command(std::ostream& out, const Instruction& insn) {
  out << "  typedef struct packed {\n";
  for (auto f = insn.fields.rbegin(); f != insn.fields.rend(); ++f)
    out << "    " << logic(f->type == "reg" ? 32 : f->bits) << " " << sv_name(f->name) << ";\n";
  out << "  } " << insn.name << "_cmd_t;\n\n";
}

// The checks that need nothing but the instruction's own bits.
void legality(std::ostream& out, const Spec& spec) {
  out << "  // FAULT_OPCODE or FAULT_RESERVED when the bits alone show it.\n"
         "  function automatic fault_e insn_fault(logic [InsnBits-1:0] insn);\n"
         "    logic bad;\n    logic known;\n    bad = 1'b0;\n    known = 1'b1;\n    case (insn[7:0])\n";
  for (const auto& insn : spec.instructions) {
    out << "      OP_" << upper(insn.name) << ": bad = ";
    out << (insn.used_bits < spec.instr_bits
                ? "insn[" + std::to_string(spec.instr_bits - 1) + ":" + std::to_string(insn.used_bits) + "] != '0"
                : "1'b0");
    for (const auto& f : insn.fields) {
      const Type& type = type_of(spec, f.type);
      if (type.values.empty() || type.values.size() == std::size_t{1} << type.bits) continue;
      out << "\n          || !(insn[" << f.pos + f.bits - 1 << ":" << f.pos << "] inside {";
      for (std::size_t i = 0; i < type.values.size(); ++i)
        out << (i ? ", " : "") << type.bits << "'d" << type.values[i].value;
      out << "})";
    }
    out << ";\n";
  }
  out << "      default: known = 1'b0;\n    endcase\n"
         "    return !known ? FAULT_OPCODE : bad ? FAULT_RESERVED : FAULT_NONE;\n  endfunction\n\n";
}

void engines(std::ostream& out, const Spec& spec) {
  out << "  // Who executes an opcode; unknown ones fall to the sequencer, which raises the fault.\n"
         "  function automatic engine_e engine_of(logic [7:0] opcode);\n    case (opcode)\n";
  for (const auto& insn : spec.instructions)
    if (insn.engine != "seq") out << "      OP_" << upper(insn.name) << ": return ENGINE_" << upper(insn.engine) << ";\n";
  out << "      default: return ENGINE_SEQ;\n    endcase\n  endfunction\n\n";
}

void registers(std::ostream& out, const Spec& spec) {
  for (const auto& csr : spec.csrs) {
    out << "  localparam logic [11:0] Csr" << camel(csr.name) << " = 12'h" << hex(csr.offset, 3).substr(2) << ";\n";
    if (csr.count > 1) {
      size(out, "Csr" + camel(csr.name) + "Count", csr.count);
      size(out, "Csr" + camel(csr.name) + "Stride", csr.stride);
    }
  }
  out << "\n";
  for (const auto& counter : spec.counters) size(out, "Cnt" + camel(counter.name), counter.index);
}

}  // namespace

std::string emit_sv_package(const Spec& spec, const Config& config) {
  std::ostringstream out;
  out << "// Printed by specgen from spec/npu.yaml and spec/configs/" << config.name << ".yaml. Do not edit.\n"
      << "// verilator lint_off UNUSEDPARAM\n// verilator lint_off UNUSEDSIGNAL\npackage npu_pkg;\n";
  sizes(out, spec, config);
  enumerations(out, spec);
  out << "  typedef logic [InsnBits-1:0] insn_t;\n\n";
  for (const auto& insn : spec.instructions) instruction(out, spec, insn);
  for (const auto& insn : spec.instructions)
    if (insn.engine != "seq") command(out, insn);
  legality(out, spec);
  engines(out, spec);
  registers(out, spec);
  out << "endpackage\n// verilator lint_on UNUSEDSIGNAL\n// verilator lint_on UNUSEDPARAM\n";
  return out.str();
}

std::string emit_sv_functions(const Spec& spec) {
  const Functions& f = spec.functions;
  std::ostringstream out;
  out << "// Printed by specgen from spec/functions.yaml. Do not edit.\n// verilator lint_off UNUSEDPARAM\n"
         "package npu_func_pkg;\n";
  unsigned width = 0;
  for (const auto& x : f.format) {
    size(out, camel(x.name) + "Width", x.width);
    size(out, camel(x.name) + "Frac", x.frac);
  }
  out << "  localparam logic [31:0] Log2e = 32'd" << f.log2e << ";\n";
  for (const auto& t : f.tables) size(out, camel(t.name) + "Base", t.base);
  size(out, "FuncEntries", f.rom.size());
  out << "\n  typedef struct packed {\n";
  unsigned widths[3] = {};
  for (const auto& x : f.format)
    if (x.name.size() == 2 && x.name[0] == 'c') {
      widths[x.name[1] - '0'] = x.width;
      width += x.width;
      out << "    logic " << (x.is_signed ? "signed " : "") << "[" << x.width - 1 << ":0] " << x.name << ";\n";
    }
  out << "  } func_entry_t;\n\n  // y = c0 + r * (c1 + r * c2)\n  localparam logic [" << width - 1
      << ":0] FuncRom[FuncEntries] = '{\n";
  for (std::size_t i = 0; i < f.rom.size(); ++i) {
    out << "    {";
    for (int c = 0; c < 3; ++c)
      out << (c ? ", " : "") << widths[c] << "'h"
          << hex(std::uint64_t(f.rom[i][c]) & ((std::uint64_t{1} << widths[c]) - 1), (widths[c] + 3) / 4).substr(2);
    out << (i + 1 < f.rom.size() ? "},\n" : "}\n");
  }
  out << "  };\nendpackage\n// verilator lint_on UNUSEDPARAM\n";
  return out.str();
}

}  // namespace jogak::specgen
