// The driver for XRT's cards on a stand-in for XRT's library (fake/): interrupts, bus addresses, failures of every call, and a library that
// is too old. The suite of driver/device_test.cpp runs on it too, with interrupts.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>
#include <xclbin.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "driver/backends.hpp"
#include "driver/doubles.hpp"
#include "driver/test_program.hpp"
#include "driver/uio/uio_double.hpp"
#include "fake/world.hpp"

using namespace jogak;
using namespace jogak::driver;
namespace csr = spec::csr;

namespace {

using World = xrt::fake::World;
constexpr std::uint64_t kMemory = 1 << 20;

std::string roots() { return JOGAK_FAKE_XRT; }  // folders fake/ and old/, each with lib/libxrt_coreutil.so.2

// In the library that the driver loads, because XRT_ROOT names it.
World& world() {
  static World* found = [] {
    ::setenv("XRT_ROOT", (roots() + "/fake").c_str(), 1);
    void* library = ::dlopen((roots() + "/fake/lib/libxrt_coreutil.so.2").c_str(), RTLD_NOW);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    return reinterpret_cast<World* (*)()>(::dlsym(library, "jogak_fake_world"))();
  }();
  return *found;
}

// A container with one empty section.
struct File {
  File() {
    axlf head{};
    std::memcpy(head.m_magic, "xclbin2", 8);
    head.m_header.m_length = sizeof head;
    head.m_header.m_numSections = 1;
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(&head), sizeof head);
  }
  ~File() { std::filesystem::remove(path); }
  const std::string path = "/tmp/jogak-xrt-fake-" + std::to_string(::getpid()) + ".xclbin";
};

const std::string& file() {
  static const File f;
  return f.path;
}

// A world with one good card.
std::shared_ptr<uio::Seen> good_world() {
  auto seen = std::make_shared<uio::Seen>();
  world() = World{};
  world().machine = [seen](std::uint64_t bytes) { return uio::make_double("nano", bytes, seen); };
  return seen;
}

Status open(std::unique_ptr<Device>& device, const std::string& behind = "") {
  return open_device({.backend = "xrt:" + file() + behind, .config = "nano", .memory_bytes = kMemory}, device);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void check_refused(const std::string& words, const std::string& behind = "") {
  std::unique_ptr<Device> device;
  const Status s = open(device, behind);
  CHECK_FALSE(s.ok());
  CHECK_MESSAGE(has(s.message(), words), s.message());
  CHECK(world().devices + world().kernels_open + world().buffers == 0);
  // And the card is free.
  good_world();
  CHECK_MESSAGE(open(device, behind).ok(), "after " << s.message());
  device.reset();
  CHECK(world().devices + world().kernels_open + world().buffers == 0);
}

void good(const Status& s) { REQUIRE_MESSAGE(s.ok(), s.message()); }

void begin(Device& d, const char* program) {
  put_program(d, program);
  good(d.start());
}

constexpr const char* kShort = "alui fn=add rd=r1 imm=1\nhalt\n";

const struct Registration {
  Registration() {
    only_doubles() = true;
    doubles().clear();
    doubles().emplace("xrt", [](const OpenOptions& options, std::unique_ptr<Device>& device) {
      good_world();
      OpenOptions o = options;
      o.backend = "xrt:" + file();
      return open_device(o, device);
    });
  }
} registration;

}  // namespace

TEST_CASE("xrt fake: an interrupt ends a wait, once a job") {
  const auto seen = good_world();
  std::unique_ptr<Device> device;
  good(open(device));
  for (unsigned job = 1; job <= 5; ++job) {
    begin(*device, kShort);
    good(device->wait(0));
    CHECK(seen->interrupts == job);
  }
  CHECK(world().waits >= 1);
  CHECK(seen->mistakes.empty());
}

TEST_CASE("xrt fake: a lost interrupt, and a shell without any, do not lose the job") {
  for (const bool interrupts : {true, false}) {
    const auto seen = good_world();
    world().interrupts = interrupts;
    seen->lose_interrupts = true;
    std::unique_ptr<Device> device;
    good(open(device));
    begin(*device, kShort);
    good(device->wait(0));
    CHECK(seen->interrupts == 0);
    if (!interrupts) CHECK(world().waits == 0);
  }
}

TEST_CASE("xrt fake: cards are asked for by index or by bus address") {
  good_world();
  world().cards = 3;
  std::unique_ptr<Device> device;
  good(open(device, ":2"));
  CHECK(world().named == "2");
  device.reset();
  good(open(device, ":0000:65:00.1"));
  CHECK(world().named == "0000:65:00.1");
  std::unique_ptr<Device> second;
  CHECK(has(open(second, ":0000:65:00.1").message(), "card 0000:65:00.1, found it in use by this process"));
  CHECK(world().devices == 1);
}

TEST_CASE("xrt fake: no card at all") {
  good_world();
  world().cards = 0;
  check_refused("card 0, found no such card among 0, expected one that XRT can open");
}

TEST_CASE("xrt fake: what XRT refuses is one sentence, and everything is released") {
  const struct {
    std::string World::*error;
    const char *says, *sentence;
  } cases[] = {
      {&World::device_error, "No such device with index '0'", "card 0, found \"No such device with index '0'\" among 1"},
      {&World::load_error, "failed to load xclbin: Device or resource busy", "into card 0, found \"failed to load xclbin: Device or resource busy\", expected a free card"},
      {&World::kernel_error, "failed to open CU(npu_1): Device or resource busy", "kernel npu_kernel on card 0, found \"failed to open CU(npu_1): Device or resource busy\", expected one that no other process has open"},
      {&World::buffer_error, "failed to allocate buffer: Cannot allocate memory", "bytes in bank HBM[0], found \"failed to allocate buffer: Cannot allocate memory\""},
      {&World::register_error, "ip register access failed", "register access, found \"ip register access failed\", expected a card that answers"},
  };
  for (const auto& c : cases) {
    good_world();
    world().*c.error = c.says;
    check_refused(c.sentence);
  }
}

TEST_CASE("xrt fake: a card that fails later says so in every call, and can be closed") {
  for (std::string World::*error : {&World::register_error, &World::copy_error, &World::interrupt_error}) {
    good_world();
    std::unique_ptr<Device> device;
    good(open(device));
    world().*error = "the card has fallen off the bus";
    std::uint64_t at = 0;
    std::uint8_t byte = 1;
    Status s = device->alloc(64, at);
    if (s.ok()) s = device->copy_in(at, {&byte, 1});
    if (s.ok()) s = device->write_csr(csr::code_len, 0);
    if (s.ok()) s = device->start();
    CHECK_FALSE(s.ok());
    CHECK_MESSAGE(has(s.message(), "found \"the card has fallen off the bus\""), s.message());
    device.reset();
    CHECK(world().devices + world().kernels_open + world().buffers == 0);
  }
}

TEST_CASE("xrt fake: a file without the NPU, one for another configuration, more memory than the bank has") {
  good_world();
  world().kernels = {"vadd:vadd_1", "vmul:vmul_1"};
  check_refused("kernels of " + file() + ", found vadd:vadd_1, vmul:vmul_1, expected npu_kernel or npu_hls");
  good_world();
  world().kernels = {};
  check_refused("found none, expected npu_kernel");
  good_world();
  world().machine = [](std::uint64_t bytes) { return uio::make_double("edge", bytes, std::make_shared<uio::Seen>()); };
  check_refused("found edge 0x");
  good_world();
  world().bank_kib = 512;
  check_refused("memory, found bank HBM[0] of 524288 bytes, expected at least 1048576");
}

TEST_CASE("xrt fake: the card's clock bounds a wait in cycles, and a job that hangs is a time-out") {
  const auto seen = good_world();
  std::unique_ptr<Device> device;
  world().mhz = 1;
  good(open(device));
  begin(*device, "alui fn=sub rd=r20 ra=r0 imm=1\nloop rc=r20 end=outer\nloop rc=r20 end=inner\ninner: alui fn=add rd=r21 ra=r21 imm=1\n"
                 "outer: alui fn=add rd=r22 ra=r22 imm=1\nhalt\n");
  const auto from = std::chrono::steady_clock::now();
  CHECK(device->wait(50'000).code() == Code::timeout);
  CHECK(std::chrono::steady_clock::now() - from >= std::chrono::milliseconds(50));
  good(device->abort());
  good(device->wait(0));
  CHECK(seen->mistakes.empty());
}

// Each of these needs a process in which no XRT is loaded yet: the test runs itself.
TEST_CASE("xrt fake: roots are looked at in order, and an XRT that is too old is refused") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const auto says = [&](const std::string& variables) {
    const std::string out = file() + ".says";
    const std::string command = "env -u XRT_ROOT -u XILINX_XRT " + variables + " '" + self + "' --no-skip --test-case='xrt fake child' >'" + out + "' 2>&1";
    (void)!std::system(command.c_str());
    std::ifstream in(out);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::filesystem::remove(out);
    return text;
  };
  const std::string fake = "'" + roots() + "/fake'", old = "'" + roots() + "/old'", too_old = "expected one that loads, with XRT 2.13 or newer";
  CHECK(has(says("XRT_ROOT=" + old), too_old));
  CHECK(has(says("XRT_ROOT=" + old), "undefined symbol"));
  CHECK(has(says("XILINX_XRT=" + old), too_old));
  CHECK(has(says("XRT_ROOT=" + fake + " XILINX_XRT=" + old), "child: opened"));
  CHECK(has(says("XRT_ROOT=" + old + " XILINX_XRT=" + fake), too_old));
  CHECK(has(says("XRT_ROOT=/nowhere XILINX_XRT=" + fake), "child: opened"));
}

TEST_CASE("xrt fake child" * doctest::skip()) {
  for (const char* name : {"XRT_ROOT", "XILINX_XRT"}) {
    const char* root = std::getenv(name);
    if (root == nullptr || !std::filesystem::exists(std::string(root) + "/lib")) continue;
    // As in world(), of the root that counts.
    void* library = ::dlopen((std::string(root) + "/lib/libxrt_coreutil.so.2").c_str(), RTLD_NOW);
    REQUIRE(library != nullptr);
    if (void* entry = ::dlsym(library, "jogak_fake_world")) {
      reinterpret_cast<World* (*)()>(entry)()->machine = [](std::uint64_t bytes) { return uio::make_double("nano", bytes, std::make_shared<uio::Seen>()); };
    }
    break;
  }
  std::unique_ptr<Device> device;
  const Status s = open(device);
  MESSAGE("child: " << (s.ok() ? "opened" : s.message()));
}
