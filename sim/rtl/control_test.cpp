// The machine as the host sees it: registers, launches, interrupts, faults, abort, silent memory, trace.
#include "cosim.hpp"

#include <cstdio>
#include <fstream>
#include <map>

using namespace jogak;
using namespace jogak::rtl;
using spec::Engine;
using spec::Fault;
namespace csr = spec::csr;

namespace {

constexpr u32 kStart = 1, kDoneBit = 2, kIdleBit = 4, kReadyBit = 8, kContinue = 16;
constexpr u32 kBusy = 1, kFault = 2, kBusDead = 4, kAborted = 8;

// A load of `bytes` to vector memory from window offset da.
void load(Cosim& c, u32 da, u32 bytes, u32 win = 0) {
  c.b.load({.win = u8(win), .space = spec::Space::vmem, .da = c.r(da), .len = c.r(bytes), .n1 = c.r(1), .n2 = c.r(1)});
}
void store(Cosim& c, u32 da, u32 bytes) {
  c.b.store({.win = 1, .space = spec::Space::vmem, .da = c.r(da), .len = c.r(bytes), .n1 = c.r(1), .n2 = c.r(1)});
}
// Copies 256 bytes through the chip: proves that the machine works.
void copy(Cosim& c) {
  load(c, 0, 256);
  c.b.signal(Engine::ld, 0);
  c.b.wait(Engine::st, 0);
  store(c, 4096, 256);
  c.b.halt();
}

bool works(Cosim& c) {
  c.restart();
  copy(c);
  c.share();
  c.run();
  c.compare();
  return c.result.ok();
}

}  // namespace

TEST_CASE("identity and reset values") {
  for (const std::string& name : built_configs()) {
    CAPTURE(name);
    const auto rtl = make_simulator(name);
    CHECK(rtl->read_csr(csr::id) == 0x4b474f4a);
    CHECK(rtl->read_csr(csr::isa_version) == spec::isa_version);
    CHECK(rtl->read_csr(csr::isa_hash) == spec::isa_hash);
    CHECK(rtl->read_csr(csr::config_hash) == rtl->config().hash);
    CHECK(rtl->read_csr(csr::ap_ctrl) == kIdleBit);
    CHECK(rtl->read_csr(csr::status) == 0);
    CHECK(rtl->read_csr(0xFFC) == 0);
    CHECK_FALSE(rtl->irq());
  }
  CHECK_THROWS_AS(make_simulator("none"), Error);
}

TEST_CASE("rw registers hold what was written, ro ones do not, each at its own place") {
  const auto rtl = make_simulator("nano");
  std::map<u32, u32> expected;
  std::mt19937 random(1);
  for (const spec::CsrInfo& info : spec::csrs) {
    for (u32 i = 0; i < info.count; ++i) {
      const u32 at = info.offset + i * info.stride, value = u32(random());
      if (at == csr::ap_ctrl || at == csr::control) continue;
      const std::string access = info.access, name = info.name;
      const u32 before = rtl->read_csr(at);
      rtl->write_csr(at, value);
      u32 mask = ~0u;
      if (name == "win_base_hi") mask = 0xFF;
      if (name == "win_flags") mask = 3;
      if (name == "ap_gie" || name == "ap_ier") mask = 1;
      expected[at] = access == "rw" ? value & mask : before;
    }
  }
  for (const auto& [at, value] : expected) {
    CAPTURE(at);
    CHECK(rtl->read_csr(at) == value);
  }
}

TEST_CASE("ap_ctrl: done is cleared by reading, the interrupt by writing, and a job can be repeated") {
  Cosim c("nano");
  copy(c);
  c.run_model();
  c.put_code();
  sim::launch(*c.rtl, c.setup);
  CHECK((c.rtl->read_csr(csr::ap_ctrl) & (kStart | kIdleBit)) == kStart);
  CHECK(c.rtl->read_csr(csr::status) == kBusy);
  c.rtl->write_csr(csr::arg_at(0), 77);  // ignored: busy
  c.rtl->write_csr(csr::ap_ctrl, kStart);
  REQUIRE(c.rtl->run_until_irq(100'000));
  CHECK(c.rtl->read_csr(csr::arg_at(0)) == 0);
  CHECK(c.rtl->read_csr(csr::ap_ctrl) == (kDoneBit | kIdleBit | kReadyBit));
  CHECK(c.rtl->read_csr(csr::ap_ctrl) == kIdleBit);
  CHECK(c.rtl->read_csr(csr::ap_isr) == 1);
  c.rtl->write_csr(csr::ap_isr, 1);
  CHECK_FALSE(c.rtl->irq());
  c.result = sim::collect(*c.rtl);
  c.compare();
  c.rtl->write_csr(csr::ap_gie, 0);
  c.rtl->write_csr(csr::ap_ctrl, kStart);
  CHECK_FALSE(c.rtl->run_until_irq(5'000));
  CHECK(c.rtl->read_csr(csr::ap_isr) == 1);
  c.rtl->write_csr(csr::ap_ctrl, kContinue);
  CHECK(c.rtl->read_csr(csr::ap_ctrl) == kIdleBit);
  c.result = sim::collect(*c.rtl);
  c.compare();
}

TEST_CASE("arguments, watchdog, resident programs") {
  Cosim c("nano");
  c.b.emit(spec::Store{.win = 1, .space = spec::Space::vmem, .da = 1, .ca = 2, .len = 3, .n1 = 4, .n2 = 4});
  c.b.halt();
  c.setup.args = {512, 64, 128, 1};
  c.run();
  c.compare();
  CHECK(c.result.ok());
  // Another program in DRAM, but the resident one runs.
  const auto mine = c.b;
  c.restart();
  c.b.halt();
  c.put_code();
  c.b = mine;
  c.setup.code_len = 2;
  c.setup.resident = true;
  c.setup.args[0] = 2048;
  c.run_model();
  c.result = sim::run(*c.rtl, c.setup, 100'000);
  c.compare();
  CHECK(c.result[spec::Counter::cmd_store] == 1);
  c.setup.resident = false;
  for (const u32 limit : {1u, 2u, 3u}) {
    c.setup.watchdog = limit;
    c.run();
    c.compare();
    CHECK((c.result.fault.code == Fault::watchdog) == (limit < 2));
  }
}

TEST_CASE("program ends: none, past the end, longer than instruction memory") {
  Cosim c("nano");
  c.setup.code_len = 0;
  c.result = sim::run(*c.rtl, c.setup, 10'000);
  CHECK(c.result.fault == sim::FaultRecord{Fault::loop, 0, Engine::seq, 0});
  c.b.mov(20, 1);
  c.run();
  c.compare();
  CHECK(c.result.fault.pc == 1);
  c.restart();
  c.b.halt();
  c.put_code();
  c.setup.code_len = 1'000'000;  // fetched as far as it fits
  c.result = sim::run(*c.rtl, c.setup, 100'000);
  CHECK((c.result.fault.code == Fault::bus || c.result.ok()));
  CHECK(works(c));
}

TEST_CASE("a synchronous fault lets everything earlier complete") {
  for (u64 seed = 1; seed <= 8; ++seed) {
    Cosim c("nano", {.stall = u32(seed % 2 * 128), .seed = seed});
    load(c, 0, 1024);
    c.b.signal(Engine::ld, 0);
    c.b.wait(Engine::st, 0);
    store(c, 4096, 1024);
    c.b.wait(Engine::mx, 3);  // nothing ever signalled
    store(c, 8192, 1024);
    c.b.halt();
    c.run();
    c.compare();
    CHECK(c.result.fault.code == Fault::semaphore);
    CHECK((c.rtl->read_csr(csr::status) & kFault) != 0);
    c.rtl->write_csr(csr::control, 2);
    CHECK(c.rtl->read_csr(csr::status) == 0);
    CHECK(c.rtl->read_csr(csr::fault_cause) == 0);
    CHECK(works(c));
  }
}

TEST_CASE("window rights and size are checked before anything is accessed") {
  Cosim c("nano");
  load(c, 0, 64, 1);  // not readable
  c.b.halt();
  c.run();
  c.compare();
  CHECK(c.result.fault.code == Fault::window);
  c.restart();
  load(c, kWindowBytes - 62, 64);
  c.b.halt();
  c.run();
  c.compare();
  CHECK(c.result.fault.code == Fault::window);
}

TEST_CASE("gather beyond the window: pc, index, and the machine goes on") {
  for (u64 seed = 1; seed <= 6; ++seed) {
    Cosim c("nano", {.stall = u32(seed % 3 * 80), .seed = seed});
    auto& vmem = c.machine.memories().vmem;
    for (u32 i = 0; i < 8; ++i) vmem[1000 + i] = i == 5 ? 100'000 : i;
    c.share();
    load(c, 0, 64);
    c.b.load({.space = spec::Space::aspm, .gather = true, .ca = c.r(4096), .len = c.r(64), .n1 = c.r(8), .ds1 = c.r(64),
              .cs1 = c.r(64), .n2 = c.r(1), .idx = c.r(1000)});
    c.b.signal(Engine::ld, 1);
    c.b.wait(Engine::st, 1);
    store(c, 8192, 64);
    c.b.halt();
    c.run();
    CHECK(c.result.fault.code == Fault::index);
    CHECK(c.result.fault.pc == c.expected.fault.pc);
    CHECK(c.result.fault.engine == Engine::ld);
    CHECK(c.result.fault.address == 100'000);
    CHECK(works(c));
  }
}

TEST_CASE("bus errors: first cause with engine, pc and address, then the machine works again") {
  for (const bool reading : {true, false}) {
    Cosim c("nano", {.stall = 60, .seed = 5});
    load(c, 0, 256);
    c.b.signal(Engine::ld, 0);
    c.b.wait(Engine::st, 0);
    constexpr u32 bad = 16384;
    const u32 at = c.b.pc() + 4;  // after li of its four registers
    if (reading) load(c, bad, 128);
    else store(c, bad, 128);
    c.b.halt();
    const u64 address = kDramBase + kCodeBytes + bad;
    c.rtl->bus_error(address, address + 8);
    c.put_code();
    c.result = sim::run(*c.rtl, c.setup, 100'000);
    REQUIRE(c.result.done);
    CHECK(c.result.fault == sim::FaultRecord{Fault::bus, at, reading ? Engine::ld : Engine::st, address});
    c.rtl->clear_bus_errors();
    CHECK(works(c));
  }
}

TEST_CASE("bus error while the program is loaded") {
  Cosim c("nano");
  for (int i = 0; i < 500; ++i) c.b.mov(20, 1);
  copy(c);
  c.put_code();
  c.rtl->bus_error(kDramBase + 1024, kDramBase + 1025);
  c.result = sim::run(*c.rtl, c.setup, 100'000);
  REQUIRE(c.result.done);
  CHECK(c.result.fault.code == Fault::bus);
  CHECK(c.result.fault.engine == Engine::seq);
  CHECK(c.result[spec::Counter::instructions] == 0);
  c.rtl->clear_bus_errors();
  CHECK(works(c));
}

TEST_CASE("a job that hangs is aborted at any time and the machine is usable at once") {
  for (u32 after = 0; after < 1500; after += 37) {
    Cosim c("nano", {.stall = 40, .seed = after + 1});
    // Endless work for all: loads, stores, and waits that lag behind.
    c.b.li(20, ~0u);
    const u8 bytes = c.r(512), one = c.r(1), far = c.r(8192);
    c.b.loop(20, [&] {
      c.b.load({.space = spec::Space::vmem, .len = bytes, .n1 = one, .n2 = one});
      c.b.signal(Engine::ld, 0);
      c.b.wait(Engine::st, 0);
      c.b.store({.win = 1, .space = spec::Space::vmem, .da = far, .len = bytes, .n1 = one, .n2 = one});
      c.b.signal(Engine::st, 1);
      c.b.wait(Engine::ld, 1);
    });
    c.b.halt();
    c.put_code();
    sim::launch(*c.rtl, c.setup);
    CHECK_FALSE(c.rtl->run_until_irq(after));
    c.rtl->write_csr(csr::control, 1);
    REQUIRE(c.rtl->run_until_irq(20'000));
    c.result = sim::collect(*c.rtl);
    CHECK(c.result.aborted);
    CHECK(c.result.fault.code == Fault::none);
    CHECK((c.rtl->read_csr(csr::status) & kAborted) != 0);
    REQUIRE(works(c));
    CHECK_FALSE(c.result.aborted);
  }
}

TEST_CASE("memory that is late gives a time-out, memory that never answers a dead bus until reset") {
  Cosim c("nano", {.read_latency = 500});
  copy(c);
  c.put_code();
  c.setup.bus_timeout = 400;
  c.result = sim::run(*c.rtl, c.setup, 100'000);
  REQUIRE(c.result.done);
  CHECK(c.result.fault.code == Fault::timeout);
  CHECK(c.result.fault.engine == Engine::seq);
  CHECK_FALSE(c.result.bus_dead);
  c.setup.bus_timeout = 600;
  CHECK(works(c));

  sim::launch(*c.rtl, c.setup);
  c.rtl->run_until_irq(700);
  c.rtl->freeze_bus(true);
  REQUIRE(c.rtl->run_until_irq(5'000));
  c.result = sim::collect(*c.rtl);
  CHECK(c.result.fault.code == Fault::timeout);
  CHECK(c.result.fault.engine == Engine::ld);
  CHECK(c.result.bus_dead);
  CHECK((c.rtl->read_csr(csr::status) & kBusDead) != 0);
  // Launches end at once.
  c.rtl->write_csr(csr::ap_ctrl, kStart);
  REQUIRE(c.rtl->run_until_irq(100));
  c.result = sim::collect(*c.rtl);
  CHECK(c.result.done);
  CHECK(c.result.bus_dead);
  CHECK(c.result.fault.code == Fault::timeout);
  c.rtl->write_csr(csr::control, 2);
  CHECK((c.rtl->read_csr(csr::status) & kBusDead) != 0);
}

TEST_CASE("a wait for several units holds until the last of them") {
  Cosim c("nano");
  const u8 some = c.r(64), many = c.r(8192), one = c.r(1), far = c.r(16384), tail = c.r(8192 + 256 - 64);
  for (const u32 at : {0u, 64u, 256u}) {
    const u8 place = c.r(at);
    c.b.load({.space = spec::Space::vmem, .da = place, .ca = place, .len = at == 256 ? many : some, .n1 = one, .n2 = one});
    c.b.signal(Engine::ld, 0);
  }
  c.b.wait(Engine::st, 0, 3);
  c.b.store({.win = 1, .space = spec::Space::vmem, .da = far, .ca = tail, .len = some, .n1 = one, .n2 = one});
  c.b.halt();
  c.run();
  c.compare();
  CHECK(c.result.ok());
}

TEST_CASE("a semaphore may hold more than 255 while waits are queued") {
  Cosim c("nano", {.read_latency = 500});
  load(c, 0, 64);
  c.b.signal(Engine::ld, 1);
  c.b.wait(Engine::st, 1);  // holds the queue
  for (u32 i = 0; i < 6; ++i) {
    c.b.signal(Engine::mx, 0, 255);
    c.b.wait(Engine::st, 0, 255);
  }
  store(c, 4096, 64);
  c.b.halt();
  c.run();
  c.compare();
  CHECK(c.result.ok());
}

TEST_CASE("trace: every command starts and completes once, in order") {
  Cosim c("edge");
  for (u32 i = 0; i < 20; ++i) {
    load(c, 64 * i, 64);
    c.b.signal(Engine::ld, 0);
    c.b.wait(Engine::st, 0);
    store(c, 8192 + 64 * i, 64);
    c.b.signal(Engine::st, 1);
    c.b.wait(Engine::ld, 1);
  }
  c.b.halt();
  std::vector<TraceEvent> starts, stops;
  c.rtl->on_trace([&](const TraceEvent& e) { (e.start ? starts : stops).push_back(e); });
  c.run();
  c.compare();
  REQUIRE(starts.size() == 40);
  REQUIRE(stops.size() == 40);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto insn = spec::opcode_of(c.b.code()[starts[i].pc]);
    CHECK(insn == u32(starts[i].engine == Engine::ld ? spec::Op::load : spec::Op::store));
    // One after the other here, so starts and stops pair up.
    CHECK(stops[i].pc == starts[i].pc);
    CHECK(stops[i].cycle > starts[i].cycle);
    // A signal and the wait for it: four cycles from done to the next start, which is seen one later.
    if (i > 0) CHECK(starts[i].cycle == stops[i - 1].cycle + 5);
  }
}

TEST_CASE("cycles from launch to done") {
  Cosim c("edge", {.read_latency = 100});
  c.b.halt();
  c.run();
  const u64 loaded = c.result[spec::Counter::cycles];
  CHECK(c.result[spec::Counter::seq_fetch] == 105);
  CHECK(loaded == 111);
  c.setup.resident = true;
  c.result = sim::run(*c.rtl, c.setup, 1000);
  CHECK(c.result[spec::Counter::cycles] == 23);
  c.setup.resident = false;
  c.restart();
  for (int i = 0; i < 999; ++i) c.b.mov(20, 1);
  c.b.halt();
  c.run();
  // One instruction a beat in, one in two cycles executed.
  CHECK(c.result[spec::Counter::cycles] == loaded + 3 * 999);
}

TEST_CASE("waves of a window, where they are built in") {
  const auto rtl = make_simulator("nano");
  const std::string path = "npu_waves_test.vcd";
#if VM_TRACE
  rtl->waves(path, rtl->cycles(), rtl->cycles() + 20);
  rtl->run_until_irq(40);
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  CHECK(text.find("clk_i") != std::string::npos);
  CHECK(text.find("#" + std::to_string(rtl->cycles() - 25)) != std::string::npos);
  std::remove(path.c_str());
#else
  CHECK_THROWS_AS(rtl->waves(path, 0, 20), Error);
#endif
}
