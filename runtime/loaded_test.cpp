#include "loaded.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "builder.hpp"
#include "tests/refusal.hpp"

using namespace jogak;
using tests::refusal;

namespace {

// Copies arg1 bytes of window 0 to offset arg0 of window 1.
Program copier() {
  ProgramBuilder b;
  b.li(20, 1);
  b.load({.win = 0, .space = spec::Space::vmem, .len = 2, .n1 = 20, .n2 = 20});
  b.signal(spec::Engine::ld, 1);
  b.wait(spec::Engine::st, 1);
  const std::uint32_t store = b.pc();
  b.store({.win = 1, .space = spec::Space::vmem, .da = 1, .len = 2, .n1 = 20, .n2 = 20});
  b.halt();
  Program p = make_program(*spec::find_config("nano"));
  p.code = b.take();
  p.window_bytes = {256, 512};
  p.segments = {{0, 0, std::vector<std::uint8_t>(256)}};
  std::iota(p.segments[0].bytes.begin(), p.segments[0].bytes.end(), std::uint8_t{0});
  p.map = {{0, store - 1, "read", {}}, {store, store + 1, "write", {3}}};
  return p;
}

std::vector<std::string> machines() {
  std::vector<std::string> names = driver::backends();
  std::erase(names, "null");
  return names;
}

}  // namespace

TEST_CASE("data, arguments, counters, and a second launch from instruction memory") {
  const Program p = copier();
  for (const std::string& backend : machines()) {
    CAPTURE(backend);
    const auto device = open_for(p, backend);
    Loaded loaded(*device, p);
    for (const std::uint32_t at : {0u, 128u, 320u}) {
      const std::uint32_t args[] = {at, 64};
      const LaunchRecord r = loaded.run(args);
      CHECK_FALSE(r.aborted);
      CHECK(r[spec::Counter::load_bytes] == 64);
      CHECK(r[spec::Counter::instructions] == 6);
      CHECK((r[spec::Counter::seq_fetch] > 1) == (device->info().timed && at == 0));
      std::vector<std::uint8_t> found(64);
      loaded.read(1, at, found);
      CHECK(std::equal(found.begin(), found.end(), p.segments[0].bytes.begin()));
    }
    loaded.clear(1);
    std::vector<std::uint8_t> all(512, 1);
    loaded.read(1, 0, all);
    CHECK(all == std::vector<std::uint8_t>(512, 0));
  }
}

TEST_CASE("a fault names cause, place and operator, and the device goes on") {
  const Program p = copier();
  for (const std::string& backend : machines()) {
    CAPTURE(backend);
    const auto device = open_for(p, backend);
    Loaded loaded(*device, p);
    const std::uint32_t outside[] = {512 - 32, 64}, odd[] = {0, 63}, good[] = {0, 64};
    CHECK(refusal([&] { loaded.run(outside); }) ==
          "device: launch, found fault window (DRAM box outside its window) at instruction 4 (layer 3 write), expected a run to its halt");
    CHECK(refusal([&] { loaded.run(odd); }).find("fault align") != std::string::npos);
    CHECK(refusal([&] { loaded.run(odd); }).find("(read)") != std::string::npos);
    CHECK(refusal([&] { loaded.run(good); }) == "");
    loaded.protect(1);
    CHECK(refusal([&] { loaded.run(good); }).find("fault window") != std::string::npos);
  }
}

TEST_CASE("accesses outside a window and too many arguments are refused, memory is given back") {
  const Program p = copier();
  const auto device = open_for(p, "model");
  for (int round = 0; round < 3; ++round) {
    Loaded loaded(*device, p);
    std::vector<std::uint8_t> bytes(10);
    CHECK(refusal([&] { loaded.read(0, 250, bytes); }) == "device: read of window 0, found 250 + 10 bytes, expected inside its 256");
    CHECK(refusal([&] { loaded.write(1, ~std::uint64_t(0), bytes); }).find("write to window 1") != std::string::npos);
    CHECK(refusal([&] { loaded.run(std::vector<std::uint32_t>(17)); }) == "device: launch arguments, found 17, expected at most 16");
  }
}

TEST_CASE("a device that is too small or another machine is refused") {
  const Program p = copier();
  std::unique_ptr<driver::Device> device;
  REQUIRE(driver::open_device({.backend = "model", .config = "nano", .memory_bytes = 4096}, device).ok());
  CHECK(refusal([&] { Loaded loaded(*device, p); }).find("device memory: allocation") == 0);
  REQUIRE(driver::open_device({.backend = "model", .config = "edge"}, device).ok());
  CHECK(refusal([&] { Loaded loaded(*device, p); }).find("device: configuration, found edge") == 0);
  Program other = p;
  other.isa_hash ^= 1;
  CHECK(refusal([&] { Loaded loaded(*open_for(other, "model"), other); }).find("device: instruction set, found ") == 0);
}
