// Pooling.
#include <cmath>

#include "handlers.hpp"
#include "windows.hpp"

namespace jogak::onnx {

namespace {

// Where each place of each window lies in one [spatial...] plane (or in the whole tensor), as ONNX numbers it: by rows, or by
// columns with storage_order 1. [out..., taps], negative outside.
std::vector<std::int64_t> places(const Windows& w, bool columns) {
  std::vector<std::int64_t> out;
  const std::size_t n = w.size.size();
  const std::int64_t positions = count(w.out), taps = count(w.kernel);
  for (std::int64_t p = 0; p < positions; ++p)
    for (std::int64_t t = 0; t < taps; ++t) {
      Shape index(n);
      std::int64_t rest_p = p, rest_t = t, flat = 0;
      bool inside = true;
      for (std::size_t i = n; i-- > 0;) {
        index[i] = rest_p % w.out[i] * w.stride[i] + rest_t % w.kernel[i] * w.dilation[i] - w.before[i];
        rest_p /= w.out[i];
        rest_t /= w.kernel[i];
        inside &= index[i] >= 0 && index[i] < w.size[i];
      }
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t a = columns ? n - 1 - i : i;
        flat = flat * w.size[a] + index[a];
      }
      out.push_back(inside ? flat : -1);
    }
  return out;
}

void max_pool(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const Windows w = read_windows(c, x, c.integers("kernel_shape"));
  const double outside = integral(x.type) ? lowest(x.type) : -3.4e38;
  const Val rows = window_rows(b, x, w, outside);
  const auto last = rows.rank() - 1;
  c.out(0, b.reduce(Op::reduce_max, rows, {last}, false));
  if (!c.wants(1)) return;
  // Index of the best place in the window, then that place's number in the tensor.
  const auto planes = x.shape[0] * x.shape[1], taps = count(w.kernel), plane = count(w.size);
  std::vector<std::int64_t> numbers;
  const auto one = places(w, c.integer("storage_order", 0) != 0);
  for (std::int64_t i = 0; i < planes; ++i)
    for (const auto place : one) numbers.push_back(place < 0 ? 0 : i * plane + place);
  const Val best = b.top_k(rows, 1, last, true)[1];
  Shape counting(rows.shape.size(), 1);
  counting.back() = taps;
  const Val hit = b.equal(b.integers(counting, range(0, taps)), best);
  const Val chosen = b.select(hit, b.integers(rows.shape, numbers), b.scalar(0, Type::i64));
  c.out(1, b.reduce(Op::reduce_sum, chosen, {last}, false));
}

// 1 / (how many places of each window count), as [out...].
Val shares(Context& c, const Windows& w) {
  const bool all = c.integer("count_include_pad", 0) != 0;
  std::vector<float> out;
  const std::int64_t positions = count(w.out);
  for (std::int64_t p = 0; p < positions; ++p) {
    std::int64_t rest = p, n = 1;
    for (std::size_t i = w.size.size(); i-- > 0;) {
      const std::int64_t first = rest % w.out[i] * w.stride[i] - w.before[i];
      const std::int64_t low = all ? -w.before[i] : 0, high = w.size[i] + (all ? w.after[i] : 0);
      std::int64_t inside = 0;
      for (std::int64_t t = 0; t < w.kernel[i]; ++t) {
        const std::int64_t at = first + t * w.dilation[i];
        inside += at >= low && at < high;
      }
      n *= inside;
      rest /= w.out[i];
    }
    out.push_back(1.0f / static_cast<float>(n));
  }
  return c.b.constant(make_floats(w.out, std::move(out)));
}

void average_pool(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const Windows w = read_windows(c, x, c.integers("kernel_shape"));
  const Val rows = window_rows(b, x, w, 0);
  c.out(b.mul(b.reduce(Op::reduce_sum, rows, {rows.rank() - 1}, false), shares(c, w)));
}

Handler global(Op op) {
  return [op](Context& c) { c.out(c.b.reduce(op, c.in(0), range(2, c.in(0).rank()), true)); };
}

}  // namespace

void register_pool(Registry& r) {
  r[":MaxPool"] = max_pool;
  r[":AveragePool"] = average_pool;
  r[":GlobalAveragePool"] = global(Op::reduce_mean);
  r[":GlobalMaxPool"] = global(Op::reduce_max);
}

}  // namespace jogak::onnx
