#include "plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "error.hpp"
#include "../package/load.hpp"
#include "../package/parts.hpp"
#include "places.hpp"
#include "sizes.hpp"

namespace jogak::schedule {
namespace {

// Columns of a feed-forward that one die makes, `columns` in all.
int ffn_part_of(int columns, int dies) { return 32 * share(round_up(columns, 32) / 32, dies); }

// `f` of every matrix in the order of use.
template <class F>
void each_matrix(const Plan& p, const F& f) {
  for (const LayerPlan& l : p.layer) {
    for (const MatrixPlan* m : {&l.q, &l.k, &l.v, &l.o}) f(*m);
    if (!l.routed()) f(l.ffn), f(l.down);
    else f(l.router);
    if (l.shared()) f(l.shared_ffn), f(l.shared_down);
  }
  f(p.head);
}

void formats(MatrixPlan& m, const ir::QMatrix& q, int cols) {
  m.format = q.format;
  m.tile_bytes = q.format == ir::Format::mxfp4 ? 16 * cols : 32 * cols;
  m.scale_bytes = q.format == ir::Format::int8c ? 0 : q.format == ir::Format::int8 ? 2 * cols : cols;
  m.side_bytes = q.format == ir::Format::int8c ? 4 * cols : 0;
  m.index_bytes = q.sparse() ? 8 * cols : 0;
}

// Bytes of a column block's codes and indices, all of k.
int column_bytes(const ir::QMatrix& q, int cols) {
  return static_cast<int>(q.kb()) * ((q.format == ir::Format::mxfp4 ? 16 : 32) + (q.sparse() ? 8 : 0)) * cols;
}

// One iteration makes `blocks` column blocks; k is never split.
MatrixPlan whole_k(const ir::QMatrix& q, int cols, int iterations, int blocks, int slot) {
  MatrixPlan m;
  formats(m, q, cols);
  m.iterations = iterations;
  m.kbs = static_cast<int>(q.kb());
  m.nbs = divisor(blocks, slot / (m.kbs * (m.tile_bytes + m.index_bytes)));
  m.slots = blocks / m.nbs;
  return m;
}

// `columns` in turn, column block by column block; k may be split since the result accumulates. With values at the side the sum waits in an output buffer,
// which takes `most` column blocks, until it is whole; `apart`: so it does for other reasons.
MatrixPlan accumulating(const ir::QMatrix& q, int cols, int kb, int columns, int slot, int most, bool apart = false, bool bias = false) {
  MatrixPlan m;
  formats(m, q, cols);
  if (bias) m.side_bytes = 4 * cols;
  apart |= m.channel();
  const int blocks = columns / cols;
  if (m.sparse()) kb /= 2;
  const int fit = slot / (m.tile_bytes + m.index_bytes);
  m.kbs = divisor(kb, fit);
  m.kparts = kb / m.kbs;
  m.nbs = m.kparts > 1 ? 1 : divisor(blocks, apart ? std::min(most, fit / m.kbs) : fit / m.kbs);
  m.iterations = blocks / m.nbs;
  (apart ? m.slots : m.iterations) *= m.kparts;
  return m;
}

void shape(Plan& p, const Llama& model) {
  const int c = p.cols;
  p.width = model.width, p.head_dim = model.head_dim;
  p.whole_kv_heads = model.kv_heads;
  p.kv_heads = share(model.kv_heads, p.dies), p.heads = p.kv_heads * (model.heads / model.kv_heads), p.all_heads = p.heads * p.dies;
  p.ffn = model.ffn, p.vocab = model.vocab, p.eps = model.eps;
  p.layers = static_cast<int>(model.layers.size());
  p.dn = round_up(p.width, c * p.dies), p.dk = round_up(p.width, 32), p.x_part = p.dn / p.dies;
  p.hn = round_up(p.head_dim, c), p.hk = round_up(p.head_dim, 32);
  for (const LlamaLayer& l : model.layers) {
    for (const Matrix& m : {l.q, l.k, l.v, l.gate, l.up}) p.pair_x |= m && m->sparse();
    p.pair_o |= l.o->sparse(), p.pair_hidden |= l.down && l.down->sparse();
  }
  p.pair_x |= model.head->sparse();
  p.qkv_bias = model.qkv_bias, p.qk_norm = model.qk_norm;
  p.activation = model.activation;
  p.layer_norm = model.layer_norm, p.parallel = model.parallel, p.gated = model.gated, p.ffn_bias = model.ffn_bias, p.post_norm = model.post_norm;
  p.positions = !model.positions.empty(), p.head_bias = !model.head_bias.empty();
  p.rotary_tables = p.positions ? 0 : model.sliding_turns ? 2 : 1;
  p.query_scale = model.query_scale > 0 ? model.query_scale : 1.0f / std::sqrt(static_cast<float>(p.head_dim));
  p.score_cap = model.score_cap, p.logit_cap = model.logit_cap;
  p.norm_words = p.dn * (p.layer_norm ? 2 : 1);
  p.mixture = model.mixture, p.o_bias = model.o_bias, p.sinks = model.sinks, p.expert_bias = model.expert_bias;
  p.expert_ffn = model.expert_ffn, p.shared_ffn = model.shared_ffn;
  for (const LlamaLayer& l : model.layers) p.routed_layers += l.router != nullptr, p.shared_score |= l.shared_score != nullptr;
  p.ep = round_up(p.mixture.experts, c) + (p.shared_score ? c : 0);
  p.extra_words = p.head_bias_words() + (p.qk_norm ? 2 * p.hn : 0);
  const auto extra = [&](bool there, int words) {
    const auto at = u32(p.extra_words);
    if (there) p.extra_words += words;
    return at;
  };
  p.at_o_bias = extra(p.o_bias, p.dn), p.at_router_bias = extra(p.expert_bias, p.ep), p.at_sinks = extra(p.sinks, round_up(p.heads, c));
  for (const LlamaLayer& l : model.layers) p.up_bias_apart |= p.ffn_bias && l.up && l.up->format == ir::Format::int8c;
  p.at_post_attn = extra(p.post_norm, p.dn), p.at_post_ffn = extra(p.post_norm, p.dn);
  p.at_down_bias = extra(p.ffn_bias && !p.parallel, p.dn), p.at_up_bias = extra(p.up_bias_apart, round_up(ffn_part_of(p.ffn, p.dies) * p.dies, 64));
}

// Sliding layers whose window is shorter than the context, as a pattern of at most 32 layers.
void windows(Plan& p, const Llama& model) {
  p.window = model.window < p.context ? model.window : 0;
  if (p.window == 0 && !model.sliding_turns) return;
  const auto& layers = model.layers;
  const int most = std::min(p.layers, 32);
  for (p.window_period = 1; p.window_period <= most; ++p.window_period) {
    const auto period = static_cast<std::size_t>(p.window_period);
    bool repeats = true;
    for (std::size_t i = period; i < layers.size(); ++i) repeats &= layers[i].sliding == layers[i - period].sliding;
    if (!repeats) continue;
    p.window_mask = 0;
    for (std::size_t i = 0; i < period; ++i) p.window_mask |= static_cast<std::uint32_t>(layers[i].sliding) << i;
    return;
  }
  throw Error("plan", "pattern of sliding layers", "none that repeats within 32 layers", "such a pattern, or a context up to the window of " + std::to_string(p.window));
}

// Pages divide every context and every chunk.
void pages(Plan& p, const PlanOptions& options) {
  if (options.sequences < 1) throw Error("plan", "sequences of a launch", std::to_string(options.sequences), "1 or more");
  if (options.sequences == 1) return;
  p.sequences = options.sequences;
  p.page_tokens = p.context % 64 == 0 ? 64 : 32;
  const int tokens = options.kv_tokens > 0 ? options.kv_tokens : p.sequences * p.context;
  if (tokens < p.context) throw Error("plan", "tokens of the KV cache", std::to_string(tokens), "at least the context of one sequence, " + std::to_string(p.context));
  p.pages = (tokens + p.page_tokens - 1) / p.page_tokens;
}

// Keys of a chunk: the same on every configuration, about 32 KiB of K and V.
int chunk_of(const Plan& p) {
  const int head = round_up(p.head_dim, 32);
  int chunk = head <= 64 ? 256 : head <= 128 ? 128 : 64;
  while (chunk / 2 >= std::max(p.context, 32)) chunk /= 2;
  return chunk;
}

void adapters(Plan& p, const Llama& model, int rank) {
  if (rank == 0) return;
  if (rank < 0 || rank > 256) throw Error("plan", "rank of adapters", std::to_string(rank), "1 to 256");
  p.adapter = {.rank = round_up(rank, 32), .cols = p.cols, .layers = p.layers, .width = p.width, .heads = p.heads, .kv_heads = p.kv_heads, .head_dim = p.head_dim,
               .ffn = p.ffn, .turning = 2 * static_cast<int>(model.rotary.frequency.size())};
  p.adapter.feeds = p.gated ? 2 : 1;
  p.adapter.dies = p.dies, p.adapter.all_heads = model.heads;
  if (p.experts())
    for (const LlamaLayer& l : model.layers) p.adapter.routed.push_back(l.router ? 1 : 0);
}

// Places of an adapter's pieces: a few KiB, or, where weights and keys leave less, what one head or iteration takes.
void adapter_slots(Plan& p, int least) {
  if (p.adapter.rank == 0) return;
  const auto slot = [&](int columns) { return round_up(std::max(p.hn, columns) * p.adapter.rank, p.adapter.tile_bytes()); };
  p.adapter.slot_bytes = slot(4 * 64);
  if (p.kv_area_bytes + 2 * u32(least + p.adapter.slot_bytes) > p.config.wspm_bytes) p.adapter.slot_bytes = slot(64);
}
std::uint32_t adapter_places(const Plan& p) { return u32(2LL * p.adapter.slot_bytes); }

// Weight ring and K/V areas share the weight scratchpad.
void weight_scratchpad(Plan& p, const Llama& model, const PlanOptions& options) {
  p.kv_area_bytes = u32(p.keys() * (p.hk + p.hn));
  // A slot holds at least one column block of every matrix that cannot be split along k.
  const int unit = 32 * p.cols;
  int least = unit;
  for (const auto& l : model.layers)
    for (const Matrix& m : {l.q, l.k, l.v, l.gate, l.up, l.router, l.shared_up})
      if (m) least = std::max(least, column_bytes(*m, p.cols));
  least = std::max(least, column_bytes(*model.head, p.cols));
  if (p.pair_x || p.pair_o || p.pair_hidden) least = round_up(least, unit);
  adapter_slots(p, least);
  const std::uint32_t both = p.kv_area_bytes * 2;
  p.double_kv = options.double_kv && both <= p.config.wspm_bytes / 2 && both + 2 * u32(least) + adapter_places(p) <= p.config.wspm_bytes;
  const std::uint32_t areas = p.kv_area_bytes * (p.double_kv ? 2 : 1);
  const int ring = static_cast<int>(p.config.wspm_bytes) - static_cast<int>(areas + adapter_places(p));
  p.slot_bytes = u32(std::max(least, ring / 5 / unit * unit));
  if (ring < static_cast<int>(2 * p.slot_bytes))
    throw Error("plan", "weight scratchpad of " + std::string(p.config.name) + ": K and V of " +
                std::to_string(p.keys()) + " tokens and two weight slots",
                std::to_string(areas + adapter_places(p) + 2 * p.slot_bytes) + " bytes", "at most " + std::to_string(p.config.wspm_bytes) + " (use a larger configuration)");
  p.ring_slots = options.weight_ring ? std::min<std::uint32_t>(u32(ring) / p.slot_bytes, 32) : 1;
  p.kv_area = p.config.wspm_bytes - areas;
  p.adapter_area = p.kv_area - adapter_places(p);
}

// Columns an iteration makes: as many as one slot holds, so that an iteration is one slot where it can be.
void steps(Plan& p, const Llama& model) {
  const int unit = 32 * p.cols;
  const auto blocks_per_slot = [&](const ir::QMatrix& m) {
    const int column = static_cast<int>(m.kb()) * unit, slot = static_cast<int>(p.slot_bytes);
    if (m.sparse()) return slot / column_bytes(m, p.cols);
    return slot >= column || m.format != ir::Format::mxfp4 ? slot / column : slot / (column / 2);
  };
  int most = 64;
  for (const LlamaLayer& l : model.layers)
    for (const Matrix& m : {l.up, l.router, l.shared_up})
      if (m) most = std::min(most, blocks_per_slot(*m) * p.cols / (p.gated ? 2 : 1));
  const auto part = [&](int columns) { return ffn_part_of(columns, p.dies); };
  p.ek = p.spread ? round_up(p.expert_ffn, 32) : p.dies * part(p.expert_ffn), p.sk = p.dies * part(p.shared_ffn), p.ffn_part = part(p.ffn);
  const int step = p.pair_hidden ? 64 : 32;
  p.fc = step * divisor(std::gcd(std::gcd(p.ffn_part, p.ek / p.expert_parts()), part(p.shared_ffn)) / step, most / step);
  p.fk = p.ffn_part * p.dies;
  p.vocab_n = p.cols * share(round_up(p.vocab, p.cols) / p.cols, p.package_dies());
  p.vocab_step = p.cols * divisor(p.vocab_n / p.cols, std::min(blocks_per_slot(*model.head), 128 / p.cols));
}

void same_format(const Plan& p, const char* what, const ir::QMatrix& gate, const ir::QMatrix& up) {
  if (gate.format != up.format)
    throw Error("plan", std::string("format of ffn_up") + what + " in layer " + std::to_string(p.layer.size()), ir::name(up.format),
                std::string(ir::name(gate.format)) + " like its ffn_gate, with which it shares weight slots");
}

// Every expert of every layer has the same shapes, so that the sequencer finds it by a product.
void experts(const Plan& p, const LlamaLayer& l, LayerPlan& lp, int most) {
  const int slot = static_cast<int>(p.slot_bytes);
  if (l.router->format == ir::Format::int8c)
    throw Error("plan", "format of the router in layer " + std::to_string(p.layer.size()), "int8c", "int8 or mxfp4");
  if (l.shared_score && l.shared_score->format != l.router->format)
    throw Error("plan", "format of ffn_gate_inp_shexp in layer " + std::to_string(p.layer.size()), ir::name(l.shared_score->format), std::string("that of the router, ") + ir::name(l.router->format));
  lp.router = whole_k(*l.router, p.cols, 1, p.ep / p.cols, slot);
  lp.ffn = whole_k({.format = l.experts.format, .n = p.expert_ffn, .k = p.width}, p.cols, p.ek / p.expert_parts() / p.fc, 2 * p.fc / p.cols, slot);
  lp.down = accumulating({.format = l.experts.down_format, .n = p.width, .k = p.expert_ffn}, p.cols, round_up(p.expert_ffn, 32) / 32, p.x_part, slot, most, true, p.expert_bias);
  if (p.spread) lp.down.iterations *= p.dies;
  if (p.expert_bias) lp.ffn.side_bytes = 4 * p.cols;
  if (l.shared_up) {
    same_format(p, " of the shared expert", *l.shared_gate, *l.shared_up);
    lp.shared_ffn = whole_k(*l.shared_up, p.cols, p.sk / p.dies / p.fc, 2 * p.fc / p.cols, slot);
    lp.shared_down = accumulating(*l.shared_down, p.cols, round_up(p.shared_ffn, 32) / 32, p.x_part, slot, most);
  }
  const std::size_t before = p.first_layer(true);
  const LayerPlan& first = before == p.layer.size() ? lp : p.layer[before];
  if (lp.ffn != first.ffn || lp.down != first.down)
    throw Error("plan", "formats of the experts in layer " + std::to_string(p.layer.size()), "others than in the first layer with experts", "the same in all layers");
}

void matrices(Plan& p, const Llama& model) {
  const int c = p.cols, slot = static_cast<int>(p.slot_bytes), nh = p.hn / c, most = std::max({p.hn, 2 * p.fc, p.vocab_step}) / c;
  p.layer.clear();
  for (const auto& l : model.layers) {
    if (l.gate) same_format(p, "", *l.gate, *l.up);
    LayerPlan lp;
    lp.q = whole_k(*l.q, c, p.heads, nh, slot);
    lp.k = whole_k(*l.k, c, p.kv_heads, nh, slot);
    lp.v = whole_k(*l.v, c, p.kv_heads, nh, slot);
    lp.o = accumulating(*l.o, c, model.heads * p.hk / 32, p.x_part, slot, most);
    if (l.router) {
      experts(p, l, lp, most);
    } else {
      lp.ffn = whole_k(*l.up, c, p.ffn_part / p.fc, (p.gated ? 2 : 1) * p.fc / c, slot);
      if (p.ffn_bias && !p.up_bias_apart) lp.ffn.side_bytes = 4 * c;
      lp.down = accumulating(*l.down, c, round_up(p.ffn, 32) / 32, p.x_part, slot, most);
    }
    p.layer.push_back(lp);
  }
  p.head = whole_k(*model.head, c, p.vocab_n / p.vocab_step, p.vocab_step / c, slot);
  if (!p.head_bias) return;
  if (p.head.channel()) throw Error("plan", "format of the head, which has a bias", "int8c", "int8, mxint8 or mxfp4 (--format-of output=int8)");
  p.head.side_bytes = 4 * c;
}

// Layers with experts and without them share the code of their attention where all of each kind are alike and follow a pattern.
void feeds(Plan& p) {
  p.feed_period = 0;
  if (!p.some_routed()) return;
  const LayerPlan &dense = p.layer[p.first_layer(false)], &routed = p.routed_layer();
  for (const LayerPlan& l : p.layer) {
    LayerPlan alike = l.routed() ? routed : dense;
    alike.q = dense.q, alike.k = dense.k, alike.v = dense.v, alike.o = dense.o;
    if (l != alike) return;
  }
  const auto layers = p.layer.size();
  for (std::size_t period = 2; period <= std::min<std::size_t>(layers, 32) && p.feed_period == 0; ++period) {
    bool repeats = true;
    for (std::size_t i = period; i < layers; ++i) repeats &= p.layer[i].routed() == p.layer[i - period].routed();
    if (!repeats) continue;
    p.feed_period = static_cast<int>(period), p.feed_mask = 0;
    for (std::size_t i = 0; i < period; ++i) p.feed_mask |= static_cast<std::uint32_t>(p.layer[i].routed()) << i;
  }
}

// Channel scales and biases on chip: one entry per slot of the ring, and some that the vector engine still reads.
void channel_scales(Plan& p) {
  p.scale_words = 0;
  const auto most = [&](const MatrixPlan& m) {
    if (m.side_bytes > 0) p.scale_words = std::max(p.scale_words, u32(m.nbs * p.cols));
  };
  each_matrix(p, most);
  if (p.experts()) most(p.routed_layer().ffn), most(p.routed_layer().down);
  p.scale_entries = p.scale_words == 0 ? 0 : p.ring_slots + 3;
}

// Vector memory for `rows` tokens; returns the words needed.
std::uint32_t vector_memory(Plan& p, int rows) {
  const int c = p.cols;
  Places place(c);
  const auto take = [&](long long words) { return place.take(words); };
  p.rows = rows;
  take(static_cast<long long>(p.scale_entries) * p.scale_words);
  p.x = take(static_cast<long long>(rows) * p.dn);
  p.cosines = take(static_cast<long long>(rows) * p.hn * p.rotary_tables);
  p.sines = take(static_cast<long long>(rows) * p.hn * p.rotary_tables);
  p.position_rows = p.positions ? take(static_cast<long long>(rows) * p.dn) : 0;
  p.y = p.post_norm ? take(static_cast<long long>(rows) * p.dn) : 0;
  p.norms = take(2LL * p.norm_words);
  p.extra = take(p.extra_words);
  p.sums = take(rows), p.maxima = take(rows), p.totals = take(rows), p.ids = take(rows);
  p.vscale_out = take(static_cast<long long>(p.kv_heads) * round_up(rows, c));
  p.vscale_in = take((p.double_kv ? 2LL : 1LL) * p.keys());
  if (p.experts()) {
    p.route = take(static_cast<long long>(rows) * p.ep), p.shares = take(static_cast<long long>(rows) * p.ep);
    p.total = take(c), p.chosen = take(static_cast<long long>(p.result_rows) * p.mixture.top * c);
    if (p.spread) p.own_chosen = take(static_cast<long long>(p.mixture.top) * c), p.results = take(static_cast<long long>(p.result_rows) * p.result_words()), p.result = take(p.dn);
  }
  p.state_rows = round_up(rows, c);
  if (p.chunk > 0) {
    const long long group = p.heads / p.kv_heads;
    p.o_state = take(rows * group * p.hn);
    p.m_state = take(2 * group * p.state_rows);
  }
  p.adapter_t = take(static_cast<long long>(rows) * round_up(3 * p.adapter.rank, c));
  p.table = p.paged() ? take(p.table_words()) : 0;
  p.work = place.at();
  // Output buffers and a temporary serve the projections, the feed-forward and the logits; attention and norms reuse the space.
  const long long out = static_cast<long long>(rows) * std::max({p.hn, 2 * p.fc, p.vocab_step});
  const long long temp = static_cast<long long>(rows) * std::max(p.hn, p.fc);
  const long long attention = static_cast<long long>(rows) * (p.window > 0 ? 2 * p.keys() : p.chunk > 0 ? p.keys() : p.keys() + p.hn);
  p.out_words = u32(out);
  p.temp = u32(p.work + p.out_buffers * out);
  const long long least = std::max({p.out_buffers * out + temp, attention, static_cast<long long>(p.dn)});
  p.work_words = u32(least);
  return u32(place.at() + least);
}

std::uint32_t activation_scratchpad(Plan& p) {
  Places place(32);
  const auto take = [&](long long bytes) { return place.take(bytes); };
  const long long rows = p.rows;
  p.xq = take(rows * p.dk);
  p.adapter_q = take(rows * 3 * p.adapter.rank);
  p.oq = take(rows * p.all_heads * p.hk);
  p.pq = take(rows * p.keys());
  // The feed-forward's input takes the place of q, k and v, which are dead by then.
  const std::uint32_t shared = place.at();
  p.qq = take(rows * p.heads * p.hk);
  p.kst = take(rows * p.kv_heads * p.hk);
  p.vst = take(rows * p.kv_heads * p.hk);
  p.hq = shared;
  const long long hidden = std::max(rows * std::max({p.fk, p.ek, p.sk}), p.expert_parts() > 1 ? 2LL * p.ek : 0);  // of an expert, and of the next
  return std::max(place.at(), u32(shared + hidden));
}

bool fits(Plan& p, int rows) {
  const std::uint32_t words = vector_memory(p, rows);
  return words <= p.config.vmem_bytes / 4 && activation_scratchpad(p) <= p.config.aspm_bytes;
}

// As many rows as fit: with few rows the weights' port time is not covered, beyond 128 nothing is gained.
void choose_rows(Plan& p, int most) {
  for (int rows = std::min(most, p.sequences * p.context); rows >= p.sequences; --rows) {
    if (!fits(p, rows)) continue;
    const std::uint32_t spare = p.config.vmem_bytes / 4 - p.work;
    p.group = 1;
    while (p.group * 2 <= rows && u32(p.group * 2 * p.dn) <= spare) p.group *= 2;
    p.work_words = std::max(p.work_words, u32(p.group * p.dn));
    return;
  }
  throw Error("plan", (p.paged() ? "a token of each of " + std::to_string(p.sequences) + " sequences of this model on " : "one token of this model on ") + std::string(p.config.name) + " with context " +
              std::to_string(p.context) + (p.spread ? " and the results of " + std::to_string(p.mixture.top) + " experts of other dies" : ""), std::to_string(vector_memory(p, p.sequences)) + " words of vector memory, " +
              std::to_string(activation_scratchpad(p)) + " bytes of activations",
              "at most " + std::to_string(p.config.vmem_bytes / 4) + " and " + std::to_string(p.config.aspm_bytes));
}

// A window takes as many whole layers as its 32-bit offsets reach.
void expert_regions(Plan& p, std::uint64_t most_window) {
  const LayerPlan& l = p.routed_layer();
  const int most = p.package_dies() > 1 ? 1 : kMostExpertWindows - (p.tables_window != 0 ? 1 : 0);  // other dies have windows too
  const int windows = most - (p.adapter.rank > 0 && p.package_dies() == 1 ? 1 : 0);
  const std::uint64_t expert = l.ffn.total_bytes() + l.down.total_bytes(), layer = expert * static_cast<std::uint64_t>(p.experts_here());
  p.expert_bytes = u32(static_cast<long long>(expert));
  p.expert_layers = static_cast<int>(std::min<std::uint64_t>(most_window / layer, static_cast<std::uint64_t>(p.routed_layers)));
  p.expert_windows = p.expert_layers == 0 ? 0 : (p.routed_layers + p.expert_layers - 1) / p.expert_layers;
  if (p.expert_layers == 0 || p.expert_windows > windows)
    throw Error("plan", "experts of " + std::to_string(p.routed_layers) + " layers", std::to_string(layer) + " bytes a layer",
                "whole layers in " + std::to_string(windows) + " windows of at most " + std::to_string(most_window) + " bytes");
  if (p.adapter.rank > 0 && p.tables_window != 0 && p.adapter_window() == static_cast<int>(p.tables_window))
    throw Error("plan", "windows of a die", "none left for an adapter: weights, KV cache, ports, experts, " + std::to_string(p.package_dies() - 1) + " other dies, tables",
                "fewer dies, or weights and tables that fit one window");
}

void check_window(const char* what, std::uint64_t bytes, std::uint64_t most) {
  if (bytes > most) throw Error("plan", std::string(what) + " window", std::to_string(bytes) + " bytes", most == 0xffffffff ? "at most 4 GiB" : "at most " + std::to_string(most));
}

void dram(Plan& p, std::uint64_t most, std::uint64_t most_window) {
  const auto align = [](std::uint64_t x) { return (x + 63) / 64 * 64; };
  std::uint64_t at = 0, stream = 0;
  each_matrix(p, [&](const MatrixPlan& m) { stream += m.total_bytes(); });
  const std::uint64_t last = std::uint64_t(p.norm_words) * 4;
  const std::uint64_t places = std::uint64_t(p.context) * (p.positions ? p.dn : 2 * p.rotary_tables * p.hn) * 4;
  const std::uint64_t all = align(stream) + align(std::uint64_t(p.layers) * p.norm_bytes() + last) + align(places) + align(std::uint64_t(p.vocab) * p.dn * 4);
  p.w_stream = 0, at = align(stream);
  if (all > most) {
    check_window("weights", at, most);
    p.w_bytes = u32(at), p.tables_window = kTablesWindow, at = 0;
  }
  p.w_norms = u32(at), at = align(at + std::uint64_t(p.layers) * p.norm_bytes() + last);
  p.w_rope = u32(at), at = align(at + places);
  p.w_embed = u32(at), at = align(at + std::uint64_t(p.vocab) * p.dn * 4);
  check_window(p.tables_window == 0 ? "weights" : "embedding", at, most);
  (p.tables_window == 0 ? p.w_bytes : p.tables_bytes) = u32(at);
  if (p.experts()) expert_regions(p, most_window);

  std::uint64_t kv = 0;
  const std::uint64_t per_head = std::uint64_t(p.kv_heads) * static_cast<std::uint64_t>(p.kv_tokens());
  p.kv_k = 0, kv = align(per_head * p.hk);
  p.kv_ks = u32(kv), kv = align(kv + per_head * p.hk / 16);
  p.kv_v = u32(kv), kv = align(kv + per_head * p.hn);
  p.kv_vs = u32(kv), kv = align(kv + per_head * 4);
  p.kv_layer = u32(kv);
  std::uint64_t page = 0;
  for (int l = 0; l < p.layers; ++l) page += p.kv_of(p.kv_layer, p.tokens_of(l));
  check_window("KV cache", page * static_cast<std::uint64_t>(std::max(p.pages, 1)), most);
  p.kv_page = u32(static_cast<long long>(page));
  p.kv_bytes = p.kv_page * u32(std::max(p.pages, 1));

  p.io_tokens = 0;
  p.io_logits = u32(align(std::uint64_t(std::max(p.context, p.rows)) * 4));
  p.io_chosen = u32(align(p.io_logits + std::uint64_t(p.rows) * p.vocab_n * 4));
  p.io_table = u32(align(p.io_chosen + (p.experts() ? std::uint64_t(p.routed_layers) * p.rows * p.mixture.top * 4 : 0)));
  p.io_bytes = u32(align(p.io_table + (p.paged() ? std::uint64_t(p.table_words()) * 4 : 0)));
}

}  // namespace

std::uint64_t MatrixPlan::total_bytes() const {
  const auto all = static_cast<std::uint64_t>(iterations) * static_cast<std::uint64_t>(slots);
  const auto first = side_bytes > 0 ? all / static_cast<std::uint64_t>(kparts) : all;
  return first * stream_bytes(0) + (all - first) * stream_bytes(1);
}

std::uint64_t Plan::expert_window_bytes(int index) const {
  const int first = index * expert_layers, count = std::min(routed_layers - first, expert_layers);
  return static_cast<std::uint64_t>(expert_bytes) * static_cast<std::uint64_t>(experts_here()) * static_cast<std::uint64_t>(count);
}

Plan on_chip(const Llama& model, const spec::Config& config, const PlanOptions& options, Keys keys) {
  Plan p;
  package::check(model, config, options);
  p.dies = options.dies, p.stages = options.stages, p.spread = options.spread;
  p.config = config;
  p.cols = static_cast<int>(config.cols);
  p.out_buffers = options.double_output ? 2 : 1;
  p.hoist = options.hoist;
  shape(p, model);
  p.context = round_up(std::min(options.context > 0 ? options.context : kStandardContext, model.context), 32);
  if (p.positions && p.context > model.context) p.context = std::max(p.context - 32, 32);  // there are no more
  windows(p, model);
  pages(p, options);
  adapters(p, model, options.adapter_rank);
  const auto place = [&](int chunk) {
    p.chunk = chunk;
    weight_scratchpad(p, model, options);
    steps(p, model);
    p.adapter.fc = p.fc;
    matrices(p, model);
    channel_scales(p);
    feeds(p);
    if (p.spread) package::choose_result_rows(p, [&] { choose_rows(p, options.max_rows); });
    else choose_rows(p, options.max_rows);
  };
  bool whole = keys == Keys::at_once || (keys == Keys::as_fits && p.context <= kWholeContext && p.window == 0);
  try {
    if (whole) place(0);
  } catch (const Error&) {
    if (keys == Keys::at_once) throw;
    whole = false;
  }
  if (!whole) place(chunk_of(p));
  return p;
}

Plan make_plan(const Llama& model, const spec::Config& config, const PlanOptions& options) {
  Plan p = package::plan(model, config, options);
  p.one_body = !options.last_layer && p.can_share();
  if (options.ring_cache) p.ring = ring_cache(p);
  dram(p, options.window_bytes, options.most_window);
  return p;
}

}  // namespace jogak::schedule
