// Hashes of the meaning, and spelling of names.
#include <set>
#include <sstream>

#include "spec.hpp"

namespace jogak::specgen {
namespace {

std::uint32_t fnv1a(const std::string& text) {
  std::uint32_t hash = 2166136261u;
  for (const unsigned char c : text) hash = (hash ^ c) * 16777619u;
  return hash;
}

void write_functions(std::ostream& out, const Functions& f) {
  for (const auto& x : f.format) out << "fixed " << x.name << ' ' << x.width << ' ' << x.frac << ' ' << x.is_signed << '\n';
  out << "log2e " << f.log2e << '\n';
  for (const auto& t : f.tables) out << "table " << t.name << ' ' << t.base << ' ' << t.entries << '\n';
  for (const auto& r : f.rom) out << r[0] << ' ' << r[1] << ' ' << r[2] << '\n';
}

}  // namespace

void hash_meaning(Spec& spec) {
  std::ostringstream out;
  out << spec.name << ' ' << spec.version << ' ' << spec.instr_bits << '\n';
  for (const auto& [name, value] : spec.limits) out << "limit " << name << ' ' << value << '\n';
  for (const auto& type : spec.types) {
    out << "type " << type.name << ' ' << type.bits;
    for (const auto& v : type.values) out << ' ' << v.name << '=' << v.value;
    out << '\n';
  }
  for (const auto& insn : spec.instructions) {
    out << "insn " << insn.name << ' ' << insn.opcode << ' ' << insn.engine;
    for (const auto& f : insn.fields) out << ' ' << f.name << ':' << f.type << '@' << f.pos;
    out << '\n';
  }
  for (const auto& f : spec.faults) out << "fault " << f.name << ' ' << f.code << ' ' << f.async << '\n';
  for (const auto& c : spec.csrs)
    out << "csr " << c.name << ' ' << c.offset << ' ' << c.access << ' ' << c.count << ' ' << c.stride << '\n';
  for (const auto& c : spec.counters) out << "counter " << c.name << ' ' << c.index << ' ' << c.exact << '\n';
  write_functions(out, spec.functions);
  spec.hash = fnv1a(out.str());
}

void hash_sizes(Config& c) {
  std::ostringstream out;
  for (const std::uint32_t size : {c.rows, c.cols, c.lanes, c.port_bytes, c.wspm_bytes, c.aspm_bytes, c.vmem_bytes,
                                   c.imem_words, c.chiplets, c.sparse})
    out << size << ' ';
  c.hash = fnv1a(out.str());
}

std::string camel(std::string_view name) {
  std::string out;
  bool start = true;
  for (const char c : name) {
    if (c != '_') out += start ? static_cast<char>(std::toupper(c)) : c;
    start = c == '_';
  }
  return out;
}

std::string upper(std::string_view name) {
  std::string out;
  for (const char c : name) out += static_cast<char>(std::toupper(c));
  return out;
}

std::string hex(std::uint64_t value, unsigned digits) {
  std::ostringstream out;
  out << std::hex << value;
  const std::string text = out.str();
  return "0x" + std::string(text.size() < digits ? digits - text.size() : 0, '0') + text;
}

std::string cxx_name(const std::string& name) {
  static const std::set<std::string> words{
      "alignas", "alignof", "and", "asm", "auto", "bool", "break", "case", "catch", "char", "class", "compl",
      "concept", "const", "continue", "default", "delete", "do", "double", "else", "enum", "explicit", "export",
      "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace",
      "new", "not", "operator", "or", "private", "protected", "public", "register", "requires", "return", "short",
      "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef",
      "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "while", "xor"};
  return words.count(name) ? name + "_" : name;
}

std::string sv_name(const std::string& name) {
  static const std::set<std::string> words{
      "alias", "always", "and", "assert", "assign", "assume", "begin", "bind", "bit", "break", "buf", "byte", "case",
      "cell", "chandle", "checker", "class", "config", "const", "continue", "cover", "default", "design", "disable",
      "dist", "do", "edge", "else", "end", "enum", "event", "expect", "export", "final", "for", "force", "forever",
      "fork", "function", "generate", "global", "if", "iff", "import", "initial", "inout", "input", "inside", "int",
      "integer", "join", "large", "let", "library", "local", "logic", "longint", "matches", "medium", "modport",
      "module", "new", "nor", "not", "null", "or", "output", "package", "packed", "parameter", "primitive", "priority",
      "program", "property", "pure", "rand", "real", "ref", "reg", "release", "repeat", "restrict", "return",
      "scalared", "sequence", "shortint", "signed", "small", "solve", "static", "string", "strong", "struct", "super",
      "supply0", "supply1", "table", "tagged", "task", "this", "time", "tri", "type", "typedef", "union", "unique",
      "unsigned", "use", "until", "var", "vectored", "virtual", "void", "wait", "weak", "while", "wire", "with",
      "within", "xnor", "xor"};
  return words.count(name) ? name + "_" : name;
}

}  // namespace jogak::specgen
