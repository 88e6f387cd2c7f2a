#include "patterns.hpp"

#include <cmath>

namespace jogak::onnx {

namespace {

using tensor::ValueId;

constexpr double kHidden = -1e30;
constexpr double kHiding = -1e4;  // what exporters write where a score must not count: this or less

struct Look {
  const tensor::Graph& g;

  // The node that makes the value as its first output; null for inputs, constants and other operators.
  const tensor::Node* maker(ValueId id, Op op) const {
    for (std::size_t i = g.nodes().size(); i-- > 0;)
      if (g.nodes()[i].outputs[0] == id) return g.nodes()[i].op == op ? &g.nodes()[i] : nullptr;
    return nullptr;
  }
  std::optional<double> number(ValueId id) const {
    const tensor::Value& v = g.value(id);
    if (!v.constant() || v.data->size() != 1) return std::nullopt;
    return (*v.data)[0];
  }
  // x of op(x, number), with the number; the operator's operands may change places where `either`.
  std::optional<std::pair<ValueId, double>> with_number(ValueId id, Op op, bool either) const {
    const tensor::Node* n = maker(id, op);
    if (!n) return std::nullopt;
    if (const auto k = number(n->inputs[1])) return std::pair{n->inputs[0], *k};
    if (const auto k = number(n->inputs[0]); k && either) return std::pair{n->inputs[1], *k};
    return std::nullopt;
  }
  // Over the last axis, which stays.
  const tensor::Node* mean(ValueId id) const {
    const tensor::Node* n = maker(id, Op::reduce_mean);
    if (!n || !n->attrs.keep || n->attrs.axes.size() != 1) return nullptr;
    return n->attrs.axes[0] + 1 == static_cast<std::int64_t>(g.shape(n->inputs[0]).size()) ? n : nullptr;
  }
  // x of x - mean(x).
  std::optional<ValueId> centred(ValueId id) const {
    const tensor::Node* n = maker(id, Op::sub);
    const tensor::Node* m = n ? mean(n->inputs[1]) : nullptr;
    return m && m->inputs[0] == n->inputs[0] ? std::optional(n->inputs[0]) : std::nullopt;
  }
};

struct Scores {
  const tensor::Node* product = nullptr;
  double scale = 1;
  ValueId mask = -1;      // added to the scores
  ValueId seen = -1;      // or a condition: where it equals `counts` the score does, elsewhere it is hidden
  bool counts = true;
};

// q kᵀ, perhaps times or by a number.
bool scaled(const Look& look, ValueId id, Scores& s) {
  if (const auto m = look.with_number(id, Op::mul, true)) id = m->first, s.scale = m->second;
  else if (const auto d = look.with_number(id, Op::div, false)) id = d->first, s.scale = 1 / d->second;
  s.product = look.maker(id, Op::matmul);
  return s.product != nullptr && !s.product->attrs.transpose_a;
}

std::optional<Scores> scores_of(const Look& look, ValueId id) {
  if (const auto m = look.with_number(id, Op::max, true); m && m->second < -3e38) id = m->first;
  Scores s;
  if (scaled(look, id, s)) return s;
  if (const tensor::Node* chosen = look.maker(id, Op::select)) {
    for (const std::size_t hidden : {2, 1}) {
      const auto number = look.number(chosen->inputs[hidden]);
      s = {};
      s.seen = chosen->inputs[0], s.counts = hidden == 2;
      if (number && *number <= kHiding && scaled(look, chosen->inputs[3 - hidden], s)) return s;
    }
    return std::nullopt;
  }
  const tensor::Node* sum = look.maker(id, Op::add);
  for (std::size_t i = 0; sum && i < 2; ++i) {
    s = {};
    s.mask = sum->inputs[1 - i];
    if (scaled(look, sum->inputs[i], s)) return s;
  }
  return std::nullopt;
}

// k [b, h, n, d] of the product's second operand.
ValueId keys(Build& b, const Look& look, const tensor::Node& product) {
  ValueId k = product.inputs[1];
  if (product.attrs.transpose_b) return k;
  Attrs attrs;
  attrs.axes = {0, 1, 3, 2};
  if (const tensor::Node* t = look.maker(k, Op::transpose)) {
    attrs.axes = {t->attrs.axes[0], t->attrs.axes[1], t->attrs.axes[3], t->attrs.axes[2]};
    k = t->inputs[0];
    if (attrs.axes == std::vector<std::int64_t>{0, 1, 2, 3}) return k;
  }
  return b.graph.add(Op::transpose, b.node, {k}, attrs);
}

}  // namespace

std::optional<Val> fused_attention(Build& b, const Val& weights, const Val& values) {
  if (weights.data || values.data || weights.rank() != 4 || values.rank() != 4) return std::nullopt;
  const Look look{b.graph};
  const tensor::Node* softmax = look.maker(weights.id, Op::softmax);
  if (!softmax || (softmax->attrs.axis != 3 && softmax->attrs.axis != -1)) return std::nullopt;
  const auto scores = scores_of(look, softmax->inputs[0]);
  if (!scores) return std::nullopt;
  const tensor::Node product = *scores->product;
  const Shape q = b.graph.shape(product.inputs[0]), k = b.graph.shape(product.inputs[1]);
  if (q.size() != 4 || k.size() != 4 || q[0] != k[0] || q[1] != k[1] || values.shape[0] != q[0] || values.shape[1] != q[1]) return std::nullopt;
  std::vector<ValueId> in{product.inputs[0], keys(b, look, product), b.id(values)};
  ValueId added = scores->mask;
  if (scores->seen >= 0) {
    const ValueId none = b.id(b.scalar(0)), all = b.id(b.scalar(kHidden));
    added = b.graph.add(Op::select, b.node, {scores->seen, scores->counts ? none : all, scores->counts ? all : none});
  }
  if (added >= 0) {
    Shape joint;
    const tensor::Value mask = b.graph.value(added);
    if (mask.dtype != tensor::DType::f32 || !tensor::broadcast(mask.shape, weights.shape, joint) || joint != weights.shape) return std::nullopt;
    in.push_back(b.graph.add(Op::max, b.node, {added, b.id(b.scalar(kHidden))}));
  }
  Attrs attrs;
  attrs.value = static_cast<float>(scores->scale);
  const ValueId y = b.graph.add(Op::attention, b.node, in, attrs);
  return Val{values.type, b.graph.shape(y), nullptr, y, weights.from.empty() ? values.from : weights.from, true};
}

std::optional<Val> fused_layer_norm(Build& b, const Val& product, const Val& bias) {
  if (product.data || !bias.data || bias.rank() != 1) return std::nullopt;
  const Look look{b.graph};
  const tensor::Node* scaled_by = look.maker(product.id, Op::mul);
  for (std::size_t i = 0; scaled_by && i < 2; ++i) {
    const ValueId scale = scaled_by->inputs[1 - i];
    const tensor::Node* quotient = look.maker(scaled_by->inputs[i], Op::div);
    if (!quotient || !b.graph.value(scale).constant() || b.graph.shape(scale) != bias.shape) continue;
    const auto x = look.centred(quotient->inputs[0]);
    const tensor::Node* root = look.maker(quotient->inputs[1], Op::sqrt);
    const auto sum = root ? look.with_number(root->inputs[0], Op::add, true) : std::nullopt;
    const tensor::Node* variance = sum ? look.mean(sum->first) : nullptr;
    const tensor::Node* square = variance ? look.maker(variance->inputs[0], Op::mul) : nullptr;
    if (!x || !square || square->inputs[0] != square->inputs[1] || look.centred(square->inputs[0]) != x) continue;
    if (b.graph.shape(*x).empty() || b.graph.shape(*x).back() != bias.shape[0]) continue;
    Attrs attrs;
    attrs.axis = -1;
    attrs.value = static_cast<float>(sum->second);
    const ValueId y = b.graph.add(Op::layer_norm, b.node, {*x, scale, b.id(bias)}, attrs);
    return Val{product.type, b.graph.shape(y), nullptr, y, product.from, true};
  }
  return std::nullopt;
}

}  // namespace jogak::onnx
