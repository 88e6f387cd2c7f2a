// Operators along one axis: each row of it lies on rows of vector memory of its own.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels.hpp"

namespace jogak::tensor {
namespace {

using spec::Bmode;
using spec::Vfunc;
using spec::Vop;
using spec::Vred;

std::uint32_t up(std::int64_t x, std::int64_t to) { return static_cast<std::uint32_t>((x + to - 1) / to * to); }

// The axes of x with those in `gone` moved to the end.
View rows_view(const Shape& shape, const std::vector<std::int64_t>& gone) {
  const View x = row_major(shape);
  View v{{}, {}, 0};
  for (const bool last : {false, true})
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (std::binary_search(gone.begin(), gone.end(), static_cast<std::int64_t>(d)) == last) {
        v.sizes.push_back(x.sizes[d]);
        v.strides.push_back(x.strides[d]);
      }
  return v;
}

// The last `count` axes as one; they must lie so that one stride walks them.
void join_last(View& v, std::size_t count) {
  for (; count > 1; --count) {
    const std::size_t n = v.sizes.size();
    v.sizes[n - 2] *= v.sizes[n - 1];
    v.strides[n - 2] = v.strides[n - 1];
    v.sizes.pop_back();
    v.strides.pop_back();
  }
}

// Operations on `rows()` rows of a walk's piece. Buffers are pieces; vectors have one word per row.
class Rows {
 public:
  struct Use {
    Vop op = Vop::mul;
    Buffer out{}, a{};
    Bmode mode = Bmode::scalar;
    Buffer b{};                 // vector, row (repeated: one row of words) or row_scalar
    bool repeat = false;        // b is one row for all rows
    bool repeat_a = false;
    float number = 1, s = 1;
    Vfunc func = Vfunc::none;
    Vred red = Vred::none;
    Buffer r{};
    bool write = true, nega = false, negb = false, absa = false;
  };
  Rows(Code& c, Walk& w) : c_(c), w_(w) {}
  void operator()(const Use& u) {
    spec::Vec v = command(u);
    v.ds = c_.k(w_.row_words());
    v.as = c_.k(u.repeat_a ? 0 : w_.row_words());
    if (u.mode == Bmode::vector) v.bs = c_.k(u.repeat ? 0 : w_.row_words());
    if (u.mode == Bmode::row_scalar) v.bs = c_.k(1);
    v.rows = w_.count();
    v.cols = c_.k(w_.row_cols());
    c_.vec(v);
  }
  // Over vectors: one word per row.
  void flat(const Use& u) {
    spec::Vec v = command(u);
    v.rows = c_.k(1);
    v.cols = w_.count();
    c_.vec(v);
  }

 private:
  spec::Vec command(const Use& u) {
    spec::Vec v{};
    v.op = u.op;
    v.bmode = u.mode;
    v.func = u.func;
    v.red = u.red;
    v.wr = u.write;
    v.nega = u.nega;
    v.negb = u.negb;
    v.absa = u.absa;
    v.dst = c_.k(u.out.word);
    v.a = c_.k(u.a.word);
    v.b = u.mode == Bmode::scalar ? c_.kf(u.number) : c_.k(u.b.word);
    if (u.op == Vop::mad) v.s = c_.kf(u.s);
    if (u.red != Vred::none) v.r = c_.k(u.r.word);
    return v;
  }
  Code& c_;
  Walk& w_;
};

// Vector memory: `pieces` pieces and `vectors` vectors, `rows` single rows behind them.
struct Layout {
  std::uint32_t words = 0, vector_words = 0, row_words = 0;
  int pieces, vectors;
  Layout(const Code& c, std::int64_t cols, int n_pieces, int n_vectors, int rows) : pieces(n_pieces), vectors(n_vectors) {
    row_words = up(cols, c.lanes());
    const std::uint32_t all = c.vmem_words() - static_cast<std::uint32_t>(rows) * row_words - static_cast<std::uint32_t>(vectors) * c.lanes();
    const std::uint32_t most = all / (static_cast<std::uint32_t>(pieces) * row_words + static_cast<std::uint32_t>(vectors));  // rows of a piece
    words = std::max<std::uint32_t>(most, 1) * row_words;
    vector_words = up(std::max<std::uint32_t>(most, 1), c.lanes());
  }
  Buffer piece(int i) const { return {static_cast<std::uint32_t>(i) * words}; }
  Buffer vector(int i) const { return {static_cast<std::uint32_t>(pieces) * words + static_cast<std::uint32_t>(i) * vector_words}; }
  Buffer row(int i) const { return {vector(vectors).word + static_cast<std::uint32_t>(i) * row_words}; }
};

}  // namespace

// A quarter of vector memory: three of them and a row for scale fit anywhere.
std::int64_t longest_row(const spec::Config& config) { return config.vmem_bytes / 16; }
std::int64_t longest_top_k(const spec::Config& config) { return config.vmem_bytes / 16; }

// attrs.axes lie next to one another (legalize.cpp).
void lower_reduce(const Site& s) {
  const Attrs& a = s.node.attrs;
  View from = rows_view(s.input(0).shape, a.axes);
  join_last(from, a.axes.size());
  Shape kept(from.sizes.begin(), from.sizes.end() - 1);
  View to = row_major(kept);
  to.sizes.push_back(1);
  to.strides.push_back(1);
  const Layout at(s.code, from.sizes.back(), 1, 1, 0);
  Walk walk(s.code, {{s.place(s.node.inputs[0]), from}, {s.place(s.node.outputs[0]), to, true}}, {.words = at.words, .rows = true});
  Rows rows(s.code, walk);
  const bool sums = s.node.op == Op::reduce_sum || s.node.op == Op::reduce_mean, least = s.node.op == Op::reduce_min;
  const Buffer x = at.piece(0), r = at.vector(0);
  walk.run([&] {
    walk.load(0, x);
    rows({.a = x, .red = sums ? Vred::sum : Vred::max, .r = r, .write = false, .nega = least});
    if (least) rows.flat({.out = r, .a = r, .nega = true});
    if (s.node.op == Op::reduce_mean) rows.flat({.out = r, .a = r, .number = static_cast<float>(1.0 / static_cast<double>(walk.row_cols()))});
    walk.store(1, r);
  });
}

void lower_softmax(const Site& s) {
  const View v = rows_view(s.input(0).shape, {s.node.attrs.axis});
  const Layout at(s.code, v.sizes.back(), 1, 1, 0);
  Walk walk(s.code, {{s.place(s.node.inputs[0]), v}, {s.place(s.node.outputs[0]), v}}, {.words = at.words, .rows = true});
  Rows rows(s.code, walk);
  const Buffer x = at.piece(0), r = at.vector(0);
  walk.run([&] {
    walk.load(0, x);
    rows({.a = x, .red = Vred::max, .r = r, .write = false});
    rows({.op = Vop::mad, .out = x, .a = x, .mode = Bmode::row_scalar, .b = r, .func = Vfunc::exp, .negb = true});
    rows({.a = x, .red = Vred::sum, .r = r, .write = false});
    rows.flat({.out = r, .a = r, .func = Vfunc::recip});
    rows({.out = x, .a = x, .mode = Bmode::row_scalar, .b = r});
    walk.store(1, x);
  });
}

void lower_norm(const Site& s) {
  const Shape& shape = s.input(0).shape;
  const bool centred = s.node.op == Op::layer_norm;
  View v = row_major(shape);
  join_last(v, shape.size() - static_cast<std::size_t>(s.node.attrs.axis));
  const auto cols = v.sizes.back();
  const Layout at(s.code, cols, 1, 1, 2);
  const Buffer x = at.piece(0), r = at.vector(0);
  const Buffer weights[] = {at.row(0), at.row(1)};
  for (std::size_t i = 1; i < s.node.inputs.size(); ++i) load_words(s.code, s.place(s.node.inputs[i]), cols, weights[i - 1]);
  Walk walk(s.code, {{s.place(s.node.inputs[0]), v}, {s.place(s.node.outputs[0]), v}}, {.words = at.words, .rows = true});
  Rows rows(s.code, walk);
  const auto share = static_cast<float>(1.0 / static_cast<double>(cols));
  walk.run([&] {
    walk.load(0, x);
    if (centred) {
      rows({.a = x, .red = Vred::sum, .r = r, .write = false});
      rows.flat({.out = r, .a = r, .number = share});
      rows({.op = Vop::mad, .out = x, .a = x, .mode = Bmode::row_scalar, .b = r, .negb = true});
    }
    rows({.a = x, .mode = Bmode::vector, .b = x, .red = Vred::sum, .r = r, .write = false});
    rows.flat({.op = Vop::mad, .out = r, .a = r, .number = s.node.attrs.value, .s = share, .func = Vfunc::rsqrt});
    rows({.out = x, .a = x, .mode = Bmode::row_scalar, .b = r});
    rows({.out = x, .a = x, .mode = Bmode::vector, .b = weights[0], .repeat = true});
    if (s.node.inputs.size() > 2) rows({.op = Vop::mad, .out = x, .a = x, .mode = Bmode::vector, .b = weights[1], .repeat = true});
    walk.store(1, x);
  });
}

// One round per result: the maximum, the first column that equals it, which then becomes -infinity.
void lower_top_k(const Site& s) {
  const Attrs& a = s.node.attrs;
  const View v = rows_view(s.input(0).shape, {a.axis});
  View result = rows_view(s.output().shape, {a.axis});
  const std::int64_t further = result.strides.back() * 4;
  result.sizes.back() = result.strides.back() = 1;
  const Layout at(s.code, v.sizes.back(), 2, 2, 1);
  const Buffer x = at.piece(0), t = at.piece(1), best = at.vector(0), index = at.vector(1), ramp = at.row(0);
  load_words(s.code, s.table("ramp"), v.sizes.back(), ramp);
  Walk walk(s.code, {{s.place(s.node.inputs[0]), v}, {s.place(s.node.outputs[0]), result, true}, {s.place(s.node.outputs[1]), result, true}},
            {.words = at.words, .rows = true, .loops = 1});
  Rows rows(s.code, walk);
  const Reg column = s.code.variable();
  walk.run([&] {
    walk.load(0, x);
    rows({.op = Vop::min, .out = x, .a = x, .number = FLT_MAX, .nega = !a.largest});
    rows({.op = Vop::max, .out = x, .a = x, .number = -FLT_MAX});
    s.code.set(column, 0);
    s.code.loop(a.count, [&] {
      rows({.a = x, .red = Vred::max, .r = best, .write = false});
      rows({.op = Vop::mad, .out = t, .a = x, .mode = Bmode::row_scalar, .b = best, .negb = true});
      rows({.out = t, .a = t, .number = 0x1p127f});
      rows({.op = Vop::max, .out = t, .a = t, .number = -1});  // 0 where equal, else -1
      rows({.op = Vop::mad, .out = t, .a = t, .mode = Bmode::vector, .b = ramp, .repeat = true, .s = 0x1p24f, .red = Vred::max, .r = index, .negb = true});
      rows({.op = Vop::mad, .out = t, .a = ramp, .mode = Bmode::row_scalar, .b = index, .repeat_a = true});
      rows({.op = Vop::min, .out = t, .a = t, .number = 1, .absa = true});
      rows({.op = Vop::mad, .out = t, .a = t, .number = -0.5f});
      rows({.out = t, .a = t, .number = INFINITY});
      rows({.op = Vop::min, .out = x, .a = x, .mode = Bmode::vector, .b = t});
      if (!a.largest) rows.flat({.out = best, .a = best, .nega = true});
      rows.flat({.out = index, .a = index, .nega = true});
      walk.store(1, best, column);
      walk.store(2, index, column);
      s.code.advance(column, further);
    });
  });
}

}  // namespace jogak::tensor
