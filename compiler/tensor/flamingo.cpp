#include "flamingo.hpp"

#include <cmath>

namespace jogak::tensor {
namespace {

constexpr float kEpsilon = 1e-5f;

class Builder {
 public:
  Builder(Graph& graph, const FlamingoShape& shape, const Weights& weights) : g_(graph), s_(shape), weights_(weights) {}

  ValueId weight(const std::string& name, const Shape& shape) { return g_.constant(name, shape, weights_(name, shape)); }

  ValueId norm(const std::string& name, ValueId x) {
    const Shape d{g_.shape(x).back()};
    return g_.add(Op::layer_norm, name, {x, weight(name + ".weight", d), weight(name + ".bias", d)}, {.axis = -1, .value = kEpsilon});
  }

  ValueId linear(const std::string& name, ValueId x, std::int64_t outputs) {
    return g_.add(Op::matmul, name, {x, weight(name + ".weight", {outputs, g_.shape(x).back()})}, {.transpose_b = true});
  }

  ValueId sum(const std::string& name, ValueId a, ValueId b) { return g_.add(Op::add, name, {a, b}); }

  // LayerNorm, up, GELU, down; without the residual. `name` is a sequence: 0 the norm, 1 and 3 the matrices.
  ValueId feed_forward(const std::string& name, ValueId x) {
    const std::int64_t d = g_.shape(x).back();
    const ValueId up = linear(name + ".1", norm(name + ".0", x), d * s_.hidden_factor);
    const ValueId erf = g_.add(Op::erf, name + ".gelu", {g_.add(Op::mul, name + ".gelu", {up, g_.scalar(std::sqrt(0.5f))})});
    const ValueId half = g_.add(Op::mul, name + ".gelu", {up, g_.scalar(0.5f)});
    return linear(name + ".3", g_.add(Op::mul, name + ".gelu", {half, sum(name + ".gelu", erf, g_.scalar(1))}), d);
  }

  // to_q of x, to_kv of media, to_out of the result.
  ValueId attention(const std::string& name, ValueId x, ValueId media, ValueId seen) {
    const std::int64_t inner = s_.heads * s_.head_dim, d = g_.shape(x).back();
    const ValueId q = heads(name, linear(name + ".to_q", x, inner), 0), kv = linear(name + ".to_kv", media, 2 * inner);
    std::vector<ValueId> in{q, heads(name, kv, 0), heads(name, kv, inner)};
    const Seen which = seen >= 0 ? queries(name, seen) : Seen{};
    if (seen >= 0) in.push_back(which.keys);
    ValueId y = g_.add(Op::attention, name, in, {.value = 1 / std::sqrt(static_cast<float>(s_.head_dim))});
    if (seen >= 0) y = g_.add(Op::mul, name + ".any", {y, which.any});
    const Shape& rows = g_.shape(x);
    y = g_.add(Op::reshape, name, {g_.add(Op::transpose, name, {y}, {.axes = {0, 2, 1, 3}})}, {.shape = {rows[0], rows[1], inner}});
    return linear(name + ".to_out", y, d);
  }

  // x + tanh(gate) y
  ValueId gated(const std::string& gate, ValueId x, ValueId y) {
    const ValueId size = g_.add(Op::tanh, gate, {weight(gate, {1})});
    return sum(gate, x, g_.add(Op::mul, gate, {y, size}));
  }

  Graph& graph() { return g_; }

 private:
  // [b, m, ..] from column `first` -> [b, heads, m, head_dim]
  ValueId heads(const std::string& name, ValueId x, std::int64_t first) {
    Shape s = g_.shape(x);
    const std::int64_t inner = s_.heads * s_.head_dim;
    if (s[2] != inner) x = g_.add(Op::slice, name, {x}, {.shape = {s[0], s[1], inner}, .starts = {0, 0, first}, .steps = {1, 1, 1}});
    const ValueId split = g_.add(Op::reshape, name, {x}, {.shape = {s[0], s[1], s_.heads, s_.head_dim}});
    return g_.add(Op::transpose, name, {split}, {.axes = {0, 2, 1, 3}});
  }

  struct Seen {
    ValueId keys = -1, any = -1;
  };
  // A softmax over nothing has no value: queries that see no key are let see all, and what comes of it is multiplied by `any`, 0 for them.
  Seen queries(const std::string& name, ValueId seen) {
    const ValueId numbers = g_.add(Op::cast, name + ".any", {seen}, {.dtype = DType::f32});
    const ValueId any = g_.add(Op::reduce_max, name + ".any", {numbers}, {.axes = {-1}, .keep = true});
    const ValueId none = g_.add(Op::sub, name + ".any", {g_.scalar(1), any});
    const ValueId keys = g_.add(Op::max, name + ".any", {numbers, none});
    return {g_.add(Op::cast, name + ".any", {keys}, {.dtype = DType::boolean}), any};
  }

  Graph& g_;
  const FlamingoShape& s_;
  const Weights& weights_;
};

}  // namespace

ValueId resampler(Graph& graph, ValueId features, const FlamingoShape& shape, const Weights& weights, const std::string& prefix) {
  Builder b(graph, shape, weights);
  const Shape in = graph.shape(features);
  if (in.size() != 3) throw Error("flamingo", "features", text(in), "[images, features, width]");
  const ValueId latents = b.weight(prefix + "latents", {shape.latents, in[2]});
  ValueId x = graph.add(Op::expand, prefix + "latents", {latents}, {.shape = {in[0], shape.latents, in[2]}});
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string name = prefix + "layers." + std::to_string(layer);
    const ValueId own = b.norm(name + ".0.norm_latents", x), media = b.norm(name + ".0.norm_media", features);
    const ValueId all = graph.add(Op::concat, name + ".0", {media, own}, {.axis = 1});
    x = b.sum(name + ".0", x, b.attention(name + ".0", own, all, -1));
    x = b.sum(name + ".1", x, b.feed_forward(name + ".1", x));
  }
  return b.norm(prefix + "norm", x);
}

ValueId gated_cross_attention(Graph& graph, ValueId x, ValueId media, ValueId seen, const FlamingoShape& shape, const Weights& weights,
                              const std::string& prefix) {
  Builder b(graph, shape, weights);
  x = b.gated(prefix + "attn_gate", x, b.attention(prefix + "attn", b.norm(prefix + "attn.norm", x), media, seen));
  return b.gated(prefix + "ff_gate", x, b.feed_forward(prefix + "ff", x));
}

}  // namespace jogak::tensor
