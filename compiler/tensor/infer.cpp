// Shape and type inference: what each operator accepts.
#include <algorithm>
#include <numeric>

#include "graph.hpp"

namespace jogak::tensor {
namespace {

using Inputs = std::vector<const Value*>;
using Sizes = std::vector<std::int64_t>;

struct Site {  // for messages
  const Node& node;
  [[noreturn]] void refuse(const std::string& what, const std::string& found, const std::string& expected) const {
    throw Error("tensor", "node " + node.name + " (" + name(node.op) + "): " + what, found, expected);
  }
  void require(bool good, const std::string& what, const std::string& found, const std::string& expected) const {
    if (!good) refuse(what, found, expected);
  }
  void count(std::size_t found, std::size_t least, std::size_t most) const {
    if (found < least || found > most)
      refuse("inputs", std::to_string(found), least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most));
  }
  std::int64_t axis(std::int64_t a, std::size_t rank) const {
    const auto r = static_cast<std::int64_t>(rank);
    require(a >= -r && a < r, "axis", std::to_string(a), "one of a tensor of rank " + std::to_string(rank));
    return a < 0 ? a + r : a;
  }
  Shape common(const Shape& a, const Shape& b) const {
    Shape out;
    require(broadcast(a, b, out), "shapes", text(a) + " and " + text(b), "ones that broadcast");
    return out;
  }
  void broadcasts_to(const Shape& a, const Shape& to, const std::string& what) const {
    Shape out;
    require(broadcast(a, to, out) && out == to, what, text(a), "a shape that broadcasts to " + text(to));
  }
};

Value result(DType type, Shape shape) { return {"", type, std::move(shape), nullptr}; }
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Value binary(const Site& s, const Inputs& in) {
  s.count(in.size(), 2, 2);
  const bool compare = s.node.op == Op::less || s.node.op == Op::less_equal || s.node.op == Op::equal;
  const bool whole = in[0]->dtype == DType::i32 && in[1]->dtype == DType::i32;
  const bool logic = in[0]->dtype == DType::boolean && in[1]->dtype == DType::boolean &&
                     (s.node.op == Op::mul || s.node.op == Op::min || s.node.op == Op::max);
  return result(compare || logic ? DType::boolean : whole ? DType::i32 : DType::f32, s.common(in[0]->shape, in[1]->shape));
}

Value unary(const Site& s, const Inputs& in) {
  s.count(in.size(), 1, 1);
  const Op op = s.node.op;
  const bool keeps = op == Op::neg || op == Op::abs || op == Op::round || op == Op::floor || op == Op::trunc;
  return result(op == Op::cast ? s.node.attrs.dtype : keeps && in[0]->dtype == DType::i32 ? DType::i32 : DType::f32, in[0]->shape);
}

Value select(const Site& s, const Inputs& in) {
  s.count(in.size(), 3, 3);
  s.require(in[0]->dtype == DType::boolean, "condition", name(in[0]->dtype), "bool");
  return result(in[1]->dtype == in[2]->dtype ? in[1]->dtype : DType::f32, s.common(in[0]->shape, s.common(in[1]->shape, in[2]->shape)));
}

Value reduce(const Site& s, Attrs& a, const Inputs& in) {
  s.count(in.size(), 1, 1);
  const Shape& x = in[0]->shape;
  if (a.axes.empty()) {
    a.axes.resize(x.size());
    std::iota(a.axes.begin(), a.axes.end(), 0);
  }
  for (auto& axis : a.axes) axis = s.axis(axis, x.size());
  std::sort(a.axes.begin(), a.axes.end());
  s.require(std::adjacent_find(a.axes.begin(), a.axes.end()) == a.axes.end(), "axes", text(a.axes), "different ones");
  s.require(s.node.op != Op::reduce_mean || in[0]->dtype == DType::f32, "type", name(in[0]->dtype), "f32");
  Shape out;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(x.size()); ++i) {
    const bool gone = std::binary_search(a.axes.begin(), a.axes.end(), i);
    if (!gone || a.keep) out.push_back(gone ? 1 : x[at(i)]);
  }
  const bool counts = in[0]->dtype == DType::boolean && s.node.op == Op::reduce_sum;
  return result(counts ? DType::i32 : in[0]->dtype, out);
}

Value matmul(const Site& s, const Inputs& in) {
  s.count(in.size(), 2, 2);
  const Attrs& a = s.node.attrs;
  Shape x = in[0]->shape, y = in[1]->shape;
  s.require(x.size() >= 2 && y.size() >= 2, "operands", text(x) + " and " + text(y), "rank 2 or more");
  if (a.transpose_a) std::swap(x[x.size() - 1], x[x.size() - 2]);
  if (a.transpose_b) std::swap(y[y.size() - 1], y[y.size() - 2]);
  s.require(x.back() == y[y.size() - 2], "inner sizes", std::to_string(x.back()) + " and " + std::to_string(y[y.size() - 2]), "equal ones");
  s.require((a.precision != Precision::mxfp4 && a.precision != Precision::mxint8) || in[1]->constant(), "second operand", "a computed value", "a constant for mxfp4 and mxint8");
  Shape out = s.common({x.begin(), x.end() - 2}, {y.begin(), y.end() - 2});
  out.push_back(x[x.size() - 2]);
  out.push_back(y.back());
  const bool whole = in[0]->dtype == DType::i32 && in[1]->dtype == DType::i32;
  return result(whole ? DType::i32 : DType::f32, out);
}

Value transpose(const Site& s, Attrs& a, const Inputs& in) {
  s.count(in.size(), 1, 1);
  const Shape& x = in[0]->shape;
  s.require(a.axes.size() == x.size(), "permutation", text(a.axes), std::to_string(x.size()) + " axes");
  Shape out, seen;
  for (auto& axis : a.axes) {
    axis = s.axis(axis, x.size());
    s.require(std::find(seen.begin(), seen.end(), axis) == seen.end(), "permutation", text(a.axes), "each axis once");
    seen.push_back(axis);
    out.push_back(x[at(axis)]);
  }
  return result(in[0]->dtype, out);
}

Value reshape(const Site& s, const Inputs& in) {
  s.count(in.size(), 1, 1);
  const Shape& to = s.node.attrs.shape;
  s.require(elements(to) == elements(in[0]->shape), "shape", text(to), "as many elements as " + text(in[0]->shape));
  return result(in[0]->dtype, to);
}

Value expand(const Site& s, const Inputs& in) {
  s.count(in.size(), 1, 1);
  s.broadcasts_to(in[0]->shape, s.node.attrs.shape, "input");
  return result(in[0]->dtype, s.node.attrs.shape);
}

Value slice(const Site& s, const Inputs& in) {
  s.count(in.size(), 1, 1);
  const Attrs& a = s.node.attrs;
  const Shape& x = in[0]->shape;
  s.require(a.starts.size() == x.size() && a.steps.size() == x.size() && a.shape.size() == x.size(), "starts, steps and shape",
            text(a.starts) + ", " + text(a.steps) + ", " + text(a.shape), std::to_string(x.size()) + " entries each");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int64_t last = a.starts[i] + a.steps[i] * (a.shape[i] - 1);
    s.require(a.steps[i] != 0 && a.shape[i] > 0 && a.starts[i] >= 0 && a.starts[i] < x[i] && last >= 0 && last < x[i],
              "axis " + std::to_string(i), std::to_string(a.starts[i]) + " by " + std::to_string(a.steps[i]) + " to " + std::to_string(last),
              "at least one element, all inside " + text(x));
  }
  return result(in[0]->dtype, a.shape);
}

Value concat(const Site& s, Attrs& a, const Inputs& in) {
  s.require(!in.empty(), "inputs", "0", "1 or more");
  a.axis = s.axis(a.axis, in[0]->shape.size());
  Shape out = in[0]->shape;
  DType type = in[0]->dtype;
  for (std::size_t i = 1; i < in.size(); ++i) {
    Shape other = in[i]->shape;
    s.require(other.size() == out.size(), "input " + std::to_string(i), text(other), "rank " + std::to_string(out.size()));
    out[at(a.axis)] += other[at(a.axis)];
    other[at(a.axis)] = out[at(a.axis)];
    s.require(other == out, "input " + std::to_string(i), text(in[i]->shape), text(in[0]->shape) + " but for axis " + std::to_string(a.axis));
    if (in[i]->dtype != type) type = DType::f32;
  }
  return result(type, out);
}

Value pad(const Site& s, const Inputs& in) {
  s.count(in.size(), 1, 1);
  const Attrs& a = s.node.attrs;
  Shape out = in[0]->shape;
  s.require(a.starts.size() == out.size() && a.ends.size() == out.size(), "starts and ends", text(a.starts) + ", " + text(a.ends),
            std::to_string(out.size()) + " entries each");
  for (std::size_t i = 0; i < out.size(); ++i) {
    s.require(a.starts[i] >= 0 && a.ends[i] >= 0, "padding of axis " + std::to_string(i), text({a.starts[i], a.ends[i]}), "no negative one");
    out[i] += a.starts[i] + a.ends[i];
  }
  return result(in[0]->dtype, out);
}

Value unfold(const Site& s, Attrs& a, const Inputs& in) {
  s.count(in.size(), 1, 1);
  Shape out = in[0]->shape;
  a.axis = s.axis(a.axis, out.size());
  s.require(a.starts.size() == 3 && *std::min_element(a.starts.begin(), a.starts.end()) > 0, "size, step, dilation", text(a.starts), "three of 1 or more");
  const std::int64_t reach = (a.starts[0] - 1) * a.starts[2] + 1, size = out[at(a.axis)];
  s.require(reach <= size, "window of " + std::to_string(reach), "an axis of " + std::to_string(size), "one at least as long");
  out[at(a.axis)] = (size - reach) / a.starts[1] + 1;
  out.insert(out.begin() + a.axis + 1, a.starts[0]);
  return result(in[0]->dtype, out);
}

Value gather(const Site& s, Attrs& a, const Inputs& in) {
  s.count(in.size(), 2, 2);
  Shape out = in[0]->shape;
  a.axis = s.axis(a.axis, out.size());
  s.require(in[1]->dtype == DType::i32, "indices", name(in[1]->dtype), "i32");
  out.erase(out.begin() + a.axis);
  out.insert(out.begin() + a.axis, in[1]->shape.begin(), in[1]->shape.end());
  return result(in[0]->dtype, out);
}

std::vector<Value> top_k(const Site& s, Attrs& a, const Inputs& in) {
  s.count(in.size(), 1, 1);
  Shape out = in[0]->shape;
  a.axis = s.axis(a.axis, out.size());
  s.require(a.count >= 1 && a.count <= out[at(a.axis)], "count", std::to_string(a.count), "1 to " + std::to_string(out[at(a.axis)]));
  out[at(a.axis)] = a.count;
  return {result(in[0]->dtype, out), result(DType::i32, out)};
}

Value norm(const Site& s, Attrs& a, const Inputs& in) {
  s.count(in.size(), s.node.op == Op::softmax ? 1 : 2, s.node.op == Op::softmax ? 1 : s.node.op == Op::layer_norm ? 3 : 2);
  const Shape& x = in[0]->shape;
  a.axis = s.axis(a.axis, x.size());
  const Shape tail(x.begin() + a.axis, x.end());
  for (std::size_t i = 1; i < in.size(); ++i) s.broadcasts_to(in[i]->shape, tail, i == 1 ? "scale" : "bias");
  return result(DType::f32, x);
}

Value attention(const Site& s, const Inputs& in) {
  s.count(in.size(), 3, 4);
  const Shape &q = in[0]->shape, &k = in[1]->shape, &v = in[2]->shape;
  const std::string found = text(q) + ", " + text(k) + ", " + text(v);
  s.require(q.size() == 4 && k.size() == 4 && v.size() == 4, "q, k, v", found, "rank 4");
  s.require(q[0] == k[0] && q[0] == v[0] && k[1] == v[1] && q[1] % k[1] == 0 && q[3] == k[3] && k[2] == v[2], "q, k, v", found,
            "[b, h, m, d], [b, g, n, d], [b, g, n, e] with g dividing h");
  if (in.size() == 4) s.broadcasts_to(in[3]->shape, {q[0], q[1], q[2], k[2]}, "mask");
  return result(DType::f32, {q[0], q[1], q[2], v[3]});
}

}  // namespace

std::vector<Value> infer(Node& node, const Inputs& in) {
  const Site s{node};
  Attrs& a = node.attrs;
  if (node.op <= Op::equal) return {binary(s, in)};
  if (node.op <= Op::cast) return {unary(s, in)};
  switch (node.op) {
    case Op::select: return {select(s, in)};
    case Op::matmul: return {matmul(s, in)};
    case Op::transpose: return {transpose(s, a, in)};
    case Op::reshape: return {reshape(s, in)};
    case Op::expand: return {expand(s, in)};
    case Op::slice: return {slice(s, in)};
    case Op::concat: return {concat(s, a, in)};
    case Op::pad: return {pad(s, in)};
    case Op::unfold: return {unfold(s, a, in)};
    case Op::gather: return {gather(s, a, in)};
    case Op::top_k: return top_k(s, a, in);
    case Op::softmax:
    case Op::layer_norm:
    case Op::rms_norm: return {norm(s, a, in)};
    case Op::attention: return {attention(s, in)};
    default: return {reduce(s, a, in)};
  }
}

}  // namespace jogak::tensor
