#include "lanes.hpp"

#include <algorithm>

#include "functions_fast.hpp"

namespace jogak::model {

namespace {

// num::order_key without branches; the operand is no NaN.
i32 key(u32 x) {
  const u32 flushed = num::magnitude(x) < num::kMinNormal ? num::sign_of(x) : x;
  const i32 bits = static_cast<i32>(flushed);
  return bits ^ (bits >> 31 & 0x7FFFFFFF);
}

u32 value(i32 order) {
  return order < 0 ? static_cast<u32>(~order) | num::kSign : static_cast<u32>(order);
}

template <bool Max>
void extreme(u32* out, const u32* x, const u32* y, u64 n) {
  for (u64 i = 0; i < n; ++i) {
    const i32 a = key(x[i]), b = key(y[i]);
    const bool nan = num::is_nan(x[i]) || num::is_nan(y[i]);
    out[i] = nan ? num::kNan : value(Max ? std::max(a, b) : std::min(a, b));
  }
}

u32 row_max(std::span<const u32> out) {
  i32 largest = key(num::kLowest);
  u32 widest = 0;  // magnitude: above infinity there are NaNs only
  for (const u32 v : out) {
    widest = std::max(widest, num::magnitude(v));
    largest = std::max(largest, key(v));
  }
  return widest > num::kInf ? num::kNan : value(largest);
}

}  // namespace

Lanes::Lanes(const VecCmd& command, bool fast)
    : c_(command), fast_(fast), x_(command.cols), y_(command.cols), s_(command.cols, command.s), sums_(command.cols) {}

// Signs may be changed on NaNs and subnormals too: every op reads those canonically.
std::span<const u32> Lanes::fetch_a(const u32* a, u64 n) {
  if (!c_.swap && !c_.absa && !c_.nega) return {a, n};
  const u32 keep = c_.absa ? ~num::kSign : ~0u;
  const u32 flip = c_.nega ? num::kSign : 0u;
  if (c_.swap) {
    for (u64 j = 0; j < n; ++j) x_[j] = (a[j ^ 1] & keep) ^ flip;
  } else {
    for (u64 j = 0; j < n; ++j) x_[j] = (a[j] & keep) ^ flip;
  }
  return {x_.data(), n};
}

std::span<const u32> Lanes::fetch_b(const std::vector<u32>& vmem, u64 row, u64 n) {
  const u32 flip = c_.negb ? num::kSign : 0u;
  if (c_.bmode == spec::Bmode::vector) {
    const u32* b = &vmem[c_.b + row * c_.bs];
    if (!c_.negb) return {b, n};
    for (u64 j = 0; j < n; ++j) y_[j] = b[j] ^ flip;
  } else if (c_.bmode == spec::Bmode::row_scalar) {
    std::fill_n(y_.begin(), n, vmem[c_.b + row * c_.bs] ^ flip);
  } else if (!scalar_there_) {
    std::fill(y_.begin(), y_.end(), c_.b ^ flip);
    scalar_there_ = true;
  }
  return {y_.data(), n};
}

bool Lanes::run(const std::vector<u32>& vmem, u64 row, u64 open, std::span<u32> out) {
  if (!fast_) return false;
  const auto x = fetch_a(&vmem[c_.a + row * c_.as], open), y = fetch_b(vmem, row, open);
  const std::span<u32> result = out.first(open);
  switch (c_.op) {
    case spec::Vop::mul: num::fast::fmul(scope_, result, x, y); break;
    case spec::Vop::mad: num::fast::ffma(scope_, result, x, s_, y); break;
    case spec::Vop::max: extreme<true>(out.data(), x.data(), y.data(), open); break;
    case spec::Vop::min: extreme<false>(out.data(), x.data(), y.data(), open); break;
  }
  apply_function(c_.func, out.data(), open);
  const u32 fixed = c_.red == spec::Vred::max ? num::kLowest : 0;
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(open), out.end(), fixed);
  return true;
}

// The tree level by level: pairs are added, an odd last value passes through.
u32 Lanes::reduce(std::span<const u32> out) {
  if (c_.red == spec::Vred::max) return row_max(out);
  std::span<const u32> from = out;
  for (u64 n = out.size(); n > 1; n = (n + 1) / 2) {
    const u64 pairs = n / 2;
    const u32 last = from[n - 1];
    num::fast::fadd_pairs(scope_, std::span<u32>(sums_.data(), pairs), from.first(n));
    if (n % 2 != 0) sums_[pairs] = last;
    from = sums_;
  }
  return num::canonical(from[0]);
}

}  // namespace jogak::model
