#include <cstdio>
#include <map>

#include "asm.hpp"

namespace jogak {

namespace {

using Labels = std::map<std::uint64_t, std::string>;

std::string hex(std::uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(v));
  return text;
}

bool is_pc(const spec::Field& f) { return std::string_view(f.type) == "pc"; }

std::string number(const spec::Field& f, std::uint64_t v, const Labels& labels) {
  if (is_pc(f)) {
    const auto label = labels.find(v);
    if (label != labels.end()) return label->second;
  }
  return v < 4096 ? std::to_string(v) : hex(v);
}

std::string field(const spec::Field& f, std::uint64_t v, const Labels& labels) {
  const std::string name = f.name;
  switch (f.kind) {
    case spec::FieldKind::reg: return name + "=r" + std::to_string(v);
    case spec::FieldKind::flag: return name;
    case spec::FieldKind::enumeration: return name + "=" + spec::enum_name(f, v);
    case spec::FieldKind::number: break;
  }
  return name + "=" + number(f, v, labels);
}

std::string line(const spec::Insn& insn, const Labels& labels) {
  if (spec::check(insn) != spec::Fault::none) return ".word " + hex(insn.lo) + " " + hex(insn.hi);
  const spec::Instruction& i = *spec::instruction_of(insn);
  std::string text = i.name;
  for (unsigned n = 0; n < i.field_count; ++n) {
    const std::uint64_t v = spec::field_of(insn, i.fields[n]);
    if (v != 0 || i.fields[n].kind == spec::FieldKind::enumeration) {
      text += " " + field(i.fields[n], v, labels);
    }
  }
  return text;
}

Labels labels_of(std::span<const spec::Insn> code) {
  Labels labels;
  for (const spec::Insn& insn : code) {
    if (spec::check(insn) != spec::Fault::none) continue;
    const spec::Instruction& i = *spec::instruction_of(insn);
    for (unsigned n = 0; n < i.field_count; ++n) {
      const std::uint64_t pc = spec::field_of(insn, i.fields[n]);
      if (is_pc(i.fields[n]) && pc < code.size()) labels[pc] = "L" + std::to_string(pc);
    }
  }
  return labels;
}

}  // namespace

std::string disassemble(const spec::Insn& insn) { return line(insn, {}); }

std::string disassemble(std::span<const spec::Insn> code) {
  const Labels labels = labels_of(code);
  std::string text;
  for (std::size_t pc = 0; pc < code.size(); ++pc) {
    const auto label = labels.find(pc);
    std::string head = label == labels.end() ? "" : label->second + ":";
    if (head.size() < 8) head.resize(8, ' ');
    text += head + line(code[pc], labels) + "\n";
  }
  return text;
}

}  // namespace jogak
