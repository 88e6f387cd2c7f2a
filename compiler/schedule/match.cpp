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
    if (is(Op::positions)) {
      model_.positions = passes::finite_float(weight(take(Op::positions, {x_})));
      x_ = index() - 1;
    }
    for (int i = 0; i < graph_.layers; ++i) model_.layers.push_back(layer());
    norm(model_.final_norm, model_.final_norm_bias);
    model_.head = linear(index() - 1);
    model_.head_bias = bias();
    model_.logit_cap = take(Op::logits).cap;
    if (at_ != graph_.nodes.size()) refuse("the end of the graph");
    turns();
    if (model_.parallel && model_.ffn_bias) {  // both are added to the same x
      model_.o_bias = true;
      for (LlamaLayer& l : model_.layers) {
        l.o_bias.resize(l.down_bias.size());
        for (std::size_t i = 0; i < l.o_bias.size(); ++i) l.o_bias[i] += l.down_bias[i];
      }
    }
    model_.width = graph_.width, model_.vocab = graph_.vocab, model_.context = graph_.context;
    return std::move(model_);
  }

 private:
  int index() const { return static_cast<int>(at_); }
  bool is(Op op) const { return at_ < graph_.nodes.size() && graph_.nodes[at_].op == op; }
  // One table of frequencies, or two: of the layers that slide and of the others.
  void turns() {
    const auto one = [&](bool sliding) {
      std::shared_ptr<const ir::Rotary> found;
      for (std::size_t i = 0; i < model_.layers.size(); ++i) {
        if (model_.layers[i].sliding != sliding) continue;
        if (found && *found != *turning_[i]) throw Error("schedule", "rotary frequencies of layer " + std::to_string(i), "others", "the same in every layer of its kind");
        found = turning_[i];
      }
      return found;
    };
    const auto all = one(false), sliding = one(true);
    if (all || sliding) model_.rotary = all ? *all : *sliding;
    model_.sliding_turns = all && sliding && *all != *sliding;
    if (model_.sliding_turns) model_.sliding_rotary = *sliding;
  }
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
  void norm(std::vector<float>& weights, std::vector<float>& biases) {
    if (model_.eps == 0) model_.layer_norm = is(Op::layer_norm);
    const Node& node = take(model_.layer_norm ? Op::layer_norm : Op::rms_norm, {x_});
    if (node.heads != 0) throw Error("schedule", "node " + node.name, "a norm of each head", "one of the whole row");
    same("epsilon", model_.eps, node.eps);
    weights = passes::finite_float(weight(node));
    if (model_.layer_norm) biases = bias();
  }
  // What a product gave, perhaps normalised, is added to x.
  void add(std::vector<float>& weights) {
    if (is(Op::rms_norm)) {
      const Node& node = take(Op::rms_norm, {index() - 1});
      if (node.heads != 0) throw Error("schedule", "node " + node.name, "a norm of each head", "one of the whole row");
      same("epsilon", model_.eps, node.eps);
      weights = passes::finite_float(weight(node));
    }
    take(Op::add, {x_, index() - 1});
    x_ = index() - 1;
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
    if (!model_.positions.empty()) {
      if (turning_.size() == model_.layers.size()) turning_.push_back(std::make_shared<const ir::Rotary>());
      return index() - 1;
    }
    const Node& node = take(Op::rope, {index() - 1});
    if (!node.rotary) throw Error("schedule", "node " + node.name, "no rotary frequencies", "those of its model");
    if (turning_.size() == model_.layers.size()) turning_.push_back(node.rotary);
    if (*turning_.back() != *node.rotary) throw Error("schedule", "rotary frequencies of " + node.name, "others", "those of the layer's queries");
    return index() - 1;
  }

  LlamaLayer layer() {
    LlamaLayer l;
    norm(l.attn_norm, l.attn_norm_bias);
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
    same("scale of the scores", model_.query_scale, attention.query_scale);
    same("cap of the scores", model_.score_cap, attention.cap);
    l.sliding = attention.window > 0;
    if (l.sliding) same("sliding window", model_.window, attention.window);
    if (!attention.weights.empty()) l.sinks = passes::finite_float(weight(attention));
    l.o = linear(index() - 1);
    l.o_bias = bias();
    add(l.post_attn);
    const bool parallel = is(Op::linear);
    if (!parallel) norm(l.ffn_norm, l.ffn_norm_bias);
    feed_forward(l, parallel ? n : index() - 1);
    add(l.post_ffn);
    every_late(l, parallel);
    return l;
  }
  void feed_forward(LlamaLayer& l, int x) {
    const Matrix first = linear(x);
    if (at_ < graph_.nodes.size() && graph_.nodes[at_].op == Op::experts) return experts(l, first, x);
    if (is(Op::swiglu)) {
      l.up = first, l.up_bias = bias();
    } else {
      need_plain();
      l.gate = first, l.up = plain(x);
    }
    same("feed-forward length", model_.ffn, static_cast<int>(l.up->n));
    const Node& gated = take(Op::swiglu, l.gate ? std::vector<int>{index() - 2, index() - 1} : std::vector<int>{index() - 1});
    if (!model_.layers.empty() && gated.activation != model_.activation) throw Error("schedule", "activation of " + gated.name, "another", "the same in every layer");
    model_.activation = gated.activation;
    l.down = linear(index() - 1);
    l.down_bias = bias();
  }
  void experts(LlamaLayer& l, const Matrix& router, int x) {
    l.router = router;
    l.router_bias = bias();
    const Node& node = take(Op::experts, {x, index() - 1});
    const int routed = index() - 1;
    const auto tensor = [&](std::size_t i) { return std::make_shared<const ir::Tensor>(graph_.tensors[static_cast<std::size_t>(node.weights.at(i))]); };
    Experts& e = l.experts;
    e.gate = tensor(0), e.up = tensor(1), e.down = tensor(2);
    for (const auto& t : {e.gate, e.up, e.down})
      if (!passes::kept_format(t->dtype)) passes::check_finite(*t);  // scales of blocks are looked at when they are packed
    same("length of an expert", model_.expert_ffn, static_cast<int>(e.gate->shape.at(1)));
    if (model_.mixture != ir::Mixture{} && model_.mixture != node.mixture) throw Error("schedule", "experts of " + node.name, "others", "as many in every layer");
    model_.mixture = node.mixture;
    // A scale per channel would have to come with the weights as a bias does: blocks have scales of their own.
    const ir::Format asked = node.expert_format == ir::Format::int8c ? ir::Format::int8 : node.expert_format;
    e.format = passes::array_format(e.gate->dtype, asked), e.down_format = passes::array_format(e.down->dtype, asked);
    if (passes::array_format(e.up->dtype, asked) != e.format)
      throw Error("schedule", "format of " + e.up->name, ir::name(passes::array_format(e.up->dtype, asked)), ir::name(e.format) + std::string(", like ") + e.gate->name);
    if (node.weights.size() > 3)
      e.gate_bias = passes::finite_float(*tensor(3)), e.up_bias = passes::finite_float(*tensor(4)), e.down_bias = passes::finite_float(*tensor(5));
    if (is(Op::linear)) shared(l, x, routed);
  }
  // A feed-forward of every row, perhaps times the sigmoid of its score, and the sum with what the experts gave.
  void shared(LlamaLayer& l, int x, int routed) {
    l.shared_gate = plain(x), l.shared_up = plain(x);
    same("length of the shared expert", model_.shared_ffn, static_cast<int>(l.shared_up->n));
    const Node& hidden = take(Op::swiglu, {index() - 2, index() - 1});
    if (hidden.activation != ir::Activation::silu) throw Error("schedule", "activation of " + hidden.name, "another", "silu, as the experts have");
    l.shared_down = plain(index() - 1);
    const int result = index() - 1;
    if (is(Op::linear)) {
      l.shared_score = plain(x);
      if (l.shared_score->n != 1) throw Error("schedule", "rows of the shared expert's score", std::to_string(l.shared_score->n), "1");
      take(Op::weigh, {result, index() - 1});
    }
    take(Op::add, {routed, index() - 1});
  }
  // Likewise what comes behind attention.
  void every_late(const LlamaLayer& l, bool parallel) {
    const auto same_in_all = [&](bool there, bool& known, const char* what) {
      if (!model_.layers.empty() && known != there)
        throw Error("schedule", std::string(what) + " in layer " + std::to_string(model_.layers.size()), there ? "some" : "none", "all or none, as in the layers before");
      known = there;
    };
    same_in_all(!l.o_bias.empty(), model_.o_bias, "a bias of the attention's output");
    same_in_all(!l.sinks.empty(), model_.sinks, "sinks");
    same_in_all(parallel, model_.parallel, "attention beside the feed-forward");
    same_in_all(!l.post_attn.empty(), model_.post_norm, "norms behind attention");
    if (model_.post_norm && model_.o_bias) throw Error("schedule", "norms behind attention", "and a bias of its output", "one of the two");
    if (l.post_attn.empty() != l.post_ffn.empty()) throw Error("schedule", "norms", "behind attention or feed-forward alone", "behind both or none");
    if (!l.router) {
      same_in_all(l.gate != nullptr, model_.gated, "a gate");
      same_in_all(!l.up_bias.empty(), model_.ffn_bias, "biases of the feed-forward");
      if (l.up_bias.empty() != l.down_bias.empty() || (model_.ffn_bias && model_.gated))
        throw Error("schedule", "biases of a feed-forward", "some", "those of up and down without a gate, or none");
      return;
    }
    const bool first = !routed_;
    routed_ = true;
    const auto as_first = [&](bool there, bool& known, const char* what) {
      if (!first && known != there) throw Error("schedule", std::string(what) + " in layer " + std::to_string(model_.layers.size()), there ? "some" : "none", "as in the first layer with experts");
      known = there;
    };
    as_first(!l.experts.gate_bias.empty(), model_.expert_bias, "biases of experts");
    as_first(l.shared_up != nullptr, shared_, "a shared expert");
    as_first(l.shared_score != nullptr, scored_, "a score of the shared expert");
    if (!model_.gated || model_.activation != ir::Activation::silu) throw Error("schedule", "experts", "layers without them that have another activation", "silu with a gate in all layers");
    if (model_.post_norm || model_.parallel || model_.layer_norm) throw Error("schedule", "experts", "LayerNorm, norms behind or attention beside them", "none of these");
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
  std::vector<std::shared_ptr<const ir::Rotary>> turning_;  // by layer
  Llama model_;
  std::size_t at_ = 0;
  int embed_ = 0, x_ = 0;
  bool routed_ = false, shared_ = false, scored_ = false;  // a layer with experts was there; they have a shared one; it has a score
};

}  // namespace

Llama match_llama(const ir::Graph& graph) { return Matcher(graph).run(); }

}  // namespace jogak::schedule
