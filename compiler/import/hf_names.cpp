#include "hf_names.hpp"

#include <span>

namespace jogak::import {
namespace {

// Names here and in GGUF, outside of layers and in them.
struct Names {
  const char *here, *gguf;
};
struct Family {
  const char* layers;  // prefix of a layer's names
  std::span<const Names> whole, layer, first = {};  // first: those of a kin that differ
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
                            {"mlp.shared_expert.gate_proj.weight", "ffn_gate_shexp.weight"},  {"mlp.shared_expert.up_proj.weight", "ffn_up_shexp.weight"},
                            {"mlp.shared_expert.down_proj.weight", "ffn_down_shexp.weight"},  {"mlp.shared_expert_gate.weight", "ffn_gate_inp_shexp.weight"},
                            {"self_attn.sinks", "attn_sinks.weight"},         {"mlp.gate.weight", "ffn_gate_inp.weight"},
                            {"mlp.router.weight", "ffn_gate_inp.weight"},     {"mlp.router.bias", "ffn_gate_inp.bias"},
                            {"mlp.experts.gate_up_proj_blocks", "ffn_gate_up_exps.blocks"}, {"mlp.experts.gate_up_proj_scales", "ffn_gate_up_exps.scales"},
                            {"mlp.experts.gate_up_proj_bias", "ffn_gate_up_exps.bias"},     {"mlp.experts.gate_up_proj", "ffn_gate_up_exps.weight"},
                            {"mlp.experts.down_proj_blocks", "ffn_down_exps.blocks"},       {"mlp.experts.down_proj_scales", "ffn_down_exps.scales"},
                            {"mlp.experts.down_proj_bias", "ffn_down_exps.bias"},           {"mlp.experts.down_proj", "ffn_down_exps.weight"}};
constexpr Names kGemma[] = {{"post_attention_layernorm.weight", "post_attention_norm.weight"}, {"pre_feedforward_layernorm.weight", "ffn_norm.weight"},
                            {"post_feedforward_layernorm.weight", "post_ffw_norm.weight"}};
constexpr Names kPhiWhole[] = {{"model.embed_tokens.weight", "token_embd.weight"}, {"model.final_layernorm.weight", "output_norm.weight"},
                               {"model.final_layernorm.bias", "output_norm.bias"}, {"lm_head.weight", "output.weight"}, {"lm_head.bias", "output.bias"}};
constexpr Names kPhi[] = {{"input_layernorm.bias", "attn_norm.bias"}, {"self_attn.dense.weight", "attn_output.weight"}, {"self_attn.dense.bias", "attn_output.bias"},
                          {"mlp.fc1.weight", "ffn_up.weight"}, {"mlp.fc1.bias", "ffn_up.bias"}, {"mlp.fc2.weight", "ffn_down.weight"}, {"mlp.fc2.bias", "ffn_down.bias"}};
constexpr Names kGpt2Whole[] = {{"transformer.wte.weight", "token_embd.weight"}, {"transformer.wpe.weight", "position_embd.weight"},
                                {"transformer.ln_f.weight", "output_norm.weight"}, {"transformer.ln_f.bias", "output_norm.bias"}, {"lm_head.weight", "output.weight"}};
constexpr Names kGpt2[] = {{"ln_1.weight", "attn_norm.weight"},        {"ln_1.bias", "attn_norm.bias"},        {"attn.c_attn.weight", "attn_qkv.weight"},
                           {"attn.c_attn.bias", "attn_qkv.bias"},      {"attn.c_proj.weight", "attn_output.weight"}, {"attn.c_proj.bias", "attn_output.bias"},
                           {"ln_2.weight", "ffn_norm.weight"},         {"ln_2.bias", "ffn_norm.bias"},         {"mlp.c_fc.weight", "ffn_up.weight"},
                           {"mlp.c_fc.bias", "ffn_up.bias"},           {"mlp.c_proj.weight", "ffn_down.weight"},     {"mlp.c_proj.bias", "ffn_down.bias"}};
constexpr Family kLlama{"model.layers.", kWhole, kLayer}, kGemmas{"model.layers.", kWhole, kLayer, kGemma}, kPhis{"model.layers.", kPhiWhole, kLayer, kPhi},
    kGpt2s{"transformer.h.", kGpt2Whole, kGpt2};

const Family& family(const std::string& type) {
  if (type == "gpt2") return kGpt2s;
  if (type == "phi") return kPhis;
  return type == "gemma2" || type.starts_with("gemma3") ? kGemmas : kLlama;
}

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

// `name` by the tables, from the first column to the second or back; itself where they have no such name.
std::string renamed(const Family& f, const std::string& name, bool back) {
  const std::string from = back ? "blk." : f.layers, to = back ? f.layers : "blk.";
  const auto found = [&](std::span<const Names> table, const std::string& what) -> const char* {
    for (const Names& n : table)
      if (what == (back ? n.gguf : n.here)) return back ? n.here : n.gguf;
    return nullptr;
  };
  if (const char* other = found(f.whole, name)) return other;
  const std::size_t dot = name.find('.', from.size());
  if (!name.starts_with(from) || dot == std::string::npos) return name;
  const std::string head = to + name.substr(from.size(), dot - from.size() + 1), rest = name.substr(dot + 1), expert = expert_name(rest, back);
  if (!expert.empty()) return head + expert;
  for (const auto table : {f.first, f.layer})
    if (const char* other = found(table, rest)) return head + other;
  return name;
}

}  // namespace

NameInFile names_of(const std::string& type) {
  const Family& f = family(type);
  if (&f == &kGpt2s) return [](const std::string& name) { return renamed(kGpt2s, name, true); };
  if (&f == &kPhis) return [](const std::string& name) { return renamed(kPhis, name, true); };
  if (&f == &kGemmas) return [](const std::string& name) { return renamed(kGemmas, name, true); };
  return [](const std::string& name) { return renamed(kLlama, name, true); };
}

std::string gguf_name(const std::string& type, const std::string& name) {
  const bool short_form = type == "gpt2" && (name.starts_with("h.") || name.starts_with("wte.") || name.starts_with("wpe.") || name.starts_with("ln_f."));
  return renamed(family(type), short_form ? "transformer." + name : name, false);
}

}  // namespace jogak::import
