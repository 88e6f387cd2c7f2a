// npu_spec.hpp: the contract for C++14, freestanding; encodings, tables and every configuration.
#include <sstream>

#include "spec.hpp"

namespace jogak::specgen {
namespace {

std::string cxx_type(const Type& type) {
  if (!type.values.empty()) return camel(type.name);
  if (type.name == "flag") return "bool";
  return type.bits <= 8 ? "std::uint8_t" : type.bits <= 16 ? "std::uint16_t" : "std::uint32_t";
}

std::string quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) (c == '"' || c == '\\' ? out += '\\' : out) += c;
  return out + "\"";
}

void enumeration(std::ostream& out, const std::string& name, const std::vector<EnumValue>& values) {
  out << "enum class " << name << " : std::uint8_t {";
  for (std::size_t i = 0; i < values.size(); ++i)
    out << (i ? ", " : " ") << cxx_name(values[i].name) << " = " << values[i].value;
  out << " };\n";
}

void enumerations(std::ostream& out, const Spec& spec) {
  std::vector<EnumValue> ops, faults, counters;
  for (const auto& x : spec.instructions) ops.push_back({x.name, x.opcode});
  for (const auto& x : spec.faults) faults.push_back({x.name, x.code});
  for (const auto& x : spec.counters) counters.push_back({x.name, x.index});
  enumeration(out, "Op", ops);
  enumeration(out, "Fault", faults);
  enumeration(out, "Counter", counters);
  for (const auto& type : spec.types)
    if (!type.values.empty()) enumeration(out, camel(type.name), type.values);
  out << "\n";
}

void constants(std::ostream& out, const Spec& spec) {
  out << "constexpr std::uint32_t isa_version = " << spec.version << ";\nconstexpr std::uint32_t isa_hash = "
      << hex(spec.hash, 8) << ";\n\nnamespace limit {\n";
  for (const auto& [name, value] : spec.limits) out << "constexpr std::uint32_t " << name << " = " << value << "u;\n";
  out << "}  // namespace limit\n\n// Byte offsets; an array register also has a function of its index.\nnamespace csr {\n";
  for (const auto& c : spec.csrs) {
    out << "constexpr std::uint32_t " << cxx_name(c.name) << " = " << hex(c.offset, 3) << ";\n";
    if (c.count > 1)
      out << "constexpr std::uint32_t " << c.name << "_at(std::uint32_t i) { return " << hex(c.offset, 3) << " + "
          << c.stride << " * i; }\n";
  }
  out << "}  // namespace csr\n\n";
}

void instruction(std::ostream& out, const Spec& spec, const Instruction& insn) {
  const std::string name = camel(insn.name);
  out << "// " << insn.doc << "\nstruct " << name << " {\n  static constexpr Op opcode() { return Op::"
      << cxx_name(insn.name) << "; }\n";
  for (const auto& f : insn.fields)
    out << "  " << cxx_type(type_of(spec, f.type)) << " " << cxx_name(f.name) << "{};\n";
  out << "};\nconstexpr Insn encode(const " << name << "&" << (insn.fields.empty() ? "" : " x")
      << ") {\n  Insn insn{" << hex(insn.opcode, 2) << "u, 0};\n";
  for (const auto& f : insn.fields)
    out << "  detail::put(insn, " << f.pos << ", " << f.bits << ", static_cast<std::uint64_t>(x." << cxx_name(f.name)
        << "));\n";
  out << "  return insn;\n}\ntemplate <>\nconstexpr " << name << " decode<" << name << ">(const Insn&"
      << (insn.fields.empty() ? "" : " insn") << ") {\n  " << name << " x;\n";
  for (const auto& f : insn.fields)
    out << "  x." << cxx_name(f.name) << " = static_cast<" << cxx_type(type_of(spec, f.type)) << ">(detail::get(insn, "
        << f.pos << ", " << f.bits << "));\n";
  out << "  return x;\n}\n\n";
}

void instruction_tables(std::ostream& out, const Spec& spec) {
  for (const auto& type : spec.types) {
    if (type.values.empty()) continue;
    out << "constexpr EnumValue " << type.name << "_values[] = {";
    for (const auto& v : type.values) out << "{" << quote(v.name) << ", " << v.value << "}, ";
    out << "};\n";
  }
  for (const auto& insn : spec.instructions) {
    if (insn.fields.empty()) continue;
    out << "constexpr Field " << insn.name << "_fields[] = {\n";
    for (const auto& f : insn.fields) {
      const Type& type = type_of(spec, f.type);
      const char* kind = !type.values.empty() ? "enumeration" : type.name == "reg" ? "reg" : type.name == "flag" ? "flag" : "number";
      out << "    {" << quote(f.name) << ", " << f.pos << ", " << f.bits << ", " << quote(f.type) << ", FieldKind::"
          << kind << ", ";
      if (type.values.empty()) out << "nullptr, 0},\n";
      else out << type.name << "_values, " << type.values.size() << "},\n";
    }
    out << "};\n";
  }
  out << "constexpr Instruction instructions[] = {\n";
  for (const auto& insn : spec.instructions)
    out << "    {" << quote(insn.name) << ", Op::" << cxx_name(insn.name) << ", Engine::" << cxx_name(insn.engine)
        << ", " << (insn.fields.empty() ? "nullptr" : insn.name + "_fields") << ", " << insn.fields.size() << ", "
        << insn.used_bits << ", " << quote(insn.doc) << "},\n";
  out << "};\n";
}

void other_tables(std::ostream& out, const Spec& spec, const std::vector<Config>& configs) {
  out << "constexpr CsrInfo csrs[] = {\n";
  for (const auto& c : spec.csrs)
    out << "    {" << quote(c.name) << ", " << hex(c.offset, 3) << ", " << c.count << ", " << c.stride << ", "
        << quote(c.access) << ", " << quote(c.doc) << "},\n";
  out << "};\nconstexpr CounterInfo counters[] = {\n";
  for (const auto& c : spec.counters)
    out << "    {" << quote(c.name) << ", " << c.index << ", " << (c.exact ? "true" : "false") << ", " << quote(c.doc)
        << "},\n";
  out << "};\nconstexpr FaultInfo faults[] = {\n";
  for (const auto& f : spec.faults)
    out << "    {" << quote(f.name) << ", Fault::" << cxx_name(f.name) << ", " << (f.async ? "true" : "false") << ", "
        << quote(f.doc) << "},\n";
  out << "};\nconstexpr Config configs[] = {\n";
  for (const auto& c : configs) {
    out << "    {" << quote(c.name);
    for (const std::uint32_t v : {c.rows, c.cols, c.lanes, c.port_bytes, c.wspm_bytes, c.wsc_bytes, c.aspm_bytes,
                                  c.asc_bytes, c.vmem_bytes, c.imem_words, c.chiplets, c.sparse})
      out << ", " << v;
    out << ", " << hex(c.hash, 8) << "},\n";
  }
  out << "};\n";
}

constexpr const char* prologue = R"(// Printed by specgen from spec/npu.yaml and spec/configs. Do not edit.
#pragma once

#include <cstdint>

namespace jogak {
namespace spec {

// One instruction, little endian: bits 63:0 and 127:64.
struct Insn {
  std::uint64_t lo, hi;
};
constexpr bool operator==(const Insn& a, const Insn& b) { return a.lo == b.lo && a.hi == b.hi; }

namespace detail {
constexpr std::uint64_t mask(unsigned bits) { return bits >= 64 ? ~0ull : (1ull << bits) - 1; }
// Bits pos..pos+bits-1 (bits <= 32); a value that is too wide is cut.
constexpr void put(Insn& insn, unsigned pos, unsigned bits, std::uint64_t value) {
  value &= mask(bits);
  if (pos < 64) insn.lo |= value << pos;
  if (pos >= 64) insn.hi |= value << (pos - 64);
  else if (pos + bits > 64) insn.hi |= value >> (64 - pos);
}
constexpr std::uint64_t get(const Insn& insn, unsigned pos, unsigned bits) {
  return (pos >= 64 ? insn.hi >> (pos - 64)
                    : (insn.lo >> pos) | (pos + bits > 64 ? insn.hi << (64 - pos) : 0)) &
         mask(bits);
}
}  // namespace detail

// decode<Load>(insn): the fields, whatever the opcode says. See check() for legality.
template <class T>
constexpr T decode(const Insn& insn);

)";

constexpr const char* table_types = R"(enum class FieldKind : std::uint8_t { reg, number, flag, enumeration };
struct EnumValue {
  const char* name;
  std::uint8_t value;
};
struct Field {
  const char* name;
  std::uint8_t pos, width;
  const char* type;
  FieldKind kind;
  const EnumValue* values;  // enumerations only
  std::uint8_t value_count;
};
struct Instruction {
  const char* name;
  Op op;
  Engine engine;
  const Field* fields;
  std::uint8_t field_count;
  std::uint8_t used_bits;  // bits from here to 127 are zero
  const char* doc;
};
struct CsrInfo {
  const char* name;
  std::uint32_t offset, count, stride;
  const char* access;
  const char* doc;
};
struct CounterInfo {
  const char* name;
  std::uint8_t index;
  bool exact;
  const char* doc;
};
struct FaultInfo {
  const char* name;
  Fault code;
  bool async;
  const char* doc;
};
// Sizes of one machine. hash: of the sizes, without the name.
struct Config {
  const char* name;
  std::uint32_t rows, cols, lanes, port_bytes;
  std::uint32_t wspm_bytes, wsc_bytes, aspm_bytes, asc_bytes, vmem_bytes;
  std::uint32_t imem_words, chiplets;
  std::uint32_t sparse;  // 1: mm sparse and qnt pair are there
  std::uint32_t hash;
};

)";

constexpr const char* epilogue = R"(
constexpr bool same_text(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

// Each find_ gives nullptr when there is no such entry.
constexpr const Config* find_config(const char* name) {
  for (const Config& c : configs)
    if (same_text(c.name, name)) return &c;
  return nullptr;
}
constexpr const Instruction* find_instruction(const char* name) {
  for (const Instruction& i : instructions)
    if (same_text(i.name, name)) return &i;
  return nullptr;
}
constexpr const Instruction* find_instruction(std::uint8_t opcode) {
  for (const Instruction& i : instructions)
    if (static_cast<std::uint8_t>(i.op) == opcode) return &i;
  return nullptr;
}
constexpr std::uint8_t opcode_of(const Insn& insn) { return static_cast<std::uint8_t>(insn.lo & 0xff); }
constexpr const Instruction* instruction_of(const Insn& insn) { return find_instruction(opcode_of(insn)); }
constexpr std::uint64_t field_of(const Insn& insn, const Field& f) { return detail::get(insn, f.pos, f.width); }

constexpr const char* fault_name(std::uint32_t code) {
  for (const FaultInfo& f : faults)
    if (static_cast<std::uint32_t>(f.code) == code) return f.name;
  return "unknown";
}
constexpr const char* enum_name(const Field& f, std::uint64_t value) {
  for (unsigned i = 0; i < f.value_count; ++i)
    if (f.values[i].value == value) return f.values[i].name;
  return nullptr;
}

// What the bits alone show: Fault::opcode, Fault::reserved (spare bits set or no such enumerator), or none.
constexpr Fault check(const Insn& insn) {
  const Instruction* i = instruction_of(insn);
  if (!i) return Fault::opcode;
  if (i->used_bits < 64 && insn.lo >> i->used_bits) return Fault::reserved;
  const unsigned spare = i->used_bits > 64 ? i->used_bits - 64u : 0u;
  if (spare < 64 && insn.hi >> spare) return Fault::reserved;
  for (unsigned f = 0; f < i->field_count; ++f)
    if (i->fields[f].values && !enum_name(i->fields[f], field_of(insn, i->fields[f]))) return Fault::reserved;
  return Fault::none;
}

}  // namespace spec
}  // namespace jogak
)";

}  // namespace

std::string emit_cxx_header(const Spec& spec, const std::vector<Config>& configs) {
  std::ostringstream out;
  out << prologue;
  constants(out, spec);
  enumerations(out, spec);
  for (const auto& insn : spec.instructions) instruction(out, spec, insn);
  out << table_types;
  instruction_tables(out, spec);
  other_tables(out, spec, configs);
  out << epilogue;
  return out.str();
}

}  // namespace jogak::specgen
