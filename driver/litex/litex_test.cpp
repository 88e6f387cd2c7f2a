// The line to a board goes wrong in every way that a line can; the board is simulated.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <thread>

#include "bad_line.hpp"
#include "board.hpp"
#include "driver/backends.hpp"
#include "error.hpp"
#include "litex.hpp"
#include "litex_double.hpp"
#include "untouched.hpp"

using namespace jogak;
using namespace jogak::driver;
using namespace jogak::driver::litex;
namespace csr = spec::csr;

namespace {

constexpr Patience kQuick{.answer = Milliseconds(1000), .silence = Milliseconds(200), .tries = 4};

std::unique_ptr<Device> opened(BadLine::Plan& plan, Patience patience = kQuick) {
  std::unique_ptr<Device> device;
  const Status s = open_on(std::make_unique<BadLine>(open_tcp(sim_board().target()), plan), "litex",
                           {.backend = "litex", .config = "nano", .memory_bytes = 1 << 20}, device, patience);
  REQUIRE_MESSAGE(s.ok(), s.message());
  return device;
}

void good(const Status& s) { CHECK_MESSAGE(s.ok(), s.message()); }

std::vector<u8> noise(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<u8> bytes(n);
  for (u8& b : bytes) b = static_cast<u8>(random());
  return bytes;
}

}  // namespace

TEST_CASE("litex: CRC-32 of a known text") {
  const std::string text = "123456789";
  CHECK(~crc32_of(std::span(reinterpret_cast<const u8*>(text.data()), text.size())) == 0xCBF43926u);
}

TEST_CASE("litex: ranges that are promised to be zero") {
  Untouched u;
  u.add(100, 200);
  u.add(300, 400);
  u.remove(150, 320);
  CHECK(u.within(0, 1000) == std::pair<u64, u64>(100, 150));
  CHECK(u.within(120, 130) == std::pair<u64, u64>(120, 130));
  CHECK(u.within(150, 320) == std::pair<u64, u64>(0, 0));
  CHECK(u.within(150, 350) == std::pair<u64, u64>(320, 350));
  u.remove(120, 130);
  CHECK(u.within(110, 1000) == std::pair<u64, u64>(110, 120));
  CHECK(u.within(125, 1000) == std::pair<u64, u64>(130, 150));
}

TEST_CASE("litex: a disturbed byte costs a repetition, not a bit of memory") {
  BadLine::Plan plan;
  const auto d = opened(plan);
  u64 before = 0, at = 0, behind = 0;
  good(d->alloc(4096, before));
  good(d->alloc(4096, at));
  good(d->alloc(4096, behind));
  const auto guard = noise(4096, 1);
  good(d->copy_in(before, guard));
  good(d->copy_in(behind, guard));
  std::mt19937 random(7);
  for (int i = 0; i < 9; ++i) {
    // The first bytes are the gate and the first command's head, where a fault does most.
    const std::size_t where = i < 5 ? random() % 20 : random() % 4000;
    const auto data = noise(4096, 100 + static_cast<unsigned>(i));
    std::vector<u8> back(4096);
    plan.answers = i % 4 == 3;
    plan.fault = static_cast<Fault>(i % 3);
    CAPTURE(i);
    CAPTURE(where);
    if (plan.answers) {
      good(d->copy_in(at, data));
      plan.at = plan.received + where;
    } else {
      plan.at = plan.sent + where;
      good(d->copy_in(at, data));
    }
    good(d->copy_out(at, back));
    CHECK((plan.answers ? plan.received : plan.sent) > plan.at);
    plan.at = ~std::size_t(0);
    CHECK(back == data);
    good(d->copy_out(before, back));
    CHECK(back == guard);
    good(d->copy_out(behind, back));
    CHECK(back == guard);
  }
}

TEST_CASE("litex: edges that are no words keep their neighbours") {
  BadLine::Plan plan;
  const auto d = opened(plan);
  u64 at = 0;
  good(d->alloc(100, at));
  std::vector<u8> expected(100), back(100);
  for (const auto& [from, count] :
       {std::pair<std::size_t, std::size_t>{1, 2}, {5, 1}, {7, 9}, {16, 4}, {30, 3}, {95, 5}}) {
    const auto data = noise(count, static_cast<unsigned>(from));
    good(d->copy_in(at + from, data));
    std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(from));
  }
  good(d->copy_out(at, back));
  CHECK(back == expected);
  good(d->copy_out(at + 6, std::span(back).first(5)));
  CHECK(std::equal(back.begin(), back.begin() + 5, expected.begin() + 6));
}

TEST_CASE("litex: a bridge that stops answering is given up with one sentence") {
  BadLine::Plan plan;
  const auto d = opened(plan, {.answer = Milliseconds(300), .silence = Milliseconds(120), .tries = 2});
  u64 at = 0;
  good(d->alloc(4096, at));
  plan.dead = true;
  const Status s = d->copy_in(at, noise(4096, 3));
  CHECK(s.code() == Code::device);
  CHECK(s.message().find("its bridge: is it powered") != std::string::npos);
  plan.dead = false;
}

TEST_CASE("litex: a board that restarts under way is noticed") {
  BadLine::Plan plan;
  class Swap final : public Transport {
   public:
    std::unique_ptr<Transport> line;
    bool broken = false;
    std::string name() const override { return "swap"; }
    void send(std::span<const u8> b, Milliseconds p) override {
      if (!broken) line->send(b, p);
    }
    std::size_t receive(std::span<u8> b, Milliseconds p) override { return line->receive(b, p); }
    Milliseconds duration(std::size_t b) const override { return line->duration(b); }
  };
  auto first = std::make_unique<SimBoard>(JOGAK_LITEX_SIM);
  auto own = std::make_unique<Swap>();
  Swap& swap = *own;
  own->line = open_tcp(first->target());
  std::unique_ptr<Device> d;
  good(open_on(std::move(own), "litex", {.backend = "litex", .config = "nano", .memory_bytes = 4096}, d, kQuick));
  u64 at = 0;
  good(d->alloc(4096, at));
  good(d->copy_in(at, noise(4096, 5)));
  SimBoard second(JOGAK_LITEX_SIM);
  swap.line = open_tcp(second.target());
  first.reset();
  const Status s = d->copy_in(at, noise(64, 6));
  CHECK(s.code() == Code::device);
  CHECK(s.message().find("restarted") != std::string::npos);
}

TEST_CASE("litex: a board tells its configuration before it is opened") {
  std::string config = "nothing";
  good(machine_config("litex:" + sim_board().target(), config));
  CHECK(config == "nano");
  good(machine_config("model", config));
  CHECK(config.empty());
  CHECK_FALSE(machine_config("litex:127.0.0.1:1", config).ok());
}

TEST_CASE("litex: another configuration is refused with both hashes") {
  std::unique_ptr<Device> d;
  const Status s = open_on(open_tcp(sim_board().target()), "litex", {.backend = "litex", .config = "edge"}, d, kQuick);
  CHECK(s.code() == Code::device);
  for (const char* config : {"nano", "edge"}) {
    char hash[16];
    std::snprintf(hash, sizeof hash, "0x%08x", spec::find_config(config)->hash);
    CHECK_MESSAGE(s.message().find(std::string(config) + " " + hash) != std::string::npos, s.message());
  }
  CHECK(d == nullptr);
}

TEST_CASE("litex: more memory than the board has is refused") {
  std::unique_ptr<Device> d;
  const Status s = open_on(open_tcp(sim_board().target()), "litex",
                           {.backend = "litex", .config = "nano", .memory_bytes = u64(64) << 20}, d, kQuick);
  CHECK(s.code() == Code::out_of_memory);
}

TEST_CASE("litex: an address where nobody answers is told, and the next access is good") {
  Bridge bridge(open_tcp(sim_board().target()), kQuick);
  const Board board = meet(bridge);
  u32 word = 0;
  CHECK_THROWS_AS(bridge.read(0x2000'0000, std::span(&word, 1)), Error);
  bridge.read(board.npu + csr::id, std::span(&word, 1));
  CHECK(word == 0x4b474f4a);
  CHECK(bridge.troubles() == 0);
}

TEST_CASE("litex: targets that are none") {
  for (const char* target :
       {"litex:nowhere", "litex:127.0.0.1:1", "uart:/dev/no-such-port", "uart:/dev/null", "uart:/dev/null:12345"}) {
    std::unique_ptr<Device> d;
    const Status s = open_device({.backend = target, .config = "nano"}, d);
    CAPTURE(target);
    CHECK_FALSE(s.ok());
    CHECK(s.message().find("expected") != std::string::npos);
  }
}

TEST_CASE("litex: a board that goes away is an error of the line") {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(server, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(server, 1) == 0);
  REQUIRE(::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const auto line = open_tcp("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  const int board = ::accept(server, nullptr, nullptr);
  const linger at_once{1, 0};
  (void)::setsockopt(board, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(board), ::close(server);
  const std::array<u8, 64> bytes{};
  const auto send = [&] {
    for (int i = 0; i < 100; ++i) line->send(bytes, Milliseconds(10));
  };
  CHECK_THROWS_WITH(send(), doctest::Contains("expected an open line"));
  // And again: nothing ends this process.
  CHECK_THROWS_WITH(send(), doctest::Contains("line 127.0.0.1:"));
}

TEST_CASE("litex: the same board behind a serial port") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE((::grantpt(master) == 0 && ::unlockpt(master) == 0));
  const std::string port = ::ptsname(master);
  const int keep_open =
      ::open(port.c_str(), O_RDWR | O_NOCTTY);  // else the master sees an error before the driver comes
  std::atomic<bool> stop = false;
  std::thread pump([&, line = open_tcp(sim_board().target())] {
    std::array<u8, 4096> buffer;
    while (!stop) {
      pollfd p{master, POLLIN, 0};
      if (::poll(&p, 1, 1) > 0) {
        const ssize_t n = ::read(master, buffer.data(), buffer.size());
        if (n > 0) line->send(std::span(buffer).first(static_cast<std::size_t>(n)), Milliseconds(2000));
      }
      std::size_t n = line->receive(buffer, Milliseconds(1));
      for (std::size_t at = 0; at < n;)
        at += static_cast<std::size_t>(std::max<ssize_t>(0, ::write(master, buffer.data() + at, n - at)));
    }
  });
  {
    std::unique_ptr<Device> d;
    const Status s = open_device({.backend = "uart:" + port, .config = "nano", .memory_bytes = 1 << 16}, d);
    REQUIRE_MESSAGE(s.ok(), s.message());
    CHECK(d->info().backend == "uart");
    u64 at = 0;
    good(d->alloc(1024, at));
    std::vector<u8> data(1024), back(1024);
    std::iota(data.begin(), data.end(), u8(0));  // every value: the line changes none
    good(d->copy_in(at, data));
    good(d->copy_out(at, back));
    CHECK(back == data);
  }
  stop = true;
  pump.join();
  ::close(keep_open);
  ::close(master);
}
