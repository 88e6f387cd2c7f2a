// Attention in chunks of keys, for contexts of any length: K and V of a head never lie on chip as a whole, nor a row of scores. The scores of
// the chunk behind are made while the vector engine is at this one's softmax: two buffers each for scores, P, K and V, which take turns
// from chunk to chunk, head to head and block to block.
#include <bit>
#include <cfloat>
#include <cmath>

#include "lowering.hpp"

namespace jogak::encoder {

void Lowering::begin_chunks() {
  if (p_.chunk == 0) return;
  for (Reg* r : {&base_, &turn_, &key_base_, &key_head_, &seeing_, &scores_at_}) *r = e_.variable();
  e_.set(turn_, 0);
  e_.signal(Engine::seq, kKFree);  // the second buffers
  e_.signal(Engine::seq, kVFree);
}

void Lowering::attention_in_chunks(const LayerPlan& l) {
  e_.label("attn_q");
  e_.set(p0_, p_.oq);
  e_.set(p1_, 0);    // head
  e_.copy(p2_, m_);  // rows of x still to come
  e_.set(p3_, p_.x * 4);
  for (const Reg r : {base_, key_base_, key_head_}) e_.set(r, 0);
  product(l.q, out_, p_.hn);
  load_key_chunk(false);
  load_value_chunk();
  load_key_chunk(true);
  query(l.q);
  start_head();
  chunk_scores(0, false, true);
  e_.repeat(u32(p_.heads - 1), [&] {
    inner_chunks();
    e_.label("attn_q");
    product(l.q, out_, p_.hn);
    chunk_softmax();
    query(l.q);
    chunk_values();
    finish_head();
    next_head();
    start_head();
    chunk_scores(0, false, true);
    load_x_part();
  });
  inner_chunks();
  e_.label("rows_in");
  if (!x_in_parts()) {
    e_.wait(Engine::ld, kXFree);
    load_x(row_, k(p_.x * 4LL), m_);
  }
  e_.signal(Engine::ld, kXFull);
  chunk_softmax();
  chunk_values();
  finish_head();
  next_head();
  // Loads behind the last chunk bring nothing.
  e_.wait(Engine::mx, kKFull, 2);
  e_.signal(Engine::mx, kKFree, 2);
  e_.wait(Engine::mx, kVFull);
  e_.signal(Engine::mx, kVFree);
  e_.wait(Engine::ve, kVsFull);
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  e_.wait(Engine::mx, kXFull);
}

// All chunks of this head but the last.
void Lowering::inner_chunks() {
  e_.label("chunks");
  const Reg more = seen_keys();
  advance(more, -1);
  e_.alui(AluFn::shr, more, more, u32(std::countr_zero(static_cast<unsigned>(p_.chunk))));
  e_.copy(p4_, more);
  e_.loop(p4_, [&] {
    const Reg behind = sum(base_, p_.chunk);
    chunk_scores(behind, true, false);
    chunk_softmax();
    chunk_values();
    advance(base_, p_.chunk);
    turn();
  });
}

void Lowering::turn() {
  e_.alui(AluFn::eq, turn_, turn_, 0);
  load_value_chunk();
  load_key_chunk(true);
}

void Lowering::next_head() {
  advance(p0_, p_.hk);
  advance(p1_, 1);
  e_.set(base_, 0);
  turn();
}

// Keys that the last row of this block sees.
Lowering::Reg Lowering::seen_keys() {
  const Reg seen = e_.temporary();
  if (p_.causal) e_.alu(AluFn::add, seen, row_, m_);
  else e_.copy(seen, n_);
  return seen;
}

// Of the rows of this block those that see key `base`: the first of them, how many, and how many keys from there on the first one sees.
void Lowering::rows_that_see(Reg base, Reg first, Reg rows, Reg keys) {
  if (!p_.causal) {
    e_.set(first, 0);
    e_.copy(rows, m_);
    return e_.alu(AluFn::sub, keys, n_, base);
  }
  const Reg before = e_.temporary();
  e_.alu(AluFn::minu, before, base, row_);
  e_.alu(AluFn::sub, first, base, before);
  e_.alu(AluFn::sub, rows, m_, first);
  e_.alu(AluFn::sub, keys, row_, before);
  advance(keys, 1);
}

// Of two places `size` apart the one whose turn it is, or the other one.
Lowering::Reg Lowering::place(std::uint32_t first, long long size, bool other) {
  const Reg at = e_.temporary();
  if (!other) {
    e_.alui(AluFn::mul, at, turn_, u32(size));
  } else {
    e_.alui(AluFn::eq, at, turn_, 0);
    e_.alui(AluFn::mul, at, at, u32(size));
  }
  e_.alui(AluFn::add, at, at, first);
  return at;
}

// K of the next chunk in order, head by head; behind the last one nothing.
void Lowering::load_key_chunk(bool other) {
  e_.label("keys");
  const long long keys = p_.keys, chunk = p_.chunk;
  const Reg runs = e_.temporary();
  e_.alui(AluFn::ltu, runs, key_head_, u32(p_.heads));
  e_.alui(AluFn::mul, runs, runs, u32(p_.hk / 32));
  const auto from = [&](std::uint32_t region, long long each, int unit) {
    const Reg at = times(key_head_, each), in = times(key_base_, unit);
    e_.alu(AluFn::add, at, at, in);
    e_.alui(AluFn::add, at, at, region);
    return at;
  };
  e_.wait(Engine::ld, kKFree);
  const Reg to = place(p_.k_area, chunk * p_.hk, other), codes = from(p_.d_k, keys * p_.hk, 32);
  e_.put(Load{.win = 1, .space = Space::wspm, .da = codes, .ca = to, .len = k(chunk * 32), .n1 = runs, .ds1 = k(keys * 32), .cs1 = k(chunk * 32), .n2 = k(1)});
  const Reg scales = from(p_.d_ks, keys * p_.hk / 16, 2);
  e_.put(Load{.win = 1, .space = Space::wsc, .da = scales, .ca = shifted(AluFn::shr, to, 4), .len = k(chunk * 2), .n1 = runs, .ds1 = k(keys * 2),
              .cs1 = k(chunk * 2), .n2 = k(1)});
  e_.signal(Engine::ld, kKFull);
  const Reg inside = e_.temporary(), seen = seen_keys();
  advance(key_base_, chunk);
  e_.alu(AluFn::ltu, inside, key_base_, seen);
  e_.alu(AluFn::mul, key_base_, key_base_, inside);
  e_.alu(AluFn::sub, key_head_, key_head_, inside);
  advance(key_head_, 1);
}

// V of the chunk at hand; behind the last head nothing.
void Lowering::load_value_chunk() {
  e_.label("values");
  const long long keys = p_.keys, chunk = p_.chunk;
  const auto from = [&](std::uint32_t region, long long each, int unit) {
    const Reg at = times(p1_, each), in = times(base_, unit);
    e_.alu(AluFn::add, at, at, in);
    e_.alui(AluFn::add, at, at, region);
    return at;
  };
  const Reg more = e_.temporary(), runs = e_.temporary();
  e_.alui(AluFn::ltu, more, p1_, u32(p_.heads));
  e_.alui(AluFn::mul, runs, more, u32(p_.hn / p_.cols));
  e_.wait(Engine::ld, kVFree);
  const Reg codes = from(p_.d_v, keys * p_.hn, p_.cols), to = place(p_.v_area, chunk * p_.hn, false);
  e_.put(Load{.win = 1, .space = Space::wspm, .da = codes, .ca = to, .len = k(chunk * p_.cols), .n1 = runs, .ds1 = k(keys * p_.cols),
              .cs1 = k(chunk * p_.cols), .n2 = k(1)});
  const Reg scales = from(p_.d_vs, keys * 4, 4), at = place(p_.vscale_in * 4, chunk * 4, false);
  e_.put(Load{.win = 1, .space = Space::vmem, .da = scales, .ca = at, .len = k(chunk * 4), .n1 = more, .n2 = k(1)});
  e_.signal(Engine::ld, kVFull);
  e_.signal(Engine::ld, kVsFull);
}

// Nothing seen so far (O and l: a mask that hides all, whatever was there). The first product of P and V finds its turn free.
void Lowering::start_head() {
  e_.label("attn_head");
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(p_.result), .ds = k(p_.hn), .a = k(p_.result), .as = k(p_.hn), .rows = m_,
             .cols = k(p_.hn)});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(p_.sums), .a = k(p_.sums), .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = k(p_.state), .a = k(p_.sums), .b = kf(-FLT_MAX), .s = kf(1.0f), .rows = k(1), .cols = m_});
  e_.signal(Engine::mx, kAttended);
}

// first: of a head, whose queries it waits for.
void Lowering::chunk_scores(Reg base, bool other, bool first) {
  e_.label("scores");
  const long long chunk = p_.chunk;
  e_.wait(Engine::mx, kKFull);
  if (first) e_.wait(Engine::mx, kOperand);
  const Reg row = e_.temporary(), rows = e_.temporary(), keys = e_.temporary();
  rows_that_see(base, row, rows, keys);
  const Reg q = times(row, p_.hk);
  e_.alui(AluFn::add, q, q, p_.q);
  const Reg w = place(p_.k_area, chunk * p_.hk, other), out = place(p_.work, p_.rows * chunk, other);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .colload = true, .w = w, .ws = shifted(AluFn::shr, w, 4),
            .wn = k(32LL * p_.cols), .wk = k(chunk * 32), .a = q, .am = k(p_.hk), .o = out, .om = k(chunk), .on = k(p_.cols), .m = rows,
            .kb = k(p_.hk / 32), .nb = k(chunk / p_.cols)});
  e_.signal(Engine::mx, kKFree);
  e_.signal(Engine::mx, kResult);
}

// state: the maxima so far, then exp(them - the new ones); sums and the result follow them. p4: first row that sees the chunk, p5: its keys.
void Lowering::chunk_softmax() {
  e_.label("softmax");
  const float scale = 1.0f / std::sqrt(static_cast<float>(p_.head_dim));
  const long long chunk = p_.chunk;
  rows_that_see(base_, p4_, seeing_, p5_);
  e_.copy(scores_at_, place(p_.work, p_.rows * chunk, false));
  if (p_.causal) {  // the other rows' maxima stay, and they add nothing
    small(Vec{.op = Vop::max, .dst = k(p_.maxima), .a = k(p_.state), .b = k(p_.state)});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(p_.part), .a = k(p_.part), .rows = k(1), .cols = m_});
  }
  e_.wait(Engine::ve, kResult);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .masked = true, .linc = p_.causal, .a = scores_at_, .as = k(chunk), .b = kf(scale), .lim = p5_,
             .r = sum(p4_, p_.maxima), .rows = seeing_, .cols = k(chunk)});
  small(Vec{.op = Vop::max, .dst = k(p_.maxima), .a = k(p_.maxima), .b = k(p_.state)});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .wr = true, .negb = true, .masked = true, .linc = p_.causal,
             .dst = scores_at_, .ds = k(chunk), .a = scores_at_, .as = k(chunk), .b = sum(p4_, p_.maxima), .bs = k(1), .s = kf(scale), .lim = p5_,
             .r = sum(p4_, p_.part), .rows = seeing_, .cols = k(chunk)});
  e_.wait(Engine::ve, kVsFull);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .masked = true, .linc = p_.causal, .dst = scores_at_, .ds = k(chunk), .a = scores_at_, .as = k(chunk),
             .b = place(p_.vscale_in, chunk, false), .lim = p5_, .rows = seeing_, .cols = k(chunk)});
  const Reg p = place(p_.pq, p_.rows * chunk, false);
  e_.put(Qnt{.dst = p, .ds = k(chunk), .a = scores_at_, .as = k(chunk), .rows = seeing_, .cols = k(chunk)});
  small(Vec{.op = Vop::mad, .func = Vfunc::exp, .negb = true, .dst = k(p_.state), .a = k(p_.state), .b = k(p_.maxima), .s = kf(1.0f)});
  e_.wait(Engine::ve, kAttended);
  const Reg factors = sum(p4_, p_.state), result = times(p4_, p_.hn);
  e_.alui(AluFn::add, result, result, p_.result);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = result, .ds = k(p_.hn), .a = result, .as = k(p_.hn), .b = factors, .bs = k(1),
             .rows = seeing_, .cols = k(p_.hn)});
  e_.signal(Engine::ve, kOperand);
  small(Vec{.op = Vop::mul, .dst = k(p_.sums), .a = k(p_.sums), .b = k(p_.state)});
  small(Vec{.op = Vop::mad, .dst = k(p_.sums), .a = k(p_.sums), .b = k(p_.part), .s = kf(1.0f)});
  small(Vec{.op = Vop::max, .dst = k(p_.state), .a = k(p_.maxima), .b = k(p_.maxima)});
}

// A value per row.
void Lowering::small(Vec v) {
  v.bmode = Bmode::vector, v.wr = true, v.rows = k(1), v.cols = m_;
  e_.put(v);
}

// The result of the rows that see the chunk += P V.
void Lowering::chunk_values() {
  e_.label("attend");
  const long long chunk = p_.chunk;
  e_.wait(Engine::mx, kOperand);
  e_.wait(Engine::mx, kVFull);
  const Reg result = times(p4_, p_.hn);
  e_.alui(AluFn::add, result, result, p_.result);
  const Reg w = place(p_.v_area, chunk * p_.hn, false), p = place(p_.pq, p_.rows * chunk, false);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16, .acc = true, .w = w, .wn = k(chunk * p_.cols),
            .wk = k(32LL * p_.cols), .a = p, .am = k(chunk), .o = result, .om = k(p_.hn), .on = k(p_.cols), .m = seeing_, .kb = k(chunk / 32),
            .nb = k(p_.hn / p_.cols)});
  e_.signal(Engine::mx, kVFree);
  e_.signal(Engine::mx, kAttended);
}

void Lowering::finish_head() {
  e_.label("attn_head");
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = k(p_.sums), .a = k(p_.sums), .b = kf(1.0f), .rows = k(1), .cols = m_});
  take_head(kAttended);
}

}  // namespace jogak::encoder
