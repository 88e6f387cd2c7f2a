#include "llama.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "../passes/quantize.hpp"
#include "error.hpp"
#include "fused.hpp"

namespace jogak::import {
namespace {

using ir::Node;
using ir::Op;

class Builder {
 public:
  Builder(ir::Graph& graph, const LlamaHyper& h) : graph_(graph), h_(h) {
    for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
      ir::Tensor& t = graph.tensors[i];
      index_.emplace(t.name, static_cast<int>(i));
      if (t.name.ends_with("ffn_gate_inp_shexp.weight") && t.shape.size() == 1) t.shape.insert(t.shape.begin(), 1);  // GGUF keeps a vector
    }
  }

  void build() {
    check();
    const int head_dim = h_.head(), wide = h_.heads * head_dim;
    rotary_ = std::make_shared<const ir::Rotary>(make_rotary(static_cast<double>(h_.theta), h_.turning(), h_.scaling, factors()));
    if (h_.sliding_theta > 0) sliding_rotary_ = std::make_shared<const ir::Rotary>(make_rotary(h_.sliding_theta, h_.turning(), {}, {}));
    int x = add({.op = Op::embed, .name = "token_embd", .weights = {tensor("token_embd.weight", {h_.vocab, h_.width})}, .scale = h_.embedding_scale});
    if (h_.positions) x = add({.op = Op::positions, .name = "position_embd", .inputs = {x}, .weights = {tensor("position_embd.weight", {h_.context, h_.width})}});
    for (layer_ = 0; layer_ < h_.layers; ++layer_) {
      const int n = norm("attn_norm", x);
      const int q = turned("q", n, h_.heads), k = turned("k", n, h_.kv_heads);
      const int v = linear("attn_v", n, h_.kv_heads * head_dim, h_.width, h_.qkv_bias);
      const int a = add({.op = Op::attention, .name = "attention", .inputs = {q, k, v}, .heads = h_.heads, .kv_heads = h_.kv_heads,
                         .head_dim = head_dim, .query_scale = h_.query_scale, .cap = h_.score_cap, .window = slides() ? h_.window : 0});
      if (h_.sinks) graph_.nodes[static_cast<std::size_t>(a)].weights = {tensor(full("attn_sinks") + ".weight", {h_.heads})};
      const int o = linear("attn_output", a, h_.width, wide, h_.output_bias);
      graph_.nodes[static_cast<std::size_t>(o)].head_dim = head_dim;
      x = sum("attn_residual", x, h_.post_norm ? norm("post_attention_norm", o) : o);
      const int f = h_.parallel ? n : norm("ffn_norm", x), y = h_.routed(layer_) ? mixture(f) : feed_forward(f);
      x = sum("ffn_residual", x, h_.post_norm ? norm("post_ffw_norm", y) : y);
    }
    layer_ = -1;
    const int n = norm("output_norm", x);
    const std::string head = index_.contains("output.weight") ? "output.weight" : "token_embd.weight";
    Node last{.op = Op::linear, .name = "output", .inputs = {n}, .weights = {tensor(head, {h_.vocab, h_.width})}};
    if (h_.head_bias) last.weights.push_back(tensor("output.bias", {h_.vocab}));
    const int y = add(std::move(last));
    add({.op = Op::logits, .name = "logits", .inputs = {y}, .cap = h_.logit_cap});
    refuse_strangers();
    graph_.vocab = h_.vocab, graph_.width = h_.width, graph_.layers = h_.layers, graph_.context = h_.context;
  }

 private:
  void check() const {
    const auto positive = [](const char* what, int x) {
      if (x <= 0 || x > (1 << 24)) throw Error("llama", what, std::to_string(x), "1 to 16777216");
    };
    positive("layers", h_.layers), positive("embedding length", h_.width), positive("heads", h_.heads), positive("KV heads", h_.kv_heads);
    positive("feed-forward length", h_.ffn), positive("context length", h_.context), positive("vocabulary", h_.vocab);
    if (h_.heads % h_.kv_heads != 0 || (h_.head_dim == 0 && h_.width % h_.heads != 0) || h_.head() % 2 != 0)
      throw Error("llama", "heads", std::to_string(h_.heads) + " with " + std::to_string(h_.kv_heads) + " KV heads at width " + std::to_string(h_.width),
                  "KV heads dividing heads, heads dividing the width into even parts");
    if (h_.head() > 256) throw Error("llama", "head size", std::to_string(h_.head()), "at most 256");
    if (h_.turning() > h_.head() || h_.turning() % 2 != 0)
      throw Error("llama", "columns of a head that turn", std::to_string(h_.turning()), "an even number up to the head size " + std::to_string(h_.head()));
    const ir::Mixture& m = h_.mixture;
    if (m.experts != 0 && (m.experts < 0 || m.experts > 256 || m.top < 1 || m.top > std::min(m.experts, 8)))
      throw Error("llama", "experts", std::to_string(m.top) + " of " + std::to_string(m.experts) + " for a token", "1 to 8 of at most 256");
    if (!h_.dense.empty() && h_.dense.size() != static_cast<std::size_t>(h_.layers))
      throw Error("llama", "layers with or without experts", std::to_string(h_.dense.size()), std::to_string(h_.layers) + " of them");
    if (h_.window < 0) throw Error("llama", "sliding window", std::to_string(h_.window), "a number of keys, or 0 for none");
  }
  std::string full(const std::string& name) const { return layer_ < 0 ? name : "blk." + std::to_string(layer_) + "." + name; }
  int tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto it = index_.find(name);
    if (it == index_.end()) throw Error("llama", "tensor " + shown(name), "nothing", "a tensor of that name");
    used_.insert(it->second);
    const ir::Tensor& t = graph_.tensors[static_cast<std::size_t>(it->second)];
    if (t.shape != shape) throw Error("llama", "shape of " + shown(name), text(t.shape), text(shape));
    return it->second;
  }
  bool slides() const { return h_.sliding.empty() || h_.sliding.at(static_cast<std::size_t>(layer_)); }
  std::string shown(const std::string& name) const { return h_.name_in_file ? h_.name_in_file(name) : name; }
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
    Node node{.op = h_.layer_norm ? Op::layer_norm : Op::rms_norm, .name = name, .inputs = {x}, .weights = {tensor(full(name) + ".weight", {h_.width})}, .eps = h_.eps};
    if (h_.layer_norm) node.weights.push_back(tensor(full(name) + ".bias", {h_.width}));
    return add(std::move(node));
  }
  int linear(const char* name, int x, int n, int k, bool bias = false) {
    Node node{.op = Op::linear, .name = name, .inputs = {x}, .weights = {tensor(full(name) + ".weight", {n, k})}};
    if (bias) node.weights.push_back(tensor(full(name) + ".bias", {n}));
    return add(std::move(node));
  }
  int feed_forward(int x) {
    if (!h_.gated) {
      const int up = linear("ffn_up", x, h_.ffn, h_.width, h_.ffn_bias);
      return linear("ffn_down", add({.op = Op::swiglu, .name = "activation", .inputs = {up}, .activation = h_.activation}), h_.width, h_.ffn, h_.ffn_bias);
    }
    return gated(x, "", h_.ffn);
  }
  // `kind`: end of the names.
  int gated(int x, const std::string& kind, int ffn) {
    const int gate = linear(("ffn_gate" + kind).c_str(), x, ffn, h_.width), up = linear(("ffn_up" + kind).c_str(), x, ffn, h_.width);
    const int y = add({.op = Op::swiglu, .name = "swiglu" + kind, .inputs = {gate, up}, .activation = h_.activation});
    return linear(("ffn_down" + kind).c_str(), y, h_.width, ffn);
  }
  // Experts, and what every row takes beside them.
  int mixture(int x) {
    const int y = experts(x);
    if (h_.shared_ffn == 0) return y;
    int shared = gated(x, "_shexp", h_.shared_ffn);
    if (h_.shared_gate) {
      const int score = linear("ffn_gate_inp_shexp", x, 1, h_.width);
      shared = add({.op = Op::weigh, .name = "ffn_shexp", .inputs = {shared, score}});
    }
    return sum("ffn_sum", y, shared);
  }
  int experts(int x) {
    const int count = h_.mixture.experts, router = linear("ffn_gate_inp", x, count, h_.width, h_.expert_bias);
    Node node{.op = Op::experts, .name = "ffn_experts", .inputs = {x, router}, .mixture = h_.mixture};
    const auto each = [&](const char* kind, bool bias) {
      const auto take = [&](const char* name, int n, int k) {
        node.weights.push_back(tensor(full(std::string(name) + "_exps" + kind), bias ? std::vector<std::int64_t>{count, n} : std::vector<std::int64_t>{count, n, k}));
      };
      const int ffn = h_.of_expert();
      take("ffn_gate", ffn, h_.width), take("ffn_up", ffn, h_.width), take("ffn_down", h_.width, ffn);
    };
    each(".weight", false);
    if (h_.expert_bias) each(".bias", true);
    return add(std::move(node));
  }
  // The projection `which` (q or k), its norm if there is one, turned.
  int turned(const std::string& which, int x, int heads) {
    const int head_dim = h_.head();
    int y = linear(("attn_" + which).c_str(), x, heads * head_dim, h_.width, h_.qkv_bias);
    std::vector<int> weights = graph_.nodes[static_cast<std::size_t>(y)].weights;
    if (h_.qk_norm) {
      const int weight = tensor(full("attn_" + which + "_norm") + ".weight", {head_dim});
      weights.push_back(weight);
      y = add({.op = Op::rms_norm, .name = "attn_" + which + "_norm", .inputs = {y}, .weights = {weight}, .eps = h_.eps, .heads = heads, .head_dim = head_dim});
    }
    if (h_.positions) return y;
    if (h_.half_split)
      for (const int w : weights) pair_up(graph_.tensors[static_cast<std::size_t>(w)]);
    return add({.op = Op::rope, .name = "rope_" + which, .inputs = {y}, .rotary = sliding_rotary_ && slides() ? sliding_rotary_ : rotary_, .heads = heads, .head_dim = head_dim});
  }
  // Rows i and i + dims / 2 of each head become rows 2i and 2i + 1.
  void pair_up(ir::Tensor& t) const {
    const auto rows = static_cast<std::size_t>(t.shape[0]), head = static_cast<std::size_t>(h_.head()), half = static_cast<std::size_t>(h_.turning() / 2);
    const std::size_t row = t.data.size() / rows;
    std::vector<std::byte> out = t.data;
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t i = r % head;
      if (i >= 2 * half) continue;
      const std::size_t to = r - i + (i < half ? 2 * i : 2 * (i - half) + 1);
      std::copy_n(t.data.begin() + static_cast<std::ptrdiff_t>(r * row), row, out.begin() + static_cast<std::ptrdiff_t>(to * row));
    }
    t.data = std::move(out);
  }
  std::vector<float> factors() {
    if (!index_.contains("rope_freqs.weight")) return {};
    return passes::to_float(graph_.tensors[static_cast<std::size_t>(tensor("rope_freqs.weight", {h_.turning() / 2}))]);
  }
  // A tensor that no node uses would make another model than this graph.
  void refuse_strangers() const {
    for (std::size_t i = 0; i < graph_.tensors.size(); ++i)
      if (!used_.contains(static_cast<int>(i)))
        throw Error("llama", "tensor " + shown(graph_.tensors[i].name), "no place for it in a decoder of architecture " + graph_.architecture,
                    "only the tensors of a decoder that this compiler knows");
  }
  int sum(const char* name, int a, int b) { return add({.op = Op::add, .name = name, .inputs = {a, b}}); }

  ir::Graph& graph_;
  const LlamaHyper& h_;
  std::unordered_map<std::string, int> index_;
  std::unordered_set<int> used_;
  std::shared_ptr<const ir::Rotary> rotary_, sliding_rotary_;  // the second: none where all turn alike
  int layer_ = -1;
};

}  // namespace

void build_llama(ir::Graph& graph, const LlamaHyper& hyper) {
  if (hyper.fused) split_fused(graph, hyper);
  Builder(graph, hyper).build();
}

}  // namespace jogak::import
