#include <bit>
#include <cmath>

#include "lowering.hpp"

namespace jogak::encoder {

// Slot by slot, the vector engine behind the matrix engine.
void Lowering::product_with_bias(const MatrixPlan& m) {
  product(m, out_, p_.hn);
  finish(m, out_, p_.hn);
}

void Lowering::keys_and_values(const LayerPlan& l) {
  e_.wait(Engine::ve, kStagingFree);
  e_.label("attn_k");
  const auto start = [&](std::uint32_t codes, int unit, std::uint32_t scales, int scale_unit) {
    e_.alui(AluFn::mul, p1_, row_, u32(unit));
    advance(p1_, codes);
    e_.alui(AluFn::mul, p2_, row_, u32(scale_unit));
    advance(p2_, scales);
  };
  const int staged = p_.heads * p_.hk;
  const long long keys = p_.keys;
  e_.set(p0_, p_.kst);
  start_lengths();
  start(p_.d_k, 32, p_.d_ks, 2);
  e_.repeat(u32(l.k.iterations), [&] {
    product_with_bias(l.k);
    add_lengths();
    e_.put(Qnt{.dst = p0_, .ds = k(staged), .a = out_, .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
    give_head();
    e_.put(Store{.win = 1, .space = Space::aspm, .da = p1_, .ca = p0_, .len = k(32), .n1 = m_, .ds1 = k(32), .cs1 = k(staged), .n2 = k(p_.hk / 32),
                 .ds2 = k(keys * 32), .cs2 = k(32)});
    e_.put(Store{.win = 1, .space = Space::asc, .da = p2_, .ca = shifted(AluFn::shr, p0_, 4), .len = k(2), .n1 = m_, .ds1 = k(2), .cs1 = k(staged / 16),
                 .n2 = k(p_.hk / 32), .ds2 = k(keys * 2), .cs2 = k(2)});
    advance(p0_, p_.hk);
    advance(p1_, keys * p_.hk);
    advance(p2_, keys * p_.hk / 16);
  });
  store_lengths();
  e_.label("attn_v");
  e_.set(p0_, p_.vst);
  start(p_.d_v, p_.cols, p_.d_vs, 4);
  e_.set(p3_, p_.vscale_out);
  e_.repeat(u32(l.v.iterations), [&] {
    product_with_bias(l.v);
    e_.put(Qnt{.group = spec::Qgroup::row, .dst = p0_, .ds = k(staged), .a = out_, .as = k(p_.hn), .r = p3_, .rows = m_, .cols = k(p_.head_dim)});
    give_head();
    e_.put(Store{.win = 1, .space = Space::aspm, .da = p1_, .ca = p0_, .len = k(p_.cols), .n1 = m_, .ds1 = k(p_.cols), .cs1 = k(staged),
                 .n2 = k(p_.hn / p_.cols), .ds2 = k(keys * p_.cols), .cs2 = k(p_.cols)});
    e_.put(Store{.win = 1, .space = Space::vmem, .da = p2_, .ca = shifted(AluFn::shl, p3_, 2), .len = times(m_, 4), .n1 = k(1), .n2 = k(1)});
    advance(p0_, p_.hk);
    advance(p1_, keys * p_.hn);
    advance(p2_, keys * 4);
    advance(p3_, (p_.rows + p_.cols - 1) / p_.cols * p_.cols);
  });
  e_.signal(Engine::st, kStagingFree);
}

// A head's K or V is quantised: its output buffer is free, the store engine's turn.
void Lowering::give_head() {
  e_.signal(Engine::ve, kOutFree);
  toggle_out();
  e_.signal(Engine::ve, kStaged);
  e_.wait(Engine::st, kStaged);
}

// While the vector engine is at a head's softmax, the array makes the next head's queries.
void Lowering::attention(const LayerPlan& l) {
  if (p_.chunk > 0) return attention_in_chunks(l);
  e_.label("attn_q");
  e_.set(p0_, p_.oq);
  e_.set(p1_, 0);  // head
  e_.copy(p2_, m_);  // rows of x still to come
  e_.set(p3_, p_.x * 4);
  product(l.q, out_, p_.hn);
  load_keys();
  query(l.q);
  e_.repeat(u32(p_.heads - 1), [&] {
    scores();
    load_values();
    e_.label("attn_q");
    product(l.q, out_, p_.hn);
    advance(p1_, 1);
    load_keys();
    load_x_part();
    softmax();
    query(l.q);
    take_head();
    advance(p0_, p_.hk);
  });
  scores();
  load_values();
  e_.label("rows_in");
  if (!x_in_parts()) {
    e_.wait(Engine::ld, kXFree);
    load_x(row_, k(p_.x * 4LL), m_);
  }
  e_.signal(Engine::ld, kXFull);
  softmax();
  take_head();
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  e_.wait(Engine::mx, kXFull);
}

void Lowering::query(const MatrixPlan& m) {
  e_.label("attn_q");
  finish(m, out_, p_.hn);
  e_.put(Qnt{.dst = k(p_.q), .ds = k(p_.hk), .a = out_, .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
  e_.signal(Engine::ve, kOutFree);
  e_.signal(Engine::ve, kOperand);
  toggle_out();
}

void Lowering::load_keys() {
  e_.label("keys");
  const long long keys = p_.keys;
  const auto from = [&](std::uint32_t region, long long each) {
    const Reg at = times(p1_, each);
    return sum(at, region);
  };
  e_.wait(Engine::ld, kKFree);
  const Reg codes = from(p_.d_k, keys * p_.hk), run = times(keys_, 32);
  e_.put(Load{.win = 1, .space = Space::wspm, .da = codes, .ca = k(p_.k_area), .len = run, .n1 = k(p_.hk / 32), .ds1 = k(keys * 32), .cs1 = run, .n2 = k(1)});
  const Reg scales = from(p_.d_ks, keys * p_.hk / 16), scale_run = times(keys_, 2);
  e_.put(Load{.win = 1, .space = Space::wsc, .da = scales, .ca = k(p_.k_area / 16), .len = scale_run, .n1 = k(p_.hk / 32), .ds1 = k(keys * 2),
              .cs1 = scale_run, .n2 = k(1)});
  e_.signal(Engine::ld, kKFull);
}

void Lowering::load_values() {
  e_.label("values");
  const long long keys = p_.keys;
  e_.wait(Engine::ld, kVFree);
  const Reg head = times(p1_, keys * p_.hn), plane = times(keys_, p_.cols);
  e_.put(Load{.win = 1, .space = Space::wspm, .da = sum(head, p_.d_v), .ca = k(p_.v_area), .len = plane, .n1 = k(p_.hn / p_.cols), .ds1 = k(keys * p_.cols),
              .cs1 = plane, .n2 = k(1)});
  const Reg scales = times(p1_, keys * 4);
  e_.put(Load{.win = 1, .space = Space::vmem, .da = sum(scales, p_.d_vs), .ca = k(p_.vscale_in * 4LL), .len = times(keys_, 4), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kVFull);
  e_.signal(Engine::ld, kVsFull);
}

// Rows of x come during the later heads, a part each: the first heads' time belongs to the store of the block before.
bool Lowering::x_in_parts() const { return p_.heads >= kXFrom + 4; }

void Lowering::load_x_part() {
  if (!x_in_parts()) return;
  e_.label("rows_in");
  const int parts = p_.heads - kXFrom, each = (p_.rows + parts - 1) / parts;
  const Reg at = e_.temporary(), now = e_.temporary();
  e_.alui(AluFn::eq, at, p1_, u32(kXFrom));
  e_.copy(p4_, at);
  e_.loop(p4_, [&] { e_.wait(Engine::ld, kXFree); });
  e_.alui(AluFn::ltu, now, p1_, u32(kXFrom));
  e_.alui(AluFn::eq, now, now, 0);
  e_.alui(AluFn::mul, p4_, now, u32(each));
  e_.alu(AluFn::minu, p4_, p4_, p2_);
  const Reg row = e_.temporary(), done = e_.temporary();
  e_.alu(AluFn::sub, done, m_, p2_);
  e_.alu(AluFn::add, row, row_, done);
  load_x(row, p3_, p4_);
  e_.alu(AluFn::sub, p2_, p2_, p4_);
  const Reg bytes = times(p4_, p_.dn * 4LL);
  e_.alu(AluFn::add, p3_, p3_, bytes);
}

void Lowering::scores() {
  e_.label("scores");
  e_.wait(Engine::mx, kKFull);
  e_.wait(Engine::mx, kOperand);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .colload = true, .w = k(p_.k_area),
            .ws = k(p_.k_area / 16), .wn = k(32LL * p_.cols), .wk = times(keys_, 32), .a = k(p_.q), .am = k(p_.hk), .o = k(p_.work), .om = keys_,
            .on = k(p_.cols), .m = m_, .kb = k(p_.hk / 32), .nb = shifted(AluFn::shr, keys_, std::countr_zero(static_cast<unsigned>(p_.cols)))});
  e_.signal(Engine::mx, kKFree);
  e_.signal(Engine::mx, kResult);
}

void Lowering::softmax() {
  e_.label("softmax");
  const float scale = 1.0f / std::sqrt(static_cast<float>(p_.head_dim));
  Reg limit = n_;
  if (p_.causal) e_.copy(limit = p5_, sum(row_, 1));
  e_.wait(Engine::ve, kResult);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .masked = true, .linc = p_.causal, .a = k(p_.work), .as = keys_, .b = kf(scale),
             .lim = limit, .r = k(p_.maxima), .rows = m_, .cols = keys_});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = p_.merge > 0 ? Vred::none : Vred::sum, .wr = true, .negb = true, .masked = true,
             .linc = p_.causal, .dst = k(p_.work), .ds = keys_, .a = k(p_.work), .as = keys_, .b = k(p_.maxima), .bs = k(1), .s = kf(scale), .lim = limit,
             .r = k(p_.sums), .rows = m_, .cols = keys_});
  if (p_.merge > 0)  // a key counts as often as rows have gone into it
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .wr = true, .masked = true, .dst = k(p_.work), .ds = keys_, .a = k(p_.work), .as = keys_,
               .b = k(p_.sizes), .lim = limit, .r = k(p_.sums), .rows = m_, .cols = keys_});
  e_.wait(Engine::ve, kVsFull);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .masked = true, .linc = p_.causal, .dst = k(p_.work), .ds = keys_, .a = k(p_.work),
             .as = keys_, .b = k(p_.vscale_in), .lim = limit, .rows = m_, .cols = keys_});
  e_.put(Qnt{.dst = k(p_.pq), .ds = keys_, .a = k(p_.work), .as = keys_, .rows = m_, .cols = keys_});
  e_.signal(Engine::ve, kOperand);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = k(p_.sums), .a = k(p_.sums), .b = kf(1.0f), .rows = k(1),
             .cols = m_});
  e_.wait(Engine::mx, kOperand);
  e_.wait(Engine::mx, kVFull);
  e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16, .w = k(p_.v_area), .wn = times(keys_, p_.cols),
            .wk = k(32LL * p_.cols), .a = k(p_.pq), .am = keys_, .o = k(p_.result), .om = k(p_.hn), .on = k(p_.cols), .m = m_,
            .kb = shifted(AluFn::shr, keys_, 5), .nb = k(p_.hn / p_.cols)});
  e_.signal(Engine::mx, kVFree);
  e_.signal(Engine::mx, kResult);
}

void Lowering::take_head(Semaphore complete) {
  e_.label("attn_head");
  e_.wait(Engine::ve, complete);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = k(p_.result), .ds = k(p_.hn), .a = k(p_.result), .as = k(p_.hn),
             .b = k(p_.sums), .bs = k(1), .rows = m_, .cols = k(p_.head_dim)});
  e_.put(Qnt{.dst = p0_, .ds = k(p_.heads * p_.hk), .a = k(p_.result), .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
}

}  // namespace jogak::encoder
