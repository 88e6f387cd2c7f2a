// Graph building with folding: an operator all of whose operands are known is computed here and now, exactly as wide as
// a double; any other becomes a node of the tensor graph. Shapes that exporters compute node by node thus become constants.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "../tensor/graph.hpp"
#include "array.hpp"

namespace jogak::onnx {

using tensor::Attrs;
using tensor::Op;

// A value while a model is imported. Known values have `data`; a tensor without elements is always known.
struct Val {
  Type type = Type::none;
  Shape shape;
  std::shared_ptr<const Array> data = nullptr;
  tensor::ValueId id = -1;
  std::string from = {};  // a graph input it depends on
  bool saturate = true;   // values too large for a small float type become its largest
  bool text = false;      // the numbers stand for texts (Build::texts): only equality has a meaning
  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
  std::int64_t size() const { return count(shape); }
  explicit operator bool() const { return type != Type::none; }  // false: an input that was left out
};

tensor::DType dtype_of(Type type);

// `fold` computes what it can; empty where the operator is left to the graph.
std::optional<Array> fold(Op op, const std::vector<const Array*>& in, const Attrs& attrs, Type result);

// The number of each text; those that are new get the next ones.
Array numbered(const Array& texts, std::map<std::string, std::int64_t>& numbers);

class Build {
 public:
  tensor::Graph graph;
  std::string node;  // name of the ONNX node in work, for messages and traces

  std::map<std::string, std::int64_t> texts;  // a number for every text seen so far

  // Type::text: its numbers, as int64.
  Val input(const std::string& name, Type type, const Shape& shape);
  Val constant(Array array) const;
  Val text(const Array& texts);
  Val constant(std::shared_ptr<const Array> array) const;
  Val scalar(double x, Type type = Type::f32) const { return constant(make_array(type, {}, std::vector<double>{x})); }
  Val integers(const Shape& shape, const std::vector<std::int64_t>& values) const;
  // Fills `shape` with one value.
  Val filled(const Shape& shape, double x, Type type = Type::f32) const;
  tensor::ValueId id(const Val& v);  // in the graph; known values become constants of it

  // The result's type; none: the first operand's (comparisons: boolean).
  Val op(Op op, const std::vector<Val>& in, const Attrs& attrs = {}, Type type = Type::none);
  std::vector<Val> top_k(const Val& x, std::int64_t count, std::int64_t axis, bool largest);

  Val add(const Val& a, const Val& b) { return op(Op::add, {a, b}); }
  Val sub(const Val& a, const Val& b) { return op(Op::sub, {a, b}); }
  Val mul(const Val& a, const Val& b) { return op(Op::mul, {a, b}); }
  Val div(const Val& a, const Val& b) { return op(Op::div, {a, b}); }
  Val min(const Val& a, const Val& b) { return op(Op::min, {a, b}); }
  Val max(const Val& a, const Val& b) { return op(Op::max, {a, b}); }
  Val less(const Val& a, const Val& b) { return op(Op::less, {a, b}); }
  Val equal(const Val& a, const Val& b) { return op(Op::equal, {a, b}); }
  // A number takes the type of the value beside it.
  Val add(const Val& a, double b) { return add(a, scalar(b, a.type)); }
  Val mul(const Val& a, double b) { return mul(a, scalar(b, a.type)); }
  Val less(const Val& a, double b) { return less(a, scalar(b, a.type)); }
  Val logical_not(const Val& a) { return op(Op::equal, {a, scalar(0, Type::boolean)}); }
  Val select(const Val& condition, const Val& a, const Val& b) { return op(Op::select, {condition, a, b}, {}, a.type); }
  Val unary(Op o, const Val& x) { return op(o, {x}); }
  Val cast(const Val& x, Type type, bool saturate = true);
  // Another name for the same numbers, without arithmetic: int8 as int32.
  Val retype(Val x, Type type, bool saturate = true);

  Val reshape(const Val& x, const Shape& shape);
  Val transpose(const Val& x, const std::vector<std::int64_t>& order);
  Val expand(const Val& x, const Shape& shape);
  Val slice(const Val& x, const Shape& starts, const Shape& steps, const Shape& shape);
  // x[.., begin:end, ..]
  Val part(const Val& x, std::int64_t axis, std::int64_t begin, std::int64_t end);
  Val reversed(const Val& x, std::int64_t axis);
  Val concat(const std::vector<Val>& parts, std::int64_t axis);
  Val pad(const Val& x, const Shape& before, const Shape& after, double value);
  Val reduce(Op o, const Val& x, const std::vector<std::int64_t>& axes, bool keep);
  Val gather(const Val& x, const Val& indices, std::int64_t axis);
  Val matmul(const Val& a, const Val& b, bool transpose_a = false, bool transpose_b = false);
  Val softmax(const Val& x, std::int64_t axis);

 private:
  std::map<const Array*, tensor::ValueId> ids_;
  std::vector<std::shared_ptr<const Array>> kept_;  // so that addresses in ids_ stay their own
};

}  // namespace jogak::onnx
