// A decoder of Llama blocks as the scheduler sees it, found in the graph by match_llama.
#pragma once
#include <memory>
#include <vector>

#include "../ir/graph.hpp"

namespace jogak::schedule {

using Matrix = std::shared_ptr<const ir::QMatrix>;

// A mixture's matrices [experts][n][k], in the graph, which must outlive this. No data is needed for a plan.
struct Experts {
  std::shared_ptr<const ir::Tensor> gate, up, down;  // bytes are the graph's
  std::vector<float> gate_bias, up_bias, down_bias;  // [experts][n]; none without biases
  ir::Format format = ir::Format::int8;              // of gate and up
  ir::Format down_format = ir::Format::int8;
};

struct LlamaLayer {
  Matrix q, k, v;            // [heads or kv_heads * head_dim][width]
  Matrix o;                  // [width][heads * padded head]: k in groups of one head, each padded to 32
  Matrix gate, up;           // [ffn][width]; none in layers with experts, no gate where the model has none
  Matrix down;               // [width][ffn]; likewise
  Matrix router;             // [experts][width]
  Experts experts;
  Matrix shared_gate, shared_up, shared_down;  // [shared_ffn][width], [width][shared_ffn]; none without a shared expert
  Matrix shared_score;       // [1][width]: what it gives times sigmoid(this); none: as it is
  std::vector<float> router_bias, o_bias;  // [experts], [width]; none without bias
  std::vector<float> sinks;                // [heads]; none without sinks
  std::vector<float> attn_norm, ffn_norm;  // [width]; of parallel layers the first alone
  std::vector<float> attn_norm_bias, ffn_norm_bias;  // [width], with LayerNorm
  std::vector<float> post_attn, post_ffn;  // [width]; none without norms behind
  std::vector<float> up_bias, down_bias;   // [ffn], [width]; none without bias
  std::vector<float> q_bias, k_bias, v_bias;  // [rows of q, k, v]; none without bias
  std::vector<float> q_norm, k_norm;       // [head_dim]; none without QK norms
  bool sliding = false;                    // its queries see `window` keys only
};

struct Llama {
  int width = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0, context = 0;  // ffn: of layers without experts, 0 where there are none
  int window = 0;                  // keys that a query sees in sliding layers, itself included
  bool qkv_bias = false, qk_norm = false, o_bias = false, sinks = false;
  bool layer_norm = false, parallel = false, gated = true, ffn_bias = false, post_norm = false;
  float query_scale = 0, score_cap = 0, logit_cap = 0;  // 0: 1 / sqrt(head_dim), none
  ir::Mixture mixture;             // experts: 0 without
  int expert_ffn = 0, shared_ffn = 0;  // of an expert; of the shared one, 0: there is none
  bool expert_bias = false;        // of router and experts
  float eps = 0;
  ir::Activation activation = ir::Activation::silu;
  ir::Rotary rotary;               // no frequencies: nothing turns
  bool sliding_turns = false;      // sliding layers have frequencies of their own:
  ir::Rotary sliding_rotary;
  std::vector<float> positions;    // [context][width], added to the embedding; none without
  std::vector<LlamaLayer> layers;
  std::vector<float> final_norm, final_norm_bias;  // [width]
  std::vector<float> head_bias;    // [vocab]; none without
  ir::Tensor embedding;            // [vocab][width], finite, in its own type
  float embedding_scale = 1;       // of each of its values
  Matrix head;                     // [vocab][width]
};

// Throws jogak::Error naming the node that is no part of a Llama block, or the matrix that was not quantised.
Llama match_llama(const ir::Graph& graph);

}  // namespace jogak::schedule
