// Operators that move: boxes of load and store, no arithmetic, but for gather's indices.
#include <algorithm>

#include "kernels.hpp"
#include "math.hpp"

namespace jogak::tensor {
namespace {

std::uint32_t room(const Code& c) { return c.vmem_words() / c.lanes() * c.lanes(); }

void fill(Code& c, const Operand& to, float value) {
  Walk walk(c, {to}, {.words = room(c)});
  Math math(c, 0, room(c), [&] { return walk.count(); });
  const Slot x = math.buffer();
  walk.run([&] {
    math.bring(x, value);
    walk.store(0, math.at(x));
  });
}

}  // namespace

void lower_copy(Code& c, const Operand& from, const Operand& to) {
  Walk walk(c, {to, from}, {.words = room(c)});
  walk.run([&] {
    walk.load(1, {0});
    walk.store(0, {0});
  });
}

void lower_move(const Site& s) {
  const Operand out = s.whole(s.node.outputs[0]);
  if (s.node.op != Op::concat && s.node.op != Op::pad)
    return lower_copy(s.code, {s.place(s.node.inputs[0]), view_of(s.node, s.input(0).shape)}, out);
  if (s.node.op == Op::pad) fill(s.code, out, s.node.attrs.value);
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < s.node.inputs.size(); ++i) shapes.push_back(s.input(i).shape);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const std::size_t before = s.code.variables();
    lower_copy(s.code, s.whole(s.node.inputs[i]), {out.place, target_of(s.node, shapes, i, s.output().shape)});
    s.code.free_variables(before);
  }
}

namespace {

// Rows of `inner` words chosen by indices: [outer][index][inner].
class Gather {
 public:
  explicit Gather(const Site& s) : s_(s), c_(s.code) {
    const Shape& x = s.input(0).shape;
    for (std::size_t d = 0; d < x.size(); ++d)
      (d < static_cast<std::size_t>(s.node.attrs.axis) ? outer_ : d == static_cast<std::size_t>(s.node.attrs.axis) ? axis_ : inner_) *= x[d];
    indices_ = elements(s.input(1).shape);
    batch_ = std::min<std::int64_t>(indices_, 512);
    piece_ = std::min<std::int64_t>(inner_, (c_.vmem_words() - 3 * 512) / c_.lanes() * c_.lanes());
  }

  void run() {
    base_ = c_.variable(at(s_.place(s_.node.inputs[0])));
    out_ = c_.variable(at(s_.place(s_.node.outputs[0])));
    from_ = c_.variable(), list_ = c_.variable(), left_ = c_.variable(), now_ = c_.variable(), word_ = c_.variable();
    c_.loop(outer_, [&] {
      c_.set(list_, at(s_.place(s_.node.inputs[1])));
      c_.set(left_, indices_);
      c_.loop((indices_ + batch_ - 1) / batch_, [&] { batch(); });
      c_.advance(base_, axis_ * inner_ * 4);
    });
  }

 private:
  static std::int64_t at(const Place& p) { return static_cast<std::int64_t>(p.offset); }
  static std::uint8_t window(const Place& p) { return static_cast<std::uint8_t>(p.window); }

  void batch() {
    c_.alu(AluFn::minu, now_, left_, c_.k(batch_));
    c_.load({.win = window(s_.place(s_.node.inputs[1])), .space = spec::Space::vmem, .da = list_, .len = c_.times(now_, 4), .n1 = c_.k(1), .n2 = c_.k(1)});
    Math math(c_, 0, 512, [&] { return now_; });
    math.index(math.buffer(), axis_);
    c_.set(word_, 0);
    c_.loop_register(now_, [&] { row(); });
    c_.advance(left_, -batch_);
    c_.advance(list_, batch_ * 4);
  }

  // The index is in the low bits of 2^23 + index.
  void row() {
    c_.read_word(from_, word_);
    c_.alui(AluFn::and_, from_, from_, 0x7fffff);
    c_.alui(AluFn::mul, from_, from_, inner_ * 4);
    c_.alu(AluFn::add, from_, from_, base_);
    c_.advance(word_, 1);
    c_.loop(inner_ / piece_, [&] { piece(piece_); });
    if (inner_ % piece_ != 0) piece(inner_ % piece_);
  }

  void piece(std::int64_t words) {
    const std::int64_t chip = 3 * 512 * 4;
    c_.load({.win = window(s_.place(s_.node.inputs[0])), .space = spec::Space::vmem, .da = from_, .ca = c_.k(chip), .len = c_.k(words * 4),
             .n1 = c_.k(1), .n2 = c_.k(1)});
    c_.store({.win = window(s_.place(s_.node.outputs[0])), .space = spec::Space::vmem, .da = out_, .ca = c_.k(chip), .len = c_.k(words * 4),
              .n1 = c_.k(1), .n2 = c_.k(1)});
    c_.advance(from_, words * 4);
    c_.advance(out_, words * 4);
  }

  const Site& s_;
  Code& c_;
  std::int64_t outer_ = 1, axis_ = 1, inner_ = 1, indices_ = 1, batch_ = 1, piece_ = 1;
  Reg base_ = 0, out_ = 0, from_ = 0, list_ = 0, left_ = 0, now_ = 0, word_ = 0;
};

}  // namespace

void lower_gather(const Site& s) { Gather(s).run(); }

}  // namespace jogak::tensor
