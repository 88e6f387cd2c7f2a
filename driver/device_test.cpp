// One suite for every backend: a case runs on each in turn.
#include "device.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "doubles.hpp"
#include "test_program.hpp"

using namespace jogak;
using namespace jogak::driver;
namespace csr = spec::csr;

namespace {

constexpr std::uint64_t kMemory = 1 << 20;

Status open_any(const OpenOptions& options, std::unique_ptr<Device>& device) {
  const auto found = doubles().find(options.backend);
  return found == doubles().end() ? open_device(options, device) : found->second(options, device);
}

std::unique_ptr<Device> opened(const std::string& backend) {
  std::unique_ptr<Device> device;
  const Status s = open_any({.backend = backend, .config = "nano", .memory_bytes = kMemory}, device);
  REQUIRE_MESSAGE(s.ok(), s.message());
  return device;
}

void good(const Status& s) { CHECK_MESSAGE(s.ok(), s.message()); }

std::uint32_t read(Device& d, std::uint32_t offset) {
  std::uint32_t value = 0;
  good(d.read_csr(offset, value));
  return value;
}

// Code and a 4 KiB window 0 in fresh memory; returns the window's address.
std::uint64_t prepare(Device& d, const std::string& text) {
  put_program(d, text);
  std::uint64_t window = 0;
  good(d.alloc(4096, window));
  good(d.write_csr(csr::win_base_lo, static_cast<std::uint32_t>(window)));
  good(d.write_csr(csr::win_base_hi, static_cast<std::uint32_t>(window >> 32)));
  good(d.write_csr(csr::win_size, 4096));
  good(d.write_csr(csr::win_flags, 3));
  return window;
}

// Copies 64 bytes from window offset 0 to offset arg0 by way of vector memory.
const char* const kCopy = R"(
      alui fn=add rd=r20 ra=r0 imm=64
      alui fn=add rd=r21 ra=r0 imm=1
      load win=0 space=vmem da=r0 ca=r0 len=r20 n1=r21 n2=r21
      signal eng=ld sem=1 n=1
      wait eng=st sem=1 n=1
      store win=0 space=vmem da=r1 ca=r0 len=r20 n1=r21 n2=r21
      halt
)";
const char* const kForever = R"(
      alui fn=sub rd=r20 ra=r0 imm=1
      loop rc=r20 end=outer
      loop rc=r20 end=inner
inner: alui fn=add rd=r21 ra=r21 imm=1
outer: alui fn=add rd=r22 ra=r22 imm=1
      halt
)";

std::vector<std::string> devices() {
  std::vector<std::string> names;
  if (!only_doubles()) names = backends();
  for (const auto& [name, open] : doubles()) names.push_back(name);
  return names;
}
std::vector<std::string> machines() {
  std::vector<std::string> names = devices();
  std::erase(names, "null");
  return names;
}

}  // namespace

TEST_CASE("an unknown backend or configuration is refused by name") {
  std::unique_ptr<Device> device;
  Status s = open_device({.backend = "abacus"}, device);
  CHECK(s.code() == Code::unsupported);
  CHECK(s.message().find("abacus") != std::string::npos);
  for (const std::string& name : machines()) {
    s = open_any({.backend = name, .config = "huge"}, device);
    CHECK_FALSE(s.ok());
    CHECK(s.message().find("huge") != std::string::npos);
  }
  CHECK(device == nullptr);
}

TEST_CASE("memory: allocations are apart, zeroed, aligned, and checked") {
  for (const std::string& name : devices()) {
    CAPTURE(name);
    const auto d = opened(name);
    CHECK(d->info().backend == name);
    CHECK(d->info().memory_bytes == kMemory);
    std::uint64_t a = 0, b = 0, c = 0;
    good(d->alloc(5000, a));
    good(d->alloc(100, b));
    CHECK(a % 4096 == 0);
    CHECK((b >= a + 5000 || a >= b + 100));
    std::vector<std::uint8_t> data(5000, 0xAB), back(5000, 1);
    good(d->copy_out(a, back));
    CHECK(back == std::vector<std::uint8_t>(5000, 0));
    good(d->copy_in(a, data));
    good(d->copy_out(a, back));
    CHECK(back == data);
    CHECK(d->copy_in(a + 1, data).code() == Code::bad_argument);
    CHECK(d->copy_out(a - 1, std::span(back).first(1)).code() == Code::bad_argument);
    CHECK(d->copy_out(~std::uint64_t(0) - 3, std::span(back).first(8)).code() == Code::bad_argument);
    CHECK(d->alloc(kMemory, c).code() == Code::out_of_memory);
    CHECK(d->alloc(~std::uint64_t(0), c).code() == Code::out_of_memory);
    CHECK(d->alloc(0, c).code() == Code::bad_argument);
    CHECK(d->free(a + 4096).code() == Code::bad_argument);
    good(d->free(a));
    CHECK(d->free(a).code() == Code::bad_argument);
    good(d->alloc(4000, c));
    CHECK(c == a);
    good(d->copy_out(c, std::span(back).first(4000)));
    CHECK(back[0] == 0);
  }
}

TEST_CASE("registers: identity, what is kept, offsets") {
  for (const std::string& name : devices()) {
    CAPTURE(name);
    const auto d = opened(name);
    good(d->write_csr(csr::arg_at(3), 0x12345678));
    CHECK(read(*d, csr::arg_at(3)) == 0x12345678);
    std::uint32_t value = 0;
    CHECK(d->write_csr(2, 0).code() == Code::bad_argument);
    CHECK(d->read_csr(4096, value).code() == Code::bad_argument);
    if (name == "null") continue;
    CHECK(read(*d, csr::id) == 0x4b474f4a);
    CHECK(read(*d, csr::isa_hash) == spec::isa_hash);
    CHECK(read(*d, csr::config_hash) == spec::find_config("nano")->hash);
    good(d->write_csr(csr::config_hash, 5));
    CHECK(read(*d, csr::config_hash) == spec::find_config("nano")->hash);
    CHECK(read(*d, csr::ap_ctrl) == 4);
  }
}

TEST_CASE("a job moves bytes, reports done once, counts") {
  for (const std::string& name : machines()) {
    CAPTURE(name);
    const auto d = opened(name);
    const std::uint64_t window = prepare(*d, kCopy);
    std::vector<std::uint8_t> data(64), back(64);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 7 + 1);
    good(d->copy_in(window, data));
    for (std::uint32_t to : {1024u, 2048u}) {
      good(d->write_csr(csr::arg_at(0), to));
      good(d->start());
      good(d->wait(0));
      CHECK((read(*d, csr::ap_ctrl) & 6) == 6);
      CHECK((read(*d, csr::ap_ctrl) & 6) == 4);
      CHECK(read(*d, csr::status) == 0);
      good(d->copy_out(window + to, back));
      CHECK(back == data);
      CHECK(read(*d, csr::counter_at(static_cast<std::uint32_t>(spec::Counter::instructions))) == 7);
      CHECK(read(*d, csr::counter_at(static_cast<std::uint32_t>(spec::Counter::store_bytes))) == 64);
      CHECK((read(*d, csr::counter_at(0)) != 0) == d->info().timed);
    }
  }
}

TEST_CASE("a faulting job tells cause and place, the next one is good") {
  for (const std::string& name : machines()) {
    CAPTURE(name);
    const auto d = opened(name);
    prepare(*d, kCopy);
    good(d->write_csr(csr::arg_at(0), 4096 - 32));
    good(d->start());
    good(d->wait(0));
    CHECK((read(*d, csr::status) & 2) == 2);
    CHECK(read(*d, csr::fault_cause) == static_cast<std::uint32_t>(spec::Fault::window));
    CHECK(read(*d, csr::fault_pc) == 5);
    good(d->write_csr(csr::arg_at(0), 64));
    good(d->start());
    good(d->wait(0));
    CHECK(read(*d, csr::status) == 0);
  }
}

TEST_CASE("a job without end: watchdog, limit of the wait, abort from another thread") {
  for (const std::string& name : machines()) {
    CAPTURE(name);
    const auto d = opened(name);
    prepare(*d, kForever);
    good(d->write_csr(csr::watchdog, 500));
    good(d->start());
    good(d->wait(0));
    CHECK(read(*d, csr::fault_cause) == static_cast<std::uint32_t>(spec::Fault::watchdog));
    good(d->write_csr(csr::watchdog, 0));
    if (d->info().timed) {
      good(d->start());
      CHECK(d->wait(5000).code() == Code::timeout);
      good(d->abort());
      good(d->wait(0));
      CHECK((read(*d, csr::status) & 8) == 8);
    }
    // Again and again: on a slow line the first may come before the start, which it has no part in.
    std::atomic<bool> over = false;
    std::thread other([&] {
      while (!over) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        if (!over) (void)d->abort();
      }
    });
    good(d->start());
    good(d->wait(0));
    over = true;
    other.join();
    CHECK((read(*d, csr::status) & 8) == 8);
    good(d->write_csr(csr::control, 2));
    CHECK(read(*d, csr::status) == 0);
  }
}

TEST_CASE("the trace tells starts and ends where the engines can be watched, and is refused elsewhere") {
  for (const std::string& name : devices()) {
    CAPTURE(name);
    const auto d = opened(name);
    std::vector<TraceEvent> events;
    const Status s = d->trace([&](const TraceEvent& e) { events.push_back(e); });
    if (name != "rtl" && name != "cycle" && name != "systemc") {
      CHECK(s.code() == Code::unsupported);
      continue;
    }
    good(s);
    prepare(*d, kCopy);
    good(d->write_csr(csr::arg_at(0), 64));
    good(d->start());
    good(d->wait(0));
    REQUIRE(events.size() == 4);
    CHECK((events[0].start && events[0].pc == 2 && events[0].engine == spec::Engine::ld));
    CHECK((!events[1].start && events[1].pc == 2));
    CHECK((events[2].start && events[2].pc == 5 && events[2].engine == spec::Engine::st));
    CHECK((!events[3].start && events[3].pc == 5 && events[3].cycle > events[2].cycle));
    good(d->trace({}));
  }
}

TEST_CASE("the null device refuses to start and says why") {
  const auto d = opened("null");
  CHECK(d->start().code() == Code::unsupported);
  CHECK(d->start().message().find("no machine") != std::string::npos);
  CHECK(d->wait(0).code() == Code::unsupported);
  good(d->abort());
}
