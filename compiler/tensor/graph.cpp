#include "graph.hpp"

namespace jogak::tensor {

const char* name(DType type) {
  switch (type) {
    case DType::f32: return "f32";
    case DType::i32: return "i32";
    case DType::boolean: return "bool";
  }
  return "?";
}

const char* name(Op op) {
  static constexpr const char* kNames[] = {
      "add", "sub", "mul", "div", "min", "max", "less", "less_equal", "equal", "neg", "abs", "round", "floor", "trunc", "exp", "log",
      "recip", "sqrt", "rsqrt", "erf", "tanh", "sigmoid", "sin", "cos", "cast", "select", "reduce_sum", "reduce_max", "reduce_min",
      "reduce_mean", "matmul", "transpose", "reshape", "expand", "slice", "concat", "pad", "unfold", "gather", "top_k", "softmax",
      "layer_norm", "rms_norm", "attention"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Op::attention) + 1);
  return kNames[static_cast<std::size_t>(op)];
}

std::int64_t elements(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto d : shape) n *= d;
  return n;
}

std::string text(const Shape& shape) {
  std::string s = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) s += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return s + "]";
}

bool broadcast(const Shape& a, const Shape& b, Shape& out) {
  const std::size_t rank = std::max(a.size(), b.size());
  out.assign(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return false;
    out[rank - 1 - i] = std::max(x, y);
  }
  return true;
}

namespace {

constexpr std::int64_t kMostElements = std::int64_t(1) << 30;  // 4 GB: a window

void check_shape(const std::string& what, const Shape& shape) {
  std::int64_t n = 1;
  for (const auto d : shape) {
    if (d <= 0 || d > kMostElements || (n *= d) > kMostElements)
      throw Error("tensor", what, "shape " + text(shape), "sizes of 1 or more, 2^30 elements at most");
  }
}

}  // namespace

ValueId Graph::input(const std::string& name, DType dtype, const Shape& shape) {
  check_shape("input " + name, shape);
  for (const Port& p : inputs_)
    if (p.name == name) throw Error("tensor", "input " + name, "the name twice", "different names");
  values_.push_back({name, dtype, shape, nullptr});
  const auto id = static_cast<ValueId>(values_.size()) - 1;
  inputs_.push_back({name, id});
  return id;
}

ValueId Graph::constant(const std::string& name, const Shape& shape, std::vector<float> data, DType dtype) {
  check_shape("constant " + name, shape);
  if (static_cast<std::int64_t>(data.size()) != elements(shape))
    throw Error("tensor", "constant " + name, std::to_string(data.size()) + " values", std::to_string(elements(shape)) + " for " + text(shape));
  values_.push_back({name, dtype, shape, std::make_shared<const std::vector<float>>(std::move(data))});
  return static_cast<ValueId>(values_.size()) - 1;
}

ValueId Graph::share(const Value& constant) {
  if (!constant.constant()) throw Error("tensor", "value " + constant.name, "one that is computed", "a constant");
  values_.push_back(constant);
  return static_cast<ValueId>(values_.size()) - 1;
}

void Graph::replace(ValueId id, std::vector<float> data) {
  if (!value(id).constant() || value(id).data->size() != data.size())
    throw Error("tensor", "replace " + value(id).name, std::to_string(data.size()) + " values", "a constant of as many");
  values_[static_cast<std::size_t>(id)].data = std::make_shared<const std::vector<float>>(std::move(data));
}

std::vector<ValueId> Graph::add_all(Op op, const std::string& name, const std::vector<ValueId>& inputs, const Attrs& attrs) {
  Node node{op, name, inputs, {}, attrs};
  std::vector<const Value*> in;
  for (const ValueId id : inputs) in.push_back(&value(id));
  for (Value& v : infer(node, in)) {
    check_shape("node " + name + " (" + tensor::name(op) + ")", v.shape);
    v.name = node.outputs.empty() ? name : name + ":" + std::to_string(node.outputs.size());
    node.outputs.push_back(static_cast<ValueId>(values_.size()));
    values_.push_back(std::move(v));
  }
  nodes_.push_back(node);
  return node.outputs;
}

ValueId Graph::add(Op op, const std::string& name, const std::vector<ValueId>& inputs, const Attrs& attrs) {
  return add_all(op, name, inputs, attrs).front();
}

void Graph::output(const std::string& name, ValueId id) {
  (void)value(id);
  for (const Port& p : outputs_)
    if (p.name == name) throw Error("tensor", "output " + name, "the name twice", "different names");
  outputs_.push_back({name, id});
}

const Value& Graph::value(ValueId id) const {
  if (id < 0 || id >= static_cast<ValueId>(values_.size()))
    throw Error("tensor", "value", std::to_string(id), "0 to " + std::to_string(static_cast<int>(values_.size()) - 1));
  return values_[static_cast<std::size_t>(id)];
}

void Graph::set_precision(Precision precision) {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].op == Op::matmul || nodes_[i].op == Op::attention) set_precision(i, precision);
}

void Graph::set_precision(std::size_t node, Precision precision) {
  Node& n = nodes_.at(node);
  const bool constant = n.op == Op::matmul && value(n.inputs[1]).constant();
  n.attrs.precision = (precision == Precision::mxfp4 || precision == Precision::mxint8) && !constant ? Precision::int8 : precision;
}

}  // namespace jogak::tensor
