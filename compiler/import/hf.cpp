#include "hf.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "experts.hpp"
#include "../passes/quantize.hpp"
#include "json_file.hpp"
#include "llama.hpp"
#include "safetensors.hpp"

namespace jogak::import {
namespace {

namespace fs = std::filesystem;
const std::string kConfig = "config.json";

// Names here and in GGUF, outside of layers and in them.
struct Names {
  const char *here, *gguf;
};
constexpr Names kWhole[] = {{"model.embed_tokens.weight", "token_embd.weight"}, {"model.norm.weight", "output_norm.weight"}, {"lm_head.weight", "output.weight"}};
constexpr Names kLayer[] = {{"input_layernorm.weight", "attn_norm.weight"},   {"post_attention_layernorm.weight", "ffn_norm.weight"},
                            {"self_attn.q_proj.weight", "attn_q.weight"},     {"self_attn.q_proj.bias", "attn_q.bias"},
                            {"self_attn.k_proj.weight", "attn_k.weight"},     {"self_attn.k_proj.bias", "attn_k.bias"},
                            {"self_attn.v_proj.weight", "attn_v.weight"},     {"self_attn.v_proj.bias", "attn_v.bias"},
                            {"self_attn.o_proj.weight", "attn_output.weight"}, {"self_attn.o_proj.bias", "attn_output.bias"},
                            {"self_attn.q_norm.weight", "attn_q_norm.weight"}, {"self_attn.k_norm.weight", "attn_k_norm.weight"},
                            {"mlp.gate_proj.weight", "ffn_gate.weight"},      {"mlp.up_proj.weight", "ffn_up.weight"},
                            {"mlp.down_proj.weight", "ffn_down.weight"},      {"self_attn.qkv_proj.weight", "attn_qkv.weight"},
                            {"mlp.gate_up_proj.weight", "ffn_up.weight"},
                            {"self_attn.sinks", "attn_sinks.weight"},         {"mlp.gate.weight", "ffn_gate_inp.weight"},
                            {"mlp.router.weight", "ffn_gate_inp.weight"},     {"mlp.router.bias", "ffn_gate_inp.bias"},
                            {"mlp.experts.gate_up_proj_blocks", "ffn_gate_up_exps.blocks"}, {"mlp.experts.gate_up_proj_scales", "ffn_gate_up_exps.scales"},
                            {"mlp.experts.gate_up_proj_bias", "ffn_gate_up_exps.bias"},     {"mlp.experts.gate_up_proj", "ffn_gate_up_exps.weight"},
                            {"mlp.experts.down_proj_blocks", "ffn_down_exps.blocks"},       {"mlp.experts.down_proj_scales", "ffn_down_exps.scales"},
                            {"mlp.experts.down_proj_bias", "ffn_down_exps.bias"},           {"mlp.experts.down_proj", "ffn_down_exps.weight"}};

// Experts of a tensor each: mlp.experts.E.gate_proj.weight here, ffn_gate_exps.E.weight inside.
std::string expert_name(const std::string& rest, bool back) {
  for (const char* kind : {"gate", "up", "down"}) {
    const std::string here = "mlp.experts.", inside = std::string("ffn_") + kind + "_exps.", tail = std::string(".") + kind + "_proj.weight", end = ".weight";
    const std::string &head = back ? inside : here, &foot = back ? end : tail;
    if (!rest.starts_with(head) || !rest.ends_with(foot) || rest.size() <= head.size() + foot.size()) continue;
    const std::string number = rest.substr(head.size(), rest.size() - head.size() - foot.size());
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    return (back ? here : inside) + number + (back ? tail : end);
  }
  return "";
}

// `name` by the table, from its first column to the second or back; itself where the table has no such name.
std::string renamed(const std::string& name, bool back) {
  const std::string from = back ? "blk." : "model.layers.", to = back ? "model.layers." : "blk.";
  for (const Names& n : kWhole)
    if (name == (back ? n.gguf : n.here)) return back ? n.here : n.gguf;
  const std::size_t dot = name.find('.', from.size());
  if (!name.starts_with(from) || dot == std::string::npos) return name;
  const std::string expert = expert_name(name.substr(dot + 1), back);
  if (!expert.empty()) return to + name.substr(from.size(), dot - from.size() + 1) + expert;
  for (const Names& n : kLayer)
    if (name.substr(dot + 1) == (back ? n.gguf : n.here)) return to + name.substr(from.size(), dot - from.size() + 1) + (back ? n.here : n.gguf);
  return name;
}
std::string name_here(const std::string& gguf) { return renamed(gguf, true); }

class Config {
 public:
  explicit Config(const fs::path& file) : json_(read_json_file(file)), type_(need_key<std::string>(kConfig, json_, "model_type")) {
    if (type_ != "llama" && type_ != "mistral" && type_ != "qwen2" && type_ != "qwen3" && type_ != "qwen3_moe" && type_ != "gpt_oss" && type_ != "phi3" && type_ != "gemma")
      throw Error(kConfig, "model_type", type_, "llama, mistral, qwen2, qwen3, qwen3_moe, gpt_oss, phi3 or gemma");
    const auto quantised = json_.find("quantization_config");
    if (quantised != json_.end() && !quantised->is_null() && !(type_ == "gpt_oss" && quantised->value("quant_method", "") == "mxfp4"))
      throw Error(kConfig, "quantization_config", quantised->value("quant_method", "one"), type_ == "gpt_oss" ? "mxfp4 or none" : "none (F32, F16 or BF16 weights)");
    const std::string act = activation();
    if (type_ == "gemma" ? act != "gelu" && act != "gelu_pytorch_tanh" : act != "silu" && act != "swish")
      throw Error(kConfig, "hidden_act", act, type_ == "gemma" ? "gelu_pytorch_tanh" : "silu");
  }

  const std::string& type() const { return type_; }
  bool tied() const { return optional_key<bool>(kConfig, json_, "tie_word_embeddings").value_or(type_ == "gemma"); }
  // Norm weights of the file are what is added to 1.
  bool norms_from_one() const { return type_ == "gemma"; }

  LlamaHyper hyper() const {
    LlamaHyper h;
    h.layers = need_size(kConfig, json_, "num_hidden_layers"), h.width = need_size(kConfig, json_, "hidden_size");
    h.heads = need_size(kConfig, json_, "num_attention_heads");
    h.kv_heads = optional_size(kConfig, json_, "num_key_value_heads").value_or(h.heads);
    h.ffn = need_size(kConfig, json_, type_ == "qwen3_moe" ? "moe_intermediate_size" : "intermediate_size"), h.vocab = need_size(kConfig, json_, "vocab_size");
    h.context = need_size(kConfig, json_, "max_position_embeddings");
    h.eps = static_cast<float>(number(json_, "rms_norm_eps").value_or(1e-6));
    h.head_dim = optional_size(kConfig, json_, "head_dim").value_or(type_.starts_with("qwen3") ? 128 : type_ == "gpt_oss" ? 64 : type_ == "gemma" ? 256 : 0);
    h.half_split = true;
    h.qk_norm = type_.starts_with("qwen3");
    h.fused = type_ == "phi3";
    if (type_ == "gemma") h.activation = ir::Activation::gelu_tanh, h.embedding_scale = std::sqrt(static_cast<float>(h.width));
    h.qkv_bias = type_ == "qwen2" || optional_key<bool>(kConfig, json_, "attention_bias").value_or(type_ == "gpt_oss");
    experts(h);
    window(h);
    h.name_in_file = name_here;
    rotary(h);
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
  // Gemma's "gelu" has always meant the one by tanh; newer files say so in a key of its own.
  std::string activation() const {
    if (const auto newer = optional_key<std::string>(kConfig, json_, "hidden_activation"); newer && type_ == "gemma") return *newer;
    return optional_key<std::string>(kConfig, json_, "hidden_act").value_or(type_ == "gemma" ? "gelu_pytorch_tanh" : "silu");
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
    if (type_ != "qwen3_moe") return;
    const auto list = optional_key<std::vector<int>>(kConfig, json_, "mlp_only_layers").value_or(std::vector<int>());
    if (!list.empty() || optional_size(kConfig, json_, "decoder_sparse_step").value_or(1) != 1)
      throw Error(kConfig, "layers with experts", "some", "all of them (decoder_sparse_step 1, no mlp_only_layers)");
    const char* experts = json_.contains("num_local_experts") ? "num_local_experts" : "num_experts";  // newer files, older files
    m = {.experts = need_size(kConfig, json_, experts), .top = need_size(kConfig, json_, "num_experts_per_tok"),
         .over_chosen = optional_key<bool>(kConfig, json_, "norm_topk_prob").value_or(false)};
  }

  // Every layer of mistral and phi3 slides; of the others those that layer_types names, or of qwen those from max_window_layers on.
  void window(LlamaHyper& h) const {
    const bool asked = type_ == "mistral" || type_ == "phi3" || optional_key<bool>(kConfig, json_, "use_sliding_window").value_or(type_ == "llama" || type_ == "gpt_oss");
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
    } else if (type_ == "gpt_oss") {
      for (int i = 0; i < h.layers; ++i) h.sliding.push_back(i % 2 == 0);
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
    h.theta = static_cast<float>(number(r, "rope_theta").value_or(number(json_, "rope_theta").value_or(10000)));
    const double part = number(r, "partial_rotary_factor").value_or(number(json_, "partial_rotary_factor").value_or(1));
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
    t.name = renamed(t.name, false);
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
