// The Llama decoder as a graph, whatever file its tensors came from.
#pragma once
#include <functional>
#include <string>

#include "../ir/graph.hpp"

namespace jogak::import {

struct LlamaHyper {
  int layers = 0, width = 0, heads = 0, kv_heads = 0, ffn = 0, context = 0, vocab = 0;
  float eps = 1e-5f, theta = 10000.0f;
};

// Tensors go by their GGUF names (token_embd.weight, blk.N.attn_q.weight, ...); output.weight may be missing (tied to the embedding).
// Adds the nodes to `graph`, whose tensors are already there. Throws jogak::Error naming a missing tensor or a wrong shape.
void build_llama(ir::Graph& graph, const LlamaHyper& hyper);

}  // namespace jogak::import
