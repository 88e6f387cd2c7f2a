// Operators that only move values.
#include <algorithm>
#include <numeric>

#include "handlers.hpp"

namespace jogak::onnx {

std::vector<std::int64_t> range(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(std::max<std::int64_t>(end - begin, 0)));
  std::iota(out.begin(), out.end(), begin);
  return out;
}

namespace {

void reshape(Context& c) {
  const Val x = c.in(0);
  Shape shape = c.integers(1, "shape", {});
  const bool zeros = c.integer("allowzero", 0) != 0;
  std::int64_t rest = 1, open = -1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zeros) {
      if (i >= x.shape.size()) c.refuse("shape", to_string(shape), "a 0 only where the input has that axis");
      shape[i] = x.shape[i];
    }
    if (shape[i] == -1 && open < 0) open = static_cast<std::int64_t>(i);
    else rest *= shape[i];
  }
  if (open >= 0) {
    if (rest <= 0 || x.size() % rest != 0) c.refuse("shape", to_string(shape), "one for " + std::to_string(x.size()) + " elements");
    shape[static_cast<std::size_t>(open)] = x.size() / rest;
  }
  c.out(c.b.reshape(x, shape));
}

void transpose(Context& c) {
  const Val x = c.in(0);
  auto order = range(0, x.rank());
  std::reverse(order.begin(), order.end());
  order = c.integers("perm", order);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != range(0, x.rank())) c.refuse("attribute perm", to_string(order), "each axis once");
  c.out(c.b.transpose(x, order));
}

void squeeze(Context& c) {
  const Val x = c.in(0);
  std::vector<bool> gone(x.shape.size(), false);
  if (!c.has(1) && !c.has("axes")) {
    for (std::size_t i = 0; i < gone.size(); ++i) gone[i] = x.shape[i] == 1;
  }
  for (const auto axis : c.axes(c.integers(1, "axes", {}), x.rank())) gone[static_cast<std::size_t>(axis)] = true;
  Shape shape;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (!gone[i]) shape.push_back(x.shape[i]);
    else if (x.shape[i] != 1) c.refuse("size of axis " + std::to_string(i), std::to_string(x.shape[i]), "1");
  }
  c.out(c.b.reshape(x, shape));
}

void unsqueeze(Context& c) {
  const Val x = c.in(0);
  auto axes = c.integers(1, "axes", {});
  axes = c.axes(axes, x.rank() + static_cast<std::int64_t>(axes.size()));
  std::sort(axes.begin(), axes.end());
  Shape shape = x.shape;
  for (const auto axis : axes) {
    if (axis > static_cast<std::int64_t>(shape.size())) c.refuse("axes", to_string(axes), "axes that are all different");
    shape.insert(shape.begin() + axis, 1);
  }
  c.out(c.b.reshape(x, shape));
}

void flatten(Context& c) {
  const Val x = c.in(0);
  const auto given = c.integer("axis", 1);
  const auto axis = given == x.rank() ? given : c.axis(given, x.rank());
  Shape shape{1, 1};
  for (std::int64_t i = 0; i < x.rank(); ++i) shape[i < axis ? 0 : 1] *= x.shape[static_cast<std::size_t>(i)];
  c.out(c.b.reshape(x, shape));
}

void expand(Context& c) {
  const Val x = c.in(0);
  const Shape wanted = c.integers(1, "shape");
  Shape shape;
  if (!tensor::broadcast(x.shape, wanted, shape)) c.refuse("shape", to_string(wanted), "one that " + to_string(x.shape) + " broadcasts with");
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[wanted.size() - 1 - i] == 0) shape[shape.size() - 1 - i] = 0;
  c.out(c.b.expand(x, shape));
}

void concat(Context& c) {
  const auto parts = c.all();
  const auto axis = c.axis(c.integer("axis", 0), parts[0].rank());
  for (const Val& v : parts) {
    if (v.rank() != parts[0].rank()) c.refuse("ranks", to_string(v.shape) + " beside " + to_string(parts[0].shape), "equal ranks");
    if (v.type != parts[0].type) c.refuse("types", name(v.type), name(parts[0].type));
  }
  c.out(c.b.concat(parts, axis));
}

void split(Context& c) {
  const Val x = c.in(0);
  const auto axis = c.axis(c.integer("axis", 0), x.rank());
  const auto size = x.shape[static_cast<std::size_t>(axis)];
  auto sizes = c.integers(1, "split", {});
  if (sizes.empty()) {
    const auto parts = c.integer("num_outputs", static_cast<std::int64_t>(c.outputs()));
    if (parts <= 0 || static_cast<std::size_t>(parts) != c.outputs()) c.refuse("outputs", std::to_string(c.outputs()), std::to_string(parts));
    const auto each = (size + parts - 1) / parts;
    for (std::int64_t i = 0; i < parts; ++i) sizes.push_back(std::min(each, std::max<std::int64_t>(size - i * each, 0)));
  }
  if (sizes.size() != c.outputs() || std::accumulate(sizes.begin(), sizes.end(), std::int64_t(0)) != size)
    c.refuse("split", to_string(sizes), std::to_string(c.outputs()) + " sizes that add up to " + std::to_string(size));
  std::int64_t at = 0;
  for (std::size_t i = 0; i < sizes.size(); at += sizes[i++]) c.out(i, c.b.part(x, axis, at, at + sizes[i]));
}

void slice(Context& c) {
  const Val x = c.in(0);
  const auto begins = c.integers(1, "starts", {}), ends = c.integers(2, "ends", {});
  auto axes = c.integers(3, "axes", range(0, static_cast<std::int64_t>(begins.size())));
  const auto strides = c.integers(4, "steps", std::vector<std::int64_t>(begins.size(), 1));
  axes = c.axes(axes, x.rank());
  if (ends.size() != begins.size() || axes.size() != begins.size() || strides.size() != begins.size())
    c.refuse("starts, ends, axes and steps", "different lengths", "equal lengths");
  Shape starts(x.shape.size(), 0), steps(x.shape.size(), 1), shape = x.shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<std::size_t>(axes[i]);
    const auto size = x.shape[a], step = strides[i];
    if (step == 0) c.refuse("step", "0", "another number");
    const auto low = step < 0 ? std::int64_t(-1) : 0, high = step < 0 ? size - 1 : size;
    const auto place = [&](std::int64_t v) { return std::clamp(v < 0 && v >= -size ? v + size : v < 0 ? low : v, low, high); };
    starts[a] = place(begins[i]);
    const auto span = step > 0 ? place(ends[i]) - starts[a] : starts[a] - place(ends[i]);
    const auto each = step > 0 ? step : -std::max(step, -(std::int64_t(1) << 40));
    steps[a] = step > 0 ? std::min(step, std::int64_t(1) << 40) : -each;
    shape[a] = span <= 0 ? 0 : (span - 1) / each + 1;
  }
  c.out(c.b.slice(x, starts, steps, shape));
}

// Every axis becomes (repeats, size).
void tile(Context& c) {
  const Val x = c.in(0);
  const auto repeats = c.integers(1, "repeats");
  if (repeats.size() != x.shape.size()) c.refuse("repeats", to_string(repeats), std::to_string(x.rank()) + " numbers");
  Shape narrow, wide, result;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    narrow.insert(narrow.end(), {1, x.shape[i]});
    wide.insert(wide.end(), {repeats[i], x.shape[i]});
    result.push_back(repeats[i] * x.shape[i]);
  }
  c.out(c.b.reshape(c.b.expand(c.b.reshape(x, narrow), wide), result));
}

Val drop(Build& b, const Val& x, std::int64_t axis, std::int64_t before, std::int64_t after) {
  return b.part(x, axis, -std::min<std::int64_t>(before, 0), x.shape[static_cast<std::size_t>(axis)] + std::min<std::int64_t>(after, 0));
}

// One axis, by index: every mode is a list of source positions.
Val pad_axis(Context& c, const Val& x, std::int64_t axis, std::int64_t before, std::int64_t after, const std::string& mode) {
  const auto size = x.shape[static_cast<std::size_t>(axis)];
  if (before == 0 && after == 0) return x;
  std::vector<std::int64_t> from;
  for (std::int64_t i = -before; i < size + after; ++i) {
    std::int64_t at = std::clamp<std::int64_t>(i, 0, size - 1);
    if (mode == "wrap") at = ((i % size) + size) % size;
    if (mode == "reflect" && size > 1) {
      const std::int64_t period = 2 * (size - 1), turn = ((i % period) + period) % period;
      at = std::min(turn, period - turn);
    }
    from.push_back(at);
  }
  return c.b.gather(x, c.b.integers({static_cast<std::int64_t>(from.size())}, from), axis);
}

void pad(Context& c) {
  Val x = c.in(0);
  const auto pads = c.integers(1, "pads", {});
  const std::string mode = c.text("mode", "constant");
  auto axes = range(0, x.rank());
  if (c.has(3)) axes = c.axes(c.integers(3, "axes"), x.rank());
  if (pads.size() != 2 * axes.size()) c.refuse("pads", to_string(pads), std::to_string(2 * axes.size()) + " numbers");
  double value = c.number("value", 0);
  if (c.has(2)) value = c.known(2, "value of the padding").values().at(0);
  Shape before(x.shape.size(), 0), after = before;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<std::size_t>(axes[i]);
    before[a] = pads[i];
    after[a] = pads[i + axes.size()];
    x = drop(c.b, x, axes[i], before[a], after[a]);
    before[a] = std::max<std::int64_t>(before[a], 0);
    after[a] = std::max<std::int64_t>(after[a], 0);
  }
  if (mode == "constant") {
    c.out(c.b.pad(x, before, after, value));
    return;
  }
  if (mode != "edge" && mode != "reflect" && mode != "wrap") c.refuse("attribute mode", mode, "constant, edge, reflect or wrap");
  for (std::size_t a = 0; a < before.size(); ++a) x = pad_axis(c, x, static_cast<std::int64_t>(a), before[a], after[a], mode);
  c.out(x);
}

void depth_to_space(Context& c) {
  const Val x = c.in(0);
  const auto s = c.integer("blocksize", 1);
  if (x.rank() != 4 || s < 1 || x.shape[1] % (s * s) != 0) c.refuse("input", to_string(x.shape), "[n, c * blocksize^2, h, w]");
  const auto n = x.shape[0], depth = x.shape[1] / (s * s), h = x.shape[2], w = x.shape[3];
  const bool columns = c.text("mode", "DCR") == "CRD";
  const Val y = columns ? c.b.transpose(c.b.reshape(x, {n, depth, s, s, h, w}), {0, 1, 4, 2, 5, 3})
                        : c.b.transpose(c.b.reshape(x, {n, s, s, depth, h, w}), {0, 3, 4, 1, 5, 2});
  c.out(c.b.reshape(y, {n, depth, h * s, w * s}));
}

void space_to_depth(Context& c) {
  const Val x = c.in(0);
  const auto s = c.integer("blocksize", 1);
  if (x.rank() != 4 || s < 1 || x.shape[2] % s != 0 || x.shape[3] % s != 0) c.refuse("input", to_string(x.shape), "[n, c, h * blocksize, w * blocksize]");
  const auto n = x.shape[0], depth = x.shape[1], h = x.shape[2] / s, w = x.shape[3] / s;
  const bool columns = c.text("mode", "DCR") == "CRD";
  const Val y = c.b.transpose(c.b.reshape(x, {n, depth, h, s, w, s}),
                              columns ? std::vector<std::int64_t>{0, 1, 3, 5, 2, 4} : std::vector<std::int64_t>{0, 3, 5, 1, 2, 4});
  c.out(c.b.reshape(y, {n, depth * s * s, h, w}));
}

}  // namespace

void register_moves(Registry& r) {
  r[":Reshape"] = reshape;
  r[":Transpose"] = transpose;
  r[":Squeeze"] = squeeze;
  r[":Unsqueeze"] = unsqueeze;
  r[":Flatten"] = flatten;
  r[":Expand"] = expand;
  r[":Concat"] = concat;
  r[":Split"] = split;
  r[":Slice"] = slice;
  r[":Tile"] = tile;
  r[":Pad"] = pad;
  r[":DepthToSpace"] = depth_to_space;
  r[":SpaceToDepth"] = space_to_depth;
}

}  // namespace jogak::onnx
