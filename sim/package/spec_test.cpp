#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "error.hpp"
#include "spec.hpp"

using namespace jogak;
using namespace jogak::package;

namespace {

std::string file(const char* name) {
  std::ifstream in(std::string("boards/packages/") + name);
  std::ostringstream all;
  all << in.rdbuf();
  REQUIRE_FALSE(all.str().empty());
  return all.str();
}

// nanoquad.yaml with one text in place of another.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = file("nanoquad.yaml");
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The refusal's sentence.
std::string refused(const std::string& yaml) {
  try {
    (void)parse_package(yaml, "test");
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

void check(const std::string& from, const std::string& to, const std::vector<std::string>& words) {
  const std::string sentence = refused(changed(from, to));
  CAPTURE(sentence);
  for (const std::string& w : words) {
    CAPTURE(w);
    CHECK(sentence.find(w) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a package of four: places, memories, links of both ends") {
  const PackageSpec s = read_package("boards/packages/quad.yaml");
  CHECK(s.name == "quad");
  CHECK(s.period_ps() == 1000);
  REQUIRE(s.dies.size() == 4);
  CHECK(s.dies[2].name == "northwest");
  CHECK(s.dies[2].y == 1);
  CHECK(s.dies[3].links[kWest]->gb_per_s() == 64);
  CHECK_FALSE(s.dies[3].links[kEast].has_value());
  CHECK(s.dies[1].base == std::uint64_t(1) << 30);
  CHECK(s.dies[0].memory->make()->access_bytes() == 32);
  CHECK(s.link()->type == "ucie-s");
  CHECK(s.config() == "quad");
  CHECK(read_package("boards/packages/nanoquad.yaml").dies[0].memory->make() == nullptr);
  CHECK(read_package("boards/packages/board-pair.yaml").link()->gb_per_s() == 4);
}

TEST_CASE("what cannot be is refused by name") {
  SUBCASE("unknown keys") {
    check("config: nanoquad", "config: nanoquad\ncolour: red", {"package file test", "colour", "clock_mhz"});
    check("memory: ideal, links: {east: side, north: side}", "memory: ideal, speed: 3", {"die a", "speed"});
    check("type: ucie-s", "type: ucie-s, width: 3", {"link side", "width"});
    check("mib: 1", "mib: 1, size: 3", {"memory ideal", "size"});
  }
  SUBCASE("links whose ends differ, or that lead nowhere") {
    check("{west: side, north: side}", "{north: side}", {"die a", "east", "west of die b", "both ends"});
    check("bit_error_rate: 0}", "bit_error_rate: 0}\n  other: {type: bow}", {"accepted"});
    std::string two = changed("bit_error_rate: 0}", "bit_error_rate: 0}\n  other: {type: bow}");
    two.replace(two.find("{west: side, north"), 11, "{west: other");
    CHECK(refused(two).find("link to the east, found side, but other at its other end, west of die b") != std::string::npos);
    check("{east: side, north: side}", "{east: side, north: side, west: side}", {"die a", "west", "border"});
  }
  SUBCASE("a die that cannot be reached") {
    std::string text = changed("{west: side, north: side}", "{west: side}");
    text.replace(text.find("{west: side, south: side}"), 25, "{west: side}");
    CHECK(refused(text).find("way from die a, first along x, found no link to the north of die b") != std::string::npos);
  }
  SUBCASE("places and meshes") {
    check("at: [1, 1]", "at: [0, 1]", {"die d", "where die c is", "overlap"});
    check("at: [1, 1]", "at: [2, 1]", {"die d", "[2, 1]", "2 x 2"});
    check("mesh: [2, 2]", "mesh: [3, 2]", {"die a", "3 x 2", "4 chiplets of nanoquad"});
    check("  - {name: d, at: [1, 1], memory: ideal, links: {west: side, south: side}}\n", "", {"place [1, 1]", "no die"});
    check("config: nanoquad", "config: nano", {"die a", "nano, which has no links"});
    check("config: nanoquad", "config: huge", {"huge", "spec/configs"});
    check("name: b", "name: a", {"die a", "two dies"});
  }
  SUBCASE("memories") {
    check("at: [1, 0], memory", "at: [1, 0], base: 4096, memory", {"die a", "overlaps that of die b"});
    check("at: [1, 0], memory: ideal", "at: [1, 0]", {"die b", "memory", "none"});
    check("at: [1, 0], memory: ideal", "at: [1, 0], memory: fast", {"die b", "fast", "one of ideal"});
    check("preset: ideal", "preset: ddr9", {"preset", "ddr9", "hbm2"});
    check("at: [1, 0], memory", "at: [1, 0], kind: io, memory", {"die b", "io die"});
    check("preset: ideal", "preset: ideal, channels: 2", {"channels", "ideal memory"});
  }
  SUBCASE("values") {
    check("type: ucie-s", "type: ucie-x", {"ucie-x", "on-board"});
    check("type: ucie-s", "type: ucie-s, latency_ns: 0.5", {"latency_ns", "1000 ps"});
    check("mesh: [2, 2]", "mesh: 4", {"mesh", "two numbers"});
    check("at: [1, 0]", "at: [1, 0], as: paper", {"die b", "paper", "cycle or rtl"});
    check("at: [1, 0]", "at: [1, 0], kind: sun", {"die b", "sun"});
    check("name: nanoquad", "name: [", {"YAML"});
    check("mib: 1", "mib: -1", {"mib", "-1"});
    CHECK_THROWS_AS(read_package("boards/packages/none.yaml"), Error);
  }
}

TEST_CASE("mixtures are for machines that know them") {
  const std::string text = changed("bit_error_rate: 0}", "bit_error_rate: 0}\n  slow: {type: bow}");
  std::string two = text;
  for (const char* side : {"{west: side, north: side}", "{west: side, south: side}"}) two.replace(two.find(side), 11, "{west: slow");
  for (const char* side : {"{east: side, north: side}", "{east: side, south: side}"}) two.replace(two.find(side), 11, "{east: slow");
  const PackageSpec s = parse_package(two, "test");
  CHECK(s.dies[0].links[kEast]->name == "slow");
  CHECK(s.dies[0].links[kNorth]->name == "side");
  CHECK_THROWS_WITH_AS(s.link(), "package nanoquad: links, found slow and side, expected one kind, for this machine", Error);
}
