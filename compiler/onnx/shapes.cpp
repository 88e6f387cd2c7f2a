// Constants and the arithmetic of shapes.
#include <algorithm>
#include <cmath>

#include "handlers.hpp"

namespace jogak::onnx {

namespace {

void shape_of(Context& c) {
  const Shape shape = c.in(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto place = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const auto begin = place(c.integer("start", 0)), end = std::max(begin, place(c.integer("end", rank)));
  const Shape part(shape.begin() + begin, shape.begin() + end);
  c.out(c.b.integers({end - begin}, part));
}

void constant(Context& c) {
  const Attribute* a = c.node().attributes.size() == 1 ? &c.node().attributes.begin()->second : nullptr;
  if (!a) c.refuse("attributes", std::to_string(c.node().attributes.size()), "one value");
  const auto n = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  switch (a->kind) {
    case Attribute::Kind::tensor: c.out(c.b.constant(a->tensor)); break;
    case Attribute::Kind::number: c.out(c.b.constant(make_floats({}, {a->f}))); break;
    case Attribute::Kind::integer: c.out(c.b.integers({}, {a->i})); break;
    case Attribute::Kind::numbers: c.out(c.b.constant(make_floats({n(a->floats)}, a->floats))); break;
    case Attribute::Kind::integers: c.out(c.b.integers({n(a->ints)}, a->ints)); break;
    default: c.refuse("value", "text, a graph or a sparse tensor", "numbers");
  }
}

void constant_of_shape(Context& c) {
  const Shape shape = c.integers(0, "shape");
  const Attribute* value = c.attribute("value");
  (void)count(shape, c.part());
  if (!value) c.out(c.b.filled(shape, 0));
  else if (!value->tensor || value->tensor->size() != 1) c.refuse("attribute value", "another form", "a tensor of one element");
  else c.out(c.b.filled(shape, value->tensor->values()[0], value->tensor->type));
}

void make_range(Context& c) {
  const Type type = c.in(0).type;
  double at[3];
  for (std::size_t i = 0; i < 3; ++i) at[i] = c.known(i, i == 0 ? "start" : i == 1 ? "limit" : "delta").values().at(0);
  if (at[2] == 0) c.refuse("delta", "0", "another number");
  const double steps = std::max(std::ceil((at[1] - at[0]) / at[2]), 0.0);
  if (!(steps < 16777216)) c.refuse("elements", std::to_string(steps), "fewer than 2^24");
  std::vector<double> values;
  for (double i = 0; i < steps; ++i) values.push_back(at[0] + i * at[2]);
  c.out(c.b.constant(make_array(type, {static_cast<std::int64_t>(values.size())}, values)));
}

void eye_like(Context& c) {
  const Val x = c.in(0);
  if (x.rank() != 2) c.refuse("input", to_string(x.shape), "a matrix");
  const auto shift = c.integer("k", 0);
  std::vector<double> values;
  for (std::int64_t i = 0; i < x.shape[0]; ++i)
    for (std::int64_t j = 0; j < x.shape[1]; ++j) values.push_back(j - i == shift);
  c.out(c.b.constant(make_array(static_cast<Type>(c.integer("dtype", static_cast<std::int64_t>(x.type))), x.shape, values)));
}

void non_zero(Context& c) {
  const Array& x = c.known(0, "elements that are not zero");
  const auto values = x.values();
  std::vector<std::vector<std::int64_t>> found(x.shape.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t axis = x.shape.size(); axis-- > 0 && values[i] != 0;) {
      found[axis].push_back(rest % x.shape[axis]);
      rest /= x.shape[axis];
    }
  }
  std::vector<std::int64_t> flat;
  for (const auto& list : found) flat.insert(flat.end(), list.begin(), list.end());
  const auto each = found.empty() ? 0 : static_cast<std::int64_t>(found[0].size());
  c.out(c.b.integers({static_cast<std::int64_t>(found.size()), each}, flat));
}

}  // namespace

void register_shapes(Registry& r) {
  r[":Shape"] = shape_of;
  r[":Size"] = [](Context& c) { c.out(c.b.integers({}, {c.in(0).size()})); };
  r[":Constant"] = constant;
  r[":ConstantOfShape"] = constant_of_shape;
  r[":Range"] = make_range;
  r[":EyeLike"] = eye_like;
  r[":NonZero"] = non_zero;
}

}  // namespace jogak::onnx
