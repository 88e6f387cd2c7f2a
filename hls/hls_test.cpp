// What C simulation adds to the kernel: streams that know their depth, bursts that know their memory, and the kernel's own rules.
#include <ap_int.h>
#include <doctest/doctest.h>
#include <hls_burst_maxi.h>
#include <hls_stream.h>

#include <cstring>
#include <random>

#include "check.hpp"
#include "csim/kernel.hpp"
#include "predict.hpp"
#include "runtime/asm.hpp"
#include "sim/model/resolve.hpp"

using namespace jogak;
using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

TEST_CASE("a wide word gives back what was put into any of its bits") {
  std::mt19937_64 random(5);
  ap_uint<160> word;
  std::array<bool, 160> bits{};
  for (int round = 0; round < 2000; ++round) {
    const int lo = static_cast<int>(random() % 160), width = 1 + static_cast<int>(random() % std::min(64, 160 - lo));
    const u64 value = random();
    word.range(lo + width - 1, lo) = value;
    for (int i = 0; i < width; ++i) bits[static_cast<std::size_t>(lo + i)] = (value >> i & 1) != 0;
    const int from = static_cast<int>(random() % 97);
    u64 expected = 0;
    for (int i = 0; i < 64; ++i) expected |= u64(bits[static_cast<std::size_t>(from + i)]) << i;
    REQUIRE(word.range(from + 63, from) == expected);
  }
  CHECK(ap_uint<160>(7) != word);
}

TEST_CASE("processes take turns where a stream stops them, and a deadlock names process and stream") {
  csim::Region region;
  hls::stream<int, 2> there("there"), back("back");
  int sum = 0;
  region.process("sender", [&] {
    for (int i = 0; i < 100; ++i) there.write(i);
  });
  region.task("twice", [&] { back.write(2 * there.read()); });
  region.process("receiver", [&] {
    for (int i = 0; i < 100; ++i) sum += back.read();
  });
  region.run();
  CHECK(sum == 9900);

  csim::Region stuck;
  stuck.process("reader", [&] { there.read(); });
  CHECK_THROWS_WITH_AS(stuck.run(), doctest::Contains("reader finds there empty"), csim::Deadlock);
}

TEST_CASE("what is in a kernel's streams at their end is told, once") {
  csim::Instance instance;
  {
    const csim::Use use(instance);
    hls::stream<int, 4> full("full"), empty("empty");
    csim::Region region;
    region.process("writer", [&] { full.write(1), full.write(2), empty.write(3), empty.read(); });
    region.run();
  }
  {
    hls::stream<int, 2> nobodys("nobodys");
    csim::Region region;
    region.process("writer", [&] { nobodys.write(1); });
    region.run();
  }
  CHECK(instance.take_left() == "2 in full");
  CHECK(instance.take_left().empty());
}

TEST_CASE("a burst beyond memory, data without a request and a response too early are refused") {
  std::array<ap_uint<64>, 8> words;
  hls::burst_maxi<ap_uint<64>> port(words.data(), 100, words.size());
  CHECK_THROWS_WITH(port.read_request(99, 1), doctest::Contains("at 99, expected 100 to 108"));
  CHECK_THROWS_WITH(port.write_request(104, 5), doctest::Contains("burst of 5 words"));
  CHECK_THROWS_WITH(port.read(), doctest::Contains("without a request"));
  port.write_request(102, 2);
  port.write(ap_uint<64>(0x1122334455667788), ap_uint<8>(0x81));
  CHECK_THROWS_WITH(port.write_response(), doctest::Contains("expected a complete burst"));
  port.write(ap_uint<64>(9));
  port.write_response();
  CHECK(words[2].to_uint64() == 0x1100000000000088);
  CHECK(words[3].to_uint64() == 9);
  port.read_request(103, 1);
  CHECK(port.read().to_uint64() == 9);
}

TEST_CASE("the kernel finds the same instructions illegal as the specification") {
  const spec::Config& config = *spec::find_config("nano");
  std::mt19937_64 random(11);
  std::array<int, 3> seen{};
  for (int i = 0; i < 400'000; ++i) {
    spec::Insn insn{random(), random()};
    const spec::Instruction& instruction = spec::instructions[random() % std::size(spec::instructions)];
    // Any opcode at times; else spare bits are clear but for one.
    if (i % 16 != 0) insn.lo = (insn.lo & ~u64(0xff)) | static_cast<u8>(instruction.op);
    if (i % 2 != 0) {
      const unsigned used = instruction.used_bits;
      insn.lo &= spec::detail::mask(std::min(used, 64u));
      insn.hi &= spec::detail::mask(used > 64 ? used - 64 : 0);
      if (i % 64 == 1) (random() % 2 != 0 ? insn.lo : insn.hi) |= u64(1) << random() % 64;
    }
    spec::Fault expected = spec::check(insn);
    if (expected == spec::Fault::none && model::is_engine_op(static_cast<spec::Op>(spec::opcode_of(insn)))) expected = model::check_fields(insn, config);
    REQUIRE(hls_nano::check_bits(insn) == expected);
    ++seen[expected == spec::Fault::none ? 0 : expected == spec::Fault::opcode ? 1 : 2];
  }
  for (const int n : seen) CHECK(n > 1000);
}

TEST_CASE("a program outside memory ends the job with a sentence") {
  const auto kernel = hls_csim::make_kernel("nano");
  std::array<u32, hls_csim::kRegisterWords> regs{};
  alignas(64) std::array<u8, 4096> memory{};
  regs[spec::csr::code_lo / 4] = 8192;
  regs[spec::csr::code_len / 4] = 4;
  CHECK_THROWS_WITH(kernel->run(regs, memory, 0), doctest::Contains("burst of 8 words at 1024"));
  CHECK_THROWS_WITH(kernel->run(regs, memory, 0), doctest::Contains("expected another kernel"));
  CHECK_THROWS_WITH(hls_csim::make_kernel("huge"), doctest::Contains("huge"));
}

// One job of a program at address 0, with all memory as window 0; its registers.
std::array<u32, hls_csim::kRegisterWords> run_job(hls_csim::Kernel& kernel, const char* program, u32 code_len = 0) {
  alignas(64) static std::array<u8, 1 << 16> memory;
  const auto code = assemble(program);
  memory.fill(0);
  std::memcpy(memory.data(), code.data(), code.size() * sizeof(spec::Insn));
  std::array<u32, hls_csim::kRegisterWords> regs{};
  regs[spec::csr::code_len / 4] = code_len != 0 ? code_len : static_cast<u32>(code.size());
  regs[spec::csr::win_size_at(0) / 4] = 1 << 16;
  regs[spec::csr::win_flags_at(0) / 4] = 3;
  kernel.run(regs, memory, 0);
  return regs;
}

TEST_CASE("a program longer than the instruction memory ends where that does, as in the RTL") {
  const auto kernel = hls_csim::make_kernel("nano");
  const u32 words = kernel->config().imem_words;
  const auto regs = run_job(*kernel, "alui fn=add rd=r1 imm=1\nhalt\n", words + 1000);
  CHECK(regs[spec::csr::fault_cause / 4] == 0);
  // Nothing but additions up to the end.
  std::string program;
  for (u32 i = 0; i < words; ++i) program += "alui fn=add rd=r1 imm=1\n";
  const auto past = run_job(*kernel, program.c_str(), words + 1);
  CHECK(past[spec::csr::fault_cause / 4] == static_cast<u32>(spec::Fault::loop));
  CHECK(past[spec::csr::fault_pc / 4] == words);
}

TEST_CASE("kernels beside each other in a thread have their own memories and instructions") {
  const auto one = hls_csim::make_kernel("nano"), other = hls_csim::make_kernel("nano");
  one->byte(spec::Space::vmem, 5) = 7;
  CHECK(other->byte(spec::Space::vmem, 5) == 0);
  run_job(*one, "alui fn=add rd=r1 imm=1\nhalt\n");
  run_job(*other, "halt\n");
  alignas(64) std::array<u8, 64> none{};
  std::array<u32, hls_csim::kRegisterWords> regs{};
  regs[spec::csr::code_len / 4] = 2;
  regs[spec::csr::launch_flags / 4] = 1;  // what is there already
  one->run(regs, none, 0);
  CHECK(regs[spec::csr::fault_cause / 4] == 0);
  CHECK(regs[spec::csr::counter_at(static_cast<u32>(spec::Counter::instructions)) / 4] == 2);
}

TEST_CASE("regions inside processes: one goes on while another waits, and a deadlock of all names the inner ones") {
  csim::Region region;
  hls::stream<int, 2> there("there"), back("back");
  int sum = 0;
  region.process("left", [&] {
    csim::Region inner;
    inner.process("sender", [&] {
      for (int i = 0; i < 50; ++i) there.write(i);
    });
    inner.process("receiver", [&] {
      for (int i = 0; i < 50; ++i) sum += back.read();
    });
    inner.run();
  });
  region.process("right", [&] {
    csim::Region inner;
    inner.process("both", [&] {
      for (int i = 0; i < 51; ++i) back.write(there.read() + 1);
    });
    inner.run();
  });
  CHECK_THROWS_WITH_AS(region.run(), doctest::Contains("right: both finds there empty"), csim::Deadlock);
  CHECK(sum == 50 * 51 / 2);
}

TEST_CASE("cycles are what the kernel's clock has moved on by, none in C simulation, and a beat and a slice are a cycle each") {
  const auto kernel = hls_csim::make_kernel("nano");
  constexpr const char* kProgram = R"(
      alui fn=add rd=r1 imm=1
      alui fn=add rd=r3 imm=64
      load win=0 space=wspm da=r0 ca=r0 len=r3 n1=r1 n2=r1
      mm wfmt=int8 wscale=one ascale=one w=r0 a=r0 o=r0 om=r3 m=r3 kb=r1 nb=r1
      halt
)";
  const auto counter = [](const auto& regs, spec::Counter c) { return regs[spec::csr::counter_at(static_cast<u32>(c)) / 4]; };
  const auto still = run_job(*kernel, kProgram);
  CHECK(counter(still, spec::Counter::cycles) == 0);
  CHECK(counter(still, spec::Counter::ld_beats) == counter(still, spec::Counter::load_beats));
  CHECK(counter(still, spec::Counter::mx_busy) == 64 * spec::limit::block / kernel->config().rows);
  u64 now = 100;
  csim::set_time([&] { return now += 250; });
  CHECK(counter(run_job(*kernel, kProgram), spec::Counter::cycles) == 250);
  csim::set_time({});
  CHECK(counter(run_job(*kernel, kProgram), spec::Counter::cycles) == 0);
}

TEST_CASE("the estimate counts the indices of sparse weights") {
  const hls_csim::Predictor predictor(*spec::find_config("edge24"));
  for (const spec::Wfmt format : {spec::Wfmt::int8, spec::Wfmt::e2m1}) {
    model::MmCmd c{};
    c.wfmt = format, c.m = 1, c.kb = c.nb = 8;
    const u64 dense = predictor.duration(c).next;
    c.sparse = true;
    // Four words a tile more, each in the place of a row.
    CHECK(predictor.duration(c).next >= dense + 64 * 4);
  }
}

TEST_CASE("the estimate knows what overlaps: a load and a product side by side take as long as the longer one") {
  const auto code = assemble(R"(
      alui fn=add rd=r1 imm=1
      alui fn=add rd=r2 imm=4096
      alui fn=add rd=r3 imm=64
      load win=0 space=wspm da=r0 ca=r0 len=r2 n1=r1 n2=r1
      mm wfmt=int8 wscale=one ascale=one w=r0 a=r0 o=r0 om=r3 m=r3 kb=r1 nb=r1
      halt
)");
  const spec::Config& config = *spec::find_config("nano");
  model::Machine machine(config);
  machine.dram().allocate(0, 1 << 16);
  hls_csim::Predictor both(config);
  u64 load = 0, product = 0;
  machine.on_instruction([&](const model::Step& s) {
    both.step(s);
    if (s.command == nullptr) return;
    (spec::opcode_of(s.insn) == static_cast<u8>(spec::Op::load) ? load : product) = both.duration(*s.command).done;
  });
  model::Launch launch{.code = code};
  launch.windows[0] = {.base = 0, .size = 1 << 16, .readable = true, .writable = true};
  REQUIRE(machine.launch(launch).ok());
  CHECK(load > 4096 / config.port_bytes);
  CHECK(product > 64 * spec::limit::block / config.rows);
  CHECK(both.cycles() >= std::max(load, product));
  CHECK(both.cycles() < load + product);
}
