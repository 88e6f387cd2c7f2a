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
  Matrix gate, up;           // [ffn][width]; none with experts
  Matrix down;               // [width][ffn]; likewise
  Matrix router;             // [experts][width]
  Experts experts;
  std::vector<float> router_bias, o_bias;  // [experts], [width]; none without bias
  std::vector<float> sinks;                // [heads]; none without sinks
  std::vector<float> attn_norm, ffn_norm;  // [width]
  std::vector<float> q_bias, k_bias, v_bias;  // [rows of q, k, v]; none without bias
  std::vector<float> q_norm, k_norm;       // [head_dim]; none without QK norms
  bool sliding = false;                    // its queries see `window` keys only
};

struct Llama {
  int width = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0, context = 0;
  int window = 0;                  // keys that a query sees in sliding layers, itself included
  bool qkv_bias = false, qk_norm = false, o_bias = false, sinks = false;
  ir::Mixture mixture;             // experts: 0 without
  bool expert_bias = false;        // of router and experts
  float eps = 0;
  ir::Activation activation = ir::Activation::silu;
  ir::Rotary rotary;
  std::vector<LlamaLayer> layers;
  std::vector<float> final_norm;   // [width]
  ir::Tensor embedding;            // [vocab][width], finite, in its own type
  float embedding_scale = 1;       // of each of its values
  Matrix head;                     // [vocab][width]
};

// Throws jogak::Error naming the node that is no part of a Llama block, or the matrix that was not quantised.
Llama match_llama(const ir::Graph& graph);

}  // namespace jogak::schedule
