// Every mistake in the YAML is refused by name; the printed encoder and decoder agree with the printed table.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "error.hpp"
#include "npu_spec.hpp"
#include "spec.hpp"

namespace sg = jogak::specgen;
namespace spec = jogak::spec;

namespace {

// Tests run in the project's root.
std::string slurp(const std::string& file) {
  std::ifstream in(file);
  REQUIRE_MESSAGE(in, file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const std::string& npu() {
  static const std::string text = slurp("spec/npu.yaml");
  return text;
}
const std::string& functions() {
  static const std::string text = slurp("spec/functions.yaml");
  return text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, "not in the file: " << from);
  return text.replace(at, from.size(), to);
}

sg::Spec checked(const std::string& npu_text, const std::string& functions_text = functions()) {
  sg::Spec result = sg::parse_spec(npu_text, functions_text);
  sg::check(result);
  return result;
}

std::string complaint(const std::string& npu_text, const std::string& functions_text = functions()) {
  try {
    checked(npu_text, functions_text);
  } catch (const jogak::Error& bad) {
    return bad.what();
  }
  return "accepted";
}

std::string config_complaint(const std::string& from, const std::string& to) {
  try {
    sg::Config config = sg::parse_config(replaced(slurp("spec/configs/edge.yaml"), from, to), "edge.yaml");
    sg::check(checked(npu()), config);
  } catch (const jogak::Error& bad) {
    return bad.what();
  }
  return "accepted";
}

// `seed` in the text becomes `mistake`; the complaint must name both the entry and what is wrong.
struct Mistake {
  const char *seed, *mistake, *entry, *what;
};

}  // namespace

TEST_CASE("the project's own files are accepted") {
  const sg::Spec good = checked(npu());
  CHECK(good.hash == spec::isa_hash);
  CHECK(good.functions.rom.size() == 512);
  for (auto config : sg::read_configs("spec/configs")) {
    sg::check(good, config);
    const spec::Config* printed = spec::find_config(config.name.c_str());
    REQUIRE(printed != nullptr);
    CHECK(printed->hash == config.hash);
    CHECK(printed->rows == config.rows);
    CHECK(printed->vmem_bytes == config.vmem_bytes);
    CHECK(printed->wsc_bytes * 16 == printed->wspm_bytes);
  }
}

TEST_CASE("a mistake in npu.yaml is refused by name") {
  const Mistake mistakes[] = {
      {"opcode: 0x02, engine: seq", "opcode: 0x02, speed: 3, engine: seq", "instructions.alu", "unknown key"},
      {"opcode: 0x02, engine: seq", "opcode: 0x02, opcode: 0x02, engine: seq", "instructions.alu", "repeated key"},
      {"opcode: 0x02, engine: seq", "engine: seq", "instructions.alu", "missing key"},
      {"opcode: 0x02, engine: seq", "opcode: two, engine: seq", "instructions.alu.opcode", "bad value"},
      {"opcode: 0x02, engine: seq", "opcode: -2, engine: seq", "instructions.alu.opcode", "bad value"},
      {"opcode: 0x02, engine: seq", "opcode: 0x01, engine: seq", "instructions.alu", "opcode clash"},
      {"opcode: 0x02, engine: seq", "opcode: 0xc0, engine: seq", "instructions.alu", "opcode not allowed"},
      {"opcode: 0x02, engine: seq", "opcode: 0x00, engine: seq", "instructions.alu", "opcode not allowed"},
      {"opcode: 0x02, engine: seq", "opcode: 0x02, engine: gpu", "instructions.alu", "unknown engine"},
      {"[fn, alu_fn], [rd, reg], [ra, reg], [rb, reg]", "[fn, alu_fn], [rd, greg]", "types", "unknown type"},
      {"[fn, alu_fn], [rd, reg], [ra, reg], [rb, reg]", "[fn, alu_fn], [fn, reg]", "instructions.alu", "repeated field"},
      {"[fn, alu_fn], [rd, reg], [ra, reg], [rb, reg]", "[fn, alu_fn], [Rd, reg]", "instructions.alu", "bad name"},
      {"[fn, alu_fn], [rd, reg], [ra, reg], [rb, reg]", "[fn, alu_fn, 3]", "instructions.alu", "bad field"},
      {"[rd, reg], [ra, reg], [imm, imm32]", "[a, imm32], [b, imm32], [c, imm32], [d, imm32]", "instructions.alui.d",
       "field overflow"},
      {"reg:    {bits: 6}", "reg:    {bits: 5}", "limits.registers", "does not match the field width"},
      {"sem:    {bits: 6}", "sem:    {bits: 5}", "limits.semaphores", "does not match the field width"},
      {"loop_depth: 4", "loop_deep: 4", "limits", "loop_depth"},
      {"vmem: 4}", "vmem: 3}", "types.space", "value clash"},
      {"vmem: 4}", "vmem: 9}", "types.space.vmem", "value too large"},
      {"status:       {offset: 0x020", "status:       {offset: 0x01c", "csrs.status", "offset clash"},
      {"status:       {offset: 0x020", "status:       {offset: 0x022", "csrs.status", "bad place"},
      {"status:       {offset: 0x020", "status:       {offset: 0x1020", "csrs.status", "offset too large"},
      {"access: ro, doc: \"ISA version\"", "access: wo, doc: \"ISA version\"", "csrs.isa_version", "unknown access"},
      {"access: rw, count: 16", "access: rw, count: 15", "csrs.arg", "bad count"},
      {"opcode:     {code: 1,", "opcode:     {code: 2,", "faults.reserved", "code clash"},
      {"opcode:     {code: 1,  kind: sync", "opcode:     {code: 1,  kind: soon", "faults.opcode", "bad kind"},
      {"macs:          {index: 7,", "macs:          {index: 8,", "counters.load_bytes", "index clash"},
      {"macs:          {index: 7,", "macs:          {index: 64,", "counters.macs", "index too large"},
      {"macs:          {index: 7,  kind: exact", "macs:          {index: 7,  kind: nice", "counters.macs", "bad kind"},
      {"faults: ", "troubles: ", "npu.yaml", "unknown key"},
      {"limits: ", "limits: [", "npu.yaml", "not readable as YAML"},
  };
  for (const auto& m : mistakes) {
    CAPTURE(m.mistake);
    const std::string said = complaint(replaced(npu(), m.seed, m.mistake));
    CHECK_MESSAGE(said.find(m.entry) != std::string::npos, said);
    CHECK_MESSAGE(said.find(m.what) != std::string::npos, said);
    CHECK_MESSAGE(said.find("expected") != std::string::npos, said);
  }
}

TEST_CASE("a mistake in functions.yaml is refused by name") {
  CHECK(complaint(npu(), replaced(functions(), "base: 128", "base: 127")).find("tables.recip: bad base") == 0);
  CHECK(complaint(npu(), replaced(functions(), "c1: {width: 22", "c1: {width: 12")).find("functions.rom: c1 too large") == 0);
  CHECK(complaint(npu(), replaced(functions(), "[1076653097, 728797, 987], ", "")).find("functions.rom: bad length") == 0);
}

TEST_CASE("a configuration that does not fit is refused by name") {
  CHECK(config_complaint("rows: 16", "rows: 12").find("edge.rows: does not fit, found 12") == 0);
  CHECK(config_complaint("cols: 16", "cols: 24").find("edge.cols") == 0);
  CHECK(config_complaint("lanes: 16", "lanes: 32").find("edge.lanes") == 0);
  CHECK(config_complaint("lanes: 16", "lanes: 6").find("edge.lanes") == 0);
  CHECK(config_complaint("port_bytes: 16", "port_bytes: 64").find("edge.port_bytes") == 0);
  CHECK(config_complaint("wspm_kib: 128", "wspm_kib: 100").find("edge.wspm_kib") == 0);
  CHECK(config_complaint("vmem_kib: 128", "vmem_kib: 0").find("edge.yaml.vmem_kib: bad size") == 0);
  CHECK(config_complaint("imem_words: 2048", "imem_words: 131072").find("edge.imem_words") == 0);
  CHECK(config_complaint("chiplets: 1", "chiplets: 0").find("edge.chiplets") == 0);
  CHECK(config_complaint("chiplets: 1", "dies: 1").find("edge.yaml: unknown key, found dies") == 0);
  CHECK(config_complaint("sparse: 0", "sparse: 2").find("edge.sparse: does not fit, found 2") == 0);
  CHECK(config_complaint("chiplets: 1", "").find("edge.yaml: missing key, found nothing, expected chiplets") == 0);
}

TEST_CASE("the hash follows the meaning and nothing else") {
  const auto hash = [](const std::string& text) { return checked(text).hash; };
  const std::uint32_t now = hash(npu());
  CHECK(hash(replaced(npu(), "End of program", "The end")) == now);
  CHECK(hash("# a comment\n" + npu()) == now);
  CHECK(hash(replaced(npu(), "opcode: 0x02", "opcode: 0x08")) != now);
  CHECK(hash(replaced(npu(), "[ra, reg], [rb, reg]", "[rb, reg], [ra, reg]")) != now);
  CHECK(hash(replaced(npu(), "len_max: 1048576", "len_max: 2097152")) != now);
  CHECK(hash(replaced(npu(), "version: 1", "version: 2")) != now);
  CHECK(checked(npu(), replaced(functions(), "728797", "728798")).hash != now);
}

namespace {

std::mt19937_64 source(20);  // the seed is fixed: a failure repeats

std::uint64_t legal_value(const spec::Field& f) {
  if (f.values) return f.values[source() % f.value_count].value;
  return source() & ((std::uint64_t{1} << f.width) - 1);
}

// A legal instruction with random fields, put together from the table alone, bit by bit.
spec::Insn random_insn(const spec::Instruction& kind) {
  spec::Insn insn{static_cast<std::uint64_t>(kind.op), 0};
  for (unsigned i = 0; i < kind.field_count; ++i) {
    const spec::Field& f = kind.fields[i];
    const std::uint64_t value = legal_value(f);
    for (unsigned b = 0; b < f.width; ++b)
      if (value >> b & 1) (f.pos + b < 64 ? insn.lo : insn.hi) |= std::uint64_t{1} << ((f.pos + b) % 64);
  }
  return insn;
}

template <class T>
void round_trip() {
  const spec::Instruction& kind = *spec::find_instruction(static_cast<std::uint8_t>(T::opcode()));
  for (int i = 0; i < 1000; ++i) {
    const spec::Insn insn = random_insn(kind);
    REQUIRE(spec::encode(spec::decode<T>(insn)) == insn);
    REQUIRE(spec::check(insn) == spec::Fault::none);
  }
}

}  // namespace

TEST_CASE("encode and decode agree with the table on random instructions") {
  round_trip<spec::Halt>();
  round_trip<spec::Alu>();
  round_trip<spec::Alui>();
  round_trip<spec::Loop>();
  round_trip<spec::Lds>();
  round_trip<spec::Wait>();
  round_trip<spec::Signal>();
  round_trip<spec::Load>();
  round_trip<spec::Store>();
  round_trip<spec::Mm>();
  round_trip<spec::Vec>();
  round_trip<spec::Qnt>();
  CHECK(std::size(spec::instructions) == 12);
}

TEST_CASE("fields lie where the table says") {
  spec::Load load;
  load.space = spec::Space::vmem;
  load.gather = true;
  load.idx = 63;
  const spec::Insn insn = spec::encode(load);
  CHECK((insn.lo & 0xff) == 0x10);
  CHECK(((insn.lo >> 11) & 7) == 4);
  CHECK(((insn.lo >> 14) & 1) == 1);
  CHECK(insn.hi == 63u << (69 - 64));  // 8 + 3 + 3 + 1 + 9 * 6 = 69
  spec::Alui alui;
  alui.imm = 0xdeadbeef;
  CHECK((spec::encode(alui).lo >> 24) == 0xdeadbeef);
}

TEST_CASE("a spare bit, an unknown opcode or an unknown enumerator is seen in the bits") {
  for (const auto& kind : spec::instructions) {
    const spec::Insn good = random_insn(kind);
    for (unsigned bit = kind.used_bits; bit < 128; ++bit) {
      spec::Insn bad = good;
      (bit < 64 ? bad.lo : bad.hi) ^= std::uint64_t{1} << (bit % 64);
      REQUIRE(spec::check(bad) == spec::Fault::reserved);
    }
  }
  unsigned known = 0;
  for (unsigned opcode = 0; opcode < 256; ++opcode)
    known += spec::check({opcode, 0}) != spec::Fault::opcode;
  CHECK(known == std::size(spec::instructions));
  CHECK(spec::check({0x02 | 11 << 8, 0}) == spec::Fault::reserved);  // alu function 11
  CHECK(spec::check({0x10 | 5 << 11, 0}) == spec::Fault::reserved);  // load to space 5
}

TEST_CASE("lookups find and miss") {
  CHECK(spec::find_config("edge")->cols == 16);
  CHECK(spec::find_config("edgy") == nullptr);
  CHECK(spec::find_instruction("mm")->engine == spec::Engine::mx);
  CHECK(spec::find_instruction("mmm") == nullptr);
  CHECK(std::strcmp(spec::fault_name(3), "window") == 0);
  CHECK(std::strcmp(spec::fault_name(99), "unknown") == 0);
  CHECK(spec::csr::win_size_at(2) == 0x128);
  CHECK(spec::csr::counter_at(static_cast<std::uint32_t>(spec::Counter::macs)) == 0x238);
}
