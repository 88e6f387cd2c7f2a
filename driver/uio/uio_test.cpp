// The uio backend beyond the common suite: caches, interrupts, closing, refusals, and the files of Linux.
#include "uio.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "error.hpp"
#include "files.hpp"
#include "runtime/asm.hpp"
#include "uio_double.hpp"

using namespace jogak;
using namespace jogak::driver;
using namespace jogak::driver::uio;
namespace csr = spec::csr;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMemory = 1 << 20;

void good(const Status& s) { CHECK_MESSAGE(s.ok(), s.message()); }

struct Machine {
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  std::unique_ptr<Device> device;

  explicit Machine(std::uint64_t clock_hz = 0) {
    Ports ports = make_double("nano", kMemory, seen);
    ports.clock_hz = clock_hz;
    const Status s = open_on(std::move(ports), {.config = "nano", .memory_bytes = kMemory}, device);
    REQUIRE_MESSAGE(s.ok(), s.message());
  }

  // Loads a program with window 0 over 4 KiB; returns the window's address.
  std::uint64_t load(const char* text) {
    const auto code = assemble(text);
    std::vector<std::uint8_t> bytes(code.size() * sizeof(spec::Insn));
    std::memcpy(bytes.data(), code.data(), bytes.size());
    std::uint64_t at = 0, window = 0;
    good(device->alloc(bytes.size(), at));
    good(device->alloc(4096, window));
    good(device->copy_in(at, bytes));
    const std::uint32_t values[][2] = {{csr::code_lo, std::uint32_t(at)}, {csr::code_hi, std::uint32_t(at >> 32)}, {csr::code_len, std::uint32_t(code.size())},
                                       {csr::win_base_lo, std::uint32_t(window)}, {csr::win_base_hi, std::uint32_t(window >> 32)},
                                       {csr::win_size, 4096}, {csr::win_flags, 3}};
    for (const auto& [offset, value] : values) good(device->write_csr(offset, value));
    return window;
  }
};

// Stores 32 bytes that were loaded from offset 0 at offset 1024.
const char* const kCopy = R"(
      alui fn=add rd=r1 ra=r0 imm=1024
      alui fn=add rd=r20 ra=r0 imm=32
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

std::string refusal(Ports ports, const std::string& config = "nano", std::uint64_t bytes = kMemory) {
  std::unique_ptr<Device> device;
  const Status s = open_on(std::move(ports), {.config = config, .memory_bytes = bytes}, device);
  CHECK_FALSE(s.ok());
  CHECK(device == nullptr);
  return s.message();
}

// A tree of /sys and /dev in a folder of its own.
struct Tree {
  fs::path root = fs::temp_directory_path() / ("jogak-uio-" + std::to_string(getpid()));

  Tree() {
    fs::remove_all(root);
    device("uio0", "axi-pmon", 4096);
    device("uio1", "npu", 8192);
    put("sys/class/u-dma-buf/npu-memory/size", std::to_string(kMemory) + "\n");
    put("sys/class/u-dma-buf/npu-memory/phys_addr", "0x0000000070000000\n");
    for (const char* a : {"sync_offset", "sync_size", "sync_direction", "sync_for_cpu", "sync_for_device"})
      put(std::string("sys/class/u-dma-buf/npu-memory/") + a, "0\n");
    put("dev/npu-memory", std::string(kMemory, 'm'));
    word(csr::id, 0x4b474f4a), word(csr::isa_hash, spec::isa_hash), word(csr::config_hash, spec::find_config("nano")->hash);
  }
  ~Tree() { fs::remove_all(root); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << text;
  }
  void device(const std::string& node, const std::string& name, int bytes) const {
    put("sys/class/uio/" + node + "/name", name + "\n");
    put("sys/class/uio/" + node + "/maps/map0/size", "0x2000\n");
    put("sys/class/uio/" + node + "/maps/map0/offset", "0x0\n");
    put("dev/" + node, std::string(static_cast<std::size_t>(bytes), '\0'));
  }
  void word(std::uint32_t offset, std::uint32_t value) const {
    std::fstream file(root / "dev/uio1", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset).write(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::uint32_t word(std::uint32_t offset) const {
    std::ifstream file(root / "dev/uio1", std::ios::binary);
    std::uint32_t value = 0;
    file.seekg(offset).read(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
  std::string sync(const char* name) const { return attribute(root / "sys/class/u-dma-buf/npu-memory" / name); }
  std::string refusal(const std::string& target) const {
    try {
      (void)open_ports(root, target);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("uio: bytes of the machine beside bytes of the processor in one cache line both stay") {
  Machine m;
  const std::uint64_t window = m.load(kCopy), to = window + 1024;
  struct Case {
    std::uint64_t at, bytes;  // that the processor writes, from the line of the machine's 32 bytes at 1024
  };
  std::uint8_t fill = 0x5A;
  for (const Case c : {Case{1024 + 40, 20}, Case{1024 + 8, 56}, Case{960, 72}}) {
    CAPTURE(c.at);
    const std::vector<std::uint8_t> data(32, ++fill), mine(c.bytes, 0xC3);
    std::vector<std::uint8_t> back(32);
    good(m.device->copy_in(window, data));
    good(m.device->start());
    good(m.device->wait(0));
    good(m.device->copy_in(window + c.at, mine));
    good(m.device->copy_out(to, back));
    for (std::uint64_t i = 0; i < 32; ++i) CHECK(back[i] == (1024 + i >= c.at && 1024 + i < c.at + c.bytes ? 0xC3 : fill));
  }
  CHECK(m.seen->mistakes.empty());
}

TEST_CASE("uio: one interrupt a job, and a lost one does not lose the job") {
  Machine m;
  m.load(kCopy);
  for (int i = 0; i < 3; ++i) {
    good(m.device->start());
    good(m.device->wait(0));
  }
  CHECK(m.seen->interrupts == 3);
  m.seen->lose_interrupts = true;
  const auto before = m.seen->interrupts;
  good(m.device->start());
  good(m.device->wait(0));
  CHECK(m.seen->interrupts == before);
  std::uint32_t status = 1;
  good(m.device->read_csr(csr::status, status));
  CHECK(status == 0);
}

TEST_CASE("uio: the clock of the device tree bounds a wait") {
  Machine m(1'000'000);
  m.load(kForever);
  good(m.device->start());
  const Status s = m.device->wait(30'000);
  CHECK(s.code() == Code::timeout);
  CHECK(s.message() == "uio device: job, found it running after 30000 cycles, expected its end");
  good(m.device->abort());
  good(m.device->wait(0));
  CHECK(m.seen->interrupts >= 1);
}

TEST_CASE("uio: closing ends the job before the memory goes back") {
  Machine m;
  m.load(kForever);
  good(m.device->start());
  m.device.reset();
  CHECK(m.seen->mistakes.empty());
}

TEST_CASE("uio: what is not the machine that was asked for is refused") {
  const auto seen = std::make_shared<Seen>();
  const std::string other = refusal(make_double("edge", kMemory, seen));
  CHECK(other.find("configuration of double, found edge 0x") != std::string::npos);
  CHECK(other.find("expected nano 0x") != std::string::npos);
  CHECK(refusal(make_double("nano", kMemory, seen), "nano", kMemory + 1) ==
        "uio device: memory, found a buffer of 1048576 bytes, expected at least 1048577");
  Ports busy = make_double("nano", kMemory, seen);
  Registers& r = *busy.registers;
  const std::uint32_t length = 1;  // of a program of zeros, which faults, but not before its fetch
  r.write(csr::code_hi, 1), r.write(csr::code_len, length), r.write(csr::ap_ctrl, 1);
  if ((r.read(csr::status) & 1) != 0) CHECK(refusal(std::move(busy)).find("found it running a job") != std::string::npos);
}

TEST_CASE("uio files: registers, memory and cache operations reach their files") {
  const Tree tree;
  Ports ports = open_ports(tree.root, "npu");
  CHECK(ports.place == "npu (" + tree.root.string() + "/dev/uio1)");
  CHECK(ports.clock_hz == 0);
  CHECK(ports.registers->read(csr::isa_hash) == spec::isa_hash);
  ports.registers->write(csr::arg_at(2), 0x12345678);
  CHECK(tree.word(csr::arg_at(2)) == 0x12345678);
  CHECK(ports.memory->address() == 0x70000000);
  REQUIRE(ports.memory->bytes().size() == kMemory);
  CHECK(ports.memory->bytes()[kMemory - 1] == 'm');
  ports.memory->to_device(4096, 128);
  CHECK(tree.sync("sync_offset").substr(0, 4) == "4096");
  CHECK(tree.sync("sync_size").substr(0, 3) == "128");
  CHECK(tree.sync("sync_direction").substr(0, 1) == "1");
  CHECK(tree.sync("sync_for_device").substr(0, 1) == "1");
  CHECK(tree.sync("sync_for_cpu").substr(0, 1) == "0");
  ports.memory->from_device(0, 64);
  CHECK(tree.sync("sync_direction").substr(0, 1) == "2");
  CHECK(tree.sync("sync_for_cpu").substr(0, 1) == "1");
  CHECK(tree.refusal("uio1").find("found it in use by another process") != std::string::npos);
}

TEST_CASE("uio files: every refusal names what is missing") {
  const Tree tree;
  CHECK(tree.refusal("npuu") == "uio device: name, found npuu, expected one of those of " + tree.root.string() + "/sys/class/uio: axi-pmon (uio0), npu (uio1)");
  CHECK(tree.refusal("npu:buffer").find("found no buffer named buffer, expected one of those of") != std::string::npos);
  CHECK(tree.refusal("uio0") == "");
  tree.put("sys/class/uio/uio1/maps/map0/size", "0x400\n");
  CHECK(tree.refusal("npu").find("found 1024 bytes, expected at least 4096") != std::string::npos);
  tree.put("sys/class/uio/uio1/maps/map0/size", "big\n");
  CHECK(tree.refusal("npu").find("found 'big', expected a number") != std::string::npos);
  tree.device("uio2", "npu", 8192);
  CHECK(tree.refusal("npu").find("found npu, which uio1, uio2 have") != std::string::npos);
  fs::remove(tree.root / "dev/uio2");
  CHECK(tree.refusal("uio2").find("found No such file or directory") != std::string::npos);
  fs::remove_all(tree.root / "sys/class/u-dma-buf");
  CHECK(tree.refusal("uio1").find("found no buffer named npu-memory, expected one of those of") != std::string::npos);
}

TEST_CASE("uio files: open_device finds the machine below JOGAK_UIO_ROOT and checks it") {
  const Tree tree;
  setenv("JOGAK_UIO_ROOT", tree.root.c_str(), 1);
  std::unique_ptr<Device> device;
  CHECK(open_device({.backend = "uio"}, device).message().find("expected one of null, model, ") != std::string::npos);
  CHECK(open_device({.backend = "uio:other", .config = "nano"}, device).message().find("found other") != std::string::npos);
  good(open_device({.backend = "uio:npu", .config = "nano", .memory_bytes = kMemory}, device));
  REQUIRE(device != nullptr);
  CHECK(device->info().description.find("/dev/uio1") != std::string::npos);
  device.reset();
  tree.word(csr::id, 0);
  CHECK(open_device({.backend = "uio:npu", .config = "nano"}, device).message().find("is its bitstream loaded?") != std::string::npos);
  unsetenv("JOGAK_UIO_ROOT");
}

TEST_CASE("uio files: the interrupt is a count that is read and a one that is written") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const File device(ends[0]), kernel(ends[1]);
  Interrupt interrupt(device);
  CHECK_FALSE(interrupt.wait(1));
  interrupt.enable();
  std::uint32_t word = 0;
  CHECK(read(kernel.fd(), &word, sizeof word) == sizeof word);
  CHECK(word == 1);
  word = 7;
  CHECK(write(kernel.fd(), &word, sizeof word) == sizeof word);
  CHECK(interrupt.wait(1000));
  CHECK_FALSE(interrupt.wait(0));
}
