#include <cstring>

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
    model_.embedding = passes::to_float(weight(take(Op::embed)));
    x_ = embed_;
    for (int i = 0; i < graph_.layers; ++i) model_.layers.push_back(layer());
    model_.final_norm = passes::to_float(weight(norm()));
    model_.head = linear(index() - 1);
    take(Op::logits);
    if (at_ != graph_.nodes.size()) refuse("the end of the graph");
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
    same("epsilon", model_.eps, node.eps);
    return node;
  }
  template <class T>
  void same(const char* what, T& known, T found) {
    if (known != T{} && known != found) throw Error("schedule", what, std::to_string(found), std::to_string(known) + " in every layer");
    known = found;
  }
  int rotated(int input) {
    const Node& node = take(Op::rope, {input});
    same("rotary base", model_.theta, node.theta);
    return index() - 1;
  }

  LlamaLayer layer() {
    LlamaLayer l;
    l.attn_norm = passes::to_float(weight(norm()));
    const int n = index() - 1;
    l.q = linear(n);
    const int q = rotated(index() - 1);
    l.k = linear(n);
    const int k = rotated(index() - 1);
    l.v = linear(n);
    const Node& attention = take(Op::attention, {q, k, index() - 1});
    same("heads", model_.heads, attention.heads);
    same("KV heads", model_.kv_heads, attention.kv_heads);
    same("head size", model_.head_dim, attention.head_dim);
    l.o = linear(index() - 1);
    take(Op::add, {x_, index() - 1});
    x_ = index() - 1;
    l.ffn_norm = passes::to_float(weight(norm()));
    const int f = index() - 1;
    l.gate = linear(f);
    l.up = linear(f);
    same("feed-forward length", model_.ffn, static_cast<int>(l.gate->n));
    take(Op::swiglu, {index() - 2, index() - 1});
    l.down = linear(index() - 1);
    take(Op::add, {x_, index() - 1});
    x_ = index() - 1;
    return l;
  }

  const ir::Graph& graph_;
  Llama model_;
  std::size_t at_ = 0;
  int embed_ = 0, x_ = 0;
};

}  // namespace

Llama match_llama(const ir::Graph& graph) { return Matcher(graph).run(); }

}  // namespace jogak::schedule
