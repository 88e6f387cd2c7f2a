// Mixtures of experts as Hugging Face folders keep them, brought into GGUF's form: one tensor [experts][rows][k] of each kind.
#pragma once
#include "llama.hpp"

namespace jogak::import {

// In blk.N of `graph`, replaces
//   ffn_gate_up_exps.blocks, .scales [experts][2 ffn][k / 32]([16])  (MXFP4; rows of gate and up take turns) with .bias [experts][2 ffn],
//   ffn_down_exps.blocks, .scales likewise, or the same in floats, k before rows, as .weight,
//   and ffn_{gate,up,down}_exps.E.weight, an expert each
// by ffn_{gate,up,down}_exps.weight and .bias. MXFP4 stays as it is, code by code. Throws jogak::Error naming a tensor of a wrong shape.
void gather_experts(ir::Graph& graph, const LlamaHyper& hyper);

}  // namespace jogak::import
