// Row sums of the vector engine: npu_vec_sum with its merges and stack. Only when results come; everything moves under
// the engine's enable.
#pragma once

#include "parts.hpp"

namespace jogak::cycle {

// npu_vec_merge.
struct Merge {
  bool have = false;
  u32 valid = 0, last = 0;  // of the beats in the adder, by age

  bool out_valid() const { return valid >> (kAddLat - 1) & 1; }
  bool out_last() const { return last >> (kAddLat - 1) & 1; }
  bool still() const { return valid == 0; }
  void step(bool in_valid, bool in_last) {
    const bool add = in_valid && (have || in_last);
    if (in_valid) have = !add;
    valid = (valid << 1 | u32(add)) & ((1u << kAddLat) - 1);
    last = (last << 1 | u32(in_last)) & ((1u << kAddLat) - 1);
  }
};

// npu_vec_stack.
class Stack {
 public:
  bool out_valid() const { return sum_valid_; }
  bool still() const { return !queue_.out_valid() && !next_valid_ && !adding_ && !sum_valid_; }
  void step(bool in_valid, bool in_last) {
    const bool arrived = adding_ && wait_ == 0;
    const bool take_next = next_valid_ && !adding_;
    const bool pop = queue_.out_valid() && (!next_valid_ || take_next);
    const bool take = arrived || take_next;
    const Place place = adding_ ? parent_ : next_;
    const bool is_sum = place.last && place.index == 0, is_right = place.index & 1;
    if (add_) parent_ = rise(parent_);
    if (take && !is_sum && is_right) parent_ = {place.index >> 1, place.last};
    if (take) adding_ = is_right;
    add_ = take && is_right;
    if (add_) wait_ = kSumLat - 1;
    else if (wait_ != 0) --wait_;
    sum_valid_ = take && is_sum;
    next_valid_ = pop || (next_valid_ && !take_next);
    if (pop) {
      const bool last = queue_.out();
      queue_.pop();
      next_ = rise({index_, last});
      index_ = last ? 0 : index_ + 1;
    }
    if (in_valid) queue_.push(in_last);
  }

 private:
  static constexpr u32 kSumLat = kAddLat + 1;
  struct Place {
    u32 index = 0;
    bool last = false;
  };
  // A node without neighbour is its own parent.
  static Place rise(Place p) {
    if (p.last && p.index != 0) p.index >>= std::countr_zero(p.index);
    return p;
  }

  Fifo<bool, 16> queue_;
  Place next_, parent_;
  u32 index_ = 0, wait_ = 0;
  bool next_valid_ = false, adding_ = false, add_ = false, sum_valid_ = false;
};

class RowSum {
 public:
  explicit RowSum(const Sizes& n) : tree_(kAddLat * log2_of(n.lanes)) {}

  void start(bool single) { single_ = single; }
  bool out_valid() const { return single_ ? valid_ >> tree_ & 1 : stack_.out_valid(); }
  // A beat comes out of the lanes, the last one of its row.
  void step(bool in_valid, bool in_last) {
    if (!in_valid && valid_ == 0 && pair_.still() && quad_.still() && eight_.still() && stack_.still()) return;
    const bool tree_valid = valid_ >> tree_ & 1, tree_last = last_ >> tree_ & 1;
    stack_.step(eight_.out_valid(), eight_.out_last());
    eight_.step(quad_.out_valid(), quad_.out_last());
    quad_.step(pair_.out_valid(), pair_.out_last());
    pair_.step(tree_valid && !single_, tree_last);
    valid_ = (valid_ << 1 | u64(in_valid)) & ((u64(2) << tree_) - 1);
    last_ = (last_ << 1 | u64(in_last)) & ((u64(2) << tree_) - 1);
  }

 private:
  u32 tree_;
  bool single_ = false;
  u64 valid_ = 0, last_ = 0;  // bit 0: the operands' register
  Merge pair_, quad_, eight_;
  Stack stack_;
};

}  // namespace jogak::cycle
