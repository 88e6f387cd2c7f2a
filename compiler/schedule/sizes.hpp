// Whole numbers of plans.
#pragma once
#include <algorithm>
#include <cstdint>

namespace jogak::schedule {

constexpr int round_up(int x, int to) { return (x + to - 1) / to * to; }
constexpr std::uint32_t u32(long long x) { return static_cast<std::uint32_t>(x); }

// The most of n that one of `parts` has.
constexpr int share(int n, int parts) { return (n + parts - 1) / parts; }

// Largest divisor of n that is at most limit (at least 1).
constexpr int divisor(int n, int limit) {
  for (int d = std::min(n, std::max(limit, 1)); d > 1; --d)
    if (n % d == 0) return d;
  return 1;
}

}  // namespace jogak::schedule
