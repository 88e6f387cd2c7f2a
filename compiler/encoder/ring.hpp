// The ring of weight slots: the load engine runs ahead of the matrix engine through passes over the same weights.
#pragma once
#include "../emit/emitter.hpp"
#include "plan.hpp"

namespace jogak::encoder {

// Semaphores of the program: who signals > who waits.
enum Semaphore : unsigned {
  kSlotFull,     // ld > mx: a weight slot is loaded
  kSlotFree,     // mx > ld: a weight slot is used up
  kParamFree,    // ve > ld: a slot's parameters are used up
  kResult,       // mx > ve: a product is in vector memory
  kOperand,      // ve > mx: operands are quantised
  kOutFree,      // ve > mx: an output buffer is free
  kKFull,        // ld > mx
  kKFree,        // mx > ld
  kVFull,        // ld > mx
  kVFree,        // mx > ld
  kVsFull,       // ld > ve: V's scales
  kStaged,       // ve > st: K or V rows are quantised
  kStagingFree,  // st > ve
  kAppended,     // st > ld: K and V of all rows are in DRAM
  kKvRead,       // ld > st: K and V of this layer are read
  kXqFull,       // ld > mx: a block's quantised rows
  kXqFree,       // mx > ld
  kXFull,        // ld > mx: a block's rows, for the sums
  kXFree,        // st > ld: they are stored
  kYReady,       // ve > st: rows and quantised rows of the next layer
  kYFree,        // st > ve
  kStored,       // st > ld: they are in DRAM
  kNormFull,     // ld > ve
  kNormFree,     // ve > ld
  kInput,        // ld > ve: rows of the first layer
  kTaken,        // ve > ld: they are added
  kListed,       // ld > ld: ids are there for a gather
  kOutput,       // ve > st: an output is complete
  kOutputFree,   // st > ve
  kMatched,      // ve > seq: rows have found the ones most like them
  kPair,         // st > ld: two rows are one
  kAttended,     // mx > ve: a chunk's P V is added; nothing is under way yet
};

struct Product {
  emit::Reg a, am, o, om, on, m;
  bool acc = false;
};

// Weights lie in the stream in the order of use: for each layer one pass over k and v, then one over the rest. Each is read once per block
// of rows, all blocks of the first kind before those of the second.
class Ring {
 public:
  Ring(const Plan& plan, emit::Emitter& emitter) : p_(plan), e_(emitter) {}

  struct Stream {
    std::uint32_t at = 0, first = 0, second = 0;  // offset; slots of a pass of either kind (second may be 0)
    std::uint32_t rounds = 1;                     // first and second passes in turn
    std::uint32_t total = 0;                      // slots read in all, where next_passes() changes their number; 0: as many passes in every round
  };
  // Registers; call once, first of all.
  void prepare();
  // Loads the first slots of a stream that is read `passes` (a register) times a pass. Every slot of the stream before it must be consumed.
  void start(const Stream& stream, emit::Reg passes);
  // Passes of each kind from the next round on. Call when this round's second passes have begun.
  void next_passes(emit::Reg passes) { e_.copy(blocks_, passes); }
  // The product of the slot next in turn; then the load of the one that takes the place of the slot before it. So the product is queued
  // before the load engine's queue is full.
  void consume(const MatrixPlan& m, const Product& product);
  // Word address of the parameters of the slot next in turn for the vector engine.
  emit::Reg params() const { return param_; }
  // The vector engine is done with the parameters of `slots` slots.
  void release(int slots);

 private:
  void load();
  void next_address();
  void cycle(emit::Reg r, std::uint32_t by, std::uint32_t end);

  const Plan& p_;
  emit::Emitter& e_;
  Stream stream_{};
  bool started_ = false;
  emit::Reg blocks_ = 0;
  emit::Reg use_ = 0, fill_ = 0, from_ = 0;       // slot in use, slot to fill (wspm), offset of the next load
  emit::Reg left_ = 0, passes_ = 0, span_ = 0;    // slots left in this pass, passes left (this one included), slots of a pass
  emit::Reg total_ = 0;                           // loads left in the program
  emit::Reg param_ = 0, param_fill_ = 0;          // parameters in use (words), to fill (bytes)
};

}  // namespace jogak::encoder
