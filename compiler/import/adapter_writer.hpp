// Writes LoRA adapters, right ones and wrong ones, for tests and benchmarks: folders in PEFT's form.
#pragma once
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "llama.hpp"

namespace jogak::import {

struct AdapterValues {
  int n = 0, k = 0;
  std::vector<float> v = {};  // [n][k]
};
using Adapter = std::map<std::string, AdapterValues>;  // by "layers.N.MODULE.lora_A" or "...lora_B"

inline const std::vector<std::string> kAdapterModules = {"self_attn.q_proj", "self_attn.k_proj",  "self_attn.v_proj", "self_attn.o_proj",
                                                         "mlp.gate_proj",    "mlp.up_proj",       "mlp.down_proj",    "self_attn.qkv_proj",
                                                         "mlp.gate_up_proj"};

// Random A and B of `modules` (places in kAdapterModules), whose product is about `size` times as large as the weights of a random model.
inline Adapter random_adapter(const LlamaHyper& h, int rank, const std::vector<int>& modules, unsigned seed, float size = 1) {
  const int q = h.heads * h.head(), kv = h.kv_heads * h.head();
  const int outs[] = {q, kv, kv, h.width, h.ffn, h.ffn, h.width, q + 2 * kv, 2 * h.ffn};
  const int ins[] = {h.width, h.width, h.width, q, h.width, h.width, h.ffn, h.width, h.width};
  Adapter all;
  std::uint32_t state = seed * 2654435761u + 1;
  const auto fill = [&](int n, int k, float most) {
    AdapterValues m{n, k};
    for (int i = 0; i < n * k; ++i) {
      state = state * 1664525u + 1013904223u;
      m.v.push_back((static_cast<float>(state >> 8) * 0x1p-24f - 0.5f) * most);
    }
    return m;
  };
  for (int l = 0; l < h.layers; ++l)
    for (const int m : modules) {
      if (h.routed(l) && (m == 4 || m == 5 || m == 6 || m == 8)) continue;  // experts take none
      const std::string name = "layers." + std::to_string(l) + "." + kAdapterModules[static_cast<std::size_t>(m)];
      all[name + ".lora_A"] = fill(rank, ins[m], 2 / std::sqrt(static_cast<float>(ins[m])));
      all[name + ".lora_B"] = fill(outs[m], rank, 2 * size / std::sqrt(static_cast<float>(rank)));
    }
  return all;
}

// The sizes of a decoder that adapters depend on.
inline LlamaHyper adapter_hyper(const ir::Graph& graph) {
  LlamaHyper h{.layers = graph.layers, .width = graph.width};
  for (const ir::Node& n : graph.nodes)
    if (n.op == ir::Op::attention) h.heads = n.heads, h.kv_heads = n.kv_heads, h.head_dim = n.head_dim;
  for (const ir::Tensor& t : graph.tensors)
    if (t.name == "blk.0.ffn_gate.weight") h.ffn = static_cast<int>(t.shape.at(0));
  return h;
}

inline nlohmann::json adapter_config(int rank, double alpha) {
  return {{"peft_type", "LORA"}, {"r", rank}, {"lora_alpha", alpha}, {"target_modules", {"q_proj"}}, {"bias", "none"}};
}

// A folder as PEFT writes it, removed again.
class AdapterFolder {
 public:
  AdapterFolder(const Adapter& adapter, const nlohmann::json& config, const std::string& prefix = "base_model.model.model.") {
    path = std::filesystem::temp_directory_path() / ("jogak-lora-" + std::to_string(::getpid()) + "-" + std::to_string(number_++));
    std::filesystem::create_directories(path);
    std::ofstream(path / "adapter_config.json") << config.dump();
    nlohmann::json header = nlohmann::json::object();
    std::string values;
    for (const auto& [name, m] : adapter) {
      header[prefix + name + ".weight"] = {{"dtype", "F32"}, {"shape", {m.n, m.k}}, {"data_offsets", {values.size(), values.size() + m.v.size() * 4}}};
      values.append(reinterpret_cast<const char*>(m.v.data()), m.v.size() * 4);
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::ofstream out(path / "adapter_model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), 8);
    out << text << values;
  }
  ~AdapterFolder() { std::filesystem::remove_all(path); }
  AdapterFolder(const AdapterFolder&) = delete;
  AdapterFolder& operator=(const AdapterFolder&) = delete;
  std::filesystem::path path;

 private:
  static inline int number_ = 0;
};

}  // namespace jogak::import
