#include <cstring>

#include "../passes/codes.hpp"
#include "../passes/quantize.hpp"
#include "error.hpp"
#include "llama.hpp"

namespace jogak::schedule {
namespace {

using ir::Node;
using ir::Op;

// Walks the nodes in order, taking each as the next part of a Llama decoder.
class Matcher {
 public:
  explicit Matcher(const ir::Graph& graph) : graph_(graph) {}

  Llama run() {
    embed_ = index();
    const Node& embed = take(Op::embed);
    model_.embedding = weight(embed), model_.embedding_scale = embed.scale;
    passes::check_finite(model_.embedding);
    x_ = embed_;
    for (int i = 0; i < graph_.layers; ++i) model_.layers.push_back(layer());
    model_.final_norm = passes::finite_float(weight(norm()));
    model_.head = plain(index() - 1);
    take(Op::logits);
    if (at_ != graph_.nodes.size()) refuse("the end of the graph");
    model_.rotary = *turning_;
    model_.width = graph_.width, model_.vocab = graph_.vocab, model_.context = graph_.context;
    return std::move(model_);
  }

 private:
  int index() const { return static_cast<int>(at_); }
  [[noreturn]] void refuse(const std::string& expected) const {
    const bool end = at_ >= graph_.nodes.size();
    throw Error("schedule", end ? "graph" : "node " + graph_.nodes[at_].name, end ? "its end" : ir::name(graph_.nodes[at_].op), expected);
  }
  const Node& take(Op op) {
    if (at_ >= graph_.nodes.size() || graph_.nodes[at_].op != op) refuse(std::string(ir::name(op)) + " (a Llama block)");
    return graph_.nodes[at_++];
  }
  const Node& take(Op op, std::vector<int> inputs) {
    const Node& node = take(op);
    if (node.inputs != inputs) throw Error("schedule", "inputs of " + node.name, "other nodes", "those of a Llama block");
    return node;
  }
  const ir::Tensor& weight(const Node& node) const { return graph_.tensors[static_cast<std::size_t>(node.weights.at(0))]; }
  Matrix linear(int input) {
    const Node& node = take(Op::linear, {input});
    if (!node.matrix) throw Error("schedule", "matrix of " + node.name, "no quantised weights", "the quantise pass before this one");
    return node.matrix;
  }
  const Node& norm() {
    const Node& node = take(Op::rms_norm, {x_});
    if (node.heads != 0) throw Error("schedule", "node " + node.name, "a norm of each head", "one of the whole row");
    same("epsilon", model_.eps, node.eps);
    return node;
  }
  template <class T>
  void same(const char* what, T& known, T found) {
    if (known != T{} && known != found) throw Error("schedule", what, std::to_string(found), std::to_string(known) + " in every layer");
    known = found;
  }
  std::vector<float> bias() const {
    const Node& node = graph_.nodes[at_ - 1];
    return node.weights.size() < 2 ? std::vector<float>() : passes::finite_float(graph_.tensors[static_cast<std::size_t>(node.weights[1])]);
  }
  // The norm of each head, where there is one, and the rotation of the node before.
  int rotated(std::vector<float>& weights) {
    if (at_ < graph_.nodes.size() && graph_.nodes[at_].op == Op::rms_norm) {
      const Node& node = take(Op::rms_norm, {index() - 1});
      if (node.heads == 0) throw Error("schedule", "node " + node.name, "a norm of the whole row", "one of each head");
      same("epsilon", model_.eps, node.eps);
      weights = passes::finite_float(weight(node));
    }
    const Node& node = take(Op::rope, {index() - 1});
    if (!node.rotary) throw Error("schedule", "node " + node.name, "no rotary frequencies", "those of its model");
    if (!turning_) turning_ = node.rotary;
    if (*turning_ != *node.rotary) throw Error("schedule", "rotary frequencies of " + node.name, "others", "the same in every layer");
    return index() - 1;
  }

  LlamaLayer layer() {
    LlamaLayer l;
    l.attn_norm = passes::finite_float(weight(norm()));
    const int n = index() - 1;
    l.q = linear(n);
    l.q_bias = bias();
    const int q = rotated(l.q_norm);
    l.k = linear(n);
    l.k_bias = bias();
    const int k = rotated(l.k_norm);
    l.v = linear(n);
    l.v_bias = bias();
    every(l);
    const Node& attention = take(Op::attention, {q, k, index() - 1});
    same("heads", model_.heads, attention.heads);
    same("KV heads", model_.kv_heads, attention.kv_heads);
    same("head size", model_.head_dim, attention.head_dim);
    l.sliding = attention.window > 0;
    if (l.sliding) same("sliding window", model_.window, attention.window);
    if (!attention.weights.empty()) l.sinks = passes::finite_float(weight(attention));
    l.o = linear(index() - 1);
    l.o_bias = bias();
    take(Op::add, {x_, index() - 1});
    x_ = index() - 1;
    l.ffn_norm = passes::finite_float(weight(norm()));
    feed_forward(l, index() - 1);
    every_late(l);
    take(Op::add, {x_, index() - 1});
    x_ = index() - 1;
    return l;
  }
  void feed_forward(LlamaLayer& l, int x) {
    const Matrix first = linear(x);
    if (at_ < graph_.nodes.size() && graph_.nodes[at_].op == Op::experts) return experts(l, first, x);
    need_plain();
    l.gate = first;
    l.up = plain(x);
    same("feed-forward length", model_.ffn, static_cast<int>(l.gate->n));
    const Node& gated = take(Op::swiglu, {index() - 2, index() - 1});
    if (!model_.layers.empty() && gated.activation != model_.activation) throw Error("schedule", "activation of " + gated.name, "another", "the same in every layer");
    model_.activation = gated.activation;
    l.down = plain(index() - 1);
  }
  void experts(LlamaLayer& l, const Matrix& router, int x) {
    l.router = router;
    l.router_bias = bias();
    const Node& node = take(Op::experts, {x, index() - 1});
    const auto tensor = [&](std::size_t i) { return std::make_shared<const ir::Tensor>(graph_.tensors[static_cast<std::size_t>(node.weights.at(i))]); };
    Experts& e = l.experts;
    e.gate = tensor(0), e.up = tensor(1), e.down = tensor(2);
    for (const auto& t : {e.gate, e.up, e.down})
      if (!passes::kept_format(t->dtype)) passes::check_finite(*t);  // scales of blocks are looked at when they are packed
    same("feed-forward length", model_.ffn, static_cast<int>(e.gate->shape.at(1)));
    if (model_.mixture != ir::Mixture{} && model_.mixture != node.mixture) throw Error("schedule", "experts of " + node.name, "others", "as many in every layer");
    model_.mixture = node.mixture;
    // A scale per channel would have to come with the weights as a bias does: blocks have scales of their own.
    const ir::Format asked = node.expert_format == ir::Format::int8c ? ir::Format::int8 : node.expert_format;
    e.format = passes::array_format(e.gate->dtype, asked), e.down_format = passes::array_format(e.down->dtype, asked);
    if (passes::array_format(e.up->dtype, asked) != e.format)
      throw Error("schedule", "format of " + e.up->name, ir::name(passes::array_format(e.up->dtype, asked)), ir::name(e.format) + std::string(", like ") + e.gate->name);
    if (node.weights.size() == 3) return;
    e.gate_bias = passes::finite_float(*tensor(3)), e.up_bias = passes::finite_float(*tensor(4)), e.down_bias = passes::finite_float(*tensor(5));
  }
  // Likewise what comes behind attention.
  void every_late(const LlamaLayer& l) {
    const auto same_in_all = [&](bool there, bool& known, const char* what) {
      if (!model_.layers.empty() && known != there)
        throw Error("schedule", std::string(what) + " in layer " + std::to_string(model_.layers.size()), there ? "some" : "none", "all or none, as in the layers before");
      known = there;
    };
    same_in_all(!l.o_bias.empty(), model_.o_bias, "a bias of the attention's output");
    same_in_all(!l.sinks.empty(), model_.sinks, "sinks");
    same_in_all(!l.experts.gate_bias.empty(), model_.expert_bias, "biases of experts");
    if (!l.router) return;
    if (l.router_bias.empty() == model_.expert_bias) throw Error("schedule", "biases", "of router or experts alone", "of both or of none");
  }
  // Biases and QK norms are in all layers or in none.
  void every(const LlamaLayer& l) {
    const bool with_bias = !l.q_bias.empty(), with_norm = !l.q_norm.empty();
    const auto need = [&](bool good, const char* what) {
      if (!good) throw Error("schedule", std::string(what) + " in layer " + std::to_string(model_.layers.size()), "some", "all or none, as in the layers before");
    };
    need(l.k_bias.empty() != with_bias && l.v_bias.empty() != with_bias && (model_.layers.empty() || model_.qkv_bias == with_bias), "biases of q, k and v");
    need(l.k_norm.empty() != with_norm && (model_.layers.empty() || model_.qk_norm == with_norm), "norms of q and k");
    model_.qkv_bias = with_bias, model_.qk_norm = with_norm;
  }
  // Elsewhere there is no place for a bias.
  Matrix plain(int input) {
    Matrix m = linear(input);
    need_plain();
    return m;
  }
  void need_plain() const {
    const Node& node = graph_.nodes[at_ - 1];
    if (node.weights.size() > 1) throw Error("schedule", "node " + node.name, "a bias", "none (only q, k, v, o and experts may have one)");
  }

  const ir::Graph& graph_;
  std::shared_ptr<const ir::Rotary> turning_;
  Llama model_;
  std::size_t at_ = 0;
  int embed_ = 0, x_ = 0;
};

}  // namespace

Llama match_llama(const ir::Graph& graph) { return Matcher(graph).run(); }

}  // namespace jogak::schedule
