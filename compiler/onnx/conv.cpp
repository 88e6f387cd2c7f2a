// Convolutions: patches times weights on the array; depthwise ones tap by tap on the vector lanes.
#include "handlers.hpp"
#include "windows.hpp"

namespace jogak::onnx {

namespace {

constexpr std::int64_t kMostTaps = 81;

// One filter for each channel: the sum over taps of shifted inputs times the tap's weights.
Val depthwise(Build& b, const Val& x, const Val& w, const Windows& win) {
  Shape before(x.shape.size(), 0), after = before, ones(x.shape.size() - 1, 1);
  for (std::size_t i = 0; i < win.size.size(); ++i) {
    before[i + 2] = win.before[i];
    const auto need = (win.out[i] - 1) * win.stride[i] + (win.kernel[i] - 1) * win.dilation[i] + 1;
    after[i + 2] = std::max<std::int64_t>(need - win.size[i] - win.before[i], 0);
  }
  const Val padded = b.pad(x, before, after, 0), taps = b.reshape(w, {w.shape[0], count(win.kernel)});
  ones[0] = w.shape[0];
  Val sum;
  for (std::int64_t tap = 0; tap < count(win.kernel); ++tap) {
    Shape starts(x.shape.size(), 0), steps(x.shape.size(), 1), shape = x.shape;
    std::int64_t rest = tap;
    for (std::size_t i = win.size.size(); i-- > 0;) {
      starts[i + 2] = rest % win.kernel[i] * win.dilation[i];
      steps[i + 2] = win.stride[i];
      shape[i + 2] = win.out[i];
      rest /= win.kernel[i];
    }
    const Val term = b.mul(b.slice(padded, starts, steps, shape), b.reshape(b.part(taps, 1, tap, tap + 1), ones));
    sum = tap == 0 ? term : b.add(sum, term);
  }
  return sum;
}

void conv(Context& c) {
  const Val x = c.in(0);
  Val y = convolve(c, x, c.in(1));
  if (c.has(2)) y = c.b.add(y, along(c.b, c.in(2), 1, x.rank()));
  c.out(y);
}

}  // namespace

Val convolve(Context& c, const Val& x, const Val& w) {
  Build& b = c.b;
  const auto groups = c.integer("group", 1);
  if (x.rank() < 3 || w.rank() != x.rank() || groups < 1 || x.shape[1] != w.shape[1] * groups || w.shape[0] % groups != 0)
    c.refuse("input and weights", to_string(x.shape) + " and " + to_string(w.shape) + " in " + std::to_string(groups) + " groups",
             "[n, channels, ...] and [out, channels / groups, ...]");
  const Windows win = read_windows(c, x, Shape(w.shape.begin() + 2, w.shape.end()));
  const auto n = x.shape[0], inside = w.shape[1], outside = w.shape[0] / groups, spatial = static_cast<std::int64_t>(win.size.size());
  Shape shape{n, w.shape[0]};
  shape.insert(shape.end(), win.out.begin(), win.out.end());
  if (inside == 1 && outside == 1 && groups > 1 && count(win.kernel) <= kMostTaps) return depthwise(b, x, w, win);

  // [n, groups, inside, o1, k1, ..] to rows [n, groups, positions, inside * taps].
  const Val p = patches(b, x, win, 0);
  Shape split = p.shape;
  split[1] = groups;
  split.insert(split.begin() + 2, inside);
  std::vector<std::int64_t> order{0, 1};
  for (std::int64_t i = 0; i < spatial; ++i) order.push_back(3 + 2 * i);
  order.push_back(2);
  for (std::int64_t i = 0; i < spatial; ++i) order.push_back(4 + 2 * i);
  const auto positions = count(win.out), taps = count(win.kernel);
  const Val rows = b.reshape(b.transpose(b.reshape(p, split), order), {n, groups, positions, inside * taps});
  Val y;
  if (groups == 1) {
    const Val flat = b.reshape(rows, {n * positions, inside * taps}), weights = b.reshape(w, {outside, inside * taps});
    y = b.reshape(b.matmul(flat, weights, false, true), {n, positions, outside});
    return b.reshape(b.transpose(y, {0, 2, 1}), shape);
  }
  y = b.matmul(rows, b.reshape(w, {groups, outside, inside * taps}), false, true);
  return b.reshape(b.transpose(y, {0, 1, 3, 2}), shape);
}

void register_conv(Registry& r) { r[":Conv"] = conv; }

}  // namespace jogak::onnx
