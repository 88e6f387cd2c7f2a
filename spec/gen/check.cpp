#include <algorithm>
#include <map>
#include <set>

#include "error.hpp"
#include "spec.hpp"

namespace jogak::specgen {
namespace {

constexpr std::uint32_t csr_space = 0x1000;
constexpr std::uint32_t last_opcode = 0xbf;  // 0xc0..0xff stay free

bool power_of_two(std::uint32_t n) { return n && !(n & (n - 1)); }

void name_ok(const std::string& part, const std::string& name) {
  const bool ok = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) &&
                  std::all_of(name.begin(), name.end(), [](unsigned char c) {
                    return std::islower(c) || std::isdigit(c) || c == '_';
                  });
  if (!ok) throw Error(part, "bad name", name, "lower case letters, digits and _");
}

// Refuses a second user of the same number.
class Taken {
 public:
  explicit Taken(std::string what) : what_(std::move(what)) {}
  void take(const std::string& part, std::uint32_t value, const std::string& who) {
    const auto [it, fresh] = owner_.emplace(value, who);
    if (!fresh) throw Error(part, what_ + " clash", hex(value, 2) + " of " + it->second, "a free one");
  }

 private:
  std::string what_;
  std::map<std::uint32_t, std::string> owner_;
};

void check_types(const Spec& spec) {
  std::set<std::string> names;
  for (const auto& type : spec.types) {
    const std::string part = "types." + type.name;
    name_ok(part, type.name);
    if (!names.insert(type.name).second) throw Error(part, "repeated type", type.name, "each once");
    if (type.bits < 1 || type.bits > 32) throw Error(part, "bad width", std::to_string(type.bits), "1..32");
    Taken values("value");
    for (const auto& value : type.values) {
      name_ok(part, value.name);
      values.take(part, value.value, value.name);
      if (bits_for(value.value) > type.bits)
        throw Error(part + "." + value.name, "value too large", std::to_string(value.value),
                    std::to_string(type.bits) + " bits");
    }
  }
  if (type_of(spec, "opcode").bits != 8) throw Error("types.opcode", "bad width", "other", "8");
}

void place_fields(const Spec& spec, Instruction& insn) {
  const std::string part = "instructions." + insn.name;
  unsigned pos = type_of(spec, "opcode").bits;
  std::set<std::string> names{"opcode", "rsvd"};
  for (auto& field : insn.fields) {
    name_ok(part, field.name);
    if (!names.insert(field.name).second) throw Error(part, "repeated field", field.name, "each once");
    field.pos = pos;
    field.bits = type_of(spec, field.type).bits;
    pos += field.bits;
    if (pos > spec.instr_bits)
      throw Error(part + "." + field.name, "field overflow", "bit " + std::to_string(pos - 1),
                  "at most " + std::to_string(spec.instr_bits) + " bits");
  }
  insn.used_bits = pos;
}

void check_instructions(Spec& spec) {
  if (spec.instr_bits != 128) throw Error("isa.instr_bits", "bad width", std::to_string(spec.instr_bits), "128");
  Taken opcodes("opcode");
  const auto& engines = type_of(spec, "engine").values;
  for (auto& insn : spec.instructions) {
    const std::string part = "instructions." + insn.name;
    name_ok(part, insn.name);
    if (insn.opcode == 0 || insn.opcode > last_opcode)
      throw Error(part, "opcode not allowed", hex(insn.opcode, 2), "0x01..0xbf (0xc0..0xff stay free)");
    opcodes.take(part, insn.opcode, insn.name);
    if (std::none_of(engines.begin(), engines.end(), [&](const auto& e) { return e.name == insn.engine; }))
      throw Error(part, "unknown engine", insn.engine, "a value of types.engine");
    place_fields(spec, insn);
  }
}

const Csr& csr_of(const Spec& spec, const std::string& name) {
  for (const auto& csr : spec.csrs)
    if (csr.name == name) return csr;
  throw Error("csrs", "missing register", "nothing", name);
}

void check_csrs(const Spec& spec) {
  static const std::set<std::string> accesses{"ro", "rw", "w1c", "ctrl"};
  Taken words("offset");
  for (const auto& csr : spec.csrs) {
    const std::string part = "csrs." + csr.name;
    name_ok(part, csr.name);
    if (!accesses.count(csr.access)) throw Error(part, "unknown access", csr.access, "ro, rw, w1c or ctrl");
    if (csr.offset % 4 || csr.stride % 4 || csr.stride == 0 || csr.count == 0)
      throw Error(part, "bad place", hex(csr.offset, 3), "offset and stride multiples of 4, count at least 1");
    const std::uint32_t halves = csr.name == "counter" ? 2 : 1;
    for (std::uint32_t i = 0; i < csr.count; ++i)
      for (std::uint32_t half = 0; half < halves; ++half) {
        const std::uint32_t at = csr.offset + i * csr.stride + 4 * half;
        if (at >= csr_space) throw Error(part, "offset too large", hex(at, 3), "below 0x1000");
        words.take(part, at, csr.name);
      }
  }
  const auto counts = [&](const char* csr, std::uint64_t expected) {
    if (csr_of(spec, csr).count != expected)
      throw Error(std::string("csrs.") + csr, "bad count", std::to_string(csr_of(spec, csr).count),
                  std::to_string(expected));
  };
  counts("arg", limit_of(spec, "args"));
  for (const char* win : {"win_base_lo", "win_base_hi", "win_size", "win_flags"})
    counts(win, limit_of(spec, "windows"));
}

void check_limits(const Spec& spec) {
  const auto fits = [&](const char* limit, const char* type) {
    if (limit_of(spec, limit) != std::uint64_t{1} << type_of(spec, type).bits)
      throw Error(std::string("limits.") + limit, "does not match the field width",
                  std::to_string(limit_of(spec, limit)), "2 ^ types." + std::string(type) + ".bits");
  };
  fits("registers", "reg");
  if (limit_of(spec, "semaphores") + limit_of(spec, "remote_semaphores") != std::uint64_t{1} << type_of(spec, "sem").bits)
    throw Error("limits.semaphores", "does not match the field width", std::to_string(limit_of(spec, "semaphores")),
                "with remote_semaphores 2 ^ types.sem.bits");
  fits("windows", "win");
  if (limit_of(spec, "args") >= limit_of(spec, "registers"))
    throw Error("limits.args", "too many", std::to_string(limit_of(spec, "args")), "fewer than registers");
  for (const char* name : {"semaphore_max", "loop_depth", "count_max", "len_max", "block",
                           "quant_cols_max", "burst_beats", "row_stride_max"})
    limit_of(spec, name);
}

void check_codes(const Spec& spec) {
  Taken codes("code"), indices("index");
  for (const auto& fault : spec.faults) {
    name_ok("faults." + fault.name, fault.name);
    codes.take("faults." + fault.name, fault.code, fault.name);
    if (fault.code > 255) throw Error("faults." + fault.name, "code too large", std::to_string(fault.code), "0..255");
  }
  for (const char* used : {"none", "opcode", "reserved"})
    if (std::none_of(spec.faults.begin(), spec.faults.end(), [&](const auto& f) { return f.name == used; }))
      throw Error("faults", "missing fault", "nothing", used);
  for (const auto& counter : spec.counters) {
    const std::string part = "counters." + counter.name;
    name_ok(part, counter.name);
    indices.take(part, counter.index, counter.name);
    if (counter.index >= csr_of(spec, "counter").count)
      throw Error(part, "index too large", std::to_string(counter.index), "below csrs.counter.count");
  }
}

void check_functions(const Functions& f) {
  if (f.rom.empty()) return;
  std::uint32_t next = 0;
  for (const auto& table : f.tables) {
    if (table.base != next) throw Error("tables." + table.name, "bad base", std::to_string(table.base), std::to_string(next));
    next += table.entries;
  }
  if (next != f.rom.size()) throw Error("functions.rom", "bad length", std::to_string(f.rom.size()), std::to_string(next));
  for (std::size_t c = 0; c < 3; ++c) {
    const std::string name = "c" + std::to_string(c);
    const auto it = std::find_if(f.format.begin(), f.format.end(), [&](const Fixed& x) { return x.name == name; });
    if (it == f.format.end()) throw Error("functions.format", "missing key", "nothing", name);
    const std::int64_t top = std::int64_t{1} << (it->width - it->is_signed), low = it->is_signed ? -top : 0;
    for (const auto& row : f.rom)
      if (row[c] < low || row[c] >= top)
        throw Error("functions.rom", name + " too large", std::to_string(row[c]), std::to_string(it->width) + " bits");
  }
}

}  // namespace

void hash_meaning(Spec& spec);  // hash.cpp
void hash_sizes(Config& config);

const Type& type_of(const Spec& spec, std::string_view name) {
  for (const auto& type : spec.types)
    if (type.name == name) return type;
  throw Error("types", "unknown type", std::string(name), "a type of npu.yaml");
}

std::uint64_t limit_of(const Spec& spec, std::string_view name) {
  for (const auto& [key, value] : spec.limits)
    if (key == name) return value;
  throw Error("limits", "missing key", "nothing", std::string(name));
}

unsigned bits_for(std::uint64_t largest) {
  unsigned bits = 1;
  while (largest >>= 1) ++bits;
  return bits;
}

void check(Spec& spec) {
  check_types(spec);
  check_limits(spec);
  check_instructions(spec);
  check_csrs(spec);
  check_codes(spec);
  check_functions(spec.functions);
  hash_meaning(spec);
}

void check(const Spec& spec, Config& c) {
  const auto need = [&](bool ok, const char* key, std::uint32_t found, const char* expected) {
    if (!ok) throw Error(c.name + "." + key, "does not fit", std::to_string(found), expected);
  };
  need(c.rows == 8 || c.rows == 16 || c.rows == 32 || c.rows == 64, "rows", c.rows, "8, 16, 32 or 64");
  need(power_of_two(c.cols) && c.cols >= 8 && c.cols <= 64, "cols", c.cols, "8, 16, 32 or 64");
  need(power_of_two(c.lanes) && c.lanes <= c.cols, "lanes", c.lanes, "a power of two that divides cols");
  need(power_of_two(c.port_bytes) && c.port_bytes >= 4 && c.port_bytes <= std::min(2 * c.cols, 32u), "port_bytes",
       c.port_bytes, "a power of two from 4 to min(2 * cols, 32)");
  need(power_of_two(c.wspm_bytes), "wspm_kib", c.wspm_bytes / 1024, "a power of two");
  need(power_of_two(c.aspm_bytes), "aspm_kib", c.aspm_bytes / 1024, "a power of two");
  need(power_of_two(c.vmem_bytes), "vmem_kib", c.vmem_bytes / 1024, "a power of two");
  need(c.vmem_bytes >= 64 * c.cols, "vmem_kib", c.vmem_bytes / 1024, "at least 16 rows of cols words");
  need(c.wspm_bytes >= 64 * c.cols, "wspm_kib", c.wspm_bytes / 1024, "at least two tiles of 32 * cols bytes");
  const std::uint32_t pc_span = 1u << type_of(spec, "pc").bits;
  need(power_of_two(c.imem_words) && c.imem_words >= 16 && c.imem_words <= pc_span, "imem_words", c.imem_words,
       "a power of two from 16 to 2 ^ types.pc.bits");
  need(c.chiplets >= 1 && c.chiplets <= 64, "chiplets", c.chiplets, "1..64");
  need(c.sparse <= 1, "sparse", c.sparse, "0 or 1");
  need(!c.sparse || c.rows <= 16, "sparse", c.sparse, "0 with more than 16 rows: a slice takes 2 * rows bytes of one block");
  c.wsc_bytes = c.wspm_bytes / 16;
  c.asc_bytes = c.aspm_bytes / 16;
  hash_sizes(c);
}

}  // namespace jogak::specgen
