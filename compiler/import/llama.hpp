// The Llama decoder and its kin as a graph, whatever file their tensors came from.
#pragma once
#include <functional>
#include <string>

#include "../ir/graph.hpp"
#include "rotary.hpp"

namespace jogak::import {

struct LlamaHyper {
  int layers = 0, width = 0, heads = 0, kv_heads = 0, ffn = 0, context = 0, vocab = 0;
  float eps = 1e-5f, theta = 10000.0f;
  int head_dim = 0;          // 0: width / heads
  int rotary_dims = 0;       // leading columns of a head that turn; 0: all
  bool half_split = false;   // the file pairs columns (i, i + rotary_dims / 2), not (2i, 2i + 1)
  bool qk_norm = false;      // RMSNorm of each head of q and k before they turn
  bool qkv_bias = false;
  bool output_bias = false;  // of the attention's output projection
  bool sinks = false;        // a score without value for each head of attention
  ir::Activation activation = ir::Activation::silu;
  float embedding_scale = 1; // of the rows that go in, not of a head that shares them
  bool layer_norm = false;   // norms with mean and bias instead of RMSNorm
  bool positions = false;    // learned, added to the embedding (position_embd.weight), instead of rotation
  bool gated = true;         // false: activation(up) alone, without ffn_gate
  bool ffn_bias = false;     // of ffn_up and ffn_down
  bool parallel = false;     // one norm; attention and feed-forward of it are added to the same x
  bool post_norm = false;    // norms of what attention and feed-forward give, before it is added
  bool head_bias = false;
  float query_scale = 0;     // of the scores; 0: 1 / sqrt(head())
  float score_cap = 0, logit_cap = 0;  // cap * tanh(x / cap); 0: none
  double sliding_theta = 0;  // rotary base of sliding layers, unscaled; 0: as the others
  bool fused = false;        // the file keeps q, k and v as one matrix, gate and up as another (fused.hpp)
  int window = 0;            // keys that a query sees in sliding layers; 0: all
  std::vector<bool> sliding = {};  // by layer; empty: all of them, if there is a window
  RopeScaling scaling = {};
  ir::Mixture mixture = {};  // experts > 0: a mixture of experts, in the layers that are not dense
  int expert_ffn = 0;        // of an expert; 0: ffn
  int shared_ffn = 0;        // of the feed-forward that every row takes beside its experts; 0: there is none
  bool shared_gate = false;  // its result is multiplied by sigmoid(row . ffn_gate_inp_shexp)
  std::vector<bool> dense = {};  // by layer: a feed-forward instead of experts; empty: none
  bool expert_bias = false;  // biases of the router and of the experts
  std::string (*name_in_file)(const std::string& gguf) = nullptr;  // for messages, where the file's names are others

  int head() const { return head_dim > 0 ? head_dim : heads > 0 ? width / heads : 0; }
  int of_expert() const { return expert_ffn > 0 ? expert_ffn : ffn; }
  bool routed(int layer) const { return mixture.experts > 0 && (dense.empty() || !dense.at(static_cast<std::size_t>(layer))); }
  int turning() const { return rotary_dims > 0 ? rotary_dims : head(); }
};

// Tensors go by their GGUF names (token_embd.weight, blk.N.attn_q.weight, ...); output.weight may be missing (tied to the embedding);
// rope_freqs.weight, where it is there, divides the rotary frequencies.
// Adds the nodes to `graph`, whose tensors are already there. With half_split the rows of q and k, their biases and the QK norms are
// put in another order, pairs side by side: scores are sums over a head, so they stay the same.
// Throws jogak::Error naming a missing tensor, a wrong shape, or a tensor that has no place in this decoder.
void build_llama(ir::Graph& graph, const LlamaHyper& hyper);

}  // namespace jogak::import
