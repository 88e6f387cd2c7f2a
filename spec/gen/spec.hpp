// The contract as data: what npu.yaml, functions.yaml and one configuration say.
// Order in every list is the order of the file.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jogak::specgen {

struct EnumValue {
  std::string name;
  std::uint32_t value = 0;
};

struct Type {
  std::string name;
  unsigned bits = 0;
  std::vector<EnumValue> values;  // empty: a plain number
};

struct Field {
  std::string name;
  std::string type;
  unsigned pos = 0;   // bit position in the instruction, set by check()
  unsigned bits = 0;  // width, set by check()
};

struct Instruction {
  std::string name, engine, doc;
  std::uint32_t opcode = 0;
  std::vector<Field> fields;
  unsigned used_bits = 0;  // opcode and fields, set by check()
};

struct Fault {
  std::string name, doc;
  std::uint32_t code = 0;
  bool async = false;
};

struct Csr {
  std::string name, access, doc;
  std::uint32_t offset = 0, count = 1, stride = 4;
};

struct Counter {
  std::string name, doc;
  std::uint32_t index = 0;
  bool exact = false;
};

struct FunctionTable {
  std::string name;
  std::uint32_t base = 0, entries = 0;
};

// Fixed-point format of one number of the function pipelines.
struct Fixed {
  std::string name;
  unsigned width = 0, frac = 0;
  bool is_signed = false;
};

struct Functions {
  std::vector<Fixed> format;
  std::uint32_t log2e = 0;
  std::vector<FunctionTable> tables;
  std::vector<std::array<std::int64_t, 3>> rom;  // c0, c1, c2
};

struct Spec {
  std::string name;
  std::uint32_t version = 0, instr_bits = 0;
  std::vector<std::pair<std::string, std::uint64_t>> limits;
  std::vector<Type> types;
  std::vector<Instruction> instructions;
  std::vector<Fault> faults;
  std::vector<Csr> csrs;
  std::vector<Counter> counters;
  Functions functions;
  std::uint32_t hash = 0;  // of the meaning: documentation does not count
};

struct Config {
  std::string name;
  std::uint32_t rows = 0, cols = 0, lanes = 0, port_bytes = 0;
  std::uint32_t wspm_bytes = 0, wsc_bytes = 0, aspm_bytes = 0, asc_bytes = 0, vmem_bytes = 0;
  std::uint32_t imem_words = 0, chiplets = 0, sparse = 0;
  std::uint32_t hash = 0;  // of the sizes: the name does not count
};

// Readers throw jogak::Error for an unknown, missing or repeated key or a value of the wrong kind.
Spec read_spec(const std::filesystem::path& npu_yaml);  // functions.yaml lies beside it
Config read_config(const std::filesystem::path& yaml);
std::vector<Config> read_configs(const std::filesystem::path& folder);  // sorted by name
Spec parse_spec(const std::string& npu_text, const std::string& functions_text);
Config parse_config(const std::string& text, const std::string& source);

// Checkers place fields, derive sizes and hashes, and throw jogak::Error naming the entry.
void check(Spec& spec);
void check(const Spec& spec, Config& config);

const Type& type_of(const Spec& spec, std::string_view name);
std::uint64_t limit_of(const Spec& spec, std::string_view name);
unsigned bits_for(std::uint64_t largest);  // bits to hold 0..largest

// Emitters return the whole file.
std::string emit_sv_package(const Spec& spec, const Config& config);
std::string emit_sv_functions(const Spec& spec);
std::string emit_cxx_header(const Spec& spec, const std::vector<Config>& configs);
std::string emit_c_registers(const Spec& spec);
std::string emit_isa_tables(const Spec& spec);
std::string emit_csr_tables(const Spec& spec);

// Names: "alu_fn" as "AluFn", as "ALU_FN"; a keyword of the language gets a trailing underscore.
std::string camel(std::string_view name);
std::string upper(std::string_view name);
std::string hex(std::uint64_t value, unsigned digits);
std::string cxx_name(const std::string& name);
std::string sv_name(const std::string& name);

}  // namespace jogak::specgen
