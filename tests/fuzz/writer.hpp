// Lines of a program: registers that hold wanted values by many ways, loops with advancing registers.
#pragma once

#include "case.hpp"

namespace jogak::fuzz {

// A register's value: constant, or advancing by step each round of the open loop `level`.
struct Val {
  u32 value = 0;
  u32 step = 0;
  int level = -1;
  Val() = default;
  Val(u32 v) : value(v) {}  // NOLINT: a number is a value
  bool advances() const { return level >= 0; }
};

class Writer {
 public:
  Writer(Case& target, Random& random);

  // A register with that value when the next command is written.
  u8 reg(Val v);
  // A register with a word of vector memory, whatever it is.
  u8 loaded(u32 word_address);
  u8 any_register() { return u8(random_.below(spec::limit::registers)); }

  template <class I>
  void line(const I& instruction) {
    line(spec::encode(instruction));
  }
  void line(const spec::Insn& insn) { lines().push_back({.insn = insn, .unit = unit_}); }
  void raw(const Item& item) {
    lines().push_back(item);
    lines().back().unit = unit_;
  }
  void new_unit() { ++unit_; }
  u32 next_unit() const { return unit_ + 1; }

  void open_loop(u32 rounds);
  void close_loop();
  u32 depth() const { return u32(loops_.size()); }
  u32 rounds(u32 level) const { return loops_[level].rounds; }
  // Can a value advance?
  bool can_advance() const { return !loops_.empty() && pinned_.size() >= 8; }

  // A word of the pool that holds value.
  u32 pool_word(u32 value);
  std::vector<Item> take() { return std::move(items_); }

 private:
  struct Loop {
    u32 rounds, unit;
    u8 counter;
    std::vector<Item> before, body, after;
    std::vector<u8> pinned;
  };

  std::vector<Item>& lines() { return loops_.empty() ? items_ : loops_.back().body; }
  u8 fresh();
  u8 advancing(Val v);
  void compute(u8 rd, u32 value);
  u8 known();
  void set(u8 rd, u32 value) { known_[rd] = value; }
  void forget();

  Case& case_;
  Random& random_;
  std::vector<Item> items_;
  std::vector<Loop> loops_;
  std::array<std::optional<u32>, spec::limit::registers> known_{};
  std::vector<u8> temporary_, pinned_;
  std::size_t next_ = 0;
  u32 unit_ = 0;
};

}  // namespace jogak::fuzz
