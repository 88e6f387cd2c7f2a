// Tensor graphs: the general path of the compiler. Front ends build them, lower.hpp turns any of them into one program.
//
//   Graph g;
//   const ValueId x = g.input("x", DType::f32, {2, 3}), w = g.constant("w", {3, 4}, weights);
//   g.output("y", g.add(Op::sigmoid, "act", {g.add(Op::matmul, "fc", {x, w})}));
//
// Shapes are static. A rank of 0 is a scalar. Sizes of 0 are refused. Every node's outputs get shape and type when it is added.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "error.hpp"

namespace jogak::tensor {

using Shape = std::vector<std::int64_t>;
using ValueId = int;

// All three are fp32 in memory. i32: an integer of magnitude at most 2^24, exact; the runtime converts at the graph's border.
// boolean: 0 or 1.
enum class DType { f32, i32, boolean };
const char* name(DType type);

// "shape" and "type" of results: binary operators broadcast as NumPy does. Unless said, one output of the first input's type.
// The machine (docs/tensor-graphs.md) flushes subnormals, has one NaN, and no operator but select and comparisons treats NaN
// otherwise than by giving NaN.
enum class Op {
  // a, b -> a ? b. Of two i32 the result is i32 (div truncates towards 0), else f32.
  add, sub, mul, div, min, max,
  // a, b -> boolean.
  less, less_equal, equal,
  // x -> f32; neg, abs, round (half to even), floor, trunc keep the type.
  neg, abs, round, floor, trunc, exp, log, recip, sqrt, rsqrt, erf, tanh, sigmoid, sin, cos,
  // x -> the same values as attrs.dtype: f32 to i32 truncates, to boolean is x != 0.
  cast,
  // condition (boolean), a, b -> where it holds a, else b; all three broadcast. A NaN in either branch shows.
  select,
  // x -> attrs.axes reduced (empty: all); attrs.keep keeps them as size 1. Mean of i32 is refused.
  reduce_sum, reduce_max, reduce_min, reduce_mean,
  // a [.., m, k], b [.., k, n] -> [.., m, n]; leading axes broadcast. attrs.transpose_a/b: the operand's last two are swapped.
  // Both operands of rank 2 or more (a front end reshapes vectors). attrs.precision says how exact.
  matmul,
  // Moves, bit exact. transpose: attrs.axes is the permutation (result axis i is input axis axes[i]). reshape: attrs.shape.
  // expand: broadcast to attrs.shape (right aligned, sizes 1 or missing are repeated).
  transpose, reshape, expand,
  // slice: per axis attrs.starts, attrs.steps (not 0; negative walks down), attrs.shape = sizes of the result; all have rank entries.
  slice,
  // inputs.. -> joined along attrs.axis.
  concat,
  // attrs.starts / attrs.ends: elements put before / after each axis, holding attrs.value. Not negative (use slice).
  pad,
  // Axis attrs.axis of size s becomes two, (o, size): out[.., i, j, ..] = x[.., i * step + j * dilation, ..], o as many as fit.
  // With attrs.starts = {size, step, dilation}. Twice it makes the patches of a 2-D convolution or pooling.
  unfold,
  // data, indices (i32) -> data's axis attrs.axis replaced by the indices' shape. Negative indices count from the end;
  // then they are clamped to the axis.
  gather,
  // x -> values, indices (i32): the attrs.count largest (attrs.largest) or smallest along attrs.axis, best first; among equals
  // the lowest index first. attrs.count = 1 is argmax. Values below -3.4e38 (-infinity) are never chosen before others.
  top_k,
  // Composites: decompose() rewrites them into the above; lowering has kernels of its own for the usual shapes.
  // softmax: along attrs.axis. layer_norm: x, scale[, bias]; rms_norm: x, scale: over the axes from attrs.axis to the last;
  // scale and bias broadcast to them. attrs.value: epsilon.
  softmax, layer_norm, rms_norm,
  // q [b, h, m, d], k [b, g, n, d], v [b, g, n, e][, mask broadcasting to [b, h, m, n], f32 to add or boolean (1: seen)]
  // -> [b, h, m, e]; g divides h (query head i uses key head i / (h / g)). Scores are multiplied by attrs.value.
  // attrs.causal: query i sees keys up to i + attrs.offset. attrs.softcap > 0: scores s become cap * tanh(s / cap).
  attention,
};
const char* name(Op op);

enum class Precision {
  exact,  // fp32 grade: three int8 limbs per operand
  int8,   // one int8 limb per operand, a bf16 scale per 32 values of k (activations as the fused path has them)
  mxfp4,  // b, which must be constant: E2M1 codes, an E8M0 scale per 32 values of k; a as int8
  mxint8, // b, which must be constant: int8 codes, an E8M0 scale per 32 values of k; a as int8
};

struct Attrs {
  std::int64_t axis = 0;           // negative counts from the end
  std::vector<std::int64_t> axes = {};
  Shape shape = {};
  std::vector<std::int64_t> starts = {}, steps = {}, ends = {};
  bool keep = false, transpose_a = false, transpose_b = false, largest = true, causal = false;
  std::int64_t count = 1, offset = 0;
  float value = 0, softcap = 0;
  DType dtype = DType::f32;
  Precision precision = Precision::exact;
};

struct Value {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::shared_ptr<const std::vector<float>> data = nullptr;  // constants only, row-major
  bool constant() const { return data != nullptr; }
};

struct Node {
  Op op = Op::add;
  std::string name;
  std::vector<ValueId> inputs, outputs;
  Attrs attrs;  // axes normalised to 0 .. rank - 1
};

struct Port {
  std::string name;
  ValueId value = -1;
};

std::int64_t elements(const Shape& shape);
std::string text(const Shape& shape);  // "[2, 3]"
// NumPy's rule; false where the shapes do not fit.
bool broadcast(const Shape& a, const Shape& b, Shape& out);

// Methods throw jogak::Error "tensor: node NAME (OP): what, found, expected".
class Graph {
 public:
  std::string title = "graph";

  ValueId input(const std::string& name, DType dtype, const Shape& shape);
  ValueId constant(const std::string& name, const Shape& shape, std::vector<float> data, DType dtype = DType::f32);
  ValueId share(const Value& constant);  // of another graph, without a copy of its data
  void replace(ValueId constant, std::vector<float> data);  // of the same size
  ValueId scalar(float x) { return constant("", {}, {x}); }
  // Adds a node behind those that make its inputs. The first form gives the only (or first) output.
  ValueId add(Op op, const std::string& name, const std::vector<ValueId>& inputs, const Attrs& attrs = {});
  std::vector<ValueId> add_all(Op op, const std::string& name, const std::vector<ValueId>& inputs, const Attrs& attrs = {});
  // A result under this name; one value may have several.
  void output(const std::string& name, ValueId value);

  const Value& value(ValueId id) const;
  const Shape& shape(ValueId id) const { return value(id).shape; }
  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // in an order that can be executed
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  // Of every matmul and attention; mxfp4 and mxint8 become int8 where b is not constant.
  void set_precision(Precision precision);
  void set_precision(std::size_t node, Precision precision);  // of one of them

 private:
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<Port> inputs_, outputs_;
};

// Shapes and types of a node's outputs; normalises attrs. Throws naming the node.
std::vector<Value> infer(Node& node, const std::vector<const Value*>& inputs);

// A graph of the same meaning: composites named in `which` replaced by primitive operators; constant subgraphs computed;
// nodes that no output needs left out.
Graph decompose(const Graph& graph, const std::vector<Op>& which);
Graph fold_constants(const Graph& graph);

}  // namespace jogak::tensor
