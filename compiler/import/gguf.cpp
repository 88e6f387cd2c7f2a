#include "gguf.hpp"

#include <algorithm>
#include <cmath>

#include "llama.hpp"
#include "gguf_file.hpp"

namespace jogak::import {
namespace {

constexpr const char* kArchitectures[] = {"llama", "qwen2", "qwen3", "qwen2moe", "qwen3moe", "gpt-oss", "phi3", "phi2", "gemma", "gemma2", "gemma3", "gpt2"};

class Gguf {
 public:
  explicit Gguf(GgufFile& in) : in_(in) {}

  ir::Graph read() {
    architecture();
    graph_.tensors = in_.tensors();
    for (ir::Tensor& t : graph_.tensors)  // gpt-oss calls the norm before the experts so
      if (const auto at = t.name.find(".post_attention_norm."); graph_.architecture == "gpt-oss" && at != std::string::npos) t.name.replace(at, 21, ".ffn_norm.");
    LlamaHyper h = hyper();
    vocabulary();
    build_llama(graph_, h);
    return std::move(graph_);
  }

 private:
  void architecture() {
    graph_.architecture = in_.architecture();
    std::string known;
    bool found = false;
    for (const char* a : kArchitectures) known += (known.empty() ? "" : ", ") + std::string(a), found |= graph_.architecture == a;
    if (!found) throw Error(in_.part(), "architecture", graph_.architecture.empty() ? "none" : graph_.architecture, "one of " + known);
    if (const auto* name = in_.list<std::string>("general.name")) graph_.model_name = *name;
  }

  // A key of this architecture.
  std::string own(const std::string& key) const { return graph_.architecture + "." + key; }
  bool has(const std::string& key) const { return in_.has(own(key)); }
  double real(const std::string& key) const { return in_.real(key); }
  int integer(const std::string& key, int least, int most) const { return in_.integer(key, least, most); }
  int size(const std::string& key, int most = 1 << 24) const { return integer(own(key), 1, most); }

  LlamaHyper hyper() const {
    LlamaHyper h;
    h.layers = size("block_count", 4096);
    h.width = size("embedding_length");
    h.heads = size("attention.head_count");
    h.kv_heads = has("attention.head_count_kv") ? size("attention.head_count_kv") : h.heads;
    h.ffn = size(mixture() && !has("feed_forward_length") ? "expert_feed_forward_length" : "feed_forward_length");
    h.context = size("context_length");
    const bool gpt2_like = graph_.architecture == "gpt2" || graph_.architecture == "phi2", gemma = graph_.architecture.starts_with("gemma");
    h.eps = static_cast<float>(real(own(gpt2_like ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon")));
    if (has("attention.key_length")) h.head_dim = size("attention.key_length");
    if (has("attention.value_length") && size("attention.value_length") != h.head())
      throw Error(in_.part(), own("attention.value_length"), std::to_string(size("attention.value_length")), "the length of keys, " + std::to_string(h.head()));
    if (has("attention.sliding_window")) h.window = integer(own("attention.sliding_window"), 0, 1 << 30);
    experts(h);
    if (has("rope.freq_base")) h.theta = static_cast<float>(real(own("rope.freq_base")));
    if (has("rope.dimension_count")) h.rotary_dims = size("rope.dimension_count");
    h.half_split = graph_.architecture != "llama";  // llama's rows were paired when the file was made
    h.qk_norm = graph_.architecture.starts_with("qwen3") || graph_.architecture == "gemma3";
    h.fused = graph_.architecture == "phi3" || gpt2_like;
    if (gemma) h.activation = ir::Activation::gelu_tanh, h.embedding_scale = std::sqrt(static_cast<float>(h.width));
    if (graph_.architecture == "gemma2" || graph_.architecture == "gemma3") newer_gemma(h);
    if (gpt2_like) like_gpt2(h);
    h.scaling = scaling(h);
    for (const ir::Tensor& t : graph_.tensors) {
      if (t.name == "token_embd.weight" && t.shape.size() == 2) h.vocab = static_cast<int>(std::min<std::int64_t>(t.shape[0], 1 << 24));
      h.qkv_bias |= t.name == "blk.0.attn_q.bias";
    }
    h.qkv_bias |= graph_.architecture.starts_with("qwen2");
    return h;
  }

  void like_gpt2(LlamaHyper& h) const {
    h.layer_norm = h.qkv_bias = h.output_bias = h.ffn_bias = true, h.gated = false;
    h.activation = ir::Activation::gelu_tanh;
    (graph_.architecture == "gpt2" ? h.positions : h.parallel) = true;
    for (const ir::Tensor& t : graph_.tensors) h.head_bias |= t.name == "output.bias";
  }
  // Of the largest of each kind the queries' scale is that of width / heads; the pattern of sliding layers is the architecture's.
  void newer_gemma(LlamaHyper& h) const {
    const bool second = graph_.architecture == "gemma2", largest = h.layers == (second ? 46 : 62);
    h.post_norm = true;
    h.query_scale = 1 / std::sqrt(static_cast<float>(largest ? h.width / h.heads : h.head()));
    const auto cap = [&](const char* key) { return has(key) ? static_cast<float>(real(own(key))) : 0.0f; };
    h.score_cap = cap("attn_logit_softcapping"), h.logit_cap = cap("final_logit_softcapping");
    if (!second) h.sliding_theta = has("rope.freq_base_swa") ? real(own("rope.freq_base_swa")) : 10000;
    for (int i = 0; h.window > 0 && i < h.layers; ++i) h.sliding.push_back(second ? i % 2 == 0 : i % 6 != 5);
  }

  bool mixture() const { return graph_.architecture == "qwen2moe" || graph_.architecture == "qwen3moe" || graph_.architecture == "gpt-oss"; }
  // qwen3moe: softmax of all, chosen, normalised, which is the softmax of the chosen.
  void experts(LlamaHyper& h) const {
    if (!mixture()) {
      if (has("expert_count") && integer(own("expert_count"), 0, 1 << 24) > 0)
        throw Error(in_.part(), own("expert_count"), std::to_string(integer(own("expert_count"), 0, 1 << 24)), "a dense feed-forward (0)");
      return;
    }
    h.mixture = {.experts = size("expert_count", 256), .top = size("expert_used_count", 8)};
    h.expert_ffn = has("expert_feed_forward_length") ? size("expert_feed_forward_length") : h.ffn;
    dense_layers(h);
    if (graph_.architecture == "qwen2moe") {
      h.mixture.over_chosen = false;
      h.shared_ffn = has("expert_shared_feed_forward_length") ? size("expert_shared_feed_forward_length") : h.ffn;
      h.shared_gate = true;
    }
    if (graph_.architecture != "gpt-oss") return;
    h.mixture.limit = 7, h.mixture.alpha = 1.702f;
    h.sinks = h.expert_bias = h.output_bias = true;
    if (h.window > 0)
      for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 2 == 0);
  }

  // Which layers have a router, the file's tensors say.
  void dense_layers(LlamaHyper& h) const {
    h.dense.assign(static_cast<std::size_t>(h.layers), false);
    for (const ir::Tensor& t : graph_.tensors)
      for (int i = 0; i < h.layers; ++i)
        if (t.name == "blk." + std::to_string(i) + ".ffn_gate.weight") h.dense[static_cast<std::size_t>(i)] = true;
    const auto dense = std::count(h.dense.begin(), h.dense.end(), true);
    if (dense == h.layers) h.mixture = {};  // what stands in the file about experts has no meaning
    if (dense == 0) h.dense.clear(), h.ffn = h.expert_ffn;
  }

  RopeScaling scaling(const LlamaHyper& h) const {
    RopeScaling s;
    const auto number = [&](const char* key, double standard) { return has(key) ? real(own(key)) : standard; };
    if (has("rope.scale_linear")) s.kind = RopeScaling::Kind::linear, s.factor = real(own("rope.scale_linear"));
    if (has("rope.scaling.type")) {
      const auto* type = in_.list<std::string>(own("rope.scaling.type"));
      s.kind = rope_kind(in_.part(), type ? *type : "a number");
      s.factor = number("rope.scaling.factor", 1);
    }
    s.original = number("rope.scaling.original_context_length", h.context);
    if (s.kind != RopeScaling::Kind::yarn) return s;
    s.truncate = graph_.architecture != "gpt-oss";
    s.fast = number("rope.scaling.yarn_beta_fast", 32), s.slow = number("rope.scaling.yarn_beta_slow", 1);
    s.magnitude = number("rope.scaling.attn_factor", 1) * (s.factor <= 1 ? 1 : 1 + 0.1 * std::log(s.factor));
    return s;
  }

  void vocabulary() {
    ir::Vocabulary& v = graph_.vocabulary;
    if (const auto* model = in_.list<std::string>("tokenizer.ggml.model")) v.model = *model;
    if (const auto* pre = in_.list<std::string>("tokenizer.ggml.pre")) v.pre = *pre;
    if (const auto* merges = in_.list<GgufFile::Texts>("tokenizer.ggml.merges")) v.merges = *merges;
    if (v.model == "gpt2") {
      v.add_space_prefix = false;
      v.add_bos = v.whole_words = v.pre.starts_with("llama");
      v.compose = v.pre.ends_with("qwen") || v.pre == "qwen2";
    }
    if (const auto* tokens = in_.list<GgufFile::Texts>("tokenizer.ggml.tokens")) v.tokens = *tokens;
    if (const auto* scores = in_.list<GgufFile::Numbers>("tokenizer.ggml.scores")) v.scores.assign(scores->begin(), scores->end());
    if (const auto* types = in_.list<GgufFile::Numbers>("tokenizer.ggml.token_type"))
      for (const double t : *types) v.types.push_back(t >= 0 && t < 256 ? static_cast<std::int32_t>(t) : 0);
    const auto id = [&](const char* key, int& out) {
      if (in_.has(key)) out = integer(key, -1, 1 << 24);
    };
    id("tokenizer.ggml.bos_token_id", v.bos);
    id("tokenizer.ggml.eos_token_id", v.eos);
    id("tokenizer.ggml.unknown_token_id", v.unk);
    for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"})
      if (in_.has(key)) v.ends.push_back(integer(key, 0, 1 << 24));
    if (const auto* chat = in_.list<std::string>("tokenizer.chat_template")) v.chat_template = *chat;
    if (in_.has("tokenizer.ggml.add_bos_token")) v.add_bos = real("tokenizer.ggml.add_bos_token") != 0;
    if (in_.has("tokenizer.ggml.add_space_prefix")) v.add_space_prefix = real("tokenizer.ggml.add_space_prefix") != 0;
  }

  GgufFile& in_;
  ir::Graph graph_;
};

}  // namespace

ir::Graph read_gguf(std::span<const std::byte> file, const std::string& name, std::shared_ptr<const void> keep) {
  GgufFile container(file, name, std::move(keep));
  return Gguf(container).read();
}

}  // namespace jogak::import
