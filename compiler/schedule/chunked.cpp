// Attention in chunks of keys: K and V of a head never lie on chip as a whole, nor a row of scores. For every head of a group the
// running maximum m, the running sum l and the unnormalised result O of each row wait in vector memory between chunks.
#include <bit>
#include <cfloat>
#include <cmath>

#include "lowering.hpp"

namespace jogak::schedule {

void Lowering::attend_chunks() {
  const int group = p_.heads / p_.kv_heads;
  const auto each_head = [&](auto&& body) {
    e_.set(o_, p_.o_state);
    e_.set(m_state_, p_.m_state);
    e_.repeat(u32(group), [&] {
      body();
      advance(o_, p_.hn);
      advance(m_state_, p_.state_rows);
    });
  };
  start_heads(group);
  first_chunk();
  e_.loop(p4_, [&] {
    next_chunk();
    each_head([&] {
      chunk_scores();
      chunk_values(group);
      advance(p0_, p_.hk);
    });
    advance(p0_, -static_cast<long long>(group) * p_.hk);
    e_.signal(Engine::mx, kKvFree);
    e_.signal(Engine::ve, kVsFree);
    if (p_.double_kv) {
      toggle(area_, p_.kv_area, static_cast<long long>(p_.kv_area) + p_.kv_area_bytes);
      toggle(vs_, p_.vscale_in, static_cast<long long>(p_.vscale_in) + p_.chunk);
    }
    advance(base_, p_.chunk);
  });
  each_head([&] { finish_head(group); });
  advance(p0_, static_cast<long long>(group) * p_.hk);
}

// With a sink the state is as if it had been a key: m is the sink, l is 1. Else
// O and l are 0 (whatever was there: a mask that hides all), m is -FLT_MAX. Each head's first product finds its turn free.
void Lowering::start_heads(int group) {
  const Reg wide = k(static_cast<long long>(group) * p_.hn), o = k(p_.o_state);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = o, .ds = wide, .a = o, .as = wide, .rows = m_, .cols = wide});
  const Reg l = k(p_.m_state + static_cast<long long>(group) * p_.state_rows), m = k(p_.m_state), stride = k(p_.state_rows), heads = k(group);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = l, .ds = stride, .a = l, .as = stride, .rows = heads, .cols = m_});
  if (p_.sinks) {
    const Reg sinks = times(p2_, group), one = kf(1.0f);
    advance(sinks, p_.extra + p_.at_sinks);
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .wr = true, .dst = m, .ds = stride, .a = l, .as = stride, .b = sinks, .bs = k(1), .s = one,
               .rows = heads, .cols = m_});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = l, .ds = stride, .a = l, .as = stride, .b = one, .s = one, .rows = heads, .cols = m_});
  } else {
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = m, .ds = stride, .a = l, .as = stride, .b = kf(-FLT_MAX), .s = kf(1.0f),
               .rows = heads, .cols = m_});
  }
  e_.signal(Engine::mx, kAttended, static_cast<unsigned>(group));
}

// base = the first chunk that the launch's first row sees any key of, p4 = how many chunks there are from there.
void Lowering::first_chunk() {
  const int shift = std::countr_zero(static_cast<unsigned>(p_.chunk));
  e_.set(base_, 0);
  if (p_.window > 0) {
    const Reg oldest = e_.temporary(), most = window();
    advance(most, -1);
    e_.alu(AluFn::maxu, oldest, pos_, most);
    e_.alu(AluFn::sub, base_, oldest, most);
    e_.alui(AluFn::and_, base_, base_, ~u32(p_.chunk - 1));
  }
  e_.alui(AluFn::add, p4_, keys_, u32(p_.chunk - 1));
  e_.alu(AluFn::sub, p4_, p4_, base_);
  e_.alui(AluFn::shr, p4_, p4_, u32(shift));
}

Lowering::Reg Lowering::window() {
  constexpr std::uint32_t kAll = 1u << 30;
  const Reg keys = e_.temporary();
  if (p_.window_period == 1) {
    e_.set(keys, u32(p_.window));
    return keys;
  }
  e_.alui(AluFn::and_, keys, window_, 1);
  e_.alui(AluFn::mul, keys, keys, u32(p_.window) - kAll);
  advance(keys, kAll);
  return keys;
}

void Lowering::turn_window() {
  if (p_.kinds_turn()) turn(window_, p_.window_period);
}

void Lowering::turn(Reg bits, int period) {
  const Reg first = e_.temporary();
  e_.alui(AluFn::shl, first, bits, u32(period - 1));
  e_.alui(AluFn::and_, first, first, 1u << (period - 1));
  e_.alui(AluFn::shr, bits, bits, 1);
  e_.alu(AluFn::or_, bits, bits, first);
}

void Lowering::rows_from(Reg begin, Reg row, Reg keys) {
  const Reg before = e_.temporary();
  e_.alu(AluFn::minu, before, begin, pos_);
  e_.alu(AluFn::sub, row, begin, before);
  e_.alu(AluFn::sub, keys, pos_, before);
  advance(keys, 1);
}

// Keys base .. base + chunk_keys - 1: loads them, and finds the rows that see any, p5 .. p5 + seeing - 1, the first of them p4 keys.
void Lowering::next_chunk() {
  e_.alu(AluFn::sub, chunk_keys_, keys_, base_);
  e_.alui(AluFn::minu, chunk_keys_, chunk_keys_, u32(p_.chunk));
  load_chunk();
  rows_from(base_, p5_, p4_);
  e_.alu(AluFn::sub, seeing_, m_, p5_);
  e_.wait(Engine::mx, kKvFull);
  e_.wait(Engine::ve, kVsFull);
}

void Lowering::load_chunk() {
  const auto plane = [&](Reg start) { return sum(start, static_cast<long long>(p_.chunk) * p_.hk); };
  const Reg first = p_.ring.tokens > 0 ? o_ : base_;  // o_ is each head's
  if (p_.ring.tokens > 0) slot_of(base_, first);
  e_.wait(Engine::ld, kKvFree);
  load_keys({.space = Space::wspm, .region = p_.kv_k, .unit = 32, .planes = p_.hk / 32, .to = area_, .keys = chunk_keys_, .first = first});
  load_keys({.space = Space::wsc, .region = p_.kv_ks, .unit = 2, .planes = p_.hk / 32, .to = shifted(AluFn::shr, area_, 4), .keys = chunk_keys_, .first = first});
  load_keys({.space = Space::wspm, .region = p_.kv_v, .unit = p_.cols, .planes = p_.hn / p_.cols, .to = plane(area_), .keys = chunk_keys_, .first = first});
  e_.signal(Engine::ld, kKvFull);
  e_.wait(Engine::ld, kVsFree);
  load_keys({.space = Space::vmem, .region = p_.kv_vs, .unit = 4, .planes = 1, .to = shifted(AluFn::shl, vs_, 2), .keys = chunk_keys_, .first = first});
  e_.signal(Engine::ld, kVsFull);
}

// Scores of the rows that see the chunk; maxima becomes the new m, m becomes exp(old m - new m), totals this chunk's sums.
// Rows that do not see it keep their m, since maxima starts as m, and get a sum of 0.
void Lowering::chunk_scores() {
  const float scale = score_scale();
  const Reg q = times(p5_, static_cast<long long>(p_.heads) * p_.hk);
  e_.alu(AluFn::add, q, q, p0_);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .colload = true, .w = area_,
            .ws = shifted(AluFn::shr, area_, 4), .wn = k(32LL * p_.cols), .wk = times(chunk_keys_, 32), .a = q, .am = k(static_cast<long long>(p_.heads) * p_.hk),
            .o = k(p_.work), .om = chunk_keys_, .on = k(p_.cols), .m = seeing_, .kb = k(p_.hk / 32),
            .nb = shifted(AluFn::shr, chunk_keys_, std::countr_zero(static_cast<unsigned>(p_.cols)))});
  e_.signal(Engine::mx, kResult);
  // Constants are asked for again and again: they last for a few instructions only.
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = k(p_.maxima), .a = m_state_, .b = kf(1.0f), .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(p_.totals), .a = k(p_.totals), .rows = k(1), .cols = m_});
  e_.wait(Engine::ve, kResult);
  cap_scores(seeing_, chunk_keys_);
  hide_old_keys();
  const Reg work = k(p_.work), first_max = sum(p5_, p_.maxima);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .masked = true, .linc = true, .a = work, .as = chunk_keys_, .b = kf(scale), .lim = p4_,
             .r = first_max, .rows = seeing_, .cols = chunk_keys_});
  const Reg maxima = k(p_.maxima);
  e_.put(Vec{.op = Vop::max, .bmode = Bmode::vector, .wr = true, .dst = maxima, .a = maxima, .b = m_state_, .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .func = Vfunc::exp, .wr = true, .negb = true, .dst = m_state_, .a = m_state_, .b = maxima,
             .s = kf(1.0f), .rows = k(1), .cols = m_});
  softmax_numerators();
}

// P of the chunk, times V's scales, quantised; its sums.
void Lowering::softmax_numerators() {
  const Reg work = k(p_.work), first_max = sum(p5_, p_.maxima), first_total = sum(p5_, p_.totals);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .wr = true, .negb = true, .masked = true, .linc = true,
             .dst = work, .ds = chunk_keys_, .a = work, .as = chunk_keys_, .b = first_max, .bs = k(1), .s = kf(score_scale()), .lim = p4_, .r = first_total,
             .rows = seeing_, .cols = chunk_keys_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .masked = true, .linc = true, .dst = work, .ds = chunk_keys_, .a = work, .as = chunk_keys_,
             .b = vs_, .lim = p4_, .rows = seeing_, .cols = chunk_keys_});
  e_.put(Qnt{.dst = k(p_.pq), .ds = chunk_keys_, .a = work, .as = chunk_keys_, .rows = seeing_, .cols = chunk_keys_});
}

// Scores of keys that have left a row's window become -2^100, by a sum: a row that sees nothing else of this chunk takes that for its maximum,
// and the factor exp(-2^100 - m) = 0 of a chunk with keys in its window wipes out what it had. 2^100 times any scale is exact.
void Lowering::hide_old_keys() {
  if (p_.window == 0) return;
  const Reg row = e_.temporary(), hidden = e_.temporary(), begin = window(), count = e_.temporary();
  e_.alu(AluFn::add, begin, begin, base_);
  rows_from(begin, row, hidden);
  e_.alu(AluFn::minu, row, row, m_);
  e_.alu(AluFn::sub, count, m_, row);
  e_.alu(AluFn::sub, row, row, p5_);
  e_.alu(AluFn::mul, row, row, chunk_keys_);
  const Reg away = k(p_.work + static_cast<long long>(p_.rows) * p_.chunk);
  advance(row, p_.work);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .masked = true, .linc = true, .dst = away, .ds = chunk_keys_, .a = row, .as = chunk_keys_,
             .b = kf(-0x1p100f), .lim = hidden, .rows = count, .cols = chunk_keys_});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = row, .ds = chunk_keys_, .a = row, .as = chunk_keys_, .b = away, .bs = chunk_keys_,
             .s = kf(1.0f), .rows = count, .cols = chunk_keys_});
}

// O = O * exp(old m - new m) + P V, l likewise, m is the new one. O waits for the product of the chunk before.
void Lowering::chunk_values(int group) {
  const Reg wide = k(static_cast<long long>(group) * p_.hn), factor = e_.temporary(), o = times(p5_, static_cast<long long>(group) * p_.hn);
  e_.alu(AluFn::add, factor, m_state_, p5_);
  e_.alu(AluFn::add, o, o, o_);
  e_.wait(Engine::ve, kAttended);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = o, .ds = wide, .a = o, .as = wide, .b = factor, .bs = k(1), .rows = seeing_,
             .cols = k(p_.head_dim)});
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16, .acc = true,
            .w = sum(area_, static_cast<long long>(p_.chunk) * p_.hk), .wn = times(chunk_keys_, p_.cols), .wk = k(32LL * p_.cols), .a = k(p_.pq),
            .am = chunk_keys_, .o = o, .om = wide, .on = k(p_.cols), .m = seeing_, .kb = shifted(AluFn::shr, chunk_keys_, 5), .nb = k(p_.hn / p_.cols)});
  e_.signal(Engine::mx, kAttended);
  const Reg l = sum(m_state_, static_cast<long long>(group) * p_.state_rows);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = l, .a = l, .b = m_state_, .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = l, .a = l, .b = k(p_.totals), .s = kf(1.0f), .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = m_state_, .a = k(p_.maxima), .b = kf(1.0f), .rows = k(1), .cols = m_});
}

void Lowering::finish_head(int group) {
  const Reg wide = k(static_cast<long long>(group) * p_.hn), one = k(1), l = sum(m_state_, static_cast<long long>(group) * p_.state_rows);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = l, .a = l, .b = kf(1.0f), .rows = one, .cols = m_});
  e_.wait(Engine::ve, kAttended);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = o_, .ds = wide, .a = o_, .as = wide, .b = l, .bs = one, .rows = m_,
             .cols = k(p_.head_dim)});
  e_.put(Qnt{.group = blocks(p_.pair_o), .dst = p1_, .ds = k(static_cast<long long>(p_.all_heads) * p_.hk), .a = o_, .as = wide, .rows = m_, .cols = k(p_.head_dim)});
  advance(p1_, p_.hk);
}

}  // namespace jogak::schedule
