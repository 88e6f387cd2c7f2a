// Programs of real decoders fit the instruction memory whatever is asked of them; no weights are needed.
#include "memory_plan.hpp"
#include "shared.hpp"

using namespace jogak;
using import::LlamaHyper;

namespace {

struct Decoder {
  const char* name;
  LlamaHyper hyper;
  int sequences = 4;  // that edge has room for
};

std::vector<Decoder> decoders() {
  std::vector<Decoder> all;
  const auto add = [&](const char* name, LlamaHyper h, auto&& change, int sequences = 4) {
    change(h);
    all.push_back({name, h, sequences});
  };
  const LlamaHyper llama{.layers = 16, .width = 2048, .heads = 32, .kv_heads = 8, .ffn = 8192, .context = 4096, .vocab = 128256};
  add("Llama-3.2-1B", llama, [](LlamaHyper&) {});
  add("a decoder of 15 M", llama, [](LlamaHyper& h) { h.layers = 6, h.width = 288, h.heads = h.kv_heads = 6, h.ffn = 768, h.vocab = 32000; });
  add("Qwen3-0.6B", llama, [](LlamaHyper& h) { h.qk_norm = true, h.layers = 28, h.width = 1024, h.heads = 16, h.ffn = 3072, h.head_dim = 128; });
  add("Qwen2.5-0.5B", llama, [](LlamaHyper& h) { h.qkv_bias = true, h.layers = 24, h.width = 896, h.heads = 14, h.kv_heads = 2, h.ffn = 4864; });
  add("Phi-3-mini", llama, [](LlamaHyper& h) { h.layers = 32, h.width = 3072, h.kv_heads = 32, h.window = 2047; });
  LlamaHyper gpt2{.layers = 12, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 3072, .context = 1024, .vocab = 50257};
  gpt2.layer_norm = gpt2.positions = gpt2.qkv_bias = gpt2.output_bias = gpt2.ffn_bias = true, gpt2.gated = false;
  add("GPT-2", gpt2, [](LlamaHyper&) {});
  const LlamaHyper gemma{.layers = 26, .width = 2304, .heads = 8, .kv_heads = 4, .ffn = 9216, .context = 4096, .vocab = 256000, .head_dim = 256, .post_norm = true};
  add("Gemma-2-2B", gemma, [](LlamaHyper& h) {
    h.window = 2048, h.score_cap = 50, h.logit_cap = 30;
    for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 2 == 0);
  }, 2);
  add("Gemma-3-1B", gemma, [](LlamaHyper& h) {
    h.width = 1152, h.heads = 4, h.kv_heads = 1, h.ffn = 6912, h.qk_norm = true, h.window = 512, h.sliding_theta = 10000;
    for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 6 != 5);
  });
  add("gpt-oss-20b", import::gptoss_20b().hyper, [](LlamaHyper&) {});
  add("Qwen3-30B-A3B", llama, [](LlamaHyper& h) { h.layers = 48, h.kv_heads = 4, h.ffn = 768, h.head_dim = 128, h.qk_norm = true, h.mixture = {.experts = 128, .top = 8}; });
  add("Qwen1.5-MoE-A2.7B", llama, [](LlamaHyper& h) {
    h.layers = 24, h.heads = h.kv_heads = 16, h.qkv_bias = true, h.mixture = {.experts = 60, .top = 4, .over_chosen = false}, h.expert_ffn = 1408, h.shared_ffn = 5632, h.shared_gate = true;
  });
  return all;
}

}  // namespace

TEST_CASE("program length: real decoders on edge, whole keys and chunks, sequences, adapters, every format") {
  std::size_t most = 0;
  for (const Decoder& d : decoders())
    for (const char* format : {"int8", "int8c", "mxfp4"})
      for (const int context : {512, 4096})
        for (const int sequences : {1, d.sequences})
          for (const int rank : {0, 16}) {
            CAPTURE(std::string(d.name));
            CAPTURE(std::string(format));
            CAPTURE(context);
            CAPTURE(sequences);
            CAPTURE(rank);
            const MemoryPlan p = plan_memory({.name = d.name, .architecture = "llama", .hyper = d.hyper, .mxfp4_experts = true},
                                             {.config = "edge", .context = context, .sequences = sequences, .format = format, .lora = rank});
            CHECK(p.instructions <= p.most_instructions);
            most = std::max(most, p.instructions);
          }
  MESSAGE("the longest: " << most);
}
