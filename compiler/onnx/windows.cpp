#include "windows.hpp"

#include <algorithm>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

std::int64_t reach(const Windows& w, std::size_t i) { return (w.kernel[i] - 1) * w.dilation[i] + 1; }

void automatic(Windows& w, const std::string& mode) {
  for (std::size_t i = 0; i < w.size.size(); ++i) {
    std::int64_t total = 0;
    if (mode == "VALID") {
      w.out[i] = (w.size[i] - reach(w, i)) / w.stride[i] + 1;
    } else {
      w.out[i] = (w.size[i] + w.stride[i] - 1) / w.stride[i];
      total = std::max<std::int64_t>((w.out[i] - 1) * w.stride[i] + reach(w, i) - w.size[i], 0);
    }
    const auto small = total / 2, big = total - small;
    w.before[i] = mode == "SAME_LOWER" ? big : small;
    w.after[i] = mode == "SAME_LOWER" ? small : big;
  }
}

void counted(Windows& w, bool ceil) {
  for (std::size_t i = 0; i < w.size.size(); ++i) {
    const auto span = w.size[i] + w.before[i] + w.after[i] - reach(w, i);
    w.out[i] = span < 0 ? 0 : (span + (ceil ? w.stride[i] - 1 : 0)) / w.stride[i] + 1;
    // A window may not begin in the padding at the end.
    if (ceil && w.out[i] > 0 && (w.out[i] - 1) * w.stride[i] >= w.size[i] + w.before[i]) --w.out[i];
  }
}

}  // namespace

Windows read_windows(Context& c, const Val& x, const Shape& kernel) {
  const auto n = static_cast<std::size_t>(std::max<std::int64_t>(x.rank() - 2, 0));
  if (n == 0 || kernel.size() != n) c.refuse("kernel", to_string(kernel), "a size for each axis but two of " + to_string(x.shape));
  Windows w{Shape(x.shape.begin() + 2, x.shape.end()), kernel, c.integers("strides", Shape(n, 1)),
            c.integers("dilations", Shape(n, 1)), Shape(n, 0), Shape(n, 0), Shape(n, 0)};
  const auto pads = c.integers("pads", Shape(2 * n, 0));
  if (w.stride.size() != n || w.dilation.size() != n || pads.size() != 2 * n)
    c.refuse("strides, dilations and pads", "other lengths", std::to_string(n) + ", as many and twice as many numbers");
  for (std::size_t i = 0; i < n; ++i) {
    if (w.kernel[i] < 1 || w.stride[i] < 1 || w.dilation[i] < 1 || pads[i] < 0 || pads[i + n] < 0)
      c.refuse("kernel, strides, dilations or pads", "too small a number", "1 or more, pads 0 or more");
    w.before[i] = pads[i];
    w.after[i] = pads[i + n];
  }
  const std::string mode = c.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) counted(w, c.integer("ceil_mode", 0) != 0);
  else automatic(w, mode);
  for (std::size_t i = 0; i < n; ++i)
    if (w.out[i] < 1) c.refuse("kernel", to_string(kernel), "one that fits into " + to_string(x.shape));
  return w;
}

Val patches(Build& b, const Val& x, const Windows& w, double outside) {
  Shape before(x.shape.size(), 0), after = before;
  Val y = x;
  for (std::size_t i = 0; i < w.size.size(); ++i) {
    const auto need = (w.out[i] - 1) * w.stride[i] + reach(w, i), end = need - w.size[i] - w.before[i];
    before[i + 2] = w.before[i];
    after[i + 2] = std::max<std::int64_t>(end, 0);
    if (end < 0) y = b.part(y, static_cast<std::int64_t>(i) + 2, 0, w.size[i] + end);
  }
  y = b.pad(y, before, after, outside);
  for (std::size_t i = 0; i < w.size.size(); ++i) {
    Attrs attrs;
    attrs.axis = static_cast<std::int64_t>(2 + 2 * i);
    attrs.starts = {w.kernel[i], w.stride[i], w.dilation[i]};
    if (w.kernel[i] != 1 || w.stride[i] != 1) {
      y = b.op(Op::unfold, {y}, attrs);
    } else {
      Shape shape = y.shape;
      shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(3 + 2 * i), 1);
      y = b.reshape(y, shape);
    }
  }
  return y;
}

Val window_rows(Build& b, const Val& x, const Windows& w, double outside) {
  std::vector<std::int64_t> order{0, 1};
  const auto n = static_cast<std::int64_t>(w.size.size());
  for (std::int64_t i = 0; i < n; ++i) order.push_back(2 + 2 * i);
  for (std::int64_t i = 0; i < n; ++i) order.push_back(3 + 2 * i);
  const Val y = b.transpose(patches(b, x, w, outside), order);
  Shape shape(y.shape.begin(), y.shape.begin() + 2 + n);
  shape.push_back(count(w.kernel));
  return b.reshape(y, shape);
}

}  // namespace jogak::onnx
