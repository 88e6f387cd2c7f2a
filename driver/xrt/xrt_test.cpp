// Through the real XRT libraries to a simulated card: started by `jogak-xrt-sim run`. The suite of driver/device_test.cpp runs on it too.
#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "driver/backends.hpp"
#include "driver/doubles.hpp"
#include "driver/test_program.hpp"

using namespace jogak;
using namespace jogak::driver;
namespace csr = spec::csr;

namespace {

std::string file() { return std::getenv("JOGAK_XCLBIN"); }

const struct Registration {
  Registration() {
    if (std::getenv("JOGAK_XCLBIN") == nullptr) {
      std::printf("skipped: not under jogak-xrt-sim\n");
      std::fflush(stdout);
      ::_exit(0);
    }
    only_doubles() = true;
    doubles().emplace("xrt", [](const OpenOptions& options, std::unique_ptr<Device>& device) {
      OpenOptions o = options;
      o.backend = "xrt:" + file();
      return open_device(o, device);
    });
  }
} registration;

// The sentence with which opening this is refused.
std::string refused(const std::string& backend, const std::string& config = "nano", std::uint64_t memory = 1 << 20) {
  std::unique_ptr<Device> device;
  const Status s = open_device({.backend = backend, .config = config, .memory_bytes = memory}, device);
  CHECK_FALSE(s.ok());
  CHECK(device == nullptr);
  return s.message();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Variable {
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  const char* name_;
};

std::unique_ptr<Device> opened(const std::string& target) {
  std::unique_ptr<Device> device;
  const Status s = open_device({.backend = "xrt:" + target, .config = "nano", .memory_bytes = 1 << 20}, device);
  REQUIRE_MESSAGE(s.ok(), s.message());
  return device;
}

void good(const Status& s) { CHECK_MESSAGE(s.ok(), s.message()); }

void begin_forever(Device& d) {
  put_program(d, "alui fn=sub rd=r20 ra=r0 imm=1\nloop rc=r20 end=outer\nloop rc=r20 end=inner\ninner: alui fn=add rd=r21 ra=r21 imm=1\n"
                 "outer: alui fn=add rd=r22 ra=r22 imm=1\nhalt\n");
  good(d.start());
}

}  // namespace

TEST_CASE("xrt: what cannot be opened is refused in one sentence, and the card is free afterwards") {
  const std::string bad = "/tmp/jogak-xrt-test-" + std::to_string(::getpid());
  CHECK(has(refused("xrt:/nowhere.xclbin"), "file /nowhere.xclbin, found nothing"));
  std::ofstream(bad) << "no xclbin";
  CHECK(has(refused("xrt:" + bad), "expected an xclbin"));
  std::ofstream(bad, std::ios::binary) << std::string("xclbin2\0", 8) << std::string(600, 'x');
  CHECK(has(refused("xrt:" + bad), "expected an xclbin"));
  ::unlink(bad.c_str());
  for (const char* card : {"7", "ffff:ff:1f.7"}) {
    const std::string message = refused("xrt:" + file() + ":" + card);
    CHECK_MESSAGE(has(message, std::string("card ") + card + ", found"), message);
  }
  CHECK(has(refused("xrt:" + file(), "edge"), "found nano 0x"));
  CHECK(has(refused("xrt:" + file(), "nano", std::uint64_t(1) << 40), "memory, found bank bank0 of"));
  CHECK(opened(file())->info().backend == "xrt");
}

TEST_CASE("xrt: a module that is not there, or another's, is refused") {
  {
    Variable v("JOGAK_XRT_MODULE", "/nowhere/libjogak_xrt.so");
    CHECK(has(refused("xrt:" + file()), "/nowhere/libjogak_xrt.so"));
  }
  Variable v("JOGAK_XRT_MODULE", "libm.so.6");
  CHECK(has(refused("xrt:" + file()), "one of another build"));
}

TEST_CASE("xrt: a card tells its configuration") {
  std::string config;
  good(machine_config("xrt:" + file(), config));
  CHECK(config == "nano");
}

TEST_CASE("xrt: a card that is open is busy, and free when it is closed") {
  auto first = opened(file());
  const std::string message = refused("xrt:" + file());
  CHECK_MESSAGE(has(message, "card 0, found it in use"), message);
  first.reset();
  CHECK(opened(file()) != nullptr);
}

TEST_CASE("xrt: cards are apart") {
  const auto a = opened(file()), b = opened(file() + ":1");
  std::uint32_t x = 0, y = 0;
  good(a->write_csr(csr::arg_at(0), 7));
  good(b->write_csr(csr::arg_at(0), 9));
  good(a->read_csr(csr::arg_at(0), x));
  good(b->read_csr(csr::arg_at(0), y));
  CHECK(x == 7);
  CHECK(y == 9);
  CHECK(has(refused("xrt:" + file() + ":2"), "card 2, found no such card among 2"));
}

TEST_CASE("xrt: a job that does not end is a time-out, and closing aborts it") {
  {
    Variable v("JOGAK_XRT_TIMEOUT", "0.2");
    const auto d = opened(file());
    begin_forever(*d);
    const Status s = d->wait(0);
    CHECK(s.code() == Code::timeout);
    CHECK_MESSAGE(has(s.message(), "xrt device: job, found it running after 0.2"), s.message());
    good(d->abort());
    good(d->wait(0));
  }
  Variable v("JOGAK_XRT_MHZ", "1");
  const auto d = opened(file());
  begin_forever(*d);
  const auto from = std::chrono::steady_clock::now();
  CHECK(d->wait(100'000).code() == Code::timeout);
  CHECK(std::chrono::steady_clock::now() - from > std::chrono::milliseconds(99));
}
