// The suite of driver/device_test.cpp and a disturbed line on the board as it is placed: JOGAK_NETLIST names the file.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "driver/doubles.hpp"
#include "driver/litex/bad_line.hpp"
#include "driver/litex/litex.hpp"
#include "netlist.hpp"

using namespace jogak;
using namespace jogak::driver;
using namespace jogak::driver::litex;

namespace {

// One board for all cases: reading it takes seconds.
std::shared_ptr<netlist::NetlistBoard> board() {
  static const auto the = std::make_shared<netlist::NetlistBoard>(std::getenv("JOGAK_NETLIST"));
  return the;
}

const struct Registration {
  Registration() {
    if (const char* path = std::getenv("JOGAK_NETLIST"); path == nullptr || ::access(path, R_OK) != 0) {
      std::printf("skipped: JOGAK_NETLIST names no file\n");
      std::fflush(stdout);
      ::_exit(0);
    }
    doubles().emplace("netlist", [](const OpenOptions& options, std::unique_ptr<Device>& device) {
      return open_on(std::make_unique<NetlistLine>(board(), "netlist"), "netlist", options, device, kNetlistPatience);
    });
  }
} registration;

void good(const Status& s) { REQUIRE_MESSAGE(s.ok(), s.message()); }

}  // namespace

TEST_CASE("netlist: a byte that is flipped, lost or added costs a repetition") {
  BadLine::Plan plan;
  std::unique_ptr<Device> d;
  // The bridge forgets half a command after 100 ms.
  good(open_on(std::make_unique<BadLine>(std::make_unique<NetlistLine>(board(), "netlist"), plan), "netlist",
               {.backend = "netlist", .config = "nano", .memory_bytes = 1 << 16}, d,
               {.answer = Milliseconds(20), .silence = Milliseconds(110), .tries = 4}));
  u64 at = 0;
  good(d->alloc(256, at));
  std::mt19937 random(3);
  for (const Fault fault : {Fault::flip, Fault::lose, Fault::add}) {
    std::vector<u8> data(256), back(256);
    for (u8& b : data) b = static_cast<u8>(random());
    plan.fault = fault;
    plan.at = plan.sent + random() % 200;
    good(d->copy_in(at, data));
    CHECK(plan.sent > plan.at);
    plan.at = ~std::size_t(0);
    good(d->copy_out(at, back));
    CHECK(back == data);
  }
  MESSAGE("clocks simulated: " << board()->cycles() << " of " << board()->clock_mhz() << " MHz");
}
