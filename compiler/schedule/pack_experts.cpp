#include "../passes/quantize.hpp"
#include "pack.hpp"
#include "pack_stream.hpp"

namespace jogak::schedule {
namespace {

using ir::QMatrix;

// Expert e of a tensor [experts][n][k].
QMatrix expert_matrix(const ir::Tensor& t, std::size_t e, ir::Format format) {
  const std::size_t bytes = t.data.size() / static_cast<std::size_t>(t.shape[0]);
  const ir::Tensor one{t.name, {t.shape[1], t.shape[2]}, t.dtype, t.data.part(e * bytes, bytes)};
  return passes::quantize(one, format);
}

// Columns of a whole expert's result begin with those that its own die adds up.
void expert(Stream& out, const Plan& p, const Experts& x, const LayerPlan& lp, std::size_t e, int part) {
  const QMatrix gate = expert_matrix(*x.gate, e, x.format), up = expert_matrix(*x.up, e, x.format), down = expert_matrix(*x.down, e, x.down_format);
  const auto column = [&](const QMatrix& m, const std::vector<float>& bias, std::int64_t n) {
    if (n >= m.n) return Column{};
    return Column{&m, n, bias.empty() ? 0 : bias[e * static_cast<std::size_t>(m.n) + static_cast<std::size_t>(n)]};
  };
  put_whole_k(out, lp.ffn, [&](int it, int j) {
    const std::int64_t n = (p.spread ? 0 : part * (p.ek / p.dies)) + it * p.fc + j % p.fc;
    return j < p.fc ? column(gate, x.gate_bias, n) : column(up, x.up_bias, n);
  });
  put_accumulating(out, lp.down, [&](int n) { return column(down, x.down_bias, (part * p.x_part + n) % p.dn); });
}

}  // namespace

void put_experts(Out& out, const Llama& model, const Plan& p, int window, int part) {
  Stream stream(out, p.cols);
  std::vector<std::size_t> routed;
  for (std::size_t i = 0; i < p.layer.size(); ++i)
    if (p.layer[i].routed()) routed.push_back(i);
  std::uint64_t at = 0;
  for (int i = 0; i < p.expert_layers; ++i) {
    const auto index = static_cast<std::size_t>(window * p.expert_layers + i);
    if (index >= routed.size()) return;
    const std::size_t layer = routed[index];
    const int first = p.spread ? part * p.experts_here() : 0;
    for (int e = first; e < first + p.experts_here(); ++e) {
      out.pad_to(at);
      expert(stream, p, model.layers[layer].experts, p.layer[layer], static_cast<std::size_t>(e), part);
      at += p.expert_bytes;
    }
  }
}

}  // namespace jogak::schedule
