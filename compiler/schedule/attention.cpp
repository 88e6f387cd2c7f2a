#include <bit>
#include <cmath>

#include "lowering.hpp"

namespace jogak::schedule {

void Lowering::projections(const LayerPlan& l) {
  adapter_input(AdapterGroup::qkv, p_.xq, p_.dk);
  e_.label(op::q);
  adapter_adds(p_.adapter.up_head(), AdapterGroup::qkv, 0);
  e_.set(p0_, p_.qq);
  if (p_.qkv_bias) e_.set(p4_, p_.extra);
  if (p_.extra_words > 0 && !(p_.parallel && p_.o_bias)) e_.wait(Engine::ve, kExtraFull);
  weights_.phase(l.q, [&](const Prefetch& next) {
    project(l.q, next, m_, p_.hn, Engine::ve, [&] {
      add_bias();
      norm_head(0);
      rope();
      e_.put(Qnt{.dst = p0_, .ds = k(p_.heads * p_.hk), .a = out_, .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
      e_.signal(Engine::ve, kOutFree);
      advance(p0_, p_.hk);
    });
  });
  const int staged = p_.kv_heads * p_.hk;
  e_.label(op::k);
  adapter_adds(p_.adapter.up_head(), AdapterGroup::qkv, 1);
  e_.set(p0_, p_.kst);
  begin_append();
  dram_at(p1_, p_.kv_k, 32);
  dram_at(p2_, p_.kv_ks, 2);
  weights_.phase(l.k, [&](const Prefetch& next) {
    project(l.k, next, m_, p_.hn, Engine::ve, [&] {
      add_bias();
      norm_head(1);
      rope();
      e_.put(Qnt{.dst = p0_, .ds = k(staged), .a = out_, .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
      e_.signal(Engine::ve, kOutFree);
      e_.signal(Engine::ve, kStaged);
      e_.wait(Engine::st, kStaged);
      if (p_.paged()) return advance(p0_, p_.hk);
      append(p1_, p0_, {32, staged}, [&](Reg to, Reg from, Reg rows) {
        e_.put(Store{.win = 1, .space = Space::aspm, .da = to, .ca = from, .len = k(32), .n1 = rows, .ds1 = k(32), .cs1 = k(staged),
                     .n2 = k(p_.hk / 32), .ds2 = cache(32), .cs2 = k(32)});
      });
      append(p2_, shifted(AluFn::shr, p0_, 4), {2, staged / 16}, [&](Reg to, Reg from, Reg rows) {
        e_.put(Store{.win = 1, .space = Space::asc, .da = to, .ca = from, .len = k(2), .n1 = rows, .ds1 = k(2),
                     .cs1 = k(staged / 16), .n2 = k(p_.hk / 32), .ds2 = cache(2), .cs2 = k(2)});
      });
      advance(p0_, p_.hk);
      advance_cache(p1_, p_.hk);
      advance_cache(p2_, p_.hk / 16);
    });
  });
  if (p_.paged()) append_keys();
  e_.label(op::v);
  adapter_adds(p_.adapter.up_head(), AdapterGroup::qkv, 2);
  const int scales = (p_.rows + p_.cols - 1) / p_.cols * p_.cols;
  e_.set(p0_, p_.vst);
  dram_at(p1_, p_.kv_v, p_.cols);
  dram_at(p2_, p_.kv_vs, 4);
  e_.set(p3_, p_.vscale_out);
  weights_.phase(l.v, [&](const Prefetch& next) {
    project(l.v, next, m_, p_.hn, Engine::ve, [&] {
      add_bias();
      e_.put(Qnt{.group = spec::Qgroup::row, .dst = p0_, .ds = k(staged), .a = out_, .as = k(p_.hn), .r = p3_, .rows = m_,
                 .cols = k(p_.head_dim)});
      e_.signal(Engine::ve, kOutFree);
      e_.signal(Engine::ve, kStaged);
      e_.wait(Engine::st, kStaged);
      if (p_.paged()) return advance(p0_, p_.hk), advance(p3_, scales);
      append(p1_, p0_, {p_.cols, staged}, [&](Reg to, Reg from, Reg rows) {
        e_.put(Store{.win = 1, .space = Space::aspm, .da = to, .ca = from, .len = k(p_.cols), .n1 = rows, .ds1 = k(p_.cols), .cs1 = k(staged),
                     .n2 = k(p_.hn / p_.cols), .ds2 = cache(p_.cols), .cs2 = k(p_.cols)});
      });
      append(p2_, shifted(AluFn::shl, p3_, 2), {4, 4}, [&](Reg to, Reg from, Reg rows) {
        e_.put(Store{.win = 1, .space = Space::vmem, .da = to, .ca = from, .len = times(rows, 4), .n1 = k(1), .n2 = k(1)});
      });
      advance(p0_, p_.hk);
      advance_cache(p1_, p_.hn);
      advance_cache(p2_, 4);
      advance(p3_, scales);
    });
  });
  if (p_.paged()) append_values();
  adds_.reset();
  e_.signal(Engine::st, kAppended);
  e_.signal(Engine::st, kStagingFree);
}

void Lowering::dram_at(Reg r, std::uint32_t region, int unit) {
  e_.alui(AluFn::mul, r, p_.ring.tokens > 0 ? chunk_keys_ : pos_, u32(unit));
  e_.alu(AluFn::add, r, r, kv_);
  advance_cache(r, region / u32(p_.kv_tokens()));
}

void Lowering::add_bias() {
  if (!p_.qkv_bias) return;
  const Reg hn = k(p_.hn);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn, .b = p4_, .s = kf(1.0f), .rows = m_,
             .cols = k(p_.head_dim)});
  advance(p4_, p_.hn);
}

void Lowering::norm_head(int which) {
  if (!p_.qk_norm) return;
  const Reg hn = k(p_.hn), cols = k(p_.head_dim), sums = k(p_.sums);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = out_, .as = hn, .b = out_, .bs = hn, .r = sums, .rows = m_, .cols = cols});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = sums, .a = sums, .b = kf(p_.eps),
             .s = kf(1.0f / static_cast<float>(p_.head_dim)), .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn, .b = sums, .bs = k(1), .rows = m_,
             .cols = cols});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn,
             .b = k(static_cast<long long>(p_.extra) + p_.head_bias_words() + which * p_.hn), .rows = m_, .cols = cols});
}

void Lowering::rope() {
  if (p_.rotary_tables == 0) return;
  const auto table = [&](std::uint32_t at) {
    if (p_.rotary_tables == 1) return k(at);
    const Reg which = e_.temporary();
    e_.alui(AluFn::and_, which, window_, 1);
    e_.alui(AluFn::mul, which, which, u32(static_cast<long long>(p_.rows) * p_.hn));
    advance(which, at);
    return which;
  };
  const Reg hn = k(p_.hn), cols = k(p_.head_dim), temp = k(p_.temp);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .swap = true, .dst = temp, .ds = hn, .a = out_, .as = hn, .b = table(p_.sines),
             .bs = hn, .rows = m_, .cols = cols});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn, .b = table(p_.cosines), .bs = hn,
             .rows = m_, .cols = cols});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn, .b = temp, .bs = hn,
             .s = kf(1.0f), .rows = m_, .cols = cols});
}

void Lowering::attention() {
  e_.label("attention");
  e_.wait(Engine::ld, kAppended);
  if (p_.chunk > 0) e_.wait(Engine::mx, kOutFree, p_.out_buffers);
  e_.set(p0_, p_.qq);
  own(p1_, p_.oq, p_.heads * p_.hk);
  e_.set(p2_, 0);  // kv head
  if (p_.sinks) e_.set(p5_, p_.extra + p_.at_sinks);
  each_kv_head([&] {
    if (p_.chunk > 0) attend_chunks();
    else attend_whole();
    if (p_.dies == 1) return;
    const int bytes = p_.heads / p_.kv_heads * p_.hk;
    e_.alui(AluFn::add, p4_, p1_, u32(-bytes));
    gather_piece(p4_, bytes, p_.all_heads * p_.hk);
  });
  if (p_.chunk > 0) e_.signal(Engine::ve, kOutFree, p_.out_buffers);
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  end_gather(p_.oq, p_.heads * p_.hk);
}

void Lowering::cap_scores(Reg rows, Reg keys) {
  if (p_.score_cap > 0) cap([&] { return k(p_.work); }, [&] { return keys; }, rows, p_.query_scale, p_.score_cap);
}

void Lowering::attend_whole() {
  load_kv();
  e_.wait(Engine::mx, kKvFull);
  e_.wait(Engine::ve, kVsFull);
  e_.repeat(u32(p_.heads / p_.kv_heads), [&] {
    head();
    advance(p0_, p_.hk);
    advance(p1_, p_.hk);
    if (p_.sinks) advance(p5_, 1);
  });
  e_.signal(Engine::mx, kKvFree);
  e_.signal(Engine::ve, kVsFree);
  if (p_.double_kv) {
    toggle(area_, p_.kv_area, static_cast<long long>(p_.kv_area) + p_.kv_area_bytes);
    toggle(vs_, p_.vscale_in, static_cast<long long>(p_.vscale_in) + p_.context);
  }
}

void Lowering::load_kv() {
  const auto plane = [&](Reg start) { return sum(start, static_cast<long long>(p_.context) * p_.hk); };
  e_.wait(Engine::ld, kKvFree);
  load_keys({.space = Space::wspm, .region = p_.kv_k, .unit = 32, .planes = p_.hk / 32, .to = area_, .keys = keys_});
  load_keys({.space = Space::wsc, .region = p_.kv_ks, .unit = 2, .planes = p_.hk / 32, .to = shifted(AluFn::shr, area_, 4), .keys = keys_});
  load_keys({.space = Space::wspm, .region = p_.kv_v, .unit = p_.cols, .planes = p_.hn / p_.cols, .to = plane(area_), .keys = keys_});
  e_.signal(Engine::ld, kKvFull);
  e_.wait(Engine::ld, kVsFree);
  load_keys({.space = Space::vmem, .region = p_.kv_vs, .unit = 4, .planes = 1, .to = shifted(AluFn::shl, vs_, 2), .keys = keys_});
  e_.signal(Engine::ld, kVsFull);
}

// totals += exp(sink - maxima).
void Lowering::add_sink() {
  const Reg part = k(p_.sums), one = kf(1.0f), totals = k(p_.totals);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .wr = true, .nega = true, .dst = part, .a = k(p_.maxima), .b = p5_, .s = one,
             .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = totals, .a = totals, .b = part, .s = one, .rows = k(1), .cols = m_});
}

void Lowering::head() {
  const float scale = score_scale();
  const Reg limit = p4_;
  e_.alui(AluFn::add, limit, pos_, 1);
  e_.wait(Engine::mx, kOutFree, p_.out_buffers);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .colload = true, .w = area_,
            .ws = shifted(AluFn::shr, area_, 4), .wn = k(32LL * p_.cols), .wk = times(keys_, 32), .a = p0_, .am = k(p_.heads * p_.hk),
            .o = k(p_.work), .om = keys_, .on = k(p_.cols), .m = m_, .kb = k(p_.hk / 32),
            .nb = shifted(AluFn::shr, keys_, std::countr_zero(static_cast<unsigned>(p_.cols)))});
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  cap_scores(m_, keys_);
  const Reg work = k(p_.work);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .masked = true, .linc = true, .a = work, .as = keys_, .b = kf(scale),
             .lim = limit, .r = k(p_.maxima), .rows = m_, .cols = keys_});
  if (p_.sinks) {
    const Reg maxima = k(p_.maxima);
    e_.put(Vec{.op = Vop::max, .bmode = Bmode::row_scalar, .wr = true, .dst = maxima, .a = maxima, .b = p5_, .rows = k(1), .cols = m_});
  }
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .wr = true, .negb = true, .masked = true,
             .linc = true, .dst = work, .ds = keys_, .a = work, .as = keys_, .b = k(p_.maxima), .bs = k(1), .s = kf(scale), .lim = limit,
             .r = k(p_.totals), .rows = m_, .cols = keys_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .masked = true, .linc = true, .dst = work, .ds = keys_, .a = work, .as = keys_,
             .b = vs_, .lim = limit, .rows = m_, .cols = keys_});
  e_.put(Qnt{.dst = k(p_.pq), .ds = keys_, .a = work, .as = keys_, .rows = m_, .cols = keys_});
  e_.signal(Engine::ve, kOperand);
  if (p_.sinks) add_sink();
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = k(p_.totals), .a = k(p_.totals), .b = kf(1.0f),
             .rows = k(1), .cols = m_});
  e_.wait(Engine::mx, kOperand);
  const Reg result = k(static_cast<long long>(p_.work) + static_cast<long long>(p_.rows) * p_.context), hn = k(p_.hn);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16,
            .w = sum(area_, static_cast<long long>(p_.context) * p_.hk), .wn = times(keys_, p_.cols), .wk = k(32LL * p_.cols), .a = k(p_.pq),
            .am = keys_, .o = result, .om = hn, .on = k(p_.cols), .m = m_, .kb = shifted(AluFn::shr, keys_, 5), .nb = k(p_.hn / p_.cols)});
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = result, .ds = hn, .a = result, .as = hn, .b = k(p_.totals),
             .bs = k(1), .rows = m_, .cols = k(p_.head_dim)});
  e_.put(Qnt{.group = blocks(p_.pair_o), .dst = p1_, .ds = k(p_.all_heads * p_.hk), .a = result, .as = hn, .rows = m_, .cols = k(p_.head_dim)});
  e_.signal(Engine::ve, kOutFree, p_.out_buffers);
}

}  // namespace jogak::schedule
