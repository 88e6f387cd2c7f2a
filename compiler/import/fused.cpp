#include "fused.hpp"

#include <algorithm>
#include <set>

#include "error.hpp"

namespace jogak::import {
namespace {

struct Part {
  const char* name;
  std::int64_t rows;
};

// The rows of `t`, one part after the other, as tensors of the same layer.
void split(const ir::Tensor& t, const std::string& layer, const std::vector<Part>& parts, std::vector<ir::Tensor>& out) {
  std::int64_t rows = 0;
  for (const Part& p : parts) rows += p.rows;
  if (t.shape.empty() || t.shape.size() > 2 || t.shape[0] != rows)
    throw Error("llama", "rows of " + t.name, t.shape.empty() ? "none" : std::to_string(t.shape[0]), std::to_string(rows));
  const std::size_t row = t.data.size() / static_cast<std::size_t>(rows);
  std::size_t from = 0;
  for (const Part& p : parts) {
    const std::size_t count = static_cast<std::size_t>(p.rows) * row;
    std::vector<std::int64_t> shape = t.shape;
    shape[0] = p.rows;
    out.push_back({layer + p.name, std::move(shape), t.dtype, t.data.part(from, count)});
    from += count;
  }
}

}  // namespace

void split_fused(ir::Graph& graph, const LlamaHyper& h) {
  std::set<std::string> names;
  for (const ir::Tensor& t : graph.tensors) names.insert(t.name);
  const std::int64_t q = std::int64_t(h.heads) * h.head(), kv = std::int64_t(h.kv_heads) * h.head(), f = h.ffn;
  std::vector<ir::Tensor> out;
  for (ir::Tensor& t : graph.tensors) {
    const std::string layer = t.name.substr(0, t.name.find('.', 4) + 1);
    if (t.name.starts_with("blk.") && t.name == layer + "attn_qkv.weight")
      split(t, layer, {{"attn_q.weight", q}, {"attn_k.weight", kv}, {"attn_v.weight", kv}}, out);
    else if (t.name.starts_with("blk.") && t.name == layer + "attn_qkv.bias")
      split(t, layer, {{"attn_q.bias", q}, {"attn_k.bias", kv}, {"attn_v.bias", kv}}, out);
    else if (h.gated && t.name.starts_with("blk.") && t.name == layer + "ffn_up.weight" && !names.contains(layer + "ffn_gate.weight"))
      split(t, layer, {{"ffn_gate.weight", f}, {"ffn_up.weight", f}}, out);
    else
      out.push_back(std::move(t));
  }
  graph.tensors = std::move(out);
}

}  // namespace jogak::import
