// A die that never answers: reported with the die, engine and semaphore that wait for it; the package's next job is as if nothing had been.
#include "driver/package.hpp"
#include "driver/waits.hpp"
#include "runtime/builder.hpp"
#include "shared.hpp"
#include "sim/model/package.hpp"

using namespace jogak;
using namespace jogak::tests;
using spec::Engine;
using spec::Space;

namespace {

constexpr std::uint32_t kData = 32, kNever = 40, kInbox = 0x1000, kFound = 0x2000, kSent = 0x4000;  // vector memory, bytes
constexpr float kValue = 3.5f;

// r1: 0, die 1 ends at once, with signals and `amount` KiB on their way to it, and die 0 waits for an answer; 1, die 1 waits for data that die 0
// sends late, and stores it to window 2. r2: the die's number.
constexpr std::uint32_t kMuch = 64, kLittle = 1;  // more than links and queues hold, so that die 0 cannot end its store; less
Program program(std::uint32_t amount) {
  Program p;
  p.config = "nanoquad", p.config_hash = spec::find_config("nanoquad")->hash;
  p.mesh = {2, 1};
  p.window_bytes[2] = 4096;
  ProgramBuilder b;
  const auto set = [&](std::uint32_t r, std::uint32_t value) { return b.li(r, value), static_cast<std::uint8_t>(r); };
  const auto store = [&](std::uint32_t window, std::uint32_t at, std::uint32_t from, std::uint32_t bytes, std::uint32_t times) {
    b.store({.win = static_cast<std::uint8_t>(window), .space = Space::vmem, .da = set(30, at), .ca = set(31, from), .len = set(32, bytes), .n1 = set(33, times), .n2 = set(34, 1)});
  };
  const auto to_peer = [](std::uint32_t byte) { return model::remote_offset(Space::vmem, byte); };
  const auto tell = [&] { store(kPeerWindow, model::remote_signal_offset(kData, 1), kSent + 256, 4, 1); };
  const auto vec = [&](std::uint32_t to, std::uint32_t from, float least) {
    std::uint32_t bits;
    std::memcpy(&bits, &least, 4);
    b.vec({.op = spec::Vop::max, .bmode = spec::Bmode::scalar, .wr = true, .dst = set(30, to / 4), .a = set(31, from / 4), .b = set(32, bits), .rows = set(33, 1), .cols = set(34, 16)});
  };
  const auto made = [&] { b.signal(Engine::ve, 0), b.wait(Engine::st, 0); };
  b.alui(spec::AluFn::eq, 20, 1, 0);  // silent
  b.alui(spec::AluFn::eq, 22, 2, 0);  // die 0
  b.loop(22, [&] {
    b.loop(20, [&] {
      tell();
      store(kPeerWindow, to_peer(kInbox), kSent, 1024, amount);
      tell();
      b.wait(Engine::ve, kNever);
    });
    b.loop(1, [&] {
      b.vec({.bmode = spec::Bmode::scalar, .wr = true, .masked = true, .dst = set(30, kSent / 4), .a = set(30, kSent / 4), .lim = 0, .rows = set(33, 1), .cols = set(34, 16)});  // zeros, whatever lies there
      vec(kSent, kSent, kValue);
      made();
      b.li(23, 3000);
      b.loop(23, [&] { b.addi(24, 24, 1); });
      store(kPeerWindow, to_peer(kInbox), kSent, 64, 1);
      tell();
    });
  });
  b.loop(2, [&] {
    b.loop(1, [&] {
      b.wait(Engine::ve, kData);
      vec(kFound, kInbox, -1e30f);
      made();
      store(2, 0, kFound, 64, 1);
    });
  });
  b.halt();
  p.code = b.take();
  return p;
}

std::vector<float> found(Dies& dies) {
  std::vector<float> values(16);
  dies.read(1, 2, 0, {reinterpret_cast<std::uint8_t*>(values.data()), 64});
  return values;
}

void survives(const std::string& backend, std::uint32_t amount) {
  const std::vector<std::uint32_t> silent = {0}, right = {1};
  const std::string expected = backend == "rtl"   ? "die 0: its vector engine waits for 1 of semaphore 40, which another die signals"
                               : backend == "hls" ? "die 0: its vector engine waits for 1 of semaphore 40"
                                                  : "its engine ve waits for semaphore 40, which another die signals, in vain";
  const Program p = program(amount);
  Dies dies(open_dies(p, backend), p);
  for (int round = 0; round < 2; ++round) {
    const std::string said = refusal([&] { (void)dies.run(silent); });
    CAPTURE(said);
    CHECK(said.starts_with(backend == "hls" ? "hls package: end of every die, found die 0: " : "die 0 of 2: "));
    CHECK(said.find(expected) != std::string::npos);
    dies.write(2, 0, std::vector<std::uint8_t>(64));
    (void)dies.run(right);
    for (const float value : found(dies)) CHECK(value == kValue);
  }
}

}  // namespace

TEST_CASE("a die that never answers is told with who waits for what, and the next job runs right") {
  for (const std::string& backend : driver::package_backends())
    for (const std::uint32_t amount : {kLittle, kMuch}) {
      CAPTURE(backend);
      CAPTURE(amount);
      survives(backend, amount);
    }
}

// A program error, which the race checker finds; here, that it does not go on for ever.
TEST_CASE("a die whose store nobody takes any more is told, and the next job runs right") {
  Program p = program(kMuch);
  for (spec::Insn& insn : p.code)
    if (spec::opcode_of(insn) == static_cast<std::uint8_t>(spec::Op::wait) && spec::decode<spec::Wait>(insn).sem == kNever) insn = spec::encode(spec::Alu{});
  for (const std::string backend : {"cycle", "rtl", "hls"}) {
    const auto backends = driver::package_backends();
    if (std::find(backends.begin(), backends.end(), backend) == backends.end()) continue;
    CAPTURE(backend);
    Dies dies(open_dies(p, backend), p);
    const std::vector<std::uint32_t> silent = {0}, right = {1};
    const std::string said = refusal([&] { (void)dies.run(silent); });
    CAPTURE(said);
    CHECK(said.find(backend == "rtl"   ? "die 0 has not ended and waits for no semaphore"
                    : backend == "hls" ? "die 0: nobody takes what it sends"
                                       : "die 0 of 2: device: launch, found fault timeout") != std::string::npos);
    (void)dies.run(right);
    for (const float value : found(dies)) CHECK(value == kValue);
  }
}

TEST_CASE("of a job that does not end the registers tell which engines wait, and an abort from outside leaves the dies usable") {
  const auto backends = driver::package_backends();
  if (std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  const Program p = program(kLittle);
  Dies dies(open_dies(p, "rtl"), p);
  const std::vector<std::uint32_t> right = {1};
  for (std::uint32_t d = 0; d < 2; ++d) {
    const std::vector<std::uint32_t> args = {0, d};
    dies.die(d).start(0, args);
  }
  driver::Device& first = dies.device(0);
  REQUIRE(first.wait(20'000).code() == driver::Code::timeout);
  const auto read = [&](std::uint32_t offset) {
    std::uint32_t value = 0;
    REQUIRE(first.read_csr(offset, value).ok());
    return value;
  };
  CHECK(driver::semaphore_waits(read, std::chrono::milliseconds(0)) == ", its vector engine waits for a semaphore");
  CHECK(first.abort().ok());
  CHECK(first.wait(0).ok());
  (void)dies.run(right);
  for (const float value : found(dies)) CHECK(value == kValue);
}
