#include "build.hpp"

#include <cmath>

#include "error.hpp"

namespace jogak::onnx {

namespace {

Type result_type(Op op, const std::vector<Val>& in, Type wanted) {
  if (wanted != Type::none) return wanted;
  switch (op) {
    case Op::less: case Op::less_equal: case Op::equal: return Type::boolean;
    case Op::select: return in[1].type;
    default: return in[0].type;
  }
}

bool elementwise(Op op) { return op <= Op::select; }

}  // namespace

tensor::DType dtype_of(Type type) {
  if (type == Type::boolean) return tensor::DType::boolean;
  return integral(type) ? tensor::DType::i32 : tensor::DType::f32;
}

Array numbered(const Array& texts, std::map<std::string, std::int64_t>& numbers) {
  std::vector<std::int64_t> list;
  for (const std::string& s : texts.texts) list.push_back(numbers.emplace(s, static_cast<std::int64_t>(numbers.size())).first->second);
  return make_integers(texts.shape, std::move(list));
}

Val Build::input(const std::string& name, Type type, const Shape& shape) {
  if (type == Type::text) {
    Val v = input(name, Type::i64, shape);
    v.text = true;
    return v;
  }
  if (count(shape) == 0) return constant(Array{type, shape, {}});
  return Val{type, shape, nullptr, graph.input(name, dtype_of(type), shape), name, true};
}
Val Build::constant(std::shared_ptr<const Array> a) const {
  const Array& array = *a;
  if (array.type == Type::text) throw Error("onnx: " + node, "values", "text", "numbers");
  return Val{array.type, array.shape, std::move(a), -1};
}
Val Build::text(const Array& array) {
  Val v = constant(numbered(array, texts));
  v.text = true;
  return v;
}
Val Build::constant(Array array) const { return constant(std::make_shared<const Array>(std::move(array))); }
Val Build::integers(const Shape& shape, const std::vector<std::int64_t>& values) const {
  return constant(make_integers(shape, values));
}
Val Build::filled(const Shape& shape, double x, Type type) const {
  return constant(make_array(type, shape, std::vector<double>(static_cast<std::size_t>(count(shape)), x)));
}

tensor::ValueId Build::id(const Val& v) {
  if (!v.data) return v.id;
  const auto found = ids_.find(v.data.get());
  if (found != ids_.end()) return found->second;
  std::vector<float> values = v.data->floats();
  if (integral(v.type)) {
    const std::vector<double> exact = v.data->values();
    for (std::size_t i = 0; i < exact.size(); ++i)
      if (static_cast<double>(values[i]) != exact[i])
        throw Error("onnx: " + node, "integer", std::to_string(static_cast<long long>(exact[i])),
                    "one that fp32 holds exactly, at most 2^24");
  }
  const auto made = graph.constant(node, v.shape, std::move(values), dtype_of(v.type));
  ids_[v.data.get()] = made;
  kept_.push_back(v.data);
  return made;
}

Val Build::op(Op o, const std::vector<Val>& in, const Attrs& attrs, Type wanted) {
  const Type type = result_type(o, in, wanted);
  bool known = true;
  Shape shape;
  for (const Val& v : in) {
    known &= v.data != nullptr;
    if (elementwise(o) && !tensor::broadcast(Shape(shape), v.shape, shape))
      throw Error("onnx: " + node, "shape of an operand", to_string(v.shape), "one that broadcasts with the others");
  }
  if (known) {
    std::vector<const Array*> arrays;
    for (const Val& v : in) arrays.push_back(v.data.get());
    if (auto folded = fold(o, arrays, attrs, type)) return constant(std::move(*folded));
  }
  // NumPy's rule gives max(sizes): of 0 and 1 that would be 1.
  if (elementwise(o))
    for (const Val& v : in)
      if (v.size() == 0) return constant(Array{type, v.shape, {}});
  std::vector<tensor::ValueId> ids;
  Val out{type, {}, nullptr, -1};
  for (const Val& v : in) {
    ids.push_back(id(v));
    if (out.from.empty()) out.from = v.from;
  }
  out.id = graph.add(o, node, ids, attrs);
  out.shape = graph.shape(out.id);
  return out;
}

std::vector<Val> Build::top_k(const Val& x, std::int64_t k, std::int64_t axis, bool largest) {
  Attrs attrs;
  attrs.count = k;
  attrs.axis = axis;
  attrs.largest = largest;
  const auto ids = graph.add_all(Op::top_k, node, {id(x)}, attrs);
  const Shape& shape = graph.shape(ids[0]);
  return {Val{x.type, shape, nullptr, ids[0], x.from, true}, Val{Type::i64, shape, nullptr, ids[1], x.from, true}};
}

Val Build::cast(const Val& x, Type type, bool saturate) {
  if (x.type == type) return x;
  if (x.data || dtype_of(x.type) == dtype_of(type)) return retype(x, type, saturate);
  Attrs attrs;
  attrs.dtype = dtype_of(type);
  return op(Op::cast, {x}, attrs, type);
}
Val Build::retype(Val x, Type type, bool saturate) {
  if (x.data) return constant(make_array(type, x.shape, x.data->values(), saturate));
  x.type = type;
  x.saturate = saturate;
  return x;
}

Val Build::reshape(const Val& x, const Shape& shape) {
  if (x.shape == shape) return x;
  if (count(shape, "onnx: " + node) != x.size())
    throw Error("onnx: " + node, "elements", std::to_string(x.size()) + " in " + to_string(x.shape),
                std::to_string(count(shape)) + " for " + to_string(shape));
  Attrs attrs;
  attrs.shape = shape;
  return op(Op::reshape, {x}, attrs);
}
Val Build::transpose(const Val& x, const std::vector<std::int64_t>& order) {
  bool same = true;
  for (std::size_t i = 0; i < order.size(); ++i) same &= order[i] == static_cast<std::int64_t>(i);
  if (same) return x;
  Attrs attrs;
  attrs.axes = order;
  return op(Op::transpose, {x}, attrs);
}
Val Build::expand(const Val& x, const Shape& shape) {
  if (x.shape == shape) return x;
  if (count(shape, "onnx: " + node) == 0) return constant(Array{x.type, shape, {}});
  Attrs attrs;
  attrs.shape = shape;
  return op(Op::expand, {x}, attrs);
}
Val Build::slice(const Val& x, const Shape& starts, const Shape& steps, const Shape& shape) {
  if (count(shape) == 0) return constant(Array{x.type, shape, {}});
  bool whole = shape == x.shape;
  for (const auto s : steps) whole &= s == 1;
  if (whole) return x;
  Attrs attrs;
  attrs.starts = starts;
  attrs.steps = steps;
  attrs.shape = shape;
  return op(Op::slice, {x}, attrs);
}
Val Build::part(const Val& x, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  Shape starts(x.shape.size(), 0), shape = x.shape;
  starts[static_cast<std::size_t>(axis)] = begin;
  shape[static_cast<std::size_t>(axis)] = end - begin;
  return slice(x, starts, Shape(x.shape.size(), 1), shape);
}
Val Build::reversed(const Val& x, std::int64_t axis) {
  Shape starts(x.shape.size(), 0), steps(x.shape.size(), 1);
  starts[static_cast<std::size_t>(axis)] = x.shape[static_cast<std::size_t>(axis)] - 1;
  steps[static_cast<std::size_t>(axis)] = -1;
  return slice(x, starts, steps, x.shape);
}
Val Build::concat(const std::vector<Val>& parts, std::int64_t axis) {
  std::vector<Val> full;
  for (const Val& v : parts)
    if (v.size() != 0) full.push_back(v);
  if (full.size() == 1) return full[0];
  Attrs attrs;
  attrs.axis = axis;
  return op(Op::concat, full.empty() ? parts : full, attrs);
}
Val Build::pad(const Val& x, const Shape& before, const Shape& after, double value) {
  bool none = true;
  for (std::size_t i = 0; i < before.size(); ++i) none &= before[i] == 0 && after[i] == 0;
  if (none) return x;
  if (x.size() == 0) {
    Shape shape = x.shape;
    for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += before[i] + after[i];
    return filled(shape, value, x.type);
  }
  Attrs attrs;
  attrs.starts = before;
  attrs.ends = after;
  attrs.value = static_cast<float>(value);
  return op(Op::pad, {x}, attrs);
}
Val Build::reduce(Op o, const Val& x, const std::vector<std::int64_t>& axes, bool keep) {
  if (axes.empty()) return x;
  Attrs attrs;
  attrs.axes = axes;
  attrs.keep = keep;
  return op(o, {x}, attrs);
}
Val Build::gather(const Val& x, const Val& indices, std::int64_t axis) {
  Attrs attrs;
  attrs.axis = axis;
  return op(Op::gather, {x, indices}, attrs);
}
Val Build::matmul(const Val& a, const Val& b, bool transpose_a, bool transpose_b) {
  Attrs attrs;
  attrs.transpose_a = transpose_a;
  attrs.transpose_b = transpose_b;
  return op(Op::matmul, {a, b}, attrs);
}
Val Build::softmax(const Val& x, std::int64_t axis) {
  Attrs attrs;
  attrs.axis = axis;
  return op(Op::softmax, {x}, attrs);
}

}  // namespace jogak::onnx
