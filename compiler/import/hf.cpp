#include "hf.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../passes/quantize.hpp"
#include "experts.hpp"
#include "json_file.hpp"
#include "hf_names.hpp"
#include "llama.hpp"
#include "safetensors.hpp"

namespace jogak::import {
namespace {

namespace fs = std::filesystem;
const std::string kConfig = "config.json";

constexpr const char* kTypes[] = {"llama", "mistral", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "gpt_oss", "phi3", "phi", "gemma", "gemma2", "gemma3_text", "gpt2"};

class Config {
 public:
  explicit Config(const fs::path& file) : json_(read_json_file(file)), type_(need_key<std::string>(kConfig, json_, "model_type")) {
    if (std::find(std::begin(kTypes), std::end(kTypes), type_) == std::end(kTypes)) {
      std::string known;
      for (const char* t : kTypes) known += (known.empty() ? "" : t == kTypes[std::size(kTypes) - 1] ? " or " : ", ") + std::string(t);
      throw Error(kConfig, "model_type", type_, type_ == "gemma3" ? "gemma3_text, the part without images" : known);
    }
    const auto quantised = json_.find("quantization_config");
    if (quantised != json_.end() && !quantised->is_null() && !(type_ == "gpt_oss" && quantised->value("quant_method", "") == "mxfp4"))
      throw Error(kConfig, "quantization_config", quantised->value("quant_method", "one"), type_ == "gpt_oss" ? "mxfp4 or none" : "none (F32, F16 or BF16 weights)");
    const std::string act = activation();
    if (tanh() ? act != "gelu" && act != "gelu_new" && act != "gelu_pytorch_tanh" : act != "silu" && act != "swish")
      throw Error(kConfig, type_ == "gpt2" ? "activation_function" : "hidden_act", act, !tanh() ? "silu" : gemma() ? "gelu_pytorch_tanh" : "gelu_new");
    if (act == "gelu" && !gemma()) throw Error(kConfig, "hidden_act", act, "gelu_new");
  }

  const std::string& type() const { return type_; }
  bool tied() const { return optional_key<bool>(kConfig, json_, "tie_word_embeddings").value_or(gemma() || type_ == "gpt2"); }
  // Norm weights of the file are what is added to 1.
  bool norms_from_one() const { return gemma(); }

  LlamaHyper hyper() const {
    if (type_ == "gpt2") return gpt2();
    LlamaHyper h;
    h.layers = need_size(kConfig, json_, "num_hidden_layers"), h.width = need_size(kConfig, json_, "hidden_size");
    h.heads = need_size(kConfig, json_, "num_attention_heads");
    h.kv_heads = optional_size(kConfig, json_, "num_key_value_heads").value_or(h.heads);
    h.ffn = dense_ffn(), h.vocab = need_size(kConfig, json_, "vocab_size");
    h.context = need_size(kConfig, json_, "max_position_embeddings");
    h.eps = static_cast<float>(number(json_, "rms_norm_eps").value_or(1e-6));
    h.head_dim = optional_size(kConfig, json_, "head_dim").value_or(type_.starts_with("qwen3") ? 128 : type_ == "gpt_oss" ? 64 : gemma() ? 256 : 0);
    h.half_split = true;
    h.qk_norm = type_.starts_with("qwen3") || type_ == "gemma3_text";
    h.fused = type_ == "phi3";
    if (gemma()) h.activation = ir::Activation::gelu_tanh, h.embedding_scale = std::sqrt(static_cast<float>(h.width));
    h.qkv_bias = type_ == "qwen2" || (type_ == "qwen2_moe" && optional_key<bool>(kConfig, json_, "qkv_bias").value_or(true)) || optional_key<bool>(kConfig, json_, "attention_bias").value_or(type_ == "gpt_oss");
    experts(h);
    window(h);
    h.name_in_file = names_of(type_);
    rotary(h);
    if (type_ == "phi") phi(h);
    if (type_ == "gemma2" || type_ == "gemma3_text") newer_gemma(h);
    return h;
  }
  // Tokens that end a text: one or a list.
  static std::vector<int> ids(const Json& j, const char* key) {
    if (!j.contains(key) || j[key].is_null()) return {};
    if (j[key].is_number_integer()) return {j[key].get<int>()};
    return need_key<std::vector<int>>(kConfig, j, key);
  }
  const Json& json() const { return json_; }
  bool mxfp4() const { return json_.contains("quantization_config") && !json_["quantization_config"].is_null(); }

 private:
  bool gemma() const { return type_.starts_with("gemma"); }
  bool tanh() const { return gemma() || type_ == "phi" || type_ == "gpt2"; }

  // LayerNorm, learned positions, a feed-forward without a gate.
  LlamaHyper gpt2() const {
    LlamaHyper h;
    h.layers = need_size(kConfig, json_, "n_layer"), h.width = need_size(kConfig, json_, "n_embd"), h.heads = h.kv_heads = need_size(kConfig, json_, "n_head");
    h.ffn = optional_size(kConfig, json_, "n_inner").value_or(4 * h.width), h.vocab = need_size(kConfig, json_, "vocab_size");
    h.context = need_size(kConfig, json_, "n_positions");
    h.eps = static_cast<float>(number(json_, "layer_norm_epsilon").value_or(1e-5));
    for (const char* key : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"})
      if (optional_key<bool>(kConfig, json_, key).value_or(false)) throw Error(kConfig, key, "true", "false");
    if (!optional_key<bool>(kConfig, json_, "scale_attn_weights").value_or(true)) throw Error(kConfig, "scale_attn_weights", "false", "true");
    h.positions = true;
    like_gpt2(h);
    h.name_in_file = names_of(type_);
    return h;
  }
  static void like_gpt2(LlamaHyper& h) {
    h.layer_norm = h.qkv_bias = h.output_bias = h.ffn_bias = h.fused = true, h.gated = false;
    h.activation = ir::Activation::gelu_tanh;
  }
  void phi(LlamaHyper& h) const {
    h.eps = static_cast<float>(number(json_, "layer_norm_eps").value_or(1e-5));
    if (optional_key<bool>(kConfig, json_, "qk_layernorm").value_or(false)) throw Error(kConfig, "qk_layernorm", "true", "false");
    like_gpt2(h);
    h.parallel = h.head_bias = true;
  }
  // Norms before and behind; caps (gemma 2); another rotary base in sliding layers (gemma 3).
  void newer_gemma(LlamaHyper& h) const {
    h.post_norm = true;
    h.query_scale = static_cast<float>(1 / std::sqrt(number(json_, "query_pre_attn_scalar").value_or(256)));
    h.score_cap = static_cast<float>(number(json_, "attn_logit_softcapping").value_or(0)), h.logit_cap = static_cast<float>(number(json_, "final_logit_softcapping").value_or(0));
    if (!(h.query_scale > 0 && h.score_cap >= 0 && h.logit_cap >= 0)) throw Error(kConfig, "query_pre_attn_scalar or softcapping", "a number below 0", "numbers above 0");
    if (optional_key<bool>(kConfig, json_, "use_bidirectional_attention").value_or(false)) throw Error(kConfig, "use_bidirectional_attention", "true", "false");
  }

  // Gemma's "gelu" has always meant the one by tanh; newer files say so in a key of its own.
  std::string activation() const {
    if (const auto newer = optional_key<std::string>(kConfig, json_, "hidden_activation"); newer && gemma()) return *newer;
    return optional_key<std::string>(kConfig, json_, type_ == "gpt2" ? "activation_function" : "hidden_act").value_or(gemma() ? "gelu_pytorch_tanh" : tanh() ? "gelu_new" : "silu");
  }
  static std::optional<double> number(const Json& j, const char* key) { return optional_key<double>(kConfig, j, key); }

  void experts(LlamaHyper& h) const {
    ir::Mixture& m = h.mixture;
    if (type_ == "gpt_oss") {
      m = {.experts = need_size(kConfig, json_, "num_local_experts"), .top = optional_size(kConfig, json_, "num_experts_per_tok").value_or(4),
           .limit = static_cast<float>(number(json_, "swiglu_limit").value_or(7)), .alpha = static_cast<float>(number(json_, "swiglu_alpha").value_or(1.702))};
      if (!(m.limit > 0)) throw Error(kConfig, "swiglu_limit", std::to_string(m.limit), "above 0");
      h.sinks = h.expert_bias = true, h.output_bias = h.qkv_bias;
    }
    if (!qwen_moe()) return;
    const auto list = optional_key<std::vector<int>>(kConfig, json_, "mlp_only_layers").value_or(std::vector<int>());
    const int step = optional_size(kConfig, json_, "decoder_sparse_step").value_or(1);
    for (int i = 0; i < h.layers; ++i) h.dense.push_back((i + 1) % step != 0 || std::find(list.begin(), list.end(), i) != list.end());
    const auto dense = std::count(h.dense.begin(), h.dense.end(), true);
    if (dense == h.layers) return;  // an ordinary decoder
    if (dense == 0) h.dense.clear();
    h.expert_ffn = need_size(kConfig, json_, "moe_intermediate_size");
    if (dense == 0) h.ffn = h.expert_ffn;
    if (type_ == "qwen2_moe") h.shared_ffn = need_size(kConfig, json_, "shared_expert_intermediate_size"), h.shared_gate = true;
    const char* experts = json_.contains("num_local_experts") ? "num_local_experts" : "num_experts";  // newer files, older files
    m = {.experts = need_size(kConfig, json_, experts), .top = need_size(kConfig, json_, "num_experts_per_tok"),
         .over_chosen = optional_key<bool>(kConfig, json_, "norm_topk_prob").value_or(false)};
  }

  bool qwen_moe() const { return type_ == "qwen2_moe" || type_ == "qwen3_moe"; }
  // Configurations of models with experts in every layer may leave out that of a feed-forward.
  int dense_ffn() const {
    const char* key = qwen_moe() && !json_.contains("intermediate_size") ? "moe_intermediate_size" : "intermediate_size";
    return need_size(kConfig, json_, key);
  }

  // Every layer of mistral and phi3 slides; of the others those that layer_types names, or of qwen those from max_window_layers on.
  void window(LlamaHyper& h) const {
    const bool asked = type_ == "mistral" || type_ == "phi3" || type_ == "gemma2" || type_ == "gemma3_text" || optional_key<bool>(kConfig, json_, "use_sliding_window").value_or(type_ == "llama" || type_ == "gpt_oss");
    const int keys = asked ? optional_size(kConfig, json_, "sliding_window", 1, 1 << 30).value_or(0) : 0;
    if (keys == 0) return;
    if (const auto types = optional_key<std::vector<std::string>>(kConfig, json_, "layer_types")) {
      if (types->size() != static_cast<std::size_t>(h.layers)) throw Error(kConfig, "layer_types", std::to_string(types->size()), std::to_string(h.layers) + " of them");
      for (const std::string& t : *types) {
        if (t != "sliding_attention" && t != "full_attention") throw Error(kConfig, "layer_types", t, "sliding_attention or full_attention");
        h.sliding.push_back(t == "sliding_attention");
      }
    } else if (type_ == "llama") {
      return;
    } else if (type_ == "gpt_oss" || type_ == "gemma2") {
      for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 2 == 0);
    } else if (type_ == "gemma3_text") {
      const int every = optional_size(kConfig, json_, "sliding_window_pattern").value_or(6);
      for (int i = 0; i < h.layers; ++i) h.sliding.push_back((i + 1) % every != 0);
    } else if (type_ != "mistral" && type_ != "phi3") {
      const int from = optional_size(kConfig, json_, "max_window_layers", 0).value_or(h.layers);
      for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i >= from);
    }
    h.window = keys;
  }

  // Older files have rope_theta and rope_scaling, newer ones rope_parameters with both.
  void rotary(LlamaHyper& h) const {
    Json r = Json::object();
    for (const char* key : {"rope_scaling", "rope_parameters"})
      if (const auto it = json_.find(key); it != json_.end() && it->is_object()) r = *it;
    if (type_ == "gemma3_text") h.sliding_theta = number(json_, "rope_local_base_freq").value_or(10000);
    if (r.contains("full_attention")) {  // of each kind of layers
      const Json sliding = need_key<Json>(kConfig, r, "sliding_attention"), full = need_key<Json>(kConfig, r, "full_attention");
      h.sliding_theta = need_key<double>(kConfig, sliding, "rope_theta");
      if (const auto kind = optional_key<std::string>(kConfig, sliding, "rope_type"); kind && *kind != "default")
        throw Error(kConfig, "rope_type of sliding_attention", *kind, "default");
      r = full;
    }
    h.theta = static_cast<float>(number(r, "rope_theta").value_or(number(json_, "rope_theta").value_or(type_ == "gemma3_text" ? 1e6 : 10000)));
    const double part = number(r, "partial_rotary_factor").value_or(number(json_, "partial_rotary_factor").value_or(type_ == "phi" ? 0.5 : 1));
    if (!(part > 0 && part <= 1)) throw Error(kConfig, "partial_rotary_factor", std::to_string(part), "above 0, at most 1");
    h.rotary_dims = part < 1 ? static_cast<int>(h.head() * part) : 0;
    RopeScaling& s = h.scaling;
    const auto kind = optional_key<std::string>(kConfig, r, "rope_type");
    s.kind = rope_kind(kConfig, kind ? *kind : optional_key<std::string>(kConfig, r, "type").value_or("default"));
    if (s.kind == RopeScaling::Kind::none) return;
    s.factor = need_key<double>(kConfig, r, "factor");
    s.original = number(r, "original_max_position_embeddings").value_or(h.context);
    if (s.kind == RopeScaling::Kind::llama3) s.low = need_key<double>(kConfig, r, "low_freq_factor"), s.high = need_key<double>(kConfig, r, "high_freq_factor");
    if (s.kind != RopeScaling::Kind::yarn) return;
    s.fast = number(r, "beta_fast").value_or(32), s.slow = number(r, "beta_slow").value_or(1);
    s.truncate = optional_key<bool>(kConfig, r, "truncate").value_or(true);
    s.magnitude = magnitude(r, s.factor);
  }
  static double magnitude(const Json& r, double factor) {
    if (const auto given = number(r, "attention_factor")) return *given;
    const double a = number(r, "mscale").value_or(0), b = number(r, "mscale_all_dim").value_or(0);
    if (a == 0 || b == 0 || factor <= 1) return 0;  // the standard
    return (0.1 * a * std::log(factor) + 1) / (0.1 * b * std::log(factor) + 1);
  }

  Json json_;
  std::string type_;
};

void add_one(ir::Tensor& t) {
  std::vector<float> values = passes::to_float(t);
  for (float& x : values) x += 1;
  t.dtype = ir::DType::f32;
  t.data.resize(values.size() * sizeof(float));
  std::memcpy(t.data.data(), values.data(), t.data.size());
}

// Rows become columns.
void transpose(ir::Tensor& t) {
  const auto rows = static_cast<std::size_t>(t.shape[0]), columns = static_cast<std::size_t>(t.shape[1]), each = t.data.size() / (rows * columns);
  std::vector<std::byte> out(t.data.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) std::memcpy(&out[(c * rows + r) * each], &t.data[(r * columns + c) * each], each);
  std::swap(t.shape[0], t.shape[1]);
  t.data = std::move(out);
}

// Begin and end of a text: generation_config.json knows best.
void special_tokens(ir::Vocabulary& v, const fs::path& folder, const Config& config) {
  std::vector<int> ends = Config::ids(config.json(), "eos_token_id"), begin = Config::ids(config.json(), "bos_token_id");
  if (fs::exists(folder / "generation_config.json")) {
    const Json g = read_json_file(folder / "generation_config.json");
    if (const auto more = Config::ids(g, "eos_token_id"); !more.empty()) ends = more;
    if (const auto more = Config::ids(g, "bos_token_id"); !more.empty()) begin = more;
  }
  if (v.bos < 0 && !begin.empty()) v.bos = begin.front();
  if (!ends.empty()) v.eos = ends.front(), v.ends.assign(ends.begin() + 1, ends.end());
}

}  // namespace

Shape read_hf_shape(const fs::path& path) {
  const bool folder = fs::is_directory(path);
  const Config config(folder ? path / kConfig : path);
  const fs::path whole = fs::weakly_canonical(path);
  return {.name = (folder ? whole : whole.parent_path()).filename().string(), .architecture = config.type(), .hyper = config.hyper(), .tied = config.tied(),
          .mxfp4_experts = config.mxfp4()};
}

ir::Graph read_hf(const fs::path& folder) {
  const Config config(folder / kConfig);
  const LlamaHyper h = config.hyper();
  ir::Graph graph;
  graph.architecture = config.type();
  graph.model_name = fs::weakly_canonical(folder).filename().string();
  graph.vocabulary = read_hf_tokenizer(folder / "tokenizer.json");
  graph.vocabulary.chat_template = read_chat_template(folder);
  if (static_cast<int>(graph.vocabulary.tokens.size()) > h.vocab)
    throw Error("tokenizer.json", "vocabulary", std::to_string(graph.vocabulary.tokens.size()) + " tokens", "at most vocab_size, " + std::to_string(h.vocab));
  special_tokens(graph.vocabulary, folder, config);
  for (ir::Tensor& t : read_safetensors(folder)) {
    if (t.name.ends_with("rotary_emb.inv_freq") || (config.tied() && t.name == "lm_head.weight")) continue;
    if (config.type() == "gpt2" && (t.name.ends_with(".attn.bias") || t.name.ends_with(".attn.masked_bias"))) continue;  // masks
    t.name = gguf_name(config.type(), t.name);
    if (config.type() == "gpt2" && t.shape.size() == 2 && t.name.starts_with("blk.")) transpose(t);
    if (config.norms_from_one() && t.name.ends_with("norm.weight")) add_one(t);
    graph.tensors.push_back(std::move(t));
  }
  const bool head = std::any_of(graph.tensors.begin(), graph.tensors.end(), [](const ir::Tensor& t) { return t.name == "output.weight"; });
  if (!config.tied() && !head) throw Error("model", "tensor lm_head.weight", "nothing", "a head, as tie_word_embeddings is false");
  if (h.mixture.experts > 0) gather_experts(graph, h);
  build_llama(graph, h);
  return graph;
}

}  // namespace jogak::import
