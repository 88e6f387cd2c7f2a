#include "synthetic.hpp"

#include <cmath>
#include <cstring>

namespace jogak::import {
namespace {

std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

ir::Tensor random(const std::string& name, std::vector<std::int64_t> shape, std::uint64_t& state) {
  std::int64_t count = 1;
  for (const auto d : shape) count *= d;
  const float scale = std::sqrt(12.0f / static_cast<float>(shape.back()));
  ir::Tensor t{name, std::move(shape), ir::DType::f32, std::vector<std::byte>(static_cast<std::size_t>(count) * 4)};
  const bool behind = name.ends_with("post_attention_norm.weight") || name.ends_with("post_ffw_norm.weight");
  const bool norm = name.ends_with("norm.weight") && !behind, head_norm = name.ends_with("q_norm.weight") || name.ends_with("k_norm.weight");
  for (std::int64_t i = 0; i < count; ++i) {
    const float uniform = static_cast<float>(splitmix(state) >> 40) * 0x1p-24f - 0.5f;
    const float x = head_norm ? 1.0f + uniform : norm ? 1.0f : uniform * scale;
    std::memcpy(t.data.data() + i * 4, &x, 4);
  }
  return t;
}

// Random codes; scales are powers of two near 1 / sqrt(k).
ir::Tensor random_mxfp4(const std::string& name, std::vector<std::int64_t> shape, std::uint64_t& state) {
  std::int64_t blocks = 1;
  for (const auto d : shape) blocks *= d;
  blocks /= 32;
  const auto scale = static_cast<std::uint8_t>(127 - std::lround(std::log2(3 * std::sqrt(static_cast<double>(shape.back())))));
  ir::Tensor t{name, std::move(shape), ir::DType::mxfp4, std::vector<std::byte>(static_cast<std::size_t>(blocks) * 17)};
  for (std::int64_t b = 0; b < blocks; ++b) {
    std::byte* to = t.data.data() + b * 17;
    to[0] = static_cast<std::byte>(scale);
    for (int half = 0; half < 2; ++half) {
      const std::uint64_t codes = splitmix(state);
      std::memcpy(to + 1 + 8 * half, &codes, 8);
    }
  }
  return t;
}

void add_experts(ir::Graph& graph, const LlamaHyper& h, const std::string& b, std::uint64_t& state) {
  const std::int64_t e = h.mixture.experts, d = h.width, f = h.of_expert(), shared = h.shared_ffn;
  graph.tensors.push_back(random(b + "ffn_gate_inp.weight", {e, d}, state));
  const auto matrix = [&](const char* name, std::int64_t n, std::int64_t k) { graph.tensors.push_back(random_mxfp4(b + name + "_exps.weight", {e, n, k}, state)); };
  matrix("ffn_gate", f, d), matrix("ffn_up", f, d), matrix("ffn_down", d, f);
  if (shared > 0) {
    graph.tensors.push_back(random(b + "ffn_gate_shexp.weight", {shared, d}, state)), graph.tensors.push_back(random(b + "ffn_up_shexp.weight", {shared, d}, state));
    graph.tensors.push_back(random(b + "ffn_down_shexp.weight", {d, shared}, state));
    if (h.shared_gate) graph.tensors.push_back(random(b + "ffn_gate_inp_shexp.weight", {1, d}, state));
  }
  if (!h.expert_bias) return;
  graph.tensors.push_back(random(b + "ffn_gate_inp.bias", {e}, state));
  const auto bias = [&](const char* name, std::int64_t n) { graph.tensors.push_back(random(b + name + "_exps.bias", {e, n}, state)); };
  bias("ffn_gate", f), bias("ffn_up", f), bias("ffn_down", d);
}

}  // namespace

ir::Graph synthetic_llama(const LlamaHyper& h, std::uint64_t seed) {
  ir::Graph graph;
  graph.architecture = "llama";
  graph.model_name = "synthetic";
  const std::int64_t d = h.width, head = h.head(), q = head * h.heads, kv = head * h.kv_heads, f = h.ffn;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    graph.tensors.push_back(random(name, std::move(shape), seed));
  };
  add("token_embd.weight", {h.vocab, d});
  if (h.positions) add("position_embd.weight", {h.context, d});
  const auto feed_forward = [&](const std::string& b) {
    if (h.gated) add(b + "ffn_gate.weight", {f, d});
    add(b + "ffn_up.weight", {f, d}), add(b + "ffn_down.weight", {d, f});
    if (h.ffn_bias) add(b + "ffn_up.bias", {f}), add(b + "ffn_down.bias", {d});
  };
  for (int l = 0; l < h.layers; ++l) {
    const std::string b = "blk." + std::to_string(l) + ".";
    add(b + "attn_norm.weight", {d}), add(b + "attn_q.weight", {q, d}), add(b + "attn_k.weight", {kv, d});
    add(b + "attn_v.weight", {kv, d}), add(b + "attn_output.weight", {d, q});
    if (!h.parallel) add(b + "ffn_norm.weight", {d});
    if (h.routed(l)) add_experts(graph, h, b, seed);
    else feed_forward(b);
    if (h.layer_norm) add(b + "attn_norm.bias", {d});
    if (h.layer_norm && !h.parallel) add(b + "ffn_norm.bias", {d});
    if (h.post_norm) add(b + "post_attention_norm.weight", {d}), add(b + "post_ffw_norm.weight", {d});
    if (h.output_bias) add(b + "attn_output.bias", {d});
    if (h.sinks) add(b + "attn_sinks.weight", {h.heads});
    if (h.qkv_bias) add(b + "attn_q.bias", {q}), add(b + "attn_k.bias", {kv}), add(b + "attn_v.bias", {kv});
    if (h.qk_norm) add(b + "attn_q_norm.weight", {head}), add(b + "attn_k_norm.weight", {head});
  }
  add("output_norm.weight", {d});
  if (h.layer_norm) add("output_norm.bias", {d});
  if (h.head_bias) add("output.bias", {h.vocab});
  ir::Vocabulary& v = graph.vocabulary;
  v.model = "llama";
  for (int i = 0; i < h.vocab; ++i) {
    v.tokens.push_back(std::string(1, static_cast<char>('a' + i % 26)));
    v.scores.push_back(static_cast<float>(-i));
    v.types.push_back(1);
  }
  v.bos = 1, v.eos = 2, v.unk = 0;
  build_llama(graph, h);
  return graph;
}

}  // namespace jogak::import
