// The ring of weight slots: the load engine runs ahead of the matrix engine across matrices and layers.
#pragma once
#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "../emit/emitter.hpp"
#include "plan.hpp"
#include "program.hpp"

namespace jogak::schedule {

// Semaphores of the program: who signals > who waits.
enum Semaphore : unsigned {
  kSlotFull,     // ld > mx: a weight slot is loaded
  kSlotFree,     // mx > ld: a weight slot is used up
  kResult,       // mx > ve: a product is in vector memory
  kOperand,      // ve > mx: operands are quantised
  kOutFree,      // ve > mx: an output buffer is free (attention takes all)
  kStaged,       // ve > st: K or V rows are quantised
  kStagingFree,  // st > ve: staged K and V are stored
  kAppended,     // st > ld: K and V are in DRAM
  kKvFull,       // ld > mx: K and V of a head are loaded
  kKvFree,       // mx > ld
  kVsFull,       // ld > ve: V's scales are loaded
  kVsFree,       // ve > ld
  kNormFull,     // ld > ve: norm weights are loaded
  kNormFree,     // ve > ld
  kInput,        // ld > ve: embedded tokens and rotary tables are loaded
  kLoadLoad,     // ld > ld: token ids are there for the gather
  kLogits,       // mx > st
  kLogitFree,    // st > mx
  kScaleFree,    // ve > ld: a slot's channel scales are used up
  kScaled,       // ve > st: logits have their channel scales
  kExtraFull,    // ld > ve: biases and QK norms are loaded
  kExtraFree,    // ve > ld
  kAttended,     // mx > ve: a chunk of keys has gone into a head's result
  kRouted,       // ve > seq: logits and softmax of the router, or a row's shares, are in vector memory
  kChosen,       // ve > st: a row's experts are written down
  kChosenFree,   // st > ve
  kAdapterFull,  // ld > mx: a piece of the adapter is loaded
  kAdapterFree,  // mx > ld
  kTable,        // ld > seq: the table of sequences is in vector memory
  kGathered,     // ve > st: this die's part of what all need is there
  kColumns,      // mx > st: likewise
  kSent,         // st > ve: the other dies have it
};

// Operators with weights, as maps and profiles name them.
namespace op {
inline constexpr const char *q = "attn_q", *k = "attn_k", *v = "attn_v", *o = "attn_output", *ffn = "ffn_gate_up", *down = "ffn_down",
                            *router = "ffn_gate_inp", *experts = "ffn_experts",
                            *shared_ffn = "ffn_gate_up_shexp", *shared_down = "ffn_down_shexp",
                            *head = "output";
}
// Operators in the order in which their weights stream, and slots of each.
std::vector<WeightLoads> weight_order(const Plan& plan);

// What a slot loads: weights, their scales, and at its side fp32 values of its columns (channel scales or a bias), which come with the
// first of `parts` slots; the others take `less` fewer bytes of the stream.
struct SlotSize {
  std::uint32_t weights = 0, scales = 0, side = 0, stream = 0;
  std::uint32_t parts = 1, less = 0;
  std::uint32_t later = 0;  // loaded only if so many layers follow the one at hand
  bool operator==(const SlotSize&) const = default;
};
// What to load after each slot of an iteration; empty at the end of the program.
using Prefetch = std::vector<std::optional<SlotSize>>;

struct Product {
  emit::Reg a, am, o, om, on, m;
  bool acc = false;
};

class Weights {
 public:
  Weights(const Plan& plan, emit::Emitter& emitter);

  // Loads the first slots; call once, before any consume. With experts: nothing yet.
  void start();
  // With experts, or where all layers run the same code, the slots to come are known in runs only: a layer without its experts, an expert, the head. This loads the first of a
  // run; within it the ring keeps ahead, at its end it runs dry. Timing is the same: loads wait for slots, not for a place in the program.
  void fill_run();
  // The next phases are those of the expert at offset `from` of the layer's window; window: how many windows before it.
  void begin_expert(emit::Reg from, emit::Reg window);
  void end_expert() { expert_ = false; }
  // Where all layers run the same code: one is done.
  void end_layer();
  // Can two layers share one body? They can with the same shapes and the same slots ahead of them.
  bool same_layer(std::size_t a, std::size_t b) const;
  // The next phase is the first of this layer (or the head, one past the last layer).
  void seek_layer(std::size_t layer) { at_ = layer_start_[layer]; }
  // Where only some layers have experts: the next phase is the first behind attention.
  void seek_feed(std::size_t layer) { at_ = feed_start_[layer]; }

  // All iterations of a matrix: `body(prefetch)` emits one; runs of equal prefetches become loops.
  template <class F>
  void phase(const MatrixPlan& m, F&& body) {
    for (int it = 0; it < m.iterations;) {
      const Prefetch next = prefetch(m, it);
      int count = 1;
      while (it + count < m.iterations && prefetch(m, it + count) == next) ++count;
      emitter_.repeat(static_cast<std::uint32_t>(count), [&] { body(next); });
      it += count;
    }
    at_ += static_cast<std::size_t>(m.iterations * m.slots);
  }
  // The slots of one iteration, `body(size)` each; a loop where the same follows all of them.
  template <class F>
  void slots(std::span<const std::optional<SlotSize>> next, F&& body) {
    if (std::adjacent_find(next.begin(), next.end(), std::not_equal_to<>()) == next.end()) {
      emitter_.repeat(static_cast<std::uint32_t>(next.size()), [&] { body(next.front()); });
    } else {
      for (const auto& size : next) body(size);
    }
  }
  // The product of one slot, and the load of the slot that takes its place.
  void consume(const MatrixPlan& m, const std::optional<SlotSize>& next, const Product& product);
  // The vector engine, behind a wait for the product: m rows of `columns` words at `at`, `stride` words apart, times the channel scales
  // (or plus the bias) of the slot next in turn, in place.
  void scale(emit::Reg at, emit::Reg stride, emit::Reg m, int columns) { use_side(spec::Vop::mul, at, stride, m, columns); }
  void add_bias(emit::Reg at, emit::Reg stride, emit::Reg m, int columns) { use_side(spec::Vop::mad, at, stride, m, columns); }

 private:
  Prefetch prefetch(const MatrixPlan& m, int iteration) const;
  // The slot a ring's length behind this one, in the same run.
  std::optional<SlotSize> ahead(std::size_t slot) const;
  void add(const MatrixPlan& m);
  void load(const SlotSize& size);
  void load_side(const SlotSize& size, emit::Reg from);
  // The load, from the weights' window or from that of the expert at hand: a load for each window there is, all but one of no boxes.
  bool in_runs() const { return plan_.experts() || plan_.one_body; }
  std::uint32_t layer_of(std::size_t slot) const;
  void put(spec::Load load, std::optional<emit::Reg> boxes = {});
  void use_side(spec::Vop op, emit::Reg at, emit::Reg stride, emit::Reg m, int columns);
  emit::Reg from() const { return expert_ ? expert_from_ : from_; }
  emit::Reg first_part();
  void advance(const SlotSize& size);
  void cycle(emit::Reg r, std::uint32_t by, std::uint32_t end);

  const Plan& plan_;
  emit::Emitter& emitter_;
  std::vector<SlotSize> slots_;           // of the whole program, in order of use
  std::vector<std::size_t> layer_start_;  // index of each layer's first slot, then the head's
  std::vector<std::size_t> feed_start_;   // of what lies behind attention
  std::vector<std::size_t> run_end_;      // of each run of slots, in ascending order; without experts there is one
  std::size_t expert_start_ = 0;          // an expert's slots, behind all others
  bool expert_ = false;
  std::size_t at_ = 0;                    // next phase's first slot
  emit::Reg use_ = 0, fill_ = 0, from_ = 0;  // slot in use, slot to fill (wspm address), next stream offset
  emit::Reg left_ = 0;                       // where all layers run the same code: layers behind this one
  emit::Reg expert_from_ = 0, window_ = 0;   // of the expert at hand: next offset, window
  emit::Reg scale_ = 0, scale_fill_ = 0, part_ = 0;  // side values in use (words), to fill (bytes); part of k to fill
};

}  // namespace jogak::schedule
