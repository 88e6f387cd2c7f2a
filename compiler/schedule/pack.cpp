#include "pack.hpp"

#include <cmath>
#include <cstring>

#include "pack_stream.hpp"

namespace jogak::schedule {
namespace {

using ir::QMatrix;

void layer(Stream& out, const Plan& p, const LlamaLayer& l, const LayerPlan& lp) {
  const auto head = [&](const QMatrix& m) {
    return [&](int it, int j) { return Column{&m, j < p.head_dim ? it * p.head_dim + j : -1}; };
  };
  put_whole_k(out, lp.q, head(*l.q));
  put_whole_k(out, lp.k, head(*l.k));
  put_whole_k(out, lp.v, head(*l.v));
  put_accumulating(out, lp.o, [&](int n) { return Column{l.o.get(), n}; });
  if (p.experts()) {
    put_whole_k(out, lp.router, [&](int, int j) { return Column{l.router.get(), j}; });
    return;
  }
  put_whole_k(out, lp.ffn, [&](int it, int j) {
    const QMatrix& m = j < p.fc ? *l.gate : *l.up;
    const std::int64_t n = it * p.fc + j % p.fc;
    return Column{&m, n < m.n ? n : -1};
  });
  put_accumulating(out, lp.down, [&](int n) { return Column{l.down.get(), n}; });
}

void put(std::vector<std::byte>& out, std::size_t at, const float* values, std::size_t count) {
  std::memcpy(out.data() + at, values, count * sizeof(float));
}

// Rotary tables: for pair i of position t the angle t * frequency[i]; cosine twice, then -sine and +sine; behind the last pair 1 and 0.
void rotary(std::vector<std::byte>& out, const Plan& p, const ir::Rotary& r) {
  std::vector<float> row(static_cast<std::size_t>(p.hn));
  const auto fill = [&](std::uint32_t base, bool sine) {
    for (int t = 0; t < p.context; ++t) {
      for (std::size_t j = 0; j < static_cast<std::size_t>(p.head_dim); ++j) {
        const bool turns = j / 2 < r.frequency.size();
        const double angle = turns ? t * r.frequency[j / 2] : 0;
        const double value = sine ? (j % 2 == 0 ? -std::sin(angle) : std::sin(angle)) : std::cos(angle);
        row[j] = static_cast<float>(turns ? r.magnitude * value : sine ? 0 : 1);
      }
      put(out, base + std::size_t(t) * static_cast<std::size_t>(p.hn) * 4, row.data(), row.size());
    }
  };
  fill(p.w_rope, false);
  fill(p.w_rope + static_cast<std::uint32_t>(p.context * p.hn * 4), true);
}

// A layer's norms, then its biases head by head (each padded to hn), then its QK norms, the biases of o and router, sinks.
void norms(std::vector<std::byte>& out, const Plan& p, std::size_t at, const LlamaLayer& l) {
  const auto width = static_cast<std::size_t>(p.width), head = static_cast<std::size_t>(p.head_dim);
  const auto next = [&](const float* values, std::size_t count, int words) {
    put(out, at, values, count);
    at += static_cast<std::size_t>(words) * 4;
  };
  next(l.attn_norm.data(), width, p.dn), next(l.ffn_norm.data(), width, p.dn);
  for (const auto* bias : {&l.q_bias, &l.k_bias, &l.v_bias})
    for (std::size_t i = 0; i < bias->size(); i += head) next(bias->data() + i, head, p.hn);
  for (const auto* weights : {&l.q_norm, &l.k_norm})
    if (!weights->empty()) next(weights->data(), head, p.hn);
  if (p.o_bias) next(l.o_bias.data(), width, p.dn);
  if (p.expert_bias) next(l.router_bias.data(), l.router_bias.size(), p.ep);
  if (p.sinks) next(l.sinks.data(), l.sinks.size(), 0);
}

}  // namespace

std::vector<std::byte> pack_weights(const Llama& model, const Plan& p) {
  std::vector<std::byte> out(p.w_bytes);
  Stream stream(std::span<std::byte>(out).subspan(p.w_stream), p.cols);
  for (std::size_t i = 0; i < model.layers.size(); ++i) layer(stream, p, model.layers[i], p.layer[i]);
  put_whole_k(stream, p.head, [&](int it, int j) {
    const std::int64_t n = it * p.vocab_step + j;
    return Column{model.head.get(), n < model.head->n ? n : -1};
  });
  const std::size_t norm = static_cast<std::size_t>(p.dn) * 4, width = static_cast<std::size_t>(p.width);
  for (std::size_t i = 0; i < model.layers.size(); ++i) norms(out, p, p.w_norms + i * p.norm_bytes(), model.layers[i]);
  put(out, p.w_norms + model.layers.size() * p.norm_bytes(), model.final_norm.data(), width);
  for (std::size_t t = 0; t < static_cast<std::size_t>(p.vocab); ++t)
    put(out, p.w_embed + t * norm, model.embedding.data() + t * width, width);
  rotary(out, p, model.rotary);
  return out;
}

}  // namespace jogak::schedule
