#include "shapes.hpp"

namespace jogak::import {

Shape gptoss_20b() {
  LlamaHyper h{.layers = 24, .width = 2880, .heads = 64, .kv_heads = 8, .ffn = 2880, .context = 131072, .vocab = 201088, .eps = 1e-5f, .theta = 150000.0f,
               .head_dim = 64, .half_split = true, .qkv_bias = true, .output_bias = true, .sinks = true, .window = 128,
               .scaling = {.kind = RopeScaling::Kind::yarn, .factor = 32, .original = 4096, .truncate = false},
               .mixture = {.experts = 32, .top = 4, .limit = 7, .alpha = 1.702f}, .expert_bias = true};
  for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 2 == 0);
  return {.name = "gpt-oss-20b", .architecture = "gpt_oss", .hyper = h, .tied = false, .mxfp4_experts = true};
}

}  // namespace jogak::import
