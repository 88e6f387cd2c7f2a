// Rotary frequencies against the papers' formulas, at points worked out by hand.
#include "rotary.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "error.hpp"

using namespace jogak;
using namespace jogak::import;
using Kind = RopeScaling::Kind;

TEST_CASE("plain and linear: powers of the base, all divided by the factor") {
  const ir::Rotary r = make_rotary(10000, 8, {}), l = make_rotary(10000, 8, {.kind = Kind::linear, .factor = 4});
  REQUIRE(r.frequency.size() == 4);
  const double expected[] = {1, 0.1, 0.01, 0.001};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(r.frequency[i] == doctest::Approx(expected[i]));
    CHECK(l.frequency[i] == doctest::Approx(expected[i] / 4));
  }
  CHECK(r.magnitude == 1);
}

// Wavelengths are 6.28, 62.8, 628 and 6283 tokens: with 1000 tokens, low 1 and high 4 only the third lies between 250 and 1000.
TEST_CASE("llama3: short waves stay, long ones are stretched, a mixture between") {
  const ir::Rotary r = make_rotary(10000, 8, {.kind = Kind::llama3, .factor = 8, .original = 1000, .low = 1, .high = 4});
  const double share = (1000 / (200 * std::acos(-1.0)) - 1) / 3;
  CHECK(r.frequency[0] == doctest::Approx(1));
  CHECK(r.frequency[1] == doctest::Approx(0.1));
  CHECK(r.frequency[2] == doctest::Approx(0.01 * (share + (1 - share) / 8)));
  CHECK(r.frequency[3] == doctest::Approx(0.001 / 8));
}

// 64 columns, base 1e4, 4096 tokens: 32 turns at pair 10.47 (down to 10), one turn at pair 22.51 (up to 23).
TEST_CASE("YaRN: pairs that turn often stay, slow ones are stretched, a ramp of whole pairs, magnitude 0.1 ln(factor) + 1") {
  const ir::Rotary plain = make_rotary(10000, 64, {}), r = make_rotary(10000, 64, {.kind = Kind::yarn, .factor = 16, .original = 4096});
  for (const std::size_t i : {0u, 5u, 10u}) CHECK(r.frequency[i] == doctest::Approx(plain.frequency[i]));
  for (const std::size_t i : {23u, 31u}) CHECK(r.frequency[i] == doctest::Approx(plain.frequency[i] / 16));
  const double ramp = (16.0 - 10) / (23 - 10);
  CHECK(r.frequency[16] == doctest::Approx(plain.frequency[16] * (1 - ramp + ramp / 16)));
  CHECK(r.magnitude == doctest::Approx(1.2772588722));
  CHECK(make_rotary(10000, 64, {.kind = Kind::yarn, .factor = 16, .original = 4096, .magnitude = 1.5}).magnitude == 1.5);
}

TEST_CASE("factors divide pair by pair, what makes no frequencies is refused") {
  const std::vector<float> factors = {1, 2, 4, 8};
  const ir::Rotary r = make_rotary(10000, 8, {}, factors);
  CHECK(r.frequency[2] == doctest::Approx(0.0025));
  CHECK_THROWS_AS(make_rotary(10000, 7, {}), Error);
  CHECK_THROWS_AS(make_rotary(NAN, 8, {}), Error);
  CHECK_THROWS_AS(make_rotary(10000, 8, {.kind = Kind::linear, .factor = 0}), Error);
  CHECK_THROWS_AS(make_rotary(10000, 8, {.kind = Kind::yarn, .factor = 2}), Error);
  CHECK_THROWS_AS(make_rotary(10000, 8, {.kind = Kind::llama3, .factor = 2, .original = 100, .low = 4, .high = 4}), Error);
  const std::vector<float> zero(4);
  CHECK_THROWS_AS(make_rotary(10000, 8, {}, zero), Error);
  CHECK_THROWS_WITH_AS(rope_kind("gguf x", "longrope"), "gguf x: rotary scaling, found longrope, expected none, default, linear, llama3 or yarn", Error);
}
