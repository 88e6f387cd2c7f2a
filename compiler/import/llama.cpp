#include "llama.hpp"

#include <unordered_map>

#include "error.hpp"

namespace jogak::import {
namespace {

using ir::Node;
using ir::Op;

class Builder {
 public:
  Builder(ir::Graph& graph, const LlamaHyper& h) : graph_(graph), h_(h) {
    for (std::size_t i = 0; i < graph.tensors.size(); ++i) index_.emplace(graph.tensors[i].name, static_cast<int>(i));
  }

  void build() {
    check();
    const int head_dim = h_.width / h_.heads, kv = h_.kv_heads * head_dim;
    int x = add({.op = Op::embed, .name = "token_embd", .weights = {tensor("token_embd.weight", {h_.vocab, h_.width})}});
    for (layer_ = 0; layer_ < h_.layers; ++layer_) {
      const int n = norm("attn_norm", x);
      const int q = rope("rope_q", linear("attn_q", n, h_.width, h_.width), h_.heads, head_dim);
      const int k = rope("rope_k", linear("attn_k", n, kv, h_.width), h_.kv_heads, head_dim);
      const int v = linear("attn_v", n, kv, h_.width);
      const int a = add({.op = Op::attention, .name = "attention", .inputs = {q, k, v}, .heads = h_.heads, .kv_heads = h_.kv_heads, .head_dim = head_dim});
      const int o = linear("attn_output", a, h_.width, h_.width);
      graph_.nodes[static_cast<std::size_t>(o)].head_dim = head_dim;
      x = sum("attn_residual", x, o);
      const int f = norm("ffn_norm", x);
      const int gate = linear("ffn_gate", f, h_.ffn, h_.width), up = linear("ffn_up", f, h_.ffn, h_.width);
      const int hidden = add({.op = Op::swiglu, .name = "swiglu", .inputs = {gate, up}});
      x = sum("ffn_residual", x, linear("ffn_down", hidden, h_.width, h_.ffn));
    }
    layer_ = -1;
    const int n = add({.op = Op::rms_norm, .name = "output_norm", .inputs = {x}, .weights = {tensor("output_norm.weight", {h_.width})}, .eps = h_.eps});
    const std::string head = index_.contains("output.weight") ? "output.weight" : "token_embd.weight";
    const int y = add({.op = Op::linear, .name = "output", .inputs = {n}, .weights = {tensor(head, {h_.vocab, h_.width})}});
    add({.op = Op::logits, .name = "logits", .inputs = {y}});
    graph_.vocab = h_.vocab, graph_.width = h_.width, graph_.layers = h_.layers, graph_.context = h_.context;
  }

 private:
  void check() const {
    const auto positive = [](const char* what, int x) {
      if (x <= 0 || x > (1 << 24)) throw Error("llama", what, std::to_string(x), "1 to 16777216");
    };
    positive("layers", h_.layers), positive("embedding length", h_.width), positive("heads", h_.heads), positive("KV heads", h_.kv_heads);
    positive("feed-forward length", h_.ffn), positive("context length", h_.context), positive("vocabulary", h_.vocab);
    if (h_.width % h_.heads != 0 || h_.heads % h_.kv_heads != 0 || h_.width / h_.heads % 2 != 0)
      throw Error("llama", "heads", std::to_string(h_.heads) + " with " + std::to_string(h_.kv_heads) + " KV heads at width " + std::to_string(h_.width),
                  "KV heads dividing heads, heads dividing the width into even parts");
    if (h_.width / h_.heads > 256) throw Error("llama", "head size", std::to_string(h_.width / h_.heads), "at most 256");
  }
  std::string full(const std::string& name) const { return layer_ < 0 ? name : "blk." + std::to_string(layer_) + "." + name; }
  int tensor(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto it = index_.find(name);
    if (it == index_.end()) throw Error("llama", "tensor " + name, "nothing", "a tensor of that name");
    const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(it->second)];
    if (t.shape != shape) throw Error("llama", "shape of " + name, text(t.shape), text(shape));
    return it->second;
  }
  static std::string text(const std::vector<std::int64_t>& shape) {
    std::string s;
    for (const auto d : shape) s += (s.empty() ? "" : " x ") + std::to_string(d);
    return s;
  }
  int add(Node node) {
    node.layer = layer_;
    node.name = full(node.name);
    graph_.nodes.push_back(std::move(node));
    return static_cast<int>(graph_.nodes.size()) - 1;
  }
  int norm(const char* name, int x) {
    return add({.op = Op::rms_norm, .name = name, .inputs = {x}, .weights = {tensor(full(name) + ".weight", {h_.width})}, .eps = h_.eps});
  }
  int linear(const char* name, int x, int n, int k) {
    return add({.op = Op::linear, .name = name, .inputs = {x}, .weights = {tensor(full(name) + ".weight", {n, k})}});
  }
  int rope(const char* name, int x, int heads, int head_dim) {
    return add({.op = Op::rope, .name = name, .inputs = {x}, .theta = h_.theta, .heads = heads, .head_dim = head_dim});
  }
  int sum(const char* name, int a, int b) { return add({.op = Op::add, .name = name, .inputs = {a, b}}); }

  ir::Graph& graph_;
  const LlamaHyper& h_;
  std::unordered_map<std::string, int> index_;
  int layer_ = -1;
};

}  // namespace

void build_llama(ir::Graph& graph, const LlamaHyper& hyper) { Builder(graph, hyper).build(); }

}  // namespace jogak::import
