// Attention by pieces of keys with a running maximum and sum: scores stay on chip, whatever the number of keys.
#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>

#include "packing.hpp"

namespace jogak::tensor {
namespace {

using spec::Bmode;
using spec::Space;
using spec::Vec;
using spec::Vfunc;
using spec::Vop;
using spec::Vred;

std::int64_t up(std::int64_t x, std::int64_t to) { return (x + to - 1) / to * to; }

constexpr std::int64_t kRows = 32;  // queries at once, most

// Sizes, packings and places on chip.
struct Shapes {
  std::int64_t batches, heads, groups, m, n, d, e, db, ep;  // db: blocks of d; ep: e padded to C
  std::int64_t mt, nt = 64;                                 // queries and keys at once
  BlockFormat format;
  Packing q, k, v;

  Shapes(const Graph& g, const Node& node, const spec::Config& config) : Shapes(g.shape(node.inputs[0]), g.shape(node.inputs[1]), g.shape(node.inputs[2]), node, config) {}
  Shapes(const Shape& qs, const Shape& ks, const Shape& vs, const Node& node, const spec::Config& config)
      : batches(qs[0]), heads(qs[1]), groups(ks[1]), m(qs[2]), n(ks[2]), d(qs[3]), e(vs[3]), db((qs[3] + 31) / 32), ep(up(vs[3], config.cols)),
        mt(std::min(qs[2], kRows)), format{node.attrs.precision == Precision::exact ? 3 : 1},
        q(query(), batches * heads * m, format), k(key(), up(n, config.cols), format), v(value(), ep, format) {
    while (nt > std::max<std::int64_t>(32, config.cols) && wspm(config) > config.wspm_bytes) nt /= 2;
  }
  Matrices query() const { return {batches * heads * m, d, d, 1, 1}; }
  Matrices key() const { return {n, d, d, 1, batches * groups}; }
  Matrices value() const { return {e, n, 1, e, batches * groups}; }
  std::int64_t limbs() const { return format.limbs; }
  std::int64_t identity(const spec::Config& c) const { return 32 * std::max<std::int64_t>(32, c.cols * c.cols / 32); }
  std::int64_t wspm(const spec::Config& c) const { return identity(c) + limbs() * (nt * db * 32 + nt * ep); }
  std::int64_t aspm() const { return limbs() * mt * (db * 32 + nt); }
  std::int64_t vmem_words(const spec::Config& c) const { return mt * (2 * nt + ep) + nt + 6 * up(mt, c.cols); }
};

class Attention {
 public:
  explicit Attention(const Site& s)
      : s_(s), c_(s.code), a_(s.node.attrs), z_(s.graph, s.node, s.code.config()), out_(s.place(s.node.outputs[0])), masked_(s.node.inputs.size() > 3) {
    place();
    const Shape lead = {z_.batches, z_.groups, z_.heads / z_.groups};
    View mask{lead, {0, 0, 0}, 0};
    if (masked_) {
      mask_at_ = s.place(s.node.inputs[3]);
      const View v = broadcast_view(s.input(3).shape, {z_.batches, z_.heads, z_.m, z_.n});
      mask.strides = {v.strides[0], v.strides[1] * lead[2], v.strides[1]};
      mask_row_ = v.strides[2], mask_col_ = v.strides[3];
    }
    const View kv = {lead, {z_.groups, 1, 0}, 0};
    batch_ = {row_major(lead), kv, mask};
    collapse(batch_);
  }

  void run() {
    const Place scratch = s_.scratch();
    q_at_ = scratch;
    k_at_ = {scratch.window, scratch.offset + static_cast<std::uint64_t>(z_.q.bytes())};
    v_at_ = {scratch.window, k_at_.offset + static_cast<std::uint64_t>(z_.k.bytes())};
    emit_packing(s_, z_.query(), s_.place(s_.node.inputs[0]), z_.q, q_at_, false);
    emit_packing(s_, z_.key(), s_.place(s_.node.inputs[1]), z_.k, k_at_, true);
    emit_packing(s_, z_.value(), s_.place(s_.node.inputs[2]), z_.v, v_at_, true);
    load_identity(s_, 0);
    if (a_.causal) load_words(c_, s_.table("ramp"), z_.nt, ramp_);
    for (Reg* r : {&rq_, &rk_, &rv_, &rm_, &ro_, &left_m_, &now_m_, &left_n_, &now_n_, &columns_, &blocks_}) *r = c_.variable(0);
    c_.set(rm_, static_cast<std::int64_t>(mask_at_.offset));
    c_.set(ro_, static_cast<std::int64_t>(out_.offset));
    heads(0);
  }

 private:
  void place() {
    const auto lanes = static_cast<std::int64_t>(c_.lanes());
    std::int64_t at = 0;
    const auto take = [&](std::int64_t words) {
      const Buffer b{static_cast<std::uint32_t>(at)};
      at += up(words, lanes);
      return b;
    };
    scores_ = take(z_.mt * z_.nt), extra_ = take(z_.mt * z_.nt), result_ = take(z_.mt * z_.ep), ramp_ = take(z_.nt);
    for (Buffer* b : {&most_, &now_most_, &scale_, &sum_, &first_, &position_}) *b = take(z_.mt);
    k_chip_ = z_.identity(c_.config());
    v_chip_ = k_chip_ + z_.limbs() * z_.nt * z_.db * 32;
    p_chip_ = z_.limbs() * z_.mt * z_.db * 32;
  }

  // Loops over what batch, key head and query head collapse to; more than two axes are written out.
  void heads(std::size_t axis) {
    const auto& sizes = batch_[0].sizes;
    if (axis == sizes.size()) return head();
    const auto each = [&] {
      heads(axis + 1);
      const auto step = [&](std::size_t o) {
        const auto& v = batch_[o];
        return v.strides[axis] - (axis + 1 < sizes.size() ? v.strides[axis + 1] * sizes[axis + 1] : 0);
      };
      c_.advance(rq_, step(0) * z_.m * z_.db * 32);
      c_.advance(ro_, step(0) * z_.m * z_.e * 4);
      c_.advance(rk_, step(1) * z_.k.codes());
      c_.advance(rv_, step(1) * z_.v.codes());
      c_.advance(rm_, step(2) * 4);
    };
    if (axis + 2 >= sizes.size()) return c_.loop(sizes[axis], each);
    for (std::int64_t i = 0; i < sizes[axis]; ++i) each();
  }

  void head() {
    const std::int64_t trips = (z_.m + z_.mt - 1) / z_.mt;
    const auto advance = [&](std::int64_t rows) {
      c_.advance(rq_, rows * z_.db * 32);
      c_.advance(ro_, rows * z_.e * 4);
      c_.advance(rm_, rows * mask_row_ * 4);
    };
    if (a_.causal) {  // of each row: the last key it sees, and a half
      number(first_, 0);
      flat({.op = Vop::mad, .bmode = Bmode::vector, .dst = at(first_), .a = at(ramp_), .b = at(first_), .s = c_.kf(1)}, z_.mt);
      flat({.op = Vop::mad, .bmode = Bmode::scalar, .dst = at(first_), .a = at(first_), .b = c_.kf(static_cast<float>(a_.offset) + 0.5f), .s = c_.kf(1)}, z_.mt);
    }
    c_.set(left_m_, z_.m);
    c_.loop(trips, [&] {
      c_.alu(AluFn::minu, now_m_, left_m_, c_.k(z_.mt));
      rows();
      c_.advance(left_m_, -z_.mt);
      advance(z_.mt);
      if (a_.causal)
        flat({.op = Vop::mad, .bmode = Bmode::scalar, .dst = at(first_), .a = at(first_), .b = c_.kf(static_cast<float>(z_.mt)), .s = c_.kf(1)}, z_.mt);
    });
    advance(-trips * z_.mt);
  }

  void rows() {
    for (int l = 0; l < z_.limbs(); ++l) {
      load_rows(l, Space::aspm, 1);
      load_rows(l, Space::asc, 16);
    }
    zero(result_, z_.mt * z_.ep);
    number(most_, -FLT_MAX);
    zero(sum_, z_.mt);
    if (a_.causal) flat({.op = Vop::max, .bmode = Bmode::vector, .dst = at(position_), .a = at(first_), .b = at(first_)}, z_.mt);
    const std::int64_t trips = (z_.n + z_.nt - 1) / z_.nt;
    const auto advance = [&](std::int64_t keys) {
      c_.advance(rk_, keys * 32);
      c_.advance(rv_, keys * z_.ep);
      c_.advance(rm_, keys * mask_col_ * 4);
    };
    c_.set(left_n_, z_.n);
    c_.loop(trips, [&] {
      c_.alu(AluFn::minu, now_n_, left_n_, c_.k(z_.nt));
      keys();
      c_.advance(left_n_, -z_.nt);
      advance(z_.nt);
    });
    advance(-trips * z_.nt);
    flat({.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .dst = at(sum_), .a = at(sum_), .b = c_.kf(1)}, z_.mt);
    outputs({.op = Vop::mul, .bmode = Bmode::row_scalar, .b = at(sum_), .bs = c_.k(1)});
    c_.store({.win = static_cast<std::uint8_t>(out_.window), .space = Space::vmem, .da = ro_, .ca = c_.k(result_.word * 4), .len = c_.k(z_.e * 4), .n1 = now_m_,
              .ds1 = c_.k(z_.e * 4), .cs1 = c_.k(z_.ep * 4), .n2 = c_.k(1)});
  }

  // One piece of keys: scores, their exponentials, and the values they weigh.
  void keys() {
    const std::int64_t lanes = c_.lanes();
    c_.alui(AluFn::add, columns_, now_n_, lanes - 1);
    c_.alui(AluFn::and_, columns_, columns_, -lanes);
    c_.alui(AluFn::add, blocks_, now_n_, 31);
    c_.alui(AluFn::shr, blocks_, blocks_, 5);
    for (int l = 0; l < z_.limbs(); ++l)
      for (const std::int64_t share : {1, 16}) load_keys(l, share == 1 ? Space::wspm : Space::wsc, share);
    zero(scores_, z_.mt * z_.nt);
    pairs([&](int p, int w) {
      const Reg tiles = c_.scratch();
      c_.alui(AluFn::shr, tiles, columns_, std::countr_zero(static_cast<std::uint64_t>(lanes)));
      product(p * z_.mt * z_.db * 32, z_.db * 32, k_chip_ + w * z_.nt * z_.db * 32, z_.nt * 32, scores_, z_.nt, c_.k(z_.db), tiles);
    });
    mask();
    scores({.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .a = at(scores_), .b = c_.kf(1), .r = at(now_most_)}, false);
    flat({.op = Vop::max, .bmode = Bmode::vector, .dst = at(now_most_), .a = at(now_most_), .b = at(most_)}, z_.mt);
    flat({.op = Vop::mad, .bmode = Bmode::vector, .func = Vfunc::exp, .negb = true, .dst = at(scale_), .a = at(most_), .b = at(now_most_), .s = c_.kf(1)}, z_.mt);
    flat({.op = Vop::max, .bmode = Bmode::vector, .dst = at(most_), .a = at(now_most_), .b = at(now_most_)}, z_.mt);
    scores({.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .negb = true, .a = at(scores_), .b = at(most_), .bs = c_.k(1),
            .s = c_.kf(1), .r = at(now_most_)}, true);
    flat({.op = Vop::mul, .bmode = Bmode::vector, .dst = at(sum_), .a = at(sum_), .b = at(scale_)}, z_.mt);
    flat({.op = Vop::mad, .bmode = Bmode::vector, .dst = at(sum_), .a = at(sum_), .b = at(now_most_), .s = c_.kf(1)}, z_.mt);
    outputs({.op = Vop::mul, .bmode = Bmode::row_scalar, .b = at(scale_), .bs = c_.k(1)});
    for (int l = 0; l < z_.limbs(); ++l) {
      const std::int64_t to = p_chip_ + l * z_.mt * z_.nt;
      c_.qnt({.dst = c_.k(to), .ds = c_.k(z_.nt), .a = at(scores_), .as = c_.k(z_.nt), .rows = now_m_, .cols = now_n_});
      if (l + 1 < z_.limbs()) emit_residual(c_, 0, to, scores_.word, c_.times(now_m_, z_.nt / 32 / blocks_per_group(c_)));
    }
    pairs([&](int p, int w) {
      product(p_chip_ + p * z_.mt * z_.nt, z_.nt, v_chip_ + w * z_.nt * z_.ep, z_.ep * 32, result_, z_.ep, blocks_, c_.k(z_.ep / lanes));
    });
  }

  void mask() {
    if (masked_) {
      spec::Load i{.win = static_cast<std::uint8_t>(mask_at_.window), .space = Space::vmem, .da = rm_, .ca = c_.k(extra_.word * 4)};
      if (mask_col_ == 1) {
        i.len = c_.times(now_n_, 4), i.n1 = now_m_, i.ds1 = c_.k(mask_row_ * 4), i.cs1 = c_.k(z_.nt * 4), i.n2 = c_.k(1);
      } else {
        i.len = c_.k(4), i.n1 = now_n_, i.cs1 = c_.k(4), i.n2 = now_m_, i.ds2 = c_.k(mask_row_ * 4), i.cs2 = c_.k(z_.nt * 4);
      }
      c_.load(i);
      scores({.op = Vop::mad, .bmode = Bmode::vector, .a = at(scores_), .b = at(extra_), .bs = c_.k(z_.nt), .s = c_.kf(a_.value)}, true);
    } else {
      scores({.op = Vop::mul, .bmode = Bmode::scalar, .a = at(scores_), .b = c_.kf(a_.value)}, true);
    }
    if (!a_.causal) return;
    // Seen or not, as plus or minus infinity: the row's last key less the key's number.
    Vec sight{.op = Vop::mad, .bmode = Bmode::row_scalar, .wr = true, .dst = at(extra_), .ds = c_.k(z_.nt), .a = at(ramp_), .b = at(position_), .bs = c_.k(1), .s = c_.kf(-1)};
    sight.rows = now_m_, sight.cols = now_n_;
    c_.vec(sight);
    Vec sharp{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = at(extra_), .ds = c_.k(z_.nt), .a = at(extra_), .as = c_.k(z_.nt), .b = c_.kf(INFINITY)};
    sharp.rows = now_m_, sharp.cols = now_n_;
    c_.vec(sharp);
    scores({.op = Vop::min, .bmode = Bmode::vector, .a = at(scores_), .b = at(extra_), .bs = c_.k(z_.nt)}, true);
    flat({.op = Vop::mad, .bmode = Bmode::scalar, .dst = at(position_), .a = at(position_), .b = c_.kf(static_cast<float>(-z_.nt)), .s = c_.kf(1)}, z_.mt);
  }

  // ---- commands ----
  Reg at(Buffer b) { return c_.k(b.word); }
  template <class F>
  void pairs(F&& f) {  // limb products that count, small ones first
    for (int sum = static_cast<int>(z_.limbs()) - 1; sum >= 0; --sum)
      for (int l = 0; l <= sum; ++l) f(l, sum - l);
  }
  // Over the scores' rows, in place where they are written.
  void scores(Vec v, bool write) {
    v.wr = write;
    if (write) v.dst = v.a;
    v.ds = v.as = c_.k(z_.nt);
    v.rows = now_m_, v.cols = now_n_;
    c_.vec(v);
  }
  void outputs(Vec v) {
    v.wr = true;
    v.dst = v.a = at(result_);
    v.ds = v.as = c_.k(z_.ep);
    v.rows = now_m_, v.cols = c_.k(z_.e);
    c_.vec(v);
  }
  void flat(Vec v, std::int64_t words) {
    v.wr = true;
    v.rows = c_.k(1), v.cols = c_.k(words);
    c_.vec(v);
  }
  void zero(Buffer b, std::int64_t words) { flat({.op = Vop::mul, .bmode = Bmode::scalar, .masked = true, .dst = at(b), .a = at(b)}, words); }
  void number(Buffer b, float x) {
    zero(b, z_.mt);
    flat({.op = Vop::mad, .bmode = Bmode::scalar, .dst = at(b), .a = at(b), .b = c_.kf(x)}, z_.mt);
  }
  // a: bytes of a limb of moving rows, am apart; w: tiles, wk from block to block.
  void product(std::int64_t a, std::int64_t am, std::int64_t w, std::int64_t wk, Buffer o, std::int64_t om, Reg kb, Reg nb) {
    const std::int64_t lanes = c_.lanes();
    c_.mm({.wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .acc = true, .colload = true, .w = c_.k(w), .ws = c_.k(w / 16), .wn = c_.k(32 * lanes),
           .wk = c_.k(wk), .a = c_.k(a), .am = c_.k(am), .o = at(o), .om = c_.k(om), .on = c_.k(lanes), .m = now_m_, .kb = kb, .nb = nb});
  }
  void load_rows(int l, Space space, std::int64_t share) {
    const Reg from = packed_address(c_, rq_, l, share, q_at_, z_.q);
    c_.load({.win = static_cast<std::uint8_t>(q_at_.window), .space = space, .da = from, .ca = c_.k(l * z_.mt * z_.db * 32 / share),
             .len = c_.times(now_m_, z_.db * 32 / share), .n1 = c_.k(1), .n2 = c_.k(1)});
  }
  void load_keys(int l, Space space, std::int64_t share) {
    const Reg k = packed_address(c_, rk_, l, share, k_at_, z_.k);
    c_.load({.win = static_cast<std::uint8_t>(k_at_.window), .space = space, .da = k, .ca = c_.k((k_chip_ + l * z_.nt * z_.db * 32) / share),
             .len = c_.times(columns_, 32 / share), .n1 = c_.k(z_.db), .ds1 = c_.k(z_.k.rows * 32 / share), .cs1 = c_.k(z_.nt * 32 / share), .n2 = c_.k(1)});
    const Reg v = packed_address(c_, rv_, l, share, v_at_, z_.v);
    c_.load({.win = static_cast<std::uint8_t>(v_at_.window), .space = space, .da = v, .ca = c_.k((v_chip_ + l * z_.nt * z_.ep) / share),
             .len = c_.times(blocks_, z_.ep * 32 / share), .n1 = c_.k(1), .n2 = c_.k(1)});
  }

  const Site& s_;
  Code& c_;
  const Attrs& a_;
  const Shapes z_;
  const Place out_;
  const bool masked_;
  Place q_at_, k_at_, v_at_, mask_at_;
  std::int64_t mask_row_ = 0, mask_col_ = 0;  // strides, elements
  std::vector<View> batch_;                   // query heads, key heads, mask
  Buffer scores_, extra_, result_, ramp_;     // extra: the mask, or who sees what
  Buffer most_, now_most_, scale_, sum_, first_, position_;  // a word per row
  std::int64_t k_chip_ = 0, v_chip_ = 0, p_chip_ = 0;
  Reg rq_ = 0, rk_ = 0, rv_ = 0, rm_ = 0, ro_ = 0, left_m_ = 0, now_m_ = 0, left_n_ = 0, now_n_ = 0, columns_ = 0, blocks_ = 0;
};

}  // namespace

void lower_attention(const Site& s) { Attention(s).run(); }

bool attention_fits(const Graph& g, const Node& n, const spec::Config& c) {
  const Shapes z(g, n, c);
  const bool additive = n.inputs.size() < 4 || g.value(n.inputs[3]).dtype != DType::boolean;
  return n.attrs.softcap <= 0 && additive && z.wspm(c) <= c.wspm_bytes && z.aspm() <= c.aspm_bytes && z.vmem_words(c) * 4 <= c.vmem_bytes;
}

std::uint64_t attention_scratch(const Graph& g, const Node& n, const spec::Config& c) {
  const Shapes z(g, n, c);
  return static_cast<std::uint64_t>(z.q.bytes() + z.k.bytes() + z.v.bytes());
}

}  // namespace jogak::tensor
