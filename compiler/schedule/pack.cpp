#include "pack.hpp"

#include <algorithm>
#include <cmath>

#include "../passes/quantize.hpp"
#include "pack_stream.hpp"

namespace jogak::schedule {
namespace {

using ir::QMatrix;

// The router, whose last columns hold the shared expert's score, and that expert.
void routed(Stream& out, const Plan& p, const LlamaLayer& l, const LayerPlan& lp, int die) {
  put_whole_k(out, lp.router, [&](int, int j) {
    if (!p.shared_score || j < p.score_column()) return Column{l.router.get(), j};
    return Column{l.shared_score.get(), j - p.score_column()};
  });
  if (!lp.shared()) return;
  put_whole_k(out, lp.shared_ffn, [&](int it, int j) {
    const QMatrix& m = j < p.fc ? *l.shared_gate : *l.shared_up;
    const std::int64_t n = die * (p.sk / p.dies) + it * p.fc + j % p.fc;
    return Column{&m, n < m.n ? n : -1};
  });
  put_accumulating(out, lp.shared_down, [&](int n) { return Column{l.shared_down.get(), die * p.x_part + n}; });
}

void layer(Stream& out, const Plan& p, const LlamaLayer& l, const LayerPlan& lp, int die) {
  const auto head = [&](const QMatrix& m, int heads) {
    return [&, first = die * heads](int it, int j) { return Column{&m, j < p.head_dim ? (first + it) * p.head_dim + j : -1}; };
  };
  put_whole_k(out, lp.q, head(*l.q, p.heads));
  put_whole_k(out, lp.k, head(*l.k, p.kv_heads));
  put_whole_k(out, lp.v, head(*l.v, p.kv_heads));
  put_accumulating(out, lp.o, [&](int n) { return Column{l.o.get(), die * p.x_part + n}; });
  if (lp.routed()) return routed(out, p, l, lp, die);
  put_whole_k(out, lp.ffn, [&](int it, int j) {
    const QMatrix& m = p.gated && j < p.fc ? *l.gate : *l.up;
    const std::int64_t n = die * p.ffn_part + it * p.fc + j % p.fc;
    const bool there = n < m.n;
    return Column{&m, there ? n : -1, there && lp.ffn.bias() ? l.up_bias[static_cast<std::size_t>(n)] : 0.0f};
  });
  put_accumulating(out, lp.down, [&](int n) { return Column{l.down.get(), die * p.x_part + n}; });
}

// Rotary tables: for pair i of position t the angle t * frequency[i]; cosine twice, then -sine and +sine; behind the last pair 1 and 0.
void rotary(Out& out, const Plan& p, const ir::Rotary& r, bool sine) {
  std::vector<float> row(static_cast<std::size_t>(p.hn));
  for (int t = 0; t < p.context; ++t) {
    for (std::size_t j = 0; j < static_cast<std::size_t>(p.head_dim); ++j) {
      const bool turns = j / 2 < r.frequency.size();
      const double angle = turns ? t * r.frequency[j / 2] : 0;
      const double value = sine ? (j % 2 == 0 ? -std::sin(angle) : std::sin(angle)) : std::cos(angle);
      row[j] = static_cast<float>(turns ? r.magnitude * value : sine ? 0 : 1);
    }
    out.floats(row.data(), row.size(), row.size());
  }
}

// A layer's norms, then its biases head by head (each padded to hn), then its QK norms, the biases of o and router, sinks.
void norms(Out& out, const Plan& p, const LlamaLayer& l, int die) {
  const auto width = static_cast<std::size_t>(p.width), head = static_cast<std::size_t>(p.head_dim);
  const auto next = [&](const float* values, std::size_t count, int words) { out.floats(values, count, std::max(count, static_cast<std::size_t>(words))); };
  next(l.attn_norm.data(), width, p.dn);
  if (p.layer_norm) next(l.attn_norm_bias.data(), width, p.dn);
  if (!p.parallel) next(l.ffn_norm.data(), width, p.dn);
  if (p.layer_norm && !p.parallel) next(l.ffn_norm_bias.data(), width, p.dn);
  const auto biases = [&](const std::vector<float>& bias, int heads) {
    if (bias.empty()) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(heads); ++i) {
      const std::size_t at = (static_cast<std::size_t>(die * heads) + i) * head;
      next(at < bias.size() ? bias.data() + at : nullptr, at < bias.size() ? head : 0, p.hn);
    }
  };
  biases(l.q_bias, p.heads), biases(l.k_bias, p.kv_heads), biases(l.v_bias, p.kv_heads);
  for (const auto* weights : {&l.q_norm, &l.k_norm})
    if (!weights->empty()) next(weights->data(), head, p.hn);
  if (p.o_bias) next(l.o_bias.data(), width, p.dn);
  if (p.expert_bias) next(l.router_bias.data(), l.router_bias.size(), p.ep);
  const auto sink = std::min(l.sinks.size(), static_cast<std::size_t>(die * p.heads)), sinks = std::min(l.sinks.size() - sink, static_cast<std::size_t>(p.heads));
  if (p.sinks) next(l.sinks.data() + sink, sinks, round_up(p.heads, p.cols));
  if (p.post_norm) next(l.post_attn.data(), width, p.dn), next(l.post_ffn.data(), width, p.dn);
  if (p.ffn_bias && !p.parallel) next(l.down_bias.data(), width, p.dn);
  if (p.up_bias_apart) next(l.up_bias.data(), l.up_bias.size(), 0);
}

void weights(Out& out, const Llama& model, const Plan& p, int die) {
  Stream stream(out, p.cols);
  for (std::size_t i = 0; i < model.layers.size(); ++i) layer(stream, p, model.layers[i], p.layer[i], p.part_of(die));
  put_whole_k(stream, p.head, [&](int it, int j) {
    const std::int64_t n = die * p.vocab_n + it * p.vocab_step + j;
    const bool there = n < model.head->n;
    return Column{model.head.get(), there ? n : -1, there && p.head_bias ? model.head_bias[static_cast<std::size_t>(n)] : 0.0f};
  });
}

void tables(Out& out, const Llama& model, const Plan& p, int die) {
  const auto width = static_cast<std::size_t>(p.width), dn = static_cast<std::size_t>(p.dn);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    out.pad_to(p.w_norms + i * p.norm_bytes());
    norms(out, p, model.layers[i], p.part_of(die));
  }
  out.pad_to(p.w_norms + model.layers.size() * p.norm_bytes());
  out.floats(model.final_norm.data(), width, dn);
  if (p.layer_norm) out.floats(model.final_norm_bias.data(), width, dn);
  out.pad_to(p.w_rope);
  if (p.rotary_tables > 0) rotary(out, p, model.rotary, false), rotary(out, p, model.rotary, true);
  if (p.rotary_tables > 1) rotary(out, p, model.sliding_rotary, false), rotary(out, p, model.sliding_rotary, true);
  const auto places = std::min(static_cast<std::size_t>(p.context), model.positions.size() / width);
  for (std::size_t t = 0; t < places; ++t) out.floats(&model.positions[t * width], width, dn);
  out.pad_to(p.w_embed);
  std::vector<float> row(width);
  for (std::size_t t = 0; t < static_cast<std::size_t>(p.vocab); ++t) {
    passes::to_float(model.embedding, t * width, row);
    for (float& x : row) x *= model.embedding_scale;
    out.floats(row.data(), width, dn);
  }
}

class Window : public SegmentSource {
 public:
  Window(std::shared_ptr<const Llama> model, std::shared_ptr<const Plan> plan, std::uint32_t window, int die)
      : model_(std::move(model)), plan_(std::move(plan)), window_(window), die_(die) {}
  std::uint64_t size() const override {
    if (window_ == 0) return plan_->w_bytes;
    return window_ == plan_->tables_window ? plan_->tables_bytes : plan_->expert_window_bytes(static_cast<int>(window_) - kExpertWindow);
  }
  void pieces(const Take& take) const override {
    Out out(take);
    const bool own = window_ == 0 || window_ == plan_->tables_window;
    if (window_ == 0) weights(out, *model_, *plan_, die_);
    if (window_ == plan_->tables_window) tables(out, *model_, *plan_, die_);
    if (!own) put_experts(out, *model_, *plan_, static_cast<int>(window_) - kExpertWindow, plan_->part_of(die_));
    out.pad_to(size());
    out.flush();
  }

 private:
  std::shared_ptr<const Llama> model_;
  std::shared_ptr<const Plan> plan_;
  std::uint32_t window_;
  int die_;
};

}  // namespace

std::vector<Segment> weight_segments(const std::vector<std::shared_ptr<const Llama>>& models, std::shared_ptr<const Plan> plan) {
  std::vector<Segment> segments;
  for (int die = 0; die < plan->package_dies(); ++die) {
    const auto add = [&](std::uint32_t window) {
      segments.push_back({window, 0, {}, std::make_shared<const Window>(models[static_cast<std::size_t>(die)], plan, window, die), static_cast<std::uint32_t>(die)});
    };
    add(0);
    for (int w = 0; w < plan->expert_windows; ++w) add(static_cast<std::uint32_t>(kExpertWindow + w));
    if (plan->tables_window != 0) add(plan->tables_window);
  }
  return segments;
}

}  // namespace jogak::schedule
