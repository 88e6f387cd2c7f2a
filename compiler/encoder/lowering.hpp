// The lowering of an encoder, one file per part: lower.cpp (frame, rows in and out), norm.cpp, attention.cpp, feed_forward.cpp,
// embedding.cpp, merge.cpp, head.cpp.
#pragma once
#include "../schedule/arithmetic.hpp"
#include "lower.hpp"
#include "ring.hpp"

namespace jogak::encoder {

class Lowering : schedule::Arithmetic {
 public:
  Lowering(const Plan& plan, const Head& head) : Arithmetic(true, emit::Emitter::kVariables + static_cast<unsigned>(plan.merge) + (plan.chunk > 0 ? 6 : 0)), p_(plan), head_(head), ring_(plan, e_) {}

  emit::Emitter run();

 private:
  void prologue();
  // `body` for each block of rows: row_ the first, m_ how many.
  template <class F>
  void blocks(F&& body) {
    e_.set(row_, 0);
    e_.loop(blocks_, [&] {
      e_.alu(AluFn::sub, m_, n_, row_);
      e_.alui(AluFn::minu, m_, m_, u32(p_.rows));
      body();
      advance(row_, p_.rows);
    });
  }
  // blocks_ and keys_ of n_ rows.
  void count_rows();
  void count_blocks(Reg blocks, Reg rows);
  // Are there rows behind this block's? 1 or 0.
  Reg more_blocks();
  // Rows of the first layer, with the norms they need, quantised, to DRAM.
  void embed();
  void embed_tokens();
  void embed_patches();
  void layer(const LayerPlan& l);
  // K and V of this block's rows go to DRAM.
  void keys_and_values(const LayerPlan& l);
  // The rest of a layer for this block's rows.
  void block(const LayerPlan& l);

  // Quantised rows from `row` on into the buffer that this block does not use.
  void load_xq(Reg row);
  void take_xq();
  // Where the scales of the quantised rows from `row` on lie.
  Reg scales_at(Reg row);
  void load_x(Reg from, Reg to, Reg rows);
  // x and the quantised rows at y to DRAM, once the vector engine has them.
  void store_rows();
  // Of a phase of any number of blocks, in chunks: kStored is signalled behind the first block and behind the last one, so its count
  // does not grow with the blocks. Otherwise behind each.
  void signal_stored();
  // The load engine waits for the rows of the block at hand's successor.
  void wait_stored_next();
  void load_norm();
  // Sums of x's rows, where they were not made on the way.
  void row_sums();
  // Norm of x's rows, whose sums are known, to quantised rows at `dst`. in_place: x becomes the norm.
  void norm(bool in_place, Reg dst);
  void normalise(bool in_place);
  void quantise_rows(Reg from, Reg rows, Reg dst);

  // One iteration of a product of quantised rows at `a`, slot by slot, into the output buffer at `out`, rows of `words`.
  void product(const MatrixPlan& m, Reg out, int words, Reg a, int stride);
  void product(const MatrixPlan& m, Reg out, int words) { product(m, out, words, xq_, p_.dk); }
  // The vector engine's part of it: waits for each slot's product, scales it, adds the bias.
  void finish(const MatrixPlan& m, Reg out, int words);
  // Times the channel scales of the slot next in turn.
  void scale(Reg at, int words, int columns);
  void residual(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride);

  void product_with_bias(const MatrixPlan& m);
  void give_head();
  // oq = attention of this block's rows. p0: oq of the head, p1: head, p2: rows of x still to load, p3: where to.
  void attention(const LayerPlan& l);
  void query(const MatrixPlan& m);
  void load_keys();
  void load_values();
  void scores();
  void softmax();
  void take_head(Semaphore complete = kResult);
  bool x_in_parts() const;
  void load_x_part();
  // The same for contexts whose keys come in chunks.
  void begin_chunks();
  void attention_in_chunks(const LayerPlan& l);
  void inner_chunks();
  void turn();
  void next_head();
  Reg seen_keys();
  void rows_that_see(Reg base, Reg first, Reg rows, Reg keys);
  Reg place(std::uint32_t first, long long size, bool other);
  void load_key_chunk(bool other);
  void load_value_chunk();
  void start_head();
  void chunk_scores(Reg base, bool other, bool first);
  void chunk_softmax();
  void small(Vec v);
  void chunk_values();
  void finish_head();

  void feed_forward(const MatrixPlan& m);
  // The output buffer at `out` -> activation -> quantised columns at p0.
  void take_columns(Reg out);
  // Rows of `words` at x, activated, into the work area.
  void activate(Activation activation, Reg x, int words);

  // Token merging; without, these do nothing.
  void begin_merging();
  void announce_merge();
  void start_lengths();
  void add_lengths();
  void store_lengths();
  void merge();
  void similarities(bool add);
  void best_partners();
  Reg match_key();
  void choose_pairs();
  void merge_pair();
  void list_rows();
  void close_up();
  // Rows as they are to DRAM: the norm comes when they have moved.
  void store_unnormed();
  std::uint32_t slots_read() const;

  void head(const Head& head);
  void fetch_last_row();
  void wait_stored();
  void mean_of_rows();
  void steps(const Head& head);
  void hidden_step(const HeadStep& step, const MatrixPlan& m, bool first);
  void output_step(const MatrixPlan& m, bool first);

  Reg other_out() {
    const Reg r = e_.temporary();
    e_.set(r, 2 * p_.out + p_.out_words);
    e_.alu(AluFn::sub, r, r, out_);
    return r;
  }
  void toggle_out() { toggle(out_, p_.out, static_cast<long long>(p_.out) + p_.out_words); }

  static constexpr int kXFrom = 2;  // head in whose time x begins to come

  const Plan& p_;
  const Head& head_;
  Ring ring_;
  const Reg n_ = 1;   // rows of the launch
  Reg blocks_ = 0, row_ = 0, m_ = 0, keys_ = 0;
  Reg norm_at_ = 0;   // next norm in the weights window
  Reg xq_ = 0;        // this block's quantised rows
  Reg out_ = 0;       // output buffer of the next product
  Reg base_ = 0, turn_ = 0;          // in chunks: first key of the chunk at hand, which of two places is its
  Reg key_base_ = 0, key_head_ = 0;  // chunk of K to load next
  Reg seeing_ = 0, scores_at_ = 0;   // rows that see the chunk at hand, its scores
  std::vector<Reg> chosen_;  // keys of the rows to merge, largest first
  Reg p0_ = 0, p1_ = 0, p2_ = 0, p3_ = 0, p4_ = 0, p5_ = 0;  // pointers of the phase at hand
};

}  // namespace jogak::encoder
