// The function pipeline in vectors against the definition.
#include <doctest/doctest.h>

#include <vector>

#include "functions_fast.hpp"
#include "numerics.hpp"
#include "numerics_hash.hpp"

using namespace jogak;
using model::apply_function;
using num::u32;
using spec::Vfunc;

namespace {

u32 exact(Vfunc func, u32 x) { return func == Vfunc::exp ? num::fexp(x) : func == Vfunc::recip ? num::frecip(x) : num::frsqrt(x); }

void compare(std::vector<u32> x) {
  for (const Vfunc func : {Vfunc::exp, Vfunc::recip, Vfunc::rsqrt}) {
    std::vector<u32> y = x;
    apply_function(func, y.data(), y.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      CAPTURE(static_cast<int>(func));
      REQUIRE(y[i] == exact(func, x[i]));
    }
  }
}

}  // namespace

TEST_CASE("functions in vectors have the bits of the definition") {
  std::vector<u32> x;
  for (u32 i = 0; i < num::kEdgeCount; ++i) x.push_back(num::edge(i)), x.push_back(num::fneg(num::edge(i)));
  // Every exponent and sign, ends and middle of the mantissa; and where exp leaves its range.
  for (u32 top = 0; top < 512; ++top)
    for (const u32 low : {0u, 1u, 0xFFFFu, 0x10000u, 0x18000u, 0x400000u, 0x7F8000u, 0x7FFFFFu}) x.push_back(top << 23 | low);
  for (u32 bits = 0x42AE0000u; bits < 0x42B40000u; bits += 0x55) x.push_back(bits), x.push_back(bits | num::kSign);
  compare(x);
}

TEST_CASE("functions in vectors: random operands, and a tail") {
  num::Random random{11};
  std::vector<u32> x(1'000'003);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (i & 1) != 0 ? random.bits() : random.near(124, 8);
  compare(x);
}

TEST_CASE("no function leaves what is there") {
  std::vector<u32> x{0x7FC00001u, 1u, 0x80000000u};
  const auto before = x;
  apply_function(Vfunc::none, x.data(), x.size());
  CHECK(x == before);
}
