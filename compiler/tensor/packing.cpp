#include "packing.hpp"

#include <algorithm>
#include <bit>

#include "numerics.hpp"

namespace jogak::tensor {
namespace {

std::int64_t up(std::int64_t x, std::int64_t to) { return (x + to - 1) / to * to; }

class Packer {
 public:
  Packer(const Site& s, const Matrices& m, const Place& from, const Packing& to, const Place& at, bool columns)
      : s_(s), c_(s.code), m_(m), to_(to), at_(at), columns_(columns), from_(from), group_(blocks_per_group(s.code)) {
    kc_ = up(std::min<std::int64_t>(to.blocks, 64), group_);
    words_ = kc_ * 32;
    rows_ = std::min<std::int64_t>({m_.rows, c_.vmem_words() / words_, c_.config().aspm_bytes / words_});
  }

  void run() {
    load_identity(s_, 0);
    src_ = c_.variable(static_cast<std::int64_t>(from_.offset)), dst_ = c_.variable(0);
    left_ = c_.variable(), now_ = c_.variable(), left_k_ = c_.variable(), now_k_ = c_.variable();
    const std::int64_t row_step = columns_ ? rows_ * 32 : rows_ * to_.blocks * 32, trips = (m_.rows + rows_ - 1) / rows_;
    c_.loop(to_.batches, [&] {
      c_.set(left_, m_.rows);
      c_.loop(trips, [&] {
        c_.alu(AluFn::minu, now_, left_, c_.k(rows_));
        row_tile();
        c_.advance(left_, -rows_);
        c_.advance(src_, rows_ * m_.row_stride * 4);
        c_.advance(dst_, row_step);
      });
      c_.advance(src_, (m_.each() - trips * rows_ * m_.row_stride) * 4);
      c_.advance(dst_, to_.codes() - trips * row_step);
    });
  }

 private:
  void row_tile() {
    const std::int64_t trips = (to_.blocks + kc_ - 1) / kc_, step = columns_ ? kc_ * to_.rows * 32 : kc_ * 32;
    c_.set(left_k_, m_.k);
    c_.loop(trips, [&] {
      c_.alu(AluFn::minu, now_k_, left_k_, c_.k(words_));
      piece();
      c_.advance(left_k_, -words_);
      c_.advance(src_, words_ * m_.k_stride * 4);
      c_.advance(dst_, step);
    });
    c_.advance(src_, -trips * words_ * m_.k_stride * 4);
    c_.advance(dst_, -trips * step);
  }

  void piece() {
    load();
    for (int limb = 0; limb < to_.format.limbs; ++limb) {
      c_.qnt({.group = to_.format.two_of_four ? spec::Qgroup::pair : spec::Qgroup::block, .ds = c_.k(words_), .as = c_.k(words_), .rows = now_, .cols = now_k_});
      store(limb, spec::Space::aspm, 1);
      store(limb, spec::Space::asc, 16);
      if (limb + 1 < to_.format.limbs) emit_residual(c_, 0, 0, 0, c_.times(now_, kc_ / group_));
    }
  }

  void load() {
    spec::Load i{.win = static_cast<std::uint8_t>(from_.window), .space = spec::Space::vmem, .da = src_};
    if (m_.k_stride == 1) {
      i.len = c_.times(now_k_, 4), i.n1 = now_, i.ds1 = c_.k(m_.row_stride * 4), i.cs1 = c_.k(words_ * 4), i.n2 = c_.k(1);
    } else {
      i.len = c_.k(4), i.n1 = now_k_, i.ds1 = c_.k(m_.k_stride * 4), i.cs1 = c_.k(4), i.n2 = now_, i.ds2 = c_.k(m_.row_stride * 4), i.cs2 = c_.k(words_ * 4);
    }
    c_.load(i);
  }

  // Codes (share 1) or scales (share 16: a sixteenth of every size).
  void store(int limb, spec::Space space, std::int64_t share) {
    const Reg to = packed_address(c_, dst_, limb, share, at_, to_), blocks = c_.scratch();
    c_.alui(AluFn::add, blocks, now_k_, 31);
    c_.alui(AluFn::shr, blocks, blocks, 5);
    spec::Store i{.win = static_cast<std::uint8_t>(at_.window), .space = space, .da = to};
    i.n1 = now_, i.cs1 = c_.k(words_ / share);
    if (columns_) {
      i.len = c_.k(32 / share), i.ds1 = c_.k(32 / share), i.n2 = blocks, i.ds2 = c_.k(to_.rows * 32 / share), i.cs2 = c_.k(32 / share);
    } else {
      i.len = c_.times(blocks, 32 / share), i.ds1 = c_.k(to_.blocks * 32 / share), i.n2 = c_.k(1);
    }
    c_.store(i);
  }

  const Site& s_;
  Code& c_;
  const Matrices m_;
  const Packing to_;
  const Place at_;
  const bool columns_;
  const Place from_;
  const std::int64_t group_;  // blocks that one row of the residual's product holds
  std::int64_t kc_, words_, rows_;  // blocks of k at once, their words; rows at once
  Reg src_ = 0, dst_ = 0, left_ = 0, now_ = 0, left_k_ = 0, now_k_ = 0;
};

}  // namespace

std::int64_t blocks_per_group(const Code& c) { return std::max<std::int64_t>(1, c.lanes() / 32); }

std::int64_t identity_bytes(const Code& c) { return 32 * std::int64_t(c.lanes()) * std::max<std::int64_t>(blocks_per_group(c), 32 / c.lanes()); }

void load_identity(const Site& s, std::int64_t chip) {
  Code& c = s.code;
  const Place from = s.table("identity");
  c.load({.win = static_cast<std::uint8_t>(from.window), .space = spec::Space::wspm, .da = c.k(static_cast<std::int64_t>(from.offset)), .ca = c.k(chip),
          .len = c.k(identity_bytes(c)), .n1 = c.k(1), .n2 = c.k(1)});
}

void emit_residual(Code& c, std::int64_t identity, std::int64_t codes, std::int64_t words, Reg count) {
  const std::int64_t lanes = c.lanes(), tile = 32 * lanes, group = blocks_per_group(c);
  c.mm({.wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16, .acc = true, .w = c.k(identity), .wn = c.k(tile), .wk = c.k(tile), .a = c.k(codes),
        .am = c.k(32 * group), .o = c.k(words), .om = c.k(32 * group), .on = c.k(lanes), .m = count, .kb = c.k(group),
        .nb = c.k(lanes <= 32 ? 32 / lanes : 1)});
}

Reg packed_address(Code& c, Reg relative, std::int64_t limb, std::int64_t share, const Place& at, const Packing& p) {
  const Reg r = c.scratch();
  c.alui(AluFn::add, r, relative, limb * p.limb());
  if (share > 1) c.alui(AluFn::shr, r, r, std::countr_zero(static_cast<std::uint64_t>(share)));
  const std::int64_t first = share == 1 ? 0 : share < 16 ? p.indices_at() : p.scales_at();
  c.alui(AluFn::add, r, r, static_cast<std::int64_t>(at.offset) + first);
  return r;
}

void quantise_limb(float* x, std::int64_t count, std::int8_t* codes, std::uint16_t& scale) {
  std::uint32_t bits[32] = {};
  for (std::int64_t i = 0; i < count; ++i) bits[i] = std::bit_cast<std::uint32_t>(x[i]);
  const auto q = num::quant_scale(num::absmax(bits, static_cast<std::size_t>(count)));
  scale = q.scale;
  const float s = std::bit_cast<float>(num::bf16_to_f32(q.scale));
  for (std::int64_t i = 0; i < count; ++i) {
    codes[i] = num::quant_value(bits[i], q.recip);
    x[i] -= s * static_cast<float>(codes[i]);
  }
}

void emit_packing(const Site& s, const Matrices& m, const Place& from, const Packing& to, const Place& at, bool columns) {
  const std::size_t before = s.code.variables();
  Packer(s, m, from, to, at, columns).run();
  s.code.free_variables(before);
}

}  // namespace jogak::tensor
