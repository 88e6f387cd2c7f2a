// Matrices that some files keep as one (Phi-3): q, k and v; gate and up.
#pragma once
#include "llama.hpp"

namespace jogak::import {

// Replaces blk.N.attn_qkv.weight and, where there is no gate, blk.N.ffn_up.weight by their parts. Throws jogak::Error for a wrong shape.
void split_fused(ir::Graph& graph, const LlamaHyper& hyper);

}  // namespace jogak::import
