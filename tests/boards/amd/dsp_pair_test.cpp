// Two products in one multiplier: every a, b, c, behind a partial sum that differs in every cycle.
#include <doctest/doctest.h>

#include <cstdint>

#include "Vnpu_dsp_pair16.h"
#include "Vnpu_dsp_pair18.h"

namespace {

constexpr int kBits = 21;
constexpr std::uint32_t kMask = (1u << kBits) - 1;

struct Cell {
  std::int32_t product = 0, sum = 0;
  void clock(std::int32_t x, std::int32_t c, std::uint32_t psum) {
    sum = static_cast<std::int32_t>((psum + static_cast<std::uint32_t>(product)) & kMask);
    product = x * c;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("dsp pair: all 2^24 operands", Model, Vnpu_dsp_pair16, Vnpu_dsp_pair18) {
  VerilatedContext context;
  Model pair(&context);
  Cell a, b;
  std::uint32_t state = 1;
  std::uint64_t differences = 0, checked = 0;
  for (std::uint32_t operands = 0; operands < (1u << 24) + 2; ++operands) {
    const auto x = static_cast<std::int8_t>(operands), y = static_cast<std::int8_t>(operands >> 8), c = static_cast<std::int8_t>(operands >> 16);
    state = state * 1664525u + 1013904223u;
    const std::uint32_t psum_a = state >> 11, psum_b = (state >> 3) & kMask;
    pair.a_i = static_cast<std::uint8_t>(x), pair.b_i = static_cast<std::uint8_t>(y), pair.c_i = static_cast<std::uint8_t>(c);
    pair.psum_a_i = psum_a, pair.psum_b_i = psum_b;
    pair.clk_i = 0, pair.eval();
    pair.clk_i = 1, pair.eval();
    a.clock(x, c, psum_a), b.clock(y, c, psum_b);
    if (operands < 2) continue;  // the registers hold what they held at power-up
    differences += pair.psum_a_o != static_cast<std::uint32_t>(a.sum) || pair.psum_b_o != static_cast<std::uint32_t>(b.sum);
    ++checked;
  }
  CHECK(checked == 1u << 24);
  CHECK(differences == 0);
}
