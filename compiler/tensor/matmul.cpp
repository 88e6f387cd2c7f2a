// Matrix products of packed operands (packing.hpp).
#include <algorithm>
#include <bit>
#include <cmath>

#include "../passes/quantize.hpp"
#include "../passes/two_of_four.hpp"
#include "math.hpp"
#include "numerics.hpp"
#include "packing.hpp"
#include "sparse.hpp"

namespace jogak::tensor {
namespace {

std::int64_t up(std::int64_t x, std::int64_t to) { return (x + to - 1) / to * to; }

bool tall(const Graph& g, const Node& n) {
  const Shape& b = g.shape(n.inputs[1]);
  return !n.attrs.transpose_a && elements({b.begin(), b.end() - 2}) == 1;
}

Shape lead(const Graph& g, const Node& n, std::size_t i) {
  const Shape& s = g.shape(n.inputs[i]);
  return i == 0 && tall(g, n) ? Shape{} : Shape(s.begin(), s.end() - 2);
}

Matrices operand(const Graph& g, const Node& n, std::size_t i) {
  const Shape& s = g.shape(n.inputs[i]);
  const std::size_t r = s.size();
  // Rows of b are columns of the product.
  const bool swapped = i == 0 ? n.attrs.transpose_a : !n.attrs.transpose_b;
  Matrices m{s[r - 2], s[r - 1], s[r - 1], 1, elements({s.begin(), s.end() - 2})};
  if (swapped) m = {s[r - 1], s[r - 2], 1, s[r - 1], m.batches};
  // The same b for all: one tall matrix.
  if (i == 0 && tall(g, n)) m.rows *= m.batches, m.batches = 1;
  return m;
}

BlockFormat format_a(const Node& n) { return {n.attrs.precision == Precision::exact ? 3 : 1}; }
BlockFormat format_b(const Node& n) {
  if (n.attrs.precision == Precision::mxfp4) return {1, 16, 1, true};
  if (n.attrs.precision == Precision::mxint8) return {1, 32, 1};
  return format_a(n);
}

Packing packing_a(const Graph& g, const Node& n, bool two_of_four = false) {
  Matrices m = operand(g, n, 0);
  BlockFormat format = format_a(n);
  format.two_of_four = two_of_four;
  if (two_of_four) m.k = up(m.k, 64);
  return {m, m.rows, format};
}
Packing packing_b(const Graph& g, const Node& n, const spec::Config& c, bool two_of_four = false) {
  Matrices m = operand(g, n, 1);
  BlockFormat format = format_b(n);
  format.two_of_four = two_of_four;
  if (two_of_four) m.k = passes::stored_of(m.k);
  return {m, up(m.rows, c.cols), format};
}

// ---- the product ----------------------------------------------------------------------------

class Product {
 public:
  Product(const Site& s, const Packing& a, Place a_at, const Packing& b, Place b_at) : c_(s.code), a_(a), b_(b), a_at_(a_at), b_at_(b_at) {
    const Shape& out = s.output().shape;
    m_ = out[out.size() - 2], n_ = out.back();
    out_ = s.place(s.node.outputs[0]);
    const bool one = tall(s.graph, s.node);
    if (one) m_ = operand(s.graph, s.node, 0).rows;
    const Shape all = one ? Shape{} : Shape(out.begin(), out.end() - 2);
    batch_ = {broadcast_view(lead(s.graph, s.node, 0), all), broadcast_view(one ? Shape{} : lead(s.graph, s.node, 1), all), row_major(all)};
    choose();
  }

  void run() {
    ra_ = c_.variable(0), rb_ = c_.variable(0), rc_ = c_.variable(static_cast<std::int64_t>(out_.offset));
    left_m_ = c_.variable(), now_m_ = c_.variable(), left_n_ = c_.variable(), now_n_ = c_.variable(), left_k_ = c_.variable(), now_k_ = c_.variable();
    columns_ = c_.variable();
    batches(0);
  }

 private:
  void choose() {
    const auto& config = c_.config();
    const std::int64_t lanes = c_.lanes();
    collapse(batch_);
    // Large pieces: each operand is read again for every piece of the other.
    nt_ = std::min<std::int64_t>(b_.rows, std::max<std::int64_t>(lanes, c_.vmem_words() >= 2 * 128 * 128 ? 128 : 64));
    mt_ = std::min<std::int64_t>(m_, 128);
    each_ = a_.blocks / b_.blocks * 32;
    const std::int64_t column = b_.format.code_bytes + (b_.format.two_of_four ? 8 : 0);
    kc_ = std::min<std::int64_t>({b_.blocks, config.aspm_bytes / (mt_ * each_ * a_.format.limbs), config.wspm_bytes / (nt_ * column * b_.format.limbs)});
  }

  void batches(std::size_t axis) {
    const auto& sizes = batch_[0].sizes;
    if (axis == sizes.size()) return product();
    const auto each = [&] {
      batches(axis + 1);
      const auto step = [&](std::size_t o) {
        const auto& v = batch_[o];
        return v.strides[axis] - (axis + 1 < sizes.size() ? v.strides[axis + 1] * sizes[axis + 1] : 0);
      };
      c_.advance(ra_, step(0) * a_.codes());
      c_.advance(rb_, step(1) * b_.codes());
      c_.advance(rc_, step(2) * m_ * n_ * 4);
    };
    if (axis + 1 == sizes.size()) return c_.loop(sizes[axis], each);
    for (std::int64_t i = 0; i < sizes[axis]; ++i) each();  // rare: more than one axis that broadcasts differently
  }

  void product() {
    const std::int64_t m_trips = (m_ + mt_ - 1) / mt_, n_trips = (b_.rows + nt_ - 1) / nt_;
    const std::int64_t a_row = a_.blocks * 32, b_col = b_.format.code_bytes;
    c_.set(left_m_, m_);
    c_.loop(m_trips, [&] {
      c_.alu(AluFn::minu, now_m_, left_m_, c_.k(mt_));
      c_.set(left_n_, n_);
      c_.loop(n_trips, [&] {
        c_.alu(AluFn::minu, now_n_, left_n_, c_.k(nt_));
        c_.alui(AluFn::add, columns_, now_n_, c_.lanes() - 1);
        c_.alui(AluFn::and_, columns_, columns_, -std::int64_t(c_.lanes()));
        tile();
        c_.advance(left_n_, -nt_);
        c_.advance(rb_, nt_ * b_col);
        c_.advance(rc_, nt_ * 4);
      });
      c_.advance(rb_, -n_trips * nt_ * b_col);
      c_.advance(left_m_, -mt_);
      c_.advance(ra_, mt_ * a_row);
      c_.advance(rc_, (mt_ * n_ - n_trips * nt_) * 4);
    });
    c_.advance(ra_, -m_trips * mt_ * a_row);
    c_.advance(rc_, -m_trips * mt_ * n_ * 4);
  }

  void tile() {
    // Zeros, whatever was there: all columns are masked.
    c_.vec({.op = spec::Vop::mul, .bmode = spec::Bmode::scalar, .wr = true, .masked = true, .rows = c_.k(1), .cols = c_.k(mt_ * nt_)});
    const std::int64_t trips = (b_.blocks + kc_ - 1) / kc_, a_step = kc_ * each_, b_step = kc_ * b_.rows * b_.format.code_bytes;
    c_.set(left_k_, b_.blocks);
    c_.loop(trips, [&] {
      c_.alu(AluFn::minu, now_k_, left_k_, c_.k(kc_));
      k_piece();
      c_.advance(left_k_, -kc_);
      c_.advance(ra_, a_step);
      c_.advance(rb_, b_step);
    });
    c_.advance(ra_, -trips * a_step);
    c_.advance(rb_, -trips * b_step);
    c_.store({.win = static_cast<std::uint8_t>(out_.window), .space = spec::Space::vmem, .da = rc_, .len = c_.times(now_n_, 4), .n1 = now_m_,
              .ds1 = c_.k(n_ * 4), .cs1 = c_.k(nt_ * 4), .n2 = c_.k(1)});
  }

  void k_piece() {
    const std::int64_t a_limb = mt_ * kc_ * each_, b_limb = kc_ * nt_ * b_.format.code_bytes;
    for (int l = 0; l < a_.format.limbs; ++l) {
      load_a(l, spec::Space::aspm, 1, l * a_limb);
      load_a(l, spec::Space::asc, 16, l * a_limb);
    }
    for (int l = 0; l < b_.format.limbs; ++l) {
      load_b(l, spec::Space::wspm, 1, l * b_limb);
      load_b(l, spec::Space::wsc, b_.format.share(), l * b_limb / b_.format.share());
      if (b_.format.two_of_four) load_b(l, spec::Space::wspm, b_.format.index_share(), indices() + l * b_limb / b_.format.index_share());
    }
    // Small products first.
    for (int sum = a_.format.limbs - 1; sum >= 0; --sum)
      for (int l = 0; l <= sum; ++l) multiply(l * a_limb, (sum - l) * b_limb);
  }

  // Behind the codes of all limbs.
  std::int64_t indices() const { return kc_ * nt_ * b_.format.code_bytes * b_.format.limbs; }

  void multiply(std::int64_t a, std::int64_t b) {
    const std::int64_t lanes = c_.lanes(), tile = b_.format.code_bytes * lanes;
    const bool e2m1 = b_.format.e2m1, sparse = b_.format.two_of_four;
    const Reg blocks = c_.scratch();
    c_.alui(AluFn::shr, blocks, columns_, std::countr_zero(static_cast<std::uint64_t>(lanes)));
    c_.mm({.wfmt = e2m1 ? spec::Wfmt::e2m1 : spec::Wfmt::int8, .wscale = b_.format.scale_bytes == 1 ? spec::Wscale::e8m0 : spec::Wscale::bf16,
           .ascale = spec::Ascale::bf16, .acc = true, .colload = !e2m1 && !sparse, .w = c_.k(b), .ws = c_.k(b / b_.format.share()), .wn = c_.k(tile), .wk = c_.k(nt_ * b_.format.code_bytes), .a = c_.k(a),
           .am = c_.k(kc_ * each_), .om = c_.k(nt_), .on = c_.k(lanes), .m = now_m_, .kb = now_k_, .nb = blocks, .sparse = sparse, .wi = sparse ? c_.k(indices() + b / b_.format.index_share()) : Reg(0)});
  }

  void load_a(int limb, spec::Space space, std::int64_t share, std::int64_t chip) {
    const Reg from = packed_address(c_, ra_, limb, share, a_at_, a_);
    c_.load({.win = static_cast<std::uint8_t>(a_at_.window), .space = space, .da = from, .ca = c_.k(chip / share), .len = c_.times(now_k_, each_ / share),
             .n1 = now_m_, .ds1 = c_.k(a_.blocks * 32 / share), .cs1 = c_.k(kc_ * each_ / share), .n2 = c_.k(1)});
  }
  void load_b(int limb, spec::Space space, std::int64_t share, std::int64_t chip) {
    const std::int64_t each = b_.format.code_bytes;
    const Reg from = packed_address(c_, rb_, limb, share, b_at_, b_);
    c_.load({.win = static_cast<std::uint8_t>(b_at_.window), .space = space, .da = from, .ca = c_.k(chip), .len = c_.times(columns_, each / share),
             .n1 = now_k_, .ds1 = c_.k(b_.rows * each / share), .cs1 = c_.k(nt_ * each / share), .n2 = c_.k(1)});
  }

  Code& c_;
  const Packing a_, b_;
  const Place a_at_, b_at_;
  Place out_;
  std::vector<View> batch_;
  std::int64_t m_ = 0, n_ = 0, nt_ = 0, mt_ = 0, kc_ = 0;
  std::int64_t each_ = 32;  // values of k of a column's block
  Reg ra_ = 0, rb_ = 0, rc_ = 0, left_m_ = 0, now_m_ = 0, left_n_ = 0, now_n_ = 0, left_k_ = 0, now_k_ = 0;
  Reg columns_ = 0;  // of b's whole tiles
};

void round_in_place(const Site& s) {
  Math dry;
  const Slot x = dry.buffer();
  dry.unary(Op::round, DType::i32, x, x);
  const std::uint32_t words = s.code.vmem_words() / static_cast<std::uint32_t>(dry.most()) / s.code.lanes() * s.code.lanes();
  Walk walk(s.code, {s.whole(s.node.outputs[0])}, {.words = words});
  Math math(s.code, 0, words, [&] { return walk.count(); });
  const Slot y = math.buffer();
  walk.run([&] {
    walk.load(0, math.at(y));
    math.unary(Op::round, DType::i32, y, y);
    walk.store(0, math.at(y));
  });
}

}  // namespace

void lower_matmul(const Site& s) {
  const bool two_of_four = s.input(1).constant() && s.two_of_four && s.two_of_four(s.node.inputs[1]);
  const Packing a = packing_a(s.graph, s.node, two_of_four), b = packing_b(s.graph, s.node, s.code.config(), two_of_four);
  const Place scratch = s.scratch();
  Place b_at{scratch.window, scratch.offset + static_cast<std::uint64_t>(a.bytes())};
  emit_packing(s, operand(s.graph, s.node, 0), s.place(s.node.inputs[0]), a, scratch, false);
  if (s.input(1).constant()) b_at = s.packed(s.node.inputs[1]);
  else emit_packing(s, operand(s.graph, s.node, 1), s.place(s.node.inputs[1]), b, b_at, true);
  const std::size_t before = s.code.variables();
  const Sparse* sparse = s.input(1).constant() && s.sparse ? s.sparse(s.node.inputs[1]) : nullptr;
  if (sparse) emit_sparse_product(s, a, scratch, b, b_at, *sparse, s.place(s.node.outputs[0]), operand(s.graph, s.node, 0).rows, s.output().shape.back());
  else Product(s, a, scratch, b, b_at).run();
  s.code.free_variables(before);
  // Scales are not powers of two: integers come out a few millionths off.
  if (s.output().dtype == DType::i32) round_in_place(s);
}

bool may_be_sparse(const Graph& g, const Node& n, const spec::Config& config) { return tall(g, n) && sparse_rows(packing_a(g, n), config) > 0; }

std::optional<SparseOperand> sparse_constant(const Graph& g, const Node& n, const spec::Config& config, const std::vector<std::uint8_t>& packed) {
  return sparse_operand(packed, packing_b(g, n, config), config);
}

std::uint64_t matmul_scratch(const Graph& g, const Node& n, const spec::Config& config, bool two_of_four) {
  const std::int64_t b = g.value(n.inputs[1]).constant() ? 0 : packing_b(g, n, config).bytes();
  return static_cast<std::uint64_t>(packing_a(g, n, two_of_four).bytes() + b);
}

bool may_be_two_of_four(const Graph& g, const Node& n, const spec::Config& config) { return config.sparse && tall(g, n); }

std::optional<std::vector<std::uint8_t>> pack_two_of_four(const Graph& g, const Node& n, const spec::Config& config) {
  const Matrices m = operand(g, n, 1);
  const Packing p = packing_b(g, n, config, true);
  const auto& data = *g.value(n.inputs[1]).data;
  const std::int64_t lanes = config.cols;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(p.bytes()));
  std::vector<float> w(static_cast<std::size_t>(m.k)), stored(static_cast<std::size_t>(p.blocks * 32));
  std::vector<std::uint8_t> index(stored.size());
  for (std::int64_t row = 0; row < m.rows; ++row) {
    for (std::int64_t k = 0; k < m.k; ++k) w[static_cast<std::size_t>(k)] = data[static_cast<std::size_t>(row * m.row_stride + k * m.k_stride)];
    if (!passes::compress_row(w, stored, index)) return std::nullopt;
    for (std::int64_t block = 0; block < p.blocks; ++block)
      for (int l = 0; l < p.format.limbs; ++l) {
        const std::int64_t column = block * p.rows + row, tile = block * p.rows + row / lanes * lanes;  // blocks of columns before it, before its tile
        float* x = &stored[static_cast<std::size_t>(block * 32)];
        std::int8_t codes[32] = {};
        std::uint16_t scale = 0;
        if (p.format.e2m1) passes::quantize_row({x, 32}, ir::Format::mxfp4, codes, {&scale, 1});
        else if (p.format.scale_bytes == 1) passes::quantize_row({x, 32}, ir::Format::mxint8, codes, {&scale, 1});
        else quantise_limb(x, 32, codes, scale);
        auto* at = &out[static_cast<std::size_t>(l * p.limb() + tile * p.format.code_bytes)];
        for (std::int64_t i = 0; i < 32; ++i) {
          const std::int64_t value = i * lanes + row % lanes;
          if (p.format.e2m1) at[value / 2] |= static_cast<std::uint8_t>((codes[i] & 15) << (value % 2 * 4));
          else at[value] = static_cast<std::uint8_t>(codes[i]);
        }
        const std::int64_t scales = p.scales_at() + l * p.limb() / p.format.share() + column * p.format.scale_bytes;
        for (std::int64_t b = 0; b < p.format.scale_bytes; ++b) out[static_cast<std::size_t>(scales + b)] = static_cast<std::uint8_t>(scale >> 8 * b);
        passes::put_indices({&index[static_cast<std::size_t>(block * 32)], 32}, static_cast<int>(row % lanes), static_cast<int>(lanes),
                            reinterpret_cast<std::byte*>(&out[static_cast<std::size_t>(p.indices_at() + l * p.limb() / p.format.index_share() + tile * 8)]));
      }
  }
  return out;
}

// ---- packing on the host --------------------------------------------------------------------

std::vector<std::uint8_t> pack_constant(const Graph& g, const Node& n, const spec::Config& config) {
  const Matrices m = operand(g, n, 1);
  const Packing p = packing_b(g, n, config);
  const auto& data = *g.value(n.inputs[1]).data;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(p.bytes()));
  const std::int64_t lanes = config.cols;
  for (std::int64_t batch = 0; batch < p.batches; ++batch)
    for (std::int64_t row = 0; row < m.rows; ++row)
      for (std::int64_t block = 0; block < p.blocks; ++block) {
        float x[32] = {};
        const std::int64_t count = std::min<std::int64_t>(32, m.k - block * 32);
        for (std::int64_t i = 0; i < count; ++i)
          x[i] = data[static_cast<std::size_t>(batch * m.each() + row * m.row_stride + (block * 32 + i) * m.k_stride)];
        for (int l = 0; l < p.format.limbs; ++l) {
          std::int8_t codes[32] = {};
          std::uint16_t scale = 0;
          const std::int64_t base = batch * p.codes() + l * p.limb();
          if (p.format.e2m1) {
            passes::quantize_row({x, static_cast<std::size_t>(count)}, ir::Format::mxfp4, codes, {&scale, 1});
            const std::int64_t tile = base + (block * p.rows + row / lanes * lanes) * 16;
            for (std::int64_t i = 0; i < 32; ++i) {
              const std::int64_t index = i * lanes + row % lanes;
              out[static_cast<std::size_t>(tile + index / 2)] |= static_cast<std::uint8_t>((codes[i] & 15) << (index % 2 * 4));
            }
            out[static_cast<std::size_t>(p.scales_at() + base / 16 + block * p.rows + row)] = static_cast<std::uint8_t>(scale);
          } else {
            const std::int64_t at = base + (block * p.rows + row) * 32;
            if (p.format.scale_bytes == 1) passes::quantize_row({x, static_cast<std::size_t>(count)}, ir::Format::mxint8, codes, {&scale, 1});
            else quantise_limb(x, count, codes, scale);
            for (std::int64_t i = 0; i < 32; ++i) out[static_cast<std::size_t>(at + i)] = static_cast<std::uint8_t>(codes[i]);
            for (std::int64_t b = 0; b < p.format.scale_bytes; ++b) out[static_cast<std::size_t>(p.scales_at() + at / p.format.share() + b)] = static_cast<std::uint8_t>(scale >> 8 * b);
          }
        }
      }
  return out;
}

std::vector<std::uint8_t> table_bytes(const std::string& name, const spec::Config& config) {
  std::vector<std::uint8_t> out;
  const std::int64_t lanes = config.cols;
  if (name == "identity") {
    for (std::int64_t t = 0; t < std::max<std::int64_t>(1, 32 / lanes) * std::max<std::int64_t>(1, lanes / 32); ++t)
      for (std::int64_t k = 0; k < 32; ++k)
        for (std::int64_t c = 0; c < lanes; ++c) out.push_back(c + (lanes <= 32 ? t * lanes : -t * 32) == k ? 0xff : 0);
  } else {
    for (std::int64_t i = 0; i < longest_top_k(config); ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(i));
      for (int b = 0; b < 4; ++b) out.push_back(static_cast<std::uint8_t>(bits >> 8 * b));
    }
  }
  return out;
}

}  // namespace jogak::tensor
