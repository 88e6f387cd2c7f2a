// The floating-point cells against spec/numerics.hpp: edge operands in all
// combinations, then random ones biased to close exponents, with stalls.
#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include DUT_HEADER
#include "numerics.hpp"
#include "verilated.h"

namespace num = jogak::num;
using num::u32;

double sc_time_stamp() { return 0; }

namespace {

constexpr std::size_t kMulLat = 3, kAddLat = 4, kFmaLat = 8, kI2fLat = 1;

// One cell's expected results in order; a cell must answer after exactly `latency` steps.
struct Expected {
  std::size_t latency;
  std::deque<u32> values;
  std::deque<bool> valids;
};

u32 i2f21(u32 a) { return num::i32_to_f32(static_cast<num::i32>(a << 11) >> 11); }

class Bench {
 public:
  enum class Pick { none, larger, smaller };  // what fma does with a * b and c instead of adding

  explicit Bench(Pick pick = Pick::none) : dut_(std::make_unique<DUT>()), pick_(pick) {
    dut_->pick_i = pick != Pick::none;
    dut_->smaller_i = pick == Pick::smaller;
    for (int i = 0; i < 8; ++i) cycle(true);
  }

  // Gives one operand set, or a bubble; checks what comes out at the same edge.
  void step(bool valid, u32 a, u32 b, u32 c) {
    dut_->valid_i = valid;
    dut_->a_i = a;
    dut_->b_i = b;
    dut_->c_i = c;
    push(mul_, valid, num::fmul(a, b));
    push(add_, valid, num::fadd(a, b));
    push(fma_, valid, fma(a, b, c));
    push(i2f_, valid, num::i32_to_f32(static_cast<num::i32>(a)));
    push(i2f21_, valid, i2f21(a));
    if (rng_() % 16 == 0) cycle(false);  // a stalled cycle changes nothing
    cycle(true);
    check(mul_, dut_->mul_valid_o, dut_->mul_o, "mul");
    check(add_, dut_->add_valid_o, dut_->add_o, "add");
    check(fma_, dut_->fma_valid_o, dut_->fma_o, "fma");
    check(i2f_, dut_->i2f_valid_o, dut_->i2f_o, "i2f");
    check(i2f21_, dut_->i2f21_valid_o, dut_->i2f21_o, "i2f21");
  }

  void drain() {
    for (int i = 0; i < 8; ++i) step(false, 0, 0, 0);
  }
  long wrong() const { return wrong_; }
  long checked() const { return checked_; }

 private:
  void cycle(bool enable) {
    dut_->en_i = enable;
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->eval();
  }
  u32 fma(u32 a, u32 b, u32 c) const {
    if (pick_ == Pick::none) return num::ffma(a, b, c);
    const u32 picked = pick_ == Pick::smaller ? num::fmin(a, c) : num::fmax(a, c);
    return num::ffma(picked, num::kOne, num::kSign);
  }
  static void push(Expected& cell, bool valid, u32 value) {
    cell.valids.push_back(valid);
    cell.values.push_back(value);
  }
  void check(Expected& cell, bool valid, u32 value, const char* name) {
    if (cell.valids.size() < cell.latency) return;
    const bool want_valid = cell.valids.front();
    const u32 want = cell.values.front();
    cell.valids.pop_front();
    cell.values.pop_front();
    ++checked_;
    if (valid == want_valid && (!valid || value == want)) return;
    if (++wrong_ > 10) return;
    CAPTURE(name);
    CAPTURE(value);
    CAPTURE(want);
    CHECK(valid == want_valid);
    CHECK(value == want);
  }

  std::unique_ptr<DUT> dut_;
  Pick pick_;
  std::mt19937 rng_{7};
  Expected mul_{kMulLat, {}, {}}, add_{kAddLat, {}, {}}, fma_{kFmaLat, {}, {}};
  Expected i2f_{kI2fLat, {}, {}}, i2f21_{kI2fLat, {}, {}};
  long wrong_ = 0, checked_ = 0;
};

std::vector<u32> edges() {
  const std::array<u32, 22> sizes = {
      0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x00800001, 0x00FFFFFF, 0x01000000, 0x0C000000,
      0x33800000, 0x34000001, 0x3F7FFFFF, 0x3F800000, 0x3F800001, 0x3FFFFFFF, 0x40490FDB, 0x4B7FFFFF,
      0x4B800001, 0x7E800000, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FFFFFFF};
  std::vector<u32> all;
  for (const u32 size : sizes) {
    all.push_back(size);
    all.push_back(size | num::kSign);
  }
  return all;
}

// Three operands whose sums and products often nearly cancel, underflow or overflow.
std::array<u32, 3> related(std::mt19937& rng) {
  const auto word = [&rng] { return static_cast<u32>(rng()); };
  const u32 a = word(), b = word();
  const u32 product = num::fmul(a, b);
  u32 c = word();
  switch (word() % 6) {
    case 0: c = product ^ num::kSign; break;
    case 1: c = (product ^ num::kSign) + word() % 5 - 2; break;
    case 2: c = product + ((word() % 64 - 32) << 23); break;
    case 3: return {a, a ^ num::kSign ^ (word() & 7), c};
    case 4: return {a, (a ^ (word() & 0x807FFFFF)) + ((word() % 5 - 2) << 23), c};
    default: break;
  }
  // Products near the smallest normal number.
  if (word() % 8 == 0) {
    const u32 e = 1 + word() % 127;
    return {(a & 0x807FFFFF) | (e << 23), (b & 0x807FFFFF) | ((127 - e + word() % 3) << 23), c};
  }
  return {a, b, c};
}

}  // namespace

TEST_CASE("fp cells: edge operands") {
  Bench bench;
  const std::vector<u32> values = edges();
  for (const u32 a : values)
    for (const u32 b : values)
      for (const u32 c : values) bench.step(true, a, b, c);
  bench.drain();
  CHECK(bench.wrong() == 0);
  CHECK(bench.checked() > 5 * 85000);
}

TEST_CASE("fp cells: random operands, bubbles and stalls") {
  Bench bench;
  std::mt19937 rng(20);
  for (int i = 0; i < 2000000; ++i) {
    const auto [a, b, c] = related(rng);
    bench.step(rng() % 8 != 0, a, b, c);
  }
  bench.drain();
  CHECK(bench.wrong() == 0);
}

TEST_CASE("fp cells: the larger and the smaller of two values") {
  std::mt19937 rng(21);
  const std::vector<u32> values = edges();
  for (const Bench::Pick pick : {Bench::Pick::larger, Bench::Pick::smaller}) {
    Bench bench(pick);
    for (const u32 a : values)
      for (const u32 c : values) bench.step(true, a, num::kOne, c);
    for (int i = 0; i < 300000; ++i) {
      const auto [a, near, c] = related(rng);
      bench.step(rng() % 8 != 0, a, num::kOne, rng() % 2 ? near : c);
    }
    bench.drain();
    CHECK(bench.wrong() == 0);
  }
}
