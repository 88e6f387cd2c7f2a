// Token merging (Bolya et al. 2023, arXiv 2210.09461): behind each layer the `merge` rows most like another one become one with it. Rows of even
// number each find the most similar of odd number, by the cosine of their keys over all heads; the best pairs are averaged, weighted by how many rows
// each stands for; attention counts a row as often (softmax()). Row 0 is never merged.
//
// A similarity c becomes 3 + 0.99 c, rounded to 2^-14, in 2 to 4, where fp32 has 22 bits behind the point: the last 8 take the number of the odd row,
// so that a maximum tells both. The sequencer puts the number of the even row there and keeps the largest keys.
#include <bit>

#include "lowering.hpp"

namespace jogak::encoder {

void Lowering::begin_merging() {
  if (p_.merge == 0) return;
  for (int i = 0; i < p_.merge; ++i) chosen_.push_back(e_.variable());
  e_.signal(Engine::seq, kPair);
  const Reg sizes = k(p_.sizes), keys = k(p_.keys);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = sizes, .a = sizes, .rows = k(1), .cols = keys});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = sizes, .a = sizes, .b = kf(1.0f), .s = kf(1.0f), .rows = k(1), .cols = keys});
  e_.put(Load{.win = 0, .space = Space::vmem, .da = k(p_.w_numbers), .ca = k(p_.numbers * 4LL), .len = k(p_.pairs() * 4LL), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kInput);
  e_.wait(Engine::ve, kInput);
}

// Blocks of so many rows.
void Lowering::count_blocks(Reg blocks, Reg rows) {
  e_.alui(AluFn::add, blocks, rows, u32(p_.rows - 1));
  e_.alui(AluFn::mul, blocks, blocks, p_.magic);
  e_.alui(AluFn::shr, blocks, blocks, u32(p_.magic_shift));
}

// Blocks of the next layer, before the weight ring comes to it.
void Lowering::announce_merge() {
  if (p_.merge == 0) return;
  const Reg left = sum(n_, -p_.merge), blocks = e_.temporary();
  count_blocks(blocks, left);
  ring_.next_passes(blocks);
}

// Lengths of this block's keys, squared: those of a head, in an output buffer, are added. Then to DRAM, where rows may lie at any word.
void Lowering::start_lengths() {
  if (p_.merge == 0) return;
  const Reg at = k(p_.lengths);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = at, .a = at, .rows = k(1), .cols = m_});
}
void Lowering::add_lengths() {
  if (p_.merge == 0) return;
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = out_, .as = k(p_.hn), .b = out_, .bs = k(p_.hn), .r = k(p_.part), .rows = m_,
             .cols = k(p_.head_dim)});
  const Reg at = k(p_.lengths);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = at, .a = at, .b = k(p_.part), .s = kf(1.0f), .rows = k(1), .cols = m_});
}
void Lowering::store_lengths() {
  if (p_.merge == 0) return;
  e_.signal(Engine::ve, kStaged);
  e_.wait(Engine::st, kStaged);
  const Reg to = times(row_, 4), len = times(m_, 4);
  e_.put(Store{.win = 1, .space = Space::vmem, .da = sum(to, p_.d_lengths), .ca = k(p_.lengths * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
}

// p1: even rows, p2: odd rows, p3: these rounded up to a tile's.
void Lowering::merge() {
  if (p_.merge == 0) return;
  e_.label("merge_match");
  e_.loop(blocks_, [&] { e_.wait(Engine::ld, kStored); });
  e_.wait(Engine::ld, kXFree);
  e_.alui(AluFn::add, p1_, n_, 1);
  e_.alui(AluFn::shr, p1_, p1_, 1);
  e_.alui(AluFn::shr, p2_, n_, 1);
  e_.alui(AluFn::add, p3_, p2_, 31);
  e_.alui(AluFn::and_, p3_, p3_, ~31u);
  e_.put(Load{.win = 1, .space = Space::vmem, .da = k(p_.d_lengths), .ca = k(p_.lengths * 4LL), .len = times(n_, 4), .n1 = k(1), .n2 = k(1)});
  e_.put(Load{.win = 1, .space = Space::vmem, .da = k(p_.d_lengths + 4LL), .ca = k(p_.odd_lengths * 4LL), .len = k(4), .n1 = p2_, .ds1 = k(8), .cs1 = k(4), .n2 = k(1)});
  e_.set(p4_, 0);
  similarities(false);
  e_.repeat(u32(p_.heads - 1), [&] { similarities(true); });
  e_.signal(Engine::mx, kResult);
  best_partners();
  choose_pairs();
  e_.label("merge_rows");
  e_.repeat(u32(p_.merge), [&] { merge_pair(); });
  list_rows();
  e_.label("merge_rows");
  close_up();
}

// Similarities of head p4, even rows by odd ones, into x's place.
void Lowering::similarities(bool add) {
  const long long keys = p_.keys;
  const auto at = [&](std::uint32_t region, long long each, int odd) {
    const Reg head = times(p4_, each);
    return sum(head, region + odd);
  };
  const auto planes = [&] { return k(p_.hk / 32); };
  e_.wait(Engine::ld, kKFree);
  e_.put(Load{.win = 1, .space = Space::wspm, .da = at(p_.d_k, keys * p_.hk, 32), .ca = k(p_.k_area), .len = k(32), .n1 = p2_, .ds1 = k(64), .cs1 = k(32),
              .n2 = planes(), .ds2 = k(keys * 32), .cs2 = times(p3_, 32)});
  e_.put(Load{.win = 1, .space = Space::wsc, .da = at(p_.d_ks, keys * p_.hk / 16, 2), .ca = k(p_.k_area / 16), .len = k(2), .n1 = p2_, .ds1 = k(4), .cs1 = k(2),
              .n2 = planes(), .ds2 = k(keys * 2), .cs2 = times(p3_, 2)});
  e_.put(Load{.win = 1, .space = Space::aspm, .da = at(p_.d_k, keys * p_.hk, 0), .ca = k(p_.hq), .len = k(32), .n1 = p1_, .ds1 = k(64), .cs1 = k(p_.hk),
              .n2 = planes(), .ds2 = k(keys * 32), .cs2 = k(32)});
  e_.put(Load{.win = 1, .space = Space::asc, .da = at(p_.d_ks, keys * p_.hk / 16, 0), .ca = k(p_.hq / 16), .len = k(2), .n1 = p1_, .ds1 = k(4), .cs1 = k(p_.hk / 16),
              .n2 = planes(), .ds2 = k(keys * 2), .cs2 = k(2)});
  e_.signal(Engine::ld, kKFull);
  e_.wait(Engine::mx, kKFull);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .acc = add, .colload = true, .w = k(p_.k_area),
            .ws = k(p_.k_area / 16), .wn = k(32LL * p_.cols), .wk = times(p3_, 32), .a = k(p_.hq), .am = k(p_.hk), .o = k(p_.x), .om = p3_, .on = k(p_.cols),
            .m = p1_, .kb = planes(), .nb = shifted(AluFn::shr, p3_, std::countr_zero(static_cast<unsigned>(p_.cols)))});
  e_.signal(Engine::mx, kKFree);
  advance(p4_, 1);
}

// best[i]: similarity and number of the odd row that even row i is most like.
void Lowering::best_partners() {
  e_.wait(Engine::ve, kResult);
  const auto inverse = [&](std::uint32_t lengths, Reg count) {
    const Reg at = k(lengths);
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = at, .a = at, .b = kf(1e-20f), .s = kf(1.0f), .rows = k(1), .cols = count});
  };
  inverse(p_.lengths, n_);
  inverse(p_.odd_lengths, p2_);
  const Reg x = k(p_.x), one = kf(1.0f);
  const auto pass = [&](Vec v) {
    v.wr = true;
    v.dst = v.a = x;
    v.ds = v.as = p3_;
    v.rows = p1_, v.cols = p2_;
    e_.put(v);
  };
  pass({.op = Vop::mul, .bmode = Bmode::row_scalar, .b = k(p_.lengths), .bs = k(2)});
  pass({.op = Vop::mul, .bmode = Bmode::vector, .b = k(p_.odd_lengths)});
  pass({.op = Vop::mad, .bmode = Bmode::scalar, .b = kf(768.0f), .s = kf(0.99f)});
  pass({.op = Vop::mad, .bmode = Bmode::scalar, .b = kf(-765.0f), .s = one});
  pass({.op = Vop::mad, .bmode = Bmode::vector, .red = Vred::max, .b = k(p_.numbers), .s = one, .r = k(p_.best)});
  const Reg first = k(p_.best);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = first, .a = first, .b = kf(2.0f), .rows = k(1), .cols = k(1)});
  e_.signal(Engine::ve, kMatched);
  e_.wait(Engine::seq, kMatched);
}

// Even row p4's key.
Lowering::Reg Lowering::match_key() {
  const Reg at = sum(p4_, p_.best), key = e_.temporary();
  e_.lds(key, at);
  e_.alui(AluFn::and_, key, key, ~0xffu);
  e_.alu(AluFn::add, key, key, p4_);
  return key;
}

void Lowering::choose_pairs() {
  e_.label("merge_choice");
  for (const Reg r : chosen_) e_.set(r, 0);
  e_.set(p4_, 1);
  const Reg rows = sum(p1_, -1);
  e_.loop(rows, [&] {
    const Reg key = match_key(), larger = e_.temporary();
    for (const Reg r : chosen_) {
      e_.alu(AluFn::maxu, larger, key, r);
      e_.alu(AluFn::minu, key, key, r);
      e_.copy(r, larger);
    }
    advance(p4_, 1);
  });
}

// The first of the chosen goes into its partner and to the end of the chosen. p4: even row, p5: odd row.
void Lowering::merge_pair() {
  const Reg pair = e_.temporary(), at = e_.temporary();
  e_.alui(AluFn::and_, pair, chosen_.front(), 0xff);
  e_.alui(AluFn::add, at, pair, p_.best);
  e_.lds(p5_, at);
  e_.alui(AluFn::and_, p5_, p5_, 0xff);
  e_.alui(AluFn::shl, p4_, pair, 1);
  e_.alui(AluFn::shl, p5_, p5_, 1);
  advance(p5_, 1);
  e_.wait(Engine::ld, kPair);
  load_x(p4_, k(p_.x * 4LL), k(1));
  load_x(p5_, k((p_.x + static_cast<long long>(p_.dn)) * 4), k(1));
  e_.signal(Engine::ld, kInput);
  e_.wait(Engine::ve, kInput);
  const auto from = [&] { return k(p_.x); };
  const auto to = [&] { return k(p_.x + static_cast<long long>(p_.dn)); };
  const auto scale = [&](Reg row, Reg by) {
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = row, .a = row, .b = by, .rows = k(1), .cols = k(p_.width)});
  };
  scale(from(), sum(p4_, p_.sizes));
  scale(to(), sum(p5_, p_.sizes));
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = to(), .a = to(), .b = from(), .s = kf(1.0f), .rows = k(1), .cols = k(p_.width)});
  // The sum of both sizes: single words are read as scalars of a row, and written as a row's sum.
  const auto part = [&] { return k(p_.part); };
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .wr = true, .dst = part(), .a = k(p_.numbers), .b = sum(p4_, p_.sizes), .rows = k(1), .cols = k(1)});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .wr = true, .dst = part(), .a = part(), .b = sum(p5_, p_.sizes), .s = kf(1.0f), .rows = k(1), .cols = k(1)});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::sum, .a = part(), .b = kf(1.0f), .r = sum(p5_, p_.sizes), .rows = k(1), .cols = k(1)});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = part(), .a = part(), .b = kf(1.0f), .rows = k(1), .cols = k(1)});
  scale(to(), k(p_.part));
  e_.signal(Engine::ve, kYReady);
  e_.wait(Engine::st, kYReady);
  const Reg row = times(p5_, p_.dn * 4LL);
  e_.put(Store{.win = 1, .space = Space::vmem, .da = sum(row, p_.d_x), .ca = k((p_.x + static_cast<long long>(p_.dn)) * 4), .len = k(p_.dn * 4LL), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::st, kPair);
  const Reg done = e_.temporary();
  e_.copy(done, chosen_.front());
  for (std::size_t i = 0; i + 1 < chosen_.size(); ++i) e_.copy(chosen_[i], chosen_[i + 1]);
  e_.copy(chosen_.back(), done);
}

// The numbers of the rows that stay, in order; a word each from a table of all numbers.
void Lowering::list_rows() {
  e_.label("merge_list");
  e_.set(p0_, p_.list * 4);
  e_.set(p4_, 0);
  e_.loop(p1_, [&] {
    const Reg key = match_key();
    e_.alu(AluFn::ltu, p5_, key, chosen_.back());
    const auto take = [&](int odd) {
      const Reg from = times(p4_, 8);
      e_.put(Load{.win = 0, .space = Space::vmem, .da = sum(from, p_.w_rows + 4LL * odd), .ca = p0_, .len = k(4), .n1 = p5_, .n2 = k(1)});
      e_.alui(AluFn::shl, p5_, p5_, 2);
      e_.alu(AluFn::add, p0_, p0_, p5_);
    };
    take(0);
    e_.alu(AluFn::ltu, p5_, p4_, p2_);
    take(1);
    advance(p4_, 1);
  });
}

// Rows move up, and have the next layer's norm made; what each stands for moves with it.
void Lowering::close_up() {
  const long long row = p_.dn * 4LL;
  e_.signal(Engine::ve, kYReady);
  e_.wait(Engine::st, kYReady);
  e_.put(Store{.win = 1, .space = Space::vmem, .da = k(p_.d_sizes), .ca = k(p_.sizes * 4LL), .len = times(n_, 4), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::st, kPair, 2);  // one of them is the next layer's first
  e_.signal(Engine::st, kXFree);
  e_.wait(Engine::ld, kPair, 2);
  e_.signal(Engine::ld, kListed);
  e_.wait(Engine::ld, kListed);
  advance(n_, -p_.merge);
  count_rows();
  e_.put(Load{.win = 1, .space = Space::vmem, .gather = true, .da = k(p_.d_sizes), .ca = k(p_.sizes * 4LL), .len = k(4), .n1 = n_, .ds1 = k(4), .cs1 = k(4),
              .n2 = k(1), .idx = k(p_.list)});
  blocks([&] {
    e_.label("merge_rows");
    e_.wait(Engine::ld, kXFree);
    e_.wait(Engine::ve, kYFree);
    e_.put(Load{.win = 1, .space = Space::vmem, .gather = true, .da = k(p_.d_x), .ca = k(p_.x * 4LL), .len = k(row), .n1 = m_, .ds1 = k(row), .cs1 = k(row),
                .n2 = k(1), .idx = sum(row_, p_.list)});
    e_.signal(Engine::ld, kInput);
    e_.wait(Engine::ve, kInput);
    row_sums();
    load_norm();
    e_.label("next_norm");
    norm(false, k(p_.y));
    store_rows();
    advance(norm_at_, -8LL * p_.dn);
  });
  advance(norm_at_, 8LL * p_.dn);
  e_.loop(blocks_, [&] { e_.wait(Engine::ld, kStored); });
  load_xq(0);
}

}  // namespace jogak::encoder
