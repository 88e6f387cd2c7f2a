// Where everything of a Llama decoder lives: rows at once, buffers on chip, regions in DRAM, weight slots.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "adapter_plan.hpp"
#include "llama.hpp"
#include "npu_spec.hpp"
#include "ring_cache.hpp"

namespace jogak::schedule {

inline constexpr int kStandardContext = 4096;
// Longer contexts are taken in chunks of keys, on every configuration: so they have the same bits. Up to here they are where K and V of a
// head do not fit on chip as a whole.
inline constexpr int kWholeContext = 512;
// Experts lie in windows of their own, whole layers in each.
inline constexpr int kExpertWindow = 3, kMostExpertWindows = 5;

// Norms, rotary tables and the embedding have a window of their own where they do not fit beside the weights.
inline constexpr std::uint32_t kTablesWindow = 7;

struct PlanOptions {
  int context = 0;        // tokens the KV cache holds; 0: the model's, at most kStandardContext
  int max_rows = 128;     // most tokens of one launch
  int sequences = 1;      // most of one launch; above 1 the KV cache lies in pages
  int adapter_rank = 0;   // of the LoRA adapters that the program can take; 0: none
  int kv_tokens = 0;      // tokens of all sequences that the cache holds; 0: each one's context
  bool weight_ring = true;    // several weight slots; without, the next one is loaded when the last is used up
  bool double_kv = true;      // two K/V areas where they fit
  bool double_output = true;  // two output buffers
  std::uint64_t most_window = 0xffffffffu;  // bytes of a window of experts
  int dies = 1;               // that share every layer (docs/packages.md)
  bool spread = false;        // but each expert lies whole on one of them
  int stages = 1;             // dies that have layers of their own, one behind the other; one of the two is 1
  bool ring_cache = true;     // sliding layers keep their window only, where the cache does not lie in pages
  bool last_layer = true;     // the last layer has code of its own where the others are alike
  bool hoist = true;          // constants of a loop's body are loaded before the loop
  std::uint32_t window_bytes = 0xffffffff;  // of DRAM that a window may have
};

// A matrix is consumed in `iterations`, each of `slots` pieces of the weight ring; a slot holds `nbs` column
// blocks by `kbs` k blocks. Column blocks beyond the matrix and k blocks beyond its k are zero.
// k may be split into `kparts`: with block scales each part is an iteration, with channel scales the parts are one iteration's slots
// and the scales come with the first.
struct MatrixPlan {
  ir::Format format = ir::Format::int8;
  int iterations = 0, slots = 1, nbs = 0, kbs = 0, kparts = 1;
  int tile_bytes = 0;
  int scale_bytes = 0;  // of a tile; 0 with channel scales
  int index_bytes = 0;  // of a tile, 2:4 sparse: its 32 stored values of k stand for 64
  int side_bytes = 0;   // fp32 values of a column block's columns that come with its weights: channel scales or a bias
  bool channel() const { return format == ir::Format::int8c; }
  bool bias() const { return side_bytes > 0 && !channel(); }
  bool sparse() const { return index_bytes > 0; }
  int k_columns() const { return kbs * (sparse() ? 64 : 32); }  // of activations, that a slot takes
  std::uint32_t slot_index_bytes() const { return static_cast<std::uint32_t>(nbs * kbs * index_bytes); }
  std::uint32_t weight_bytes() const { return static_cast<std::uint32_t>(nbs * kbs * tile_bytes); }
  std::uint32_t slot_scale_bytes() const { return static_cast<std::uint32_t>(nbs * kbs * scale_bytes); }
  std::uint32_t slot_side_bytes() const { return static_cast<std::uint32_t>(nbs * side_bytes); }
  std::uint32_t stream_bytes(int part = 0) const {
    return (weight_bytes() + slot_index_bytes() + slot_scale_bytes() + (part > 0 ? 0 : slot_side_bytes()) + 63) / 64 * 64;
  }
  std::uint64_t total_bytes() const;
  bool operator==(const MatrixPlan&) const = default;
};

struct LayerPlan {
  MatrixPlan q, k, v, o, ffn, down;  // ffn and down of a layer with a router are an expert's
  MatrixPlan router, shared_ffn, shared_down;
  bool routed() const { return router.iterations > 0; }
  bool shared() const { return shared_ffn.iterations > 0; }
  bool operator==(const LayerPlan&) const = default;
};

struct Plan {
  spec::Config config{};
  int width = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0, context = 0, layers = 0;
  // Of a package all dies have a plan alike. `heads`, `kv_heads`, `vocab_n` and the iterations of matrices are one die's, the parts that follow
  // one another die by die; all dies' heads are side by side in `oq`, their columns in x and `hq`. The last parts may have less than is in them.
  int dies = 1;
  int stages = 1;           // or each die has layers of its own; then only the vocabulary is in parts
  int package_dies() const { return dies * stages; }
  int part_of(int die) const { return dies > 1 ? die : 0; }  // of a layer's matrices
  bool spread = false;      // experts lie whole on one die each, the first ones on the first; else in parts on all
  int expert_parts() const { return spread ? 1 : dies; }
  int experts_here() const { return mixture.experts / (spread ? dies : 1); }  // of a layer on one die
  int all_heads = 0, whole_kv_heads = 0;  // heads of a row of oq; KV heads of the model
  int x_part = 0, ffn_part = 0;  // columns of x and of the feed-forward that one die makes
  float eps = 0;
  bool qkv_bias = false, qk_norm = false;
  bool layer_norm = false, parallel = false, gated = true, ffn_bias = false, post_norm = false, positions = false, head_bias = false;
  float query_scale = 0, score_cap = 0, logit_cap = 0;  // the first is that of the scores; caps 0: none
  int rotary_tables = 1;    // 2: layers that slide have their own; 0: nothing turns
  int cols = 0;             // C
  int dn = 0, dk = 0;       // width padded to C (words a row) and to 32 (bytes a row)
  int hn = 0, hk = 0;       // head padded to C and to 32
  int fc = 0, fk = 0;       // ffn columns of one iteration; ffn padded to a multiple of fc
  int expert_ffn = 0, ek = 0, shared_ffn = 0, sk = 0;  // the same of an expert and of the shared one
  int vocab_step = 0, vocab_n = 0;  // logits of one iteration; vocabulary padded to it
  int rows = 0;             // most tokens of one launch
  int group = 0;            // rows normalised at once
  bool double_kv = false;   // two K/V areas on chip
  unsigned out_buffers = 2;
  bool hoist = true;        // constants before loops
  bool one_body = false;    // all layers run the same code; what it loads ahead of the next layer is left out in the last
  bool can_share() const {
    return !experts() && layers > 1 && std::all_of(layer.begin(), layer.end(), [&](const LayerPlan& l) { return l == layer.front(); });
  }
  int chunk = 0;            // keys that attention takes at once; 0: all
  int keys() const { return chunk > 0 ? chunk : context; }  // of a head on chip
  int window = 0;           // keys that a query sees in sliding layers; 0: every layer sees all
  int window_period = 1;    // layers after which the pattern of sliding ones repeats
  std::uint32_t window_mask = 1;  // bit i: layer i of the period slides
  // Several sequences a launch: pages of `page_tokens` keys hold all layers, and a table in vector memory says which are whose. 0: one
  // sequence, whose keys lie together.
  int sequences = 1, page_tokens = 0, pages = 0;
  bool paged() const { return page_tokens > 0; }
  int kv_tokens() const { return paged() ? page_tokens : context; }  // that lie together in DRAM
  RingCache ring;           // of the sliding layers
  bool slides(int index) const { return window > 0 && (window_mask >> (index % window_period) & 1) != 0; }
  bool kinds_turn() const { return (window > 0 || rotary_tables == 2) && window_period > 1; }  // a register says whether the layer at hand slides
  bool ring_varies() const { return ring.tokens > 0 && window_period > 1; }
  int tokens_of(int index) const { return ring.tokens > 0 && slides(index) ? ring.tokens : kv_tokens(); }  // of a layer's cache
  int table_pieces() const { return 2 * sequences + rows / page_tokens; }  // of the cache that rows of one launch go to
  int table_words() const { return 4 + 4 * (sequences + table_pieces()) + sequences * (context / page_tokens); }
  AdapterPlan adapter;
  int adapter_window() const { return kAdapterWindow + (experts() ? expert_windows + package_dies() - 1 : 0); }
  std::uint32_t adapter_area = 0, adapter_t = 0, adapter_q = 0;  // wspm, two places; vector memory and aspm: A x
  int state_rows = 0;       // words of a head's maxima or sums: rows padded to C
  int norm_words = 0;       // of a norm: weights, and behind them biases
  int norms_of_layer() const { return parallel ? 1 : 2; }
  int extra_words = 0;      // biases of q, k, v, then norms of q and k, each head's padded to hn; bias of o, of the router, sinks
  int head_bias_words() const { return qkv_bias ? (heads + 2 * kv_heads) * hn : 0; }
  bool pair_x = false, pair_o = false, pair_hidden = false;  // rows for 2:4 sparse products have a scale for 64 values: normalised, attention's, hidden
  ir::Activation activation = ir::Activation::silu;  // of a feed-forward without experts
  // A mixture of experts; mixture.experts 0: none.
  ir::Mixture mixture;
  int ep = 0;               // columns of the router: experts padded to C, then the score of the shared one, padded to C
  bool shared_score = false;
  int score_column() const { return round_up(mixture.experts, cols); }
  bool o_bias = false, sinks = false, expert_bias = false;
  std::uint32_t at_o_bias = 0, at_router_bias = 0, at_sinks = 0;  // words, from extra
  bool up_bias_apart = false;  // ffn_up has channel scales at its slots' sides, so its bias is with the layer's others
  std::uint32_t at_up_bias = 0, at_down_bias = 0, at_post_attn = 0, at_post_ffn = 0;
  bool experts() const { return mixture.experts > 0; }
  // Where only some layers have experts: a pattern that repeats, if all of each kind are alike (period 0: they are not, each run has code of its own).
  int routed_layers = 0, feed_period = 0;
  std::uint32_t feed_mask = 0;  // bit i: layer i of the period has experts
  bool some_routed() const { return experts() && routed_layers < layers; }
  std::size_t first_layer(bool routed) const {
    return static_cast<std::size_t>(std::find_if(layer.begin(), layer.end(), [&](const LayerPlan& l) { return l.routed() == routed; }) - layer.begin());
  }
  const LayerPlan& routed_layer() const { return layer.at(first_layer(true)); }
  std::size_t norm_bytes() const { return static_cast<std::size_t>(norms_of_layer() * norm_words + extra_words) * 4; }  // of a layer

  // vector memory, word addresses; channel scales start at 0: `scale_entries` times `scale_words` (none without int8c)
  std::uint32_t scale_entries = 0, scale_words = 0;
  std::uint32_t y = 0, position_rows = 0;  // with norms behind: what is normalised before it is added to x; rows of learned positions
  std::uint32_t x, cosines, sines, norms, extra, sums, maxima, totals, vscale_out, vscale_in, ids, table, work, work_words;
  std::uint32_t o_state = 0, m_state = 0;  // with chunks: a group's results, row by row; its maxima, then its sums, head by head
  std::uint32_t route = 0, shares = 0, total = 0, chosen = 0;  // router's logits and softmax, row by row; a row's sum; its experts, C words each
  // Where experts lie whole on a die: this die's of the row at hand, C words each; of each row the chosen ones' results, this die's columns; an
  // own one's whole result, die by die from this one on. Choices and results have places for `result_rows`, which are then added up.
  std::uint32_t own_chosen = 0, results = 0, result = 0;
  int result_rows = 1;
  int result_words() const { return mixture.top * x_part; }  // of a row
  std::uint32_t out_words, temp;  // output buffers from `work`, a temporary behind them
  // activation scratchpad, byte addresses
  std::uint32_t xq, qq, kst, vst, pq, oq, hq;
  // weight scratchpad, byte addresses
  std::uint32_t slot_bytes, ring_slots, kv_area, kv_area_bytes;

  std::vector<LayerPlan> layer;
  MatrixPlan head;

  // DRAM, byte offsets within their window
  std::uint32_t w_stream, w_bytes;                                      // window 0
  std::uint32_t tables_window = 0;                                      // 0, or kTablesWindow where all does not fit in window 0
  std::uint32_t w_embed, w_rope, w_norms, tables_bytes = 0;
  std::uint32_t expert_bytes = 0;                                       // windows kExpertWindow and up: a layer's experts one behind the other
  int expert_layers = 0, expert_windows = 0;                            // layers of a window (the last may have fewer); windows
  std::uint64_t expert_window_bytes(int index) const;                  // index from 0
  std::uint32_t kv_k, kv_ks, kv_v, kv_vs, kv_layer, kv_page, kv_bytes;  // window 1: within a layer of kv_tokens(); strides; all
  // The same of a layer with other tokens: all regions grow with them.
  std::uint32_t kv_of(std::uint32_t bytes, int tokens) const { return static_cast<std::uint32_t>(std::uint64_t{bytes} * static_cast<std::uint64_t>(tokens) / static_cast<std::uint64_t>(kv_tokens())); }
  std::uint32_t io_tokens, io_logits, io_chosen = 0, io_table, io_bytes;  // window 2
};

// Keys of attention: all at once where they fit on chip, else in chunks; the two differ in rounding.
enum class Keys { as_fits, at_once, in_chunks };
// All but the regions in DRAM. Throws jogak::Error when the model cannot fit on chip, with the keys as wanted.
Plan on_chip(const Llama& model, const spec::Config& config, const PlanOptions& options, Keys keys);

// Throws jogak::Error when the model cannot fit this configuration, saying which memory and what would fit.
Plan make_plan(const Llama& model, const spec::Config& config, const PlanOptions& options);

}  // namespace jogak::schedule
