// Walks strided views in pieces that fit the chip: loops of the sequencer outside, boxes of load and store inside.
#pragma once
#include <functional>
#include <vector>

#include "code.hpp"
#include "view.hpp"

namespace jogak::tensor {

// Where a tensor lies in DRAM.
struct Place {
  std::uint32_t window = 0;
  std::uint64_t offset = 0;  // bytes
};

struct Operand {
  Place place;
  View view;
  bool thin = false;  // with `rows`: last axis 1, one word per row, packed
};

struct Tiling {
  std::uint32_t words = 0;  // of a piece on chip at most, a multiple of C
  // The last axis is a row, never cut, each on rows of vector memory of its own.
  bool rows = false;
  int loops = 0;            // the body's own, nested
};

// All operands have the same sizes, outermost first (but for thin ones' rows). On chip a piece is packed in row-major order,
// with `rows` each row padded to a multiple of C words.
class Walk {
 public:
  // Throws jogak::Error when a row does not fit.
  Walk(Code& code, std::vector<Operand> operands, const Tiling& tiling);

  // Emits the loops around `body`, which must only emit.
  void run(const std::function<void()>& body);

  // Within the body: the piece of an operand; its elements, or rows.
  void load(std::size_t operand, Buffer to);
  void store(std::size_t operand, Buffer from, Reg further = 0);  // further: a register of bytes added to the place
  Reg count() { return amount(inner_); }

  std::uint32_t row_cols() const { return row_cols_; }
  std::uint32_t row_words() const { return row_words_; }
  std::int64_t most() const { return chunk_ * inner_; }  // elements, or rows, of a whole piece

 private:
  struct Dim {
    std::int64_t size, stride, chip;  // strides in elements, in DRAM and on chip
    bool cut;                         // size is per step of the axis that is cut
  };
  void choose();
  bool fits() const;
  std::vector<Dim> box(std::size_t operand) const;
  std::int64_t trips(std::size_t axis) const;
  void level(std::size_t axis, int loops, const std::function<void()>& body);
  void iteration(std::size_t axis, int loops, const std::function<void()>& body);
  Reg amount(std::int64_t each) { return whole_ ? c_.k(chunk_ * each) : c_.times(cut_, each); }
  template <class I>
  I transfer(std::size_t operand, Buffer chip, Reg further);

  Code& c_;
  std::vector<Operand> ops_;
  std::vector<View> views_;       // leading axes, collapsed
  std::vector<Dim> rows_;         // per operand, with `rows`
  std::vector<Reg> offset_;       // per operand, bytes
  Tiling tiling_;
  std::size_t split_ = 0;         // the axis that is cut
  std::int64_t chunk_ = 1, inner_ = 1;  // its piece; elements (rows) per step of it
  bool whole_ = true;             // every piece is a whole one
  Reg cut_ = 0, left_ = 0;
  std::uint32_t row_words_ = 1, row_cols_ = 1;
};

// Loads `words` consecutive words.
void load_words(Code& code, const Place& from, std::int64_t words, Buffer to);

}  // namespace jogak::tensor
