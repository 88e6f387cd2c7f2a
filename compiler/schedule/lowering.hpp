// The lowering of a decoder, one file per part: lower.cpp (frame and norms), attention.cpp, chunked.cpp, sequences.cpp,
// ring_cache.cpp, feed_forward.cpp (and what products share), experts.cpp, adapter.cpp.
#pragma once
#include <functional>

#include "arithmetic.hpp"
#include "lower.hpp"
#include "weights.hpp"

namespace jogak::schedule {

class Lowering : Arithmetic {
 public:
  explicit Lowering(const Plan& plan) : Arithmetic(plan.hoist, variables(plan)), p_(plan), weights_(plan, e_) {}

  emit::Emitter run();

 private:
  using Emitter = emit::Emitter;

  static unsigned variables(const Plan& plan);
  static spec::Qgroup blocks(bool pairs) { return pairs ? spec::Qgroup::pair : spec::Qgroup::block; }
  std::uint8_t tables() const { return static_cast<std::uint8_t>(p_.tables_window); }
  void prologue();
  // Rows of x from the tokens' ids; learned positions are added behind what they are loaded with.
  void embed();
  void add_positions();
  // Registers that only programs with experts have.
  void expert_variables();
  // Layers of a kind share their code: runs of them in a loop of their own, or, where kinds alternate, one loop over
  // all layers whose bit in a mask says which body runs.
  void layers();
  void layer(const LayerPlan& l);
  void load_norm(int which);
  // Biases of q, k and v and norms of q and k, behind the layer's norms.
  void load_extra();
  // They, and what lies behind them, are used up.
  void release_extra();
  bool late_extra() const { return p_.o_bias || p_.sinks || p_.expert_bias || last_extra(); }  // some is used behind attention
  bool last_extra() const { return p_.post_norm || p_.ffn_bias; }                              // or in the feed-forward
  // rows of x at word address `x` -> normalised, weighted, quantised rows in xq. Waits for x's last product. `bias` (words): is added
  // to the launch's rows of x when they have been read.
  void norm(const char* label, int which, Reg x, Reg rows, std::optional<std::uint32_t> bias = {});
  void normalise(int which, Reg rows, Reg scales, Reg dst);
  void normalise_centred(int which, Reg rows, Reg means, Reg dst);
  // Final norm and logits of rows arg2 .. arg2 + arg3 - 1; a pipeline leaves the head out where these are none.
  void finish();
  void last_norm_and_head();

  void projections(const LayerPlan& l);
  // r = offset in the KV window of this layer's `region` at the launch position, `unit` bytes a token.
  void dram_at(Reg r, std::uint32_t region, int unit);

  // Layers whose cache is a ring (ring_cache.cpp); where none is, the slot of a token is the token.
  // At the begin of each layer: tokens that its cache holds.
  void choose_ring();
  // `bytes` for each of them, good for the next few instructions; r += the same; r = `by` times the same.
  Reg cache(long long bytes);
  void advance_cache(Reg r, long long bytes);
  void scale_cache(Reg r, Reg by, long long bytes);
  void slot_of(Reg token, Reg slot);
  // `store(to, from, rows)` of the launch's rows of K, V or scales, `bytes` a row: again with those behind the ring's end, at its beginning.
  struct RowBytes {
    long long dram, chip;
  };
  void begin_append();
  void append(Reg to, Reg from, RowBytes bytes, const std::function<void(Reg, Reg, Reg)>& store);
  // Head at p4 of the biases, added to the output buffer; p4 goes on to the next.
  void add_bias();
  // RMSNorm of the head in the output buffer, `which` 0: q, 1: k.
  void norm_head(int which);
  void rope();
  void attention();
  // K, its scales, V and its scales of kv head p2 for all keys, rounded up to a block.
  void load_kv();
  // All heads of kv head p2, from p0 (queries) and p1 (results).
  void attend_whole();
  void attend_chunks();
  void add_sink();
  // One query head (its sink at p5): q p0 against the area's K, softmax, the area's V, into oq at p1.
  void head();

  // The same for contexts whose keys are taken in chunks.
  void start_heads(int group);
  void first_chunk();
  void next_chunk();
  void load_chunk();
  void chunk_scores();
  void softmax_numerators();
  // Scores in the work area, scaled, become cap * tanh(score / cap), before any is hidden; what comes later scales by score_scale().
  void cap_scores(Reg rows, Reg keys);
  float score_scale() const { return p_.score_cap > 0 ? 1.0f : p_.query_scale; }
  // `rows` of `words` at `at`: cap * tanh(scale * x / cap).
  using Value = std::function<Reg()>;  // of constants, which are asked for again and again
  void cap(const Value& at, const Value& words, Reg rows, float scale, float cap);
  void chunk_values(int group);
  void finish_head(int group);

  // LoRA adapters.
  // The arguments behind the four, an adapter's among them, then its other variables.
  void argument_variables();
  void adapter_variables();
  void adapter_piece(const AdapterMatrix& m, Reg from, int am, Reg to, int om);
  void adapter_matrix(const AdapterMatrix& m, std::uint32_t from, int am, Reg to, int om);
  void adapter_down(AdapterGroup g, std::uint32_t operand, int stride);
  void adapter_input(AdapterGroup g, std::uint32_t operand, int stride);
  void adapter_columns(const MatrixPlan& m, int row_words);
  void adapter_residual(AdapterGroup g, std::uint32_t operand, int stride, std::uint32_t to);
  // What project() adds to each iteration's columns from here on.
  struct Addition {
    AdapterMatrix matrix;
    AdapterGroup group;
    int target;
    int targets = 1;  // side by side in the columns
  };
  void adapter_adds(const AdapterMatrix& m, AdapterGroup g, int target, int targets = 1) {
    if (p_.adapter.rank > 0) adds_ = {m, g, target, targets};
  }

  // Several sequences a launch.
  void load_table();
  void load_rotary();
  // rows of the tables from `position` on, to `row` of those on chip
  void rotary_rows(Reg position, Reg row, Reg rows);
  void rotary_rows(Reg position, Reg row, Reg rows, int table);
  void round_keys();
  // K or V of all rows to the pages where they belong.
  void append_keys();
  void append_values();
  // `store` for every piece of rows in one page: p1 this layer's place in it, p2 the first token there, p3 the first row, p5 the rows.
  void each_piece(const std::function<void()>& store);
  // Once per kv head, for every sequence in turn.
  void each_kv_head(const std::function<void()>& attend);
  // Position, rows, keys, and kv head p2's queries and results of the sequence at hand.
  void select_sequence();
  // K or V of `keys` keys from `first` on (a register), a load each from the pages or from where they lie together.
  struct KeyBox {
    Space space;
    std::uint32_t region;
    long long unit, planes;  // bytes of a token in each of the planes of kv head p2
    Reg to, keys, first = 0;
  };
  void load_keys(const KeyBox& box);
  // Keys that this layer's queries see.
  Reg window();
  // The first of the launch's rows that see keys from `begin` on, and how many of these keys it sees.
  void rows_from(Reg begin, Reg row, Reg keys);
  void hide_old_keys();
  // The next layer's turn in the pattern of windows; in any that repeats after `period` layers.
  void turn_window();
  void turn(Reg bits, int period);

  void toggle_out();
  // The product the matrix engine was last given, times its channel scales.
  void scale(Reg at, int row_words, Reg rows, int columns);
  // x += rows at `operand` (aspm, `stride` bytes a row) times a matrix, and what an adapter of `group` adds. The next norm waits for its end.
  void residual(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride, std::optional<AdapterGroup> group = {});
  // The same, where what is added goes through a norm first.
  void residual_normed(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride, AdapterGroup group);
  // Channel scales multiply the whole sum over k, so it grows in an output buffer, and the vector engine adds it to x.
  void add_scaled(const MatrixPlan& m, std::uint32_t operand, int stride);
  // The residual is the accumulator's start.
  void accumulate(const MatrixPlan& m, std::uint32_t operand, int stride);
  // A layer's feed-forward, or the shared expert's, whose hidden rows are weighed by its score.
  struct Feed {
    const char* label;
    int columns;  // of the hidden rows, padded
    bool shared = false;
  };
  void feed_forward(const MatrixPlan& m, const Feed& f);
  // The product the matrix engine was last given, plus the bias that came with its slot.
  void add_side_bias(Reg at, int row_words, Reg rows, int columns);
  // Of the output buffer; there: the vector engine has them already.
  void cap_logits(bool there);
  // temp = gate * recip(1 + exp(-z)) * up, gate and up side by side in the output buffer.
  void swiglu(Reg rows);
  // temp = exp(-z), where the activation is gate * sigmoid(z).
  void exponent(Reg rows);

  // Packages (compiler/package/gather.cpp).
  // r = the die's number times `part`, plus `base`: where its part of what all dies need begins.
  void own(Reg r, std::uint32_t base, int part);
  // The same from register `at` on; on one die `at`, or `base` where there is no such register.
  void own(Reg r, std::uint32_t base, int part, Reg at);
  // Quantised rows that the vector engine has made go to the same place of the other dies, `bytes` of each row's `stride`, piece by piece
  // while the matrix engine makes the next. Then it waits for theirs; this die's part of the place at `base` has `part` bytes a row.
  void gather_piece(Reg from, int bytes, int stride);
  void end_gather(std::uint32_t base, int part);
  void gather_row(Reg from, int part, int stride);  // one row, all at once
  void send_rows(Reg from, int part, int stride, Reg rows);
  // This die's columns of x, or what else begins at word `base`, which `maker` has made, likewise; the vector engine waits.
  void gather_columns(Engine maker, std::uint32_t base);
  // Where each die has layers of its own (compiler/package/pass.cpp): x comes from the die before; goes to the next one, and from the last
  // one to all for the head.
  void take_over();
  void pass_on();
  void share_last();
  void wanted(Reg r);  // r = are there logits to make?
  void send(int window, Space space, Reg from, Reg bytes, Reg rows, Reg stride);
  void send_to_all(Space space, Reg from, Reg bytes, Reg rows, Reg stride);
  void send_signal(int window, Space space, Reg from, unsigned semaphore);
  void send_signals(Space space, Reg from, unsigned purpose);
  void wait_for_peers(Engine engine, unsigned purpose);

  // Behind attention: a feed-forward, or a mixture of experts: each row through its own, one after the other, added to x.
  void feed(const LayerPlan& l);
  void dense(const LayerPlan& l);
  void mixture(const LayerPlan& l);
  void begin_mixture(const LayerPlan& l);
  void rows_of_experts(const LayerPlan& l, Reg rows);
  void end_mixture();
  // Logits of all rows and their softmax, or its numerators where the chosen ones' sum is not 1 yet.
  void route(const MatrixPlan& m);
  void choose();
  void share_out();
  void expert(const LayerPlan& l);
  void expert_in(const MatrixPlan& m);
  void clamped_swiglu();
  void expert_out(const MatrixPlan& m);
  void next_experts();
  // The same where each expert lies whole on one die (compiler/package/spread.cpp). A row's chosen ones that are this die's get into a list.
  void rows_of_own_experts(const LayerPlan& l, Reg rows);
  void pick_own(Reg index, std::size_t rank, Reg row);
  void own_expert(const LayerPlan& l);
  // The result's columns to the dies that add them up.
  void send_result();
  // Every die has sent its results of the rows that wait; this die's columns of x += share * result, in the order of the choice; all places
  // are free again.
  void exchange_results();
  void add_results();
  void free_results();
  std::uint32_t index_mask() const;
  Reg index_of(Reg key);
  Reg share_at(Reg index);
  // One iteration of a projection: column blocks into the output buffer, slot by slot times the channel scales where the format has
  // them, then the turn of `user` (vector or store engine), which finds the output complete.
  template <class After>
  void project(const MatrixPlan& m, const Prefetch& next, Reg rows, int row_words, Engine user, After&& after) {
    const bool store = user == Engine::st;
    e_.wait(Engine::mx, store ? kLogitFree : kOutFree);
    e_.copy(p5_, out_);
    weights_.slots(next, [&](const std::optional<SlotSize>& size) {
      weights_.consume(m, size, {.a = k(p_.xq), .am = k(p_.dk), .o = p5_, .om = k(row_words), .on = k(p_.cols), .m = rows});
      if (m.channel()) scale(p5_, row_words, rows, m.nbs * p_.cols);
      if (m.bias()) add_side_bias(p5_, row_words, rows, m.nbs * p_.cols);
      if (m.slots > 1) advance(p5_, static_cast<long long>(m.nbs) * p_.cols);
    });
    adapter_columns(m, row_words);
    const bool there = m.channel() || m.bias(), worked = there || (store && p_.logit_cap > 0);  // with the vector engine
    if (store && p_.logit_cap > 0) cap_logits(there);
    if (store || !there) {
      const unsigned full = !store ? kResult : worked ? kScaled : kLogits;
      e_.signal(worked ? Engine::ve : Engine::mx, full);
      e_.wait(user, full);
    }
    after();
    toggle_out();
  }

  // An entry of the list of a row's own experts: the bits of 1.0 with the index from the die's first below, the rank above.
  static constexpr int kRankBit = 16, kMantissaBits = 23;

  const Plan& p_;
  Weights weights_;
  const Reg pos_ = 1 + kArgPosition, m_ = 1 + kArgRows, first_ = 1 + kArgLogitRow, logit_rows_ = 1 + kArgLogitRows;
  std::optional<Addition> adds_;
  Reg adapter_on_ = 0, adapter_at_ = 0, adapter_fill_ = 0;  // 1 or 0; next piece in DRAM; its place in wspm
  Reg die_ = 0;       // its number, in a package
  Reg overlapped_ = 0;  // 1 or 0: each die has rows of its own
  Reg hidden_ = 0;    // an expert's hidden row, in one of two places
  Reg own_at_ = 0;    // where experts lie whole on a die: the one at hand in the list of a row's
  Reg waiting_ = 0;   // rows whose results are not added up yet
  Reg seq_ = 0;       // with several sequences: the entry of the one at hand
  Reg keys_ = 0;      // keys so far, rounded up to 32 or a page
  Reg kv_ = 0;        // this layer's offset in the KV window
  Reg layer_ = 0;     // where kinds alternate: index of the layer
  // Chunked attention: first key of the chunk and its keys, rows that see them, the head's result and its maxima.
  Reg base_ = 0, chunk_keys_ = 0, seeing_ = 0, o_ = 0, m_state_ = 0;
  Reg ring_ = 0;      // where only some layers' cache is a ring: tokens of this one's
  Reg window_ = 0;    // where only some layers slide: a bit a layer, this one's lowest
  // Experts: of the row at hand the best keys; a chosen one's share and next offset; the layer's offset and window; where choices go.
  std::vector<Reg> keys_of_;
  Reg share_ = 0, expert_from_ = 0, experts_at_ = 0, expert_window_ = 0, chosen_at_ = 0;
  Reg feed_ = 0;      // where only some layers have experts and share code: a bit a layer, this one's lowest
  Reg norm_at_ = 0;   // next norm weights in the weights window
  Reg out_ = 0;       // current output buffer
  Reg area_ = 0, vs_ = 0;  // current K/V area, current V scales
  Reg p0_ = 0, p1_ = 0, p2_ = 0, p3_ = 0, p4_ = 0, p5_ = 0;  // pointers of the phase at hand
};

}  // namespace jogak::schedule
