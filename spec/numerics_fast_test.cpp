// The host's floats against the exact arithmetic.
#include <doctest/doctest.h>

#include <vector>

#include "numerics_fast.hpp"
#include "numerics_hash.hpp"

namespace num = jogak::num;
using num::i32;
using num::u32;

namespace {

struct Columns {
  std::vector<u32> a, b, c;
  void push(u32 x, u32 y, u32 z) {
    a.push_back(x);
    b.push_back(y);
    c.push_back(z);
  }
};

Columns operands() {
  Columns all;
  for (u32 i = 0; i < num::kEdgeCount; ++i) {
    for (u32 j = 0; j < num::kEdgeCount; ++j) {
      for (u32 k = 0; k < num::kEdgeCount; ++k) all.push(num::edge(i), num::edge(j), num::edge(k));
    }
  }
  num::Random random{7};
  for (u32 i = 0; i < 300003; ++i) {  // no multiple of a vector: the tail is met
    const u32 a = (i & 1) != 0 ? random.bits() : random.near(100, 90);
    const u32 b = (i & 2) != 0 ? random.bits() : random.near(128 - (a >> 23 & 0xFF), 2);
    const u32 c = (i & 4) != 0 ? random.near(2, 1) : num::fneg(num::fmul(a, b)) ^ (i >> 3 & 1);
    all.push(a, b, c);
  }
  return all;
}

}  // namespace

TEST_CASE("fast add, multiply and fuse give the exact bits") {
  if (!num::fast::available()) MESSAGE("no AVX2 and FMA here: the exact code compares with itself");
  const Columns all = operands();
  const std::size_t n = all.a.size();
  std::vector<u32> sum(n);
  std::vector<u32> product(n);
  std::vector<u32> fused(n);
  {
    const num::fast::FtzScope scope;
    num::fast::fadd(scope, sum, all.a, all.b);
    num::fast::fmul(scope, product, all.a, all.b);
    num::fast::ffma(scope, fused, all.a, all.b, all.c);
  }
  for (std::size_t i = 0; i < n; ++i) {
    CAPTURE(all.a[i]);
    CAPTURE(all.b[i]);
    CAPTURE(all.c[i]);
    REQUIRE(sum[i] == num::fadd(all.a[i], all.b[i]));
    REQUIRE(product[i] == num::fmul(all.a[i], all.b[i]));
    REQUIRE(fused[i] == num::ffma(all.a[i], all.b[i], all.c[i]));
  }
}

TEST_CASE("fast sums of neighbours give the exact bits, in place too") {
  const Columns all = operands();
  std::vector<u32> pairs;
  for (std::size_t i = 0; i < all.a.size(); ++i) pairs.push_back(all.a[i]), pairs.push_back(all.b[i]);
  std::vector<u32> sums(all.a.size());
  const num::fast::FtzScope scope;
  num::fast::fadd_pairs(scope, sums, pairs);
  num::fast::fadd_pairs(scope, std::span(pairs).first(sums.size()), pairs);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    REQUIRE(sums[i] == num::fadd(all.a[i], all.b[i]));
    REQUIRE(pairs[i] == sums[i]);
  }
}

TEST_CASE("fast foot gives the exact bits") {
  const num::fast::FtzScope scope;
  num::Random random{8};
  std::vector<u32> acc(37);
  std::vector<u32> sw(acc.size());
  std::vector<i32> isum(acc.size());
  for (u32 round = 0; round < 20000; ++round) {
    const u32 sa = (round & 3) == 0 ? num::edge(random.bits() % num::kEdgeCount) : random.near(90, 60);
    for (std::size_t c = 0; c < acc.size(); ++c) {
      acc[c] = (round & 1) != 0 ? random.near(110, 60) : num::edge(random.bits() % num::kEdgeCount);
      sw[c] = (random.bits() & 15) == 0 ? random.bits() : random.near(110, 60);
      isum[c] = static_cast<i32>(random.bits()) >> (random.bits() % 32);
    }
    std::vector<u32> expected = acc;
    for (std::size_t c = 0; c < acc.size(); ++c) {
      expected[c] = num::foot_step(acc[c], isum[c], num::foot_scale(sa, sw[c]));
    }
    num::fast::foot_row(scope, acc, isum, sa, sw);
    REQUIRE(acc == expected);
  }
}

TEST_CASE("fast foot does not fuse") {
  const num::fast::FtzScope scope;
  const u32 x = 0x3F800800u;
  std::vector<u32> acc(8, num::fneg(num::fmul(x, x)));
  const std::vector<i32> isum(8, 1);
  const std::vector<u32> sw(8, x);
  num::fast::foot_row(scope, acc, isum, x, sw);
  CHECK(acc == std::vector<u32>(8, 0u));
}

#if defined(__x86_64__)
#include <immintrin.h>
TEST_CASE("the application's control register comes back") {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x2000u);  // an application that rounds down
  const unsigned odd = _mm_getcsr();
  {
    const num::fast::FtzScope scope;
    CHECK((_mm_getcsr() & 0xE040u) == 0x8040u);
  }
  CHECK(_mm_getcsr() == odd);
  _mm_setcsr(before);
}
#endif
