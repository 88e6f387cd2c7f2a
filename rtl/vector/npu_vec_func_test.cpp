// The function pipeline against spec/numerics.hpp: every exponent with edge
// mantissas, random and strided operands, with bubbles and stalls.
#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <random>

#include DUT_HEADER
#include "numerics.hpp"
#include "verilated.h"

namespace num = jogak::num;
using num::u32;

double sc_time_stamp() { return 0; }

namespace {

constexpr std::size_t kLatency = 9;

u32 reference(int func, u32 a) {
  return func == 1 ? num::fexp(a) : func == 2 ? num::frecip(a) : num::frsqrt(a);
}

class Bench {
 public:
  explicit Bench(int func) : dut_(std::make_unique<DUT>()), func_(func) {
    dut_->func_i = func;
    for (int i = 0; i < 10; ++i) cycle(true);
  }

  void step(bool valid, u32 a) {
    dut_->valid_i = valid;
    dut_->a_i = a;
    expected_.push_back({valid, a});
    if (rng_() % 16 == 0) cycle(false);
    cycle(true);
    if (expected_.size() < kLatency) return;
    check(expected_.front().first, expected_.front().second);
    expected_.pop_front();
  }
  long wrong() const { return wrong_; }

 private:
  void cycle(bool enable) {
    dut_->en_i = enable;
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->eval();
  }
  void check(bool valid, u32 a) {
    const u32 want = reference(func_, a), found = dut_->y_o;
    if (dut_->valid_o == valid && (!valid || want == found)) return;
    if (++wrong_ > 10) return;
    CAPTURE(func_);
    CAPTURE(a);
    CHECK(dut_->valid_o == valid);
    CHECK(found == want);
  }

  std::unique_ptr<DUT> dut_;
  int func_;
  std::mt19937 rng_{3};
  std::deque<std::pair<bool, u32>> expected_;
  long wrong_ = 0;
};

void run(int func, u32 stride) {
  Bench bench(func);
  std::mt19937 rng(func);
  for (u32 exponent = 0; exponent < 512; ++exponent) {
    for (const u32 fraction : {0u, 1u, 0x7FFFu, 0x8000u, 0xFFFFu, 0x10000u, 0x3FFFFFu, 0x7FFFFFu}) {
      bench.step(true, (exponent << 23) | fraction);
    }
  }
  for (num::u64 a = 0; a < (num::u64(1) << 32); a += stride) {
    bench.step(rng() % 8 != 0, static_cast<u32>(a));
  }
  for (int i = 0; i < 1000000; ++i) {  // the range in which exp neither saturates nor gives 1
    const u32 exponent = 99 + static_cast<u32>(rng() % 36);
    bench.step(true, static_cast<u32>((rng() & 0x807FFFFFu) | (exponent << 23)));
  }
  for (std::size_t i = 0; i < kLatency; ++i) bench.step(false, 0);
  CHECK(bench.wrong() == 0);
}

}  // namespace

TEST_CASE("vec func: exp") { run(1, 4099); }
TEST_CASE("vec func: recip") { run(2, 4099); }
TEST_CASE("vec func: rsqrt") { run(3, 4099); }
