// What only the cycle backend promises; device_test holds it to what every backend does.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "driver/device.hpp"
#include "runtime/asm.hpp"
#include "sim/cycle/chip.hpp"
#include "sim/cycle/recorder.hpp"

using namespace jogak;
using namespace jogak::driver;
namespace csr = spec::csr;

namespace {

constexpr std::uint32_t kWindow = 1 << 14;

// Rows named by a list in vector memory, a product, its rows' maxima, the result stored; three times.
const char* const kJob = R"(
      alui fn=add rd=r20 ra=r0 imm=64
      alui fn=add rd=r21 ra=r0 imm=1
      alui fn=add rd=r22 ra=r0 imm=4
      alui fn=add rd=r23 ra=r0 imm=512
      alui fn=add rd=r24 ra=r0 imm=8
      alui fn=add rd=r25 ra=r0 imm=32
      alui fn=add rd=r26 ra=r0 imm=3
      alui fn=add rd=r27 ra=r0 imm=1024
      alui fn=add rd=r28 ra=r0 imm=2048
      alui fn=add rd=r29 ra=r0 imm=8192
      load win=0 space=vmem da=r0 ca=r0 len=r20 n1=r21 n2=r21
      signal eng=ld sem=1 n=1
      wait eng=ld sem=1 n=1
      loop rc=r26 end=last
      load win=0 space=aspm gather=1 da=r20 ca=r0 len=r20 n1=r22 ds1=r20 cs1=r20 n2=r21 idx=r0
      load win=0 space=wspm da=r20 ca=r0 len=r23 n1=r21 n2=r21
      signal eng=ld sem=2 n=1
      wait eng=mx sem=2 n=1
      mm wfmt=int8 wscale=one ascale=one w=r0 wk=r23 a=r0 am=r25 o=r27 om=r24 m=r22 kb=r21 nb=r21
      signal eng=mx sem=3 n=1
      wait eng=ve sem=3 n=1
      vec op=mul bmode=scalar red=max wr=1 dst=r28 ds=r24 a=r27 as=r24 b=r1 r=r25 rows=r22 cols=r24
      signal eng=ve sem=4 n=1
      wait eng=st sem=4 n=1
      store win=0 space=vmem da=r27 ca=r29 len=r25 n1=r22 ds1=r25 cs1=r25 n2=r21
      signal eng=st sem=5 n=1
last: wait eng=ld sem=5 n=1
      halt
)";

struct Job {
  std::unique_ptr<Device> device;
  std::uint64_t window = 0;
};

void good(const Status& s) { REQUIRE_MESSAGE(s.ok(), s.message()); }

// List entries 0, 1, 2 and `last` in a window of noise.
Job prepared(const std::string& backend, std::uint32_t last) {
  Job job;
  good(open_device({.backend = backend, .config = "nano", .memory_bytes = 1 << 20}, job.device));
  Device& d = *job.device;
  const auto code = assemble(kJob);
  std::vector<std::uint8_t> bytes(code.size() * sizeof(spec::Insn)), data(kWindow);
  std::memcpy(bytes.data(), code.data(), bytes.size());
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  const std::uint32_t list[] = {0, 1, 2, last};
  std::memcpy(data.data(), list, sizeof list);
  std::uint64_t at = 0;
  good(d.alloc(bytes.size(), at));
  good(d.alloc(kWindow, job.window));
  good(d.copy_in(at, bytes));
  good(d.copy_in(job.window, data));
  const std::pair<std::uint32_t, std::uint64_t> registers[] = {
      {csr::code_lo, at}, {csr::code_hi, at >> 32}, {csr::code_len, code.size()}, {csr::win_base_lo, job.window},
      {csr::win_base_hi, job.window >> 32}, {csr::win_size, kWindow}, {csr::win_flags, 3}, {csr::arg_at(0), 0x3f800000}};
  for (const auto& [offset, value] : registers) good(d.write_csr(offset, static_cast<std::uint32_t>(value)));
  return job;
}

std::uint32_t read(Device& d, std::uint32_t offset) {
  std::uint32_t value = 0;
  good(d.read_csr(offset, value));
  return value;
}

std::vector<std::uint32_t> counters(Device& d) {
  std::vector<std::uint32_t> values;
  for (const spec::CounterInfo& c : spec::counters) values.push_back(read(d, csr::counter_at(c.index)));
  return values;
}

std::vector<std::uint8_t> window(const Job& job) {
  std::vector<std::uint8_t> bytes(kWindow);
  good(job.device->copy_out(job.window, bytes));
  return bytes;
}

}  // namespace

TEST_CASE("an array without a known recurrence is refused by name") {
  std::unique_ptr<Device> device;
  const Status s = open_device({.backend = "cycle", .config = "alveo"}, device);
  CHECK_FALSE(s.ok());
  CHECK(s.message().find("alveo") != std::string::npos);
  CHECK(s.message().find("64 x 64") != std::string::npos);
}

TEST_CASE("bytes, every counter and every event are the RTL's") {
  const auto names = backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  std::string memory;
  SUBCASE("ideal memory") {}
  SUBCASE("DDR4") { memory = ":ddr4-3200"; }
  SUBCASE("LPDDR4, a slow machine") { memory = ":lpddr4-4266:mhz=150"; }
  SUBCASE("LPDDR5") { memory = ":lpddr5-6400"; }
  SUBCASE("HBM2") { memory = ":hbm2:channels=1"; }
  SUBCASE("HBM3") { memory = ":hbm3:mhz=1400"; }
  std::vector<std::vector<std::tuple<std::uint64_t, spec::Engine, bool, std::uint32_t>>> events;
  std::vector<Job> jobs;
  std::vector<std::string> compared = {"cycle", "rtl"};
  if (std::find(names.begin(), names.end(), "systemc") != names.end()) compared.push_back("systemc");
  for (const std::string& backend : compared) {
    jobs.push_back(prepared(backend + memory, 3));
    auto& mine = events.emplace_back();
    Device& d = *jobs.back().device;
    good(d.trace([&](const TraceEvent& e) { mine.emplace_back(e.cycle, e.engine, e.start, e.pc); }));
    good(d.start());
    good(d.wait(0));
    const std::uint64_t first = std::get<0>(mine.at(0));
    for (auto& e : mine) std::get<0>(e) -= first;
  }
  CHECK(events[0].size() == 32);
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    CAPTURE(compared[i]);
    CHECK(counters(*jobs[0].device) == counters(*jobs[i].device));
    CHECK(window(jobs[0]) == window(jobs[i]));
    CHECK(events[0] == events[i]);
  }
  // Time begins again with a job: the second one takes as long as the first.
  const std::uint32_t cycles = read(*jobs[0].device, csr::counter_at(static_cast<std::uint32_t>(spec::Counter::cycles)));
  for (const Job& job : jobs) {
    good(job.device->trace({}));
    good(job.device->start());
    good(job.device->wait(0));
    CHECK(read(*job.device, csr::counter_at(static_cast<std::uint32_t>(spec::Counter::cycles))) == cycles);
  }
}

TEST_CASE("a job may be waited for in pieces") {
  const Job whole = prepared("cycle", 3), pieces = prepared("cycle", 3);
  good(whole.device->start());
  good(whole.device->wait(0));
  good(pieces.device->start());
  int waits = 0;
  for (Status s = pieces.device->wait(7); !s.ok(); s = pieces.device->wait(7), ++waits) REQUIRE(s.code() == Code::timeout);
  CHECK(waits > 50);
  CHECK(counters(*whole.device) == counters(*pieces.device));
  CHECK(window(whole) == window(pieces));
}

TEST_CASE("a bad index ends the job, names the load, and the next job is good") {
  const Job job = prepared("cycle", kWindow);
  Device& d = *job.device;
  good(d.start());
  good(d.wait(1'000'000));
  CHECK(read(d, csr::fault_cause) == static_cast<std::uint32_t>(spec::Fault::index));
  CHECK(read(d, csr::fault_engine) == static_cast<std::uint32_t>(spec::Engine::ld));
  CHECK(read(d, csr::fault_pc) == 14);
  CHECK(read(d, csr::fault_addr_lo) == kWindow);
  const std::uint32_t three = 3;
  std::vector<std::uint8_t> entry(4);
  std::memcpy(entry.data(), &three, 4);
  good(d.copy_in(job.window + 12, entry));
  good(d.start());
  good(d.wait(0));
  CHECK(read(d, csr::status) == 0);
}

TEST_CASE("a kept stream gives the same cycles again, without the exact model") {
  const spec::Config& config = *spec::find_config("nano");
  model::Machine machine(config);
  const auto dram = machine.dram().allocate(0, kWindow);
  for (std::size_t i = 0; i < dram.size(); ++i) dram[i] = static_cast<std::uint8_t>(i % 16 == 0 ? i / 16 % 4 : 0);
  const auto code = assemble(kJob);
  model::Launch launch{.code = code};
  launch.windows[0] = {0, kWindow, true, true};
  cycle::Recorder recorder(config);
  recorder.begin(launch.windows);
  machine.on_instruction([&](const model::Step& s) { recorder.step(s, machine.memories()); });
  const model::Result result = machine.launch(launch);
  REQUIRE(result.ok());
  recorder.end(result.fault, result.counters[spec::Counter::instructions], code);
  std::vector<std::uint64_t> cycles;
  for (const std::uint32_t latency : {64u, 64u, 200u}) {
    cycle::Chip chip(config, {.read_latency = latency}, recorder.stream());
    chip.launch({.code = 0, .instructions = static_cast<std::uint32_t>(code.size()), .keep = true});
    CHECK(chip.run(1'000'000) == cycle::Chip::Stop::done);
    cycles.push_back(chip.counters()[static_cast<std::size_t>(spec::Counter::cycles)]);
  }
  CHECK(cycles[0] == cycles[1]);
  CHECK(cycles[2] > cycles[0] + 4 * 136);
}
