// A mixture of experts. The matrix engine makes the router's logits of all rows, the vector engine their softmax; then, row by row, the
// sequencer reads the logits, keeps the largest ones, and from their indices computes where each expert's weights lie in DRAM.
#include <bit>

#include "lowering.hpp"

namespace jogak::schedule {
namespace {

constexpr std::uint32_t kOne = 0x3f800000u;  // 1.0 in fp32

}  // namespace

// What lies behind attention and its norm.
void Lowering::feed(const LayerPlan& l) {
  if (!p_.some_routed()) return l.routed() ? mixture(l) : dense(l);
  if (p_.feed_period == 0) {  // attention is a run of its own
    weights_.fill_run();
    return l.routed() ? mixture(l) : dense(l);
  }
  // Layers of both kinds run this code; loops of no turns skip what the layer at hand does not have.
  const auto here = [&](bool routed) {
    const Reg bit = shifted(AluFn::and_, feed_, 1);
    if (!routed) e_.alui(AluFn::eq, bit, bit, 0);
    return bit;
  };
  const auto seek = [&](bool routed) {
    weights_.seek_feed(p_.first_layer(routed));
    weights_.fill_run();
  };
  e_.loop(here(false), [&] {
    seek(false);
    dense(p_.layer[p_.first_layer(false)]);
  });
  const LayerPlan& r = p_.routed_layer();
  e_.loop(here(true), [&] {
    seek(true);
    begin_mixture(r);
  });
  const Reg rows = here(true);
  e_.alu(AluFn::mul, rows, rows, m_);
  rows_of_experts(r, rows);
  e_.loop(here(true), [&] { end_mixture(); });
  turn(feed_, p_.feed_period);
}

void Lowering::dense(const LayerPlan& l) {
  if (late_extra() && !last_extra()) release_extra();
  feed_forward(l.ffn, {op::ffn, p_.fk});
  if (p_.post_norm) residual_normed(op::down, l.down, p_.hq, p_.fk, AdapterGroup::down);
  else residual(op::down, l.down, p_.hq, p_.fk, AdapterGroup::down);
  if (last_extra()) release_extra();
}

void Lowering::mixture(const LayerPlan& l) {
  begin_mixture(l);
  rows_of_experts(l, m_);
  end_mixture();
}

// All rows through the router and the shared expert, whose result is added to x while the port would run dry: its slots follow the router's.
void Lowering::begin_mixture(const LayerPlan& l) {
  route(l.router);
  if (late_extra()) release_extra();
  if (l.shared()) {
    feed_forward(l.shared_ffn, {op::shared_ffn, p_.sk, true});
    residual(op::shared_down, l.shared_down, p_.hq, p_.sk);
    e_.wait(Engine::ve, kResult);
  } else {
    e_.wait(Engine::ve, kStagingFree);
  }
  e_.wait(Engine::seq, kRouted);
}

void Lowering::end_mixture() {
  e_.signal(Engine::mx, kResult);
  gather_columns(Engine::ve, p_.x);
  next_experts();
}

void Lowering::rows_of_experts(const LayerPlan& l, Reg rows) {
  if (p_.spread) return rows_of_own_experts(l, rows);
  e_.label(op::experts);
  e_.set(p2_, p_.x);
  e_.set(p3_, p_.xq);
  e_.set(p4_, p_.route);
  e_.loop(rows, [&] {
    choose();
    share_out();
    e_.repeat(u32(p_.mixture.top), [&] { expert(l); });
    advance(p2_, p_.dn);
    advance(p3_, p_.dk);
    advance(p4_, p_.ep);
  });
}

void Lowering::route(const MatrixPlan& m) {
  e_.label(op::router);
  e_.set(p0_, p_.route);
  weights_.phase(m, [&](const Prefetch& next) {
    weights_.slots(next, [&](const std::optional<SlotSize>& size) {
      weights_.consume(m, size, {.a = k(p_.xq), .am = k(p_.dk), .o = p0_, .om = k(p_.ep), .on = k(p_.cols), .m = m_});
      advance(p0_, static_cast<long long>(m.nbs) * p_.cols);
    });
  });
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  const Reg logits = k(p_.route), ep = k(p_.ep), count = k(p_.mixture.experts), one = k(kOne);
  if (p_.expert_bias)
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = logits, .ds = ep, .a = logits, .as = ep, .b = k(p_.extra + p_.at_router_bias),
               .s = one, .rows = m_, .cols = count});
  const Reg maxima = k(p_.maxima), shares = k(p_.shares), totals = k(p_.totals), next = k(1);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .a = logits, .as = ep, .b = one, .r = maxima, .rows = m_, .cols = count});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .wr = true, .negb = true, .dst = shares, .ds = ep,
             .a = logits, .as = ep, .b = maxima, .bs = next, .s = one, .r = totals, .rows = m_, .cols = count});
  if (!p_.mixture.over_chosen) {
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = totals, .a = totals, .b = one, .rows = next, .cols = m_});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = shares, .ds = ep, .a = shares, .as = ep, .b = totals, .bs = next,
               .rows = m_, .cols = count});
  }
  if (p_.shared_score) {  // its sigmoid
    const Reg score = k(p_.route + p_.score_column());
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::exp, .wr = true, .nega = true, .dst = score, .ds = ep, .a = score, .as = ep, .b = one,
               .rows = m_, .cols = next});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = score, .ds = ep, .a = score, .as = ep, .b = one, .s = one,
               .rows = m_, .cols = next});
  }
  e_.signal(Engine::ve, kRouted);
}

// The row's largest logits as keys in ascending order of rank: an unsigned number that grows with the logit, its lowest bits replaced by
// the expert's index counted from above. So of equal ones the first is taken, and a key is all there is to move.
void Lowering::choose() {
  const std::uint32_t indices = index_mask();
  for (const Reg key : keys_of_) e_.set(key, 0);
  e_.copy(p0_, p4_);
  e_.set(p1_, indices);
  e_.loop(k(p_.mixture.experts), [&] {
    const Reg bits = e_.temporary(), sign = e_.temporary(), key = e_.temporary();
    e_.put(spec::Lds{bits, p0_});
    // Negative numbers fall with their bits: 0xffffffff - bits; the others get the highest bit.
    e_.alui(AluFn::shr, sign, bits, 31);
    e_.alui(AluFn::mul, key, sign, u32(-2));
    advance(key, 1);
    e_.alu(AluFn::mul, key, key, bits);
    e_.alui(AluFn::mul, sign, sign, 0x7fffffffu);
    e_.alu(AluFn::add, key, key, sign);
    advance(key, 0x80000000LL);
    e_.alui(AluFn::and_, key, key, ~indices);
    e_.alu(AluFn::or_, key, key, p1_);
    for (std::size_t j = 0; j < keys_of_.size(); ++j) {
      const bool last = j + 1 == keys_of_.size();
      if (!last) e_.alu(AluFn::minu, bits, keys_of_[j], key);
      e_.alu(AluFn::maxu, keys_of_[j], keys_of_[j], key);
      if (!last) e_.copy(key, bits);
    }
    advance(p0_, 1);
    advance(p1_, -1);
  });
}

std::uint32_t Lowering::index_mask() const { return std::bit_ceil(u32(p_.mixture.experts)) - 1; }

// Index of the expert that `key` stands for.
Lowering::Reg Lowering::index_of(Reg key) {
  const Reg index = e_.temporary();
  e_.alui(AluFn::and_, index, key, index_mask());
  const Reg all = k(index_mask());
  e_.alu(AluFn::sub, index, all, index);
  return index;
}

// Word address of an expert's share in the row.
Lowering::Reg Lowering::share_at(Reg index) {
  const Reg at = e_.temporary();
  e_.alu(AluFn::add, at, index, p4_);
  advance(at, static_cast<long long>(p_.shares) - p_.route);
  return at;
}

// The chosen experts' shares become parts of their sum; who they are goes to DRAM, for whoever asks.
void Lowering::share_out() {
  e_.wait(Engine::ve, kChosenFree);
  const Reg chosen = p_.spread ? share_ : Reg{0};  // where the row's are
  const auto place = [&](std::size_t j) {
    const auto at = static_cast<long long>(j) * p_.cols;
    return p_.spread ? sum(chosen, at) : k(p_.chosen + at);
  };
  const std::size_t top = keys_of_.size();
  for (std::size_t j = 0; j < top; ++j) {
    const Reg index = index_of(keys_of_[j]), share = e_.temporary(), row = sum(p4_, static_cast<long long>(p_.shares) - p_.route);
    // Ones with the index in their lowest bits: a small integer would be a subnormal number.
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = place(j), .a = row,
               .b = sum(index, kOne), .rows = k(1), .cols = k(1)});
    if (p_.spread) pick_own(index, j, row);
    if (!p_.mixture.over_chosen) continue;
    e_.put(spec::Lds{share, share_at(index)});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = j + 1 == top ? Vfunc::recip : Vfunc::none, .wr = true, .dst = k(p_.total),
               .a = j == 0 ? row : k(p_.total), .b = share, .s = j == 0 ? Reg{0} : k(kOne), .rows = k(1), .cols = k(1)});
  }
  e_.signal(Engine::ve, kChosen);
  e_.wait(Engine::st, kChosen);
  e_.put(Store{.win = 2, .space = Space::vmem, .da = chosen_at_, .ca = p_.spread ? shifted(AluFn::shl, chosen, 2) : k(p_.chosen * 4LL), .len = k(4), .n1 = k(static_cast<long long>(top)), .ds1 = k(4),
               .cs1 = k(p_.cols * 4LL), .n2 = k(1)});
  e_.signal(Engine::st, kChosenFree);
  advance(chosen_at_, static_cast<long long>(top) * 4);
  if (!p_.mixture.over_chosen && !p_.spread) return;
  if (p_.mixture.over_chosen) {
    const Reg row = sum(p4_, static_cast<long long>(p_.shares) - p_.route);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = row, .a = row, .b = k(p_.total), .rows = k(1), .cols = k(p_.mixture.experts)});
  }
  e_.signal(Engine::ve, kRouted);
  e_.wait(Engine::seq, kRouted);
}

void Lowering::expert(const LayerPlan& l) {
  const Reg index = index_of(keys_of_.front());
  e_.put(spec::Lds{share_, share_at(index)});
  e_.alui(AluFn::mul, expert_from_, index, p_.expert_bytes);
  e_.alu(AluFn::add, expert_from_, expert_from_, experts_at_);
  for (std::size_t j = 0; j + 1 < keys_of_.size(); ++j) e_.copy(keys_of_[j], keys_of_[j + 1]);
  weights_.begin_expert(expert_from_, expert_window_);
  expert_in(l.ffn);
  expert_out(l.down);
  weights_.end_expert();
  if (p_.dies == 1) return;
  e_.wait(Engine::ve, kSent);
  toggle(hidden_, p_.hq, static_cast<long long>(p_.hq) + p_.ek);
}

// The row's gate and up, side by side, to hidden values.
void Lowering::expert_in(const MatrixPlan& m) {
  if (p_.spread) e_.set(p0_, p_.hq);
  else own(p0_, p_.hq, p_.ek / p_.dies, hidden_);
  const int row = 2 * p_.fc;
  weights_.phase(m, [&](const Prefetch& next) {
    e_.wait(Engine::mx, kOutFree);
    e_.copy(p5_, out_);
    for (const auto& size : next) {  // no loop: they are four deep here
      weights_.consume(m, size, {.a = p3_, .am = k(p_.dk), .o = p5_, .om = k(row), .on = k(p_.cols), .m = k(1)});
      if (m.bias()) {
        e_.signal(Engine::mx, kResult);
        e_.wait(Engine::ve, kResult);
        weights_.add_bias(p5_, k(row), k(1), m.nbs * p_.cols);
      }
      if (m.slots > 1) advance(p5_, static_cast<long long>(m.nbs) * p_.cols);
    }
    if (!m.bias()) {
      e_.signal(Engine::mx, kResult);
      e_.wait(Engine::ve, kResult);
    }
    const Reg one = k(1);
    if (p_.mixture.limit > 0) clamped_swiglu();
    else swiglu(one);
    e_.put(Qnt{.dst = p0_, .ds = k(p_.ek), .a = k(p_.temp), .as = k(p_.fc), .rows = k(1), .cols = k(p_.fc)});
    e_.signal(Engine::ve, kOutFree);
    advance(p0_, p_.fc);
    toggle_out();
  });
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  if (p_.expert_parts() == 1) return;
  own(p0_, p_.hq, p_.ek / p_.dies, hidden_);
  gather_row(p0_, p_.ek / p_.dies, p_.ek);
  e_.signal(Engine::st, kSent);
}

// temp = g * recip(1 + exp(-alpha g)) * (u + 1) with g = min(gate, limit), u = up within -limit .. limit.
void Lowering::clamped_swiglu() {
  const float most = p_.mixture.limit;
  const auto on = [&](Vop op, Reg to, Reg from, Reg b, Bmode mode, float s = 0, Vfunc func = Vfunc::none, bool negative = false) {
    e_.put(Vec{.op = op, .bmode = mode, .func = func, .wr = true, .nega = negative, .dst = to, .a = from, .b = b, .s = op == Vop::mad ? kf(s) : Reg{0},
               .rows = k(1), .cols = k(p_.fc)});
  };
  const Reg gate = out_, up = p5_, temp = k(p_.temp);
  e_.alui(AluFn::add, up, out_, u32(p_.fc));
  on(Vop::min, gate, gate, kf(most), Bmode::scalar);
  on(Vop::mul, temp, gate, kf(p_.mixture.alpha), Bmode::scalar, 0, Vfunc::exp, true);
  on(Vop::mad, temp, temp, kf(1), Bmode::scalar, 1, Vfunc::recip);
  on(Vop::mul, temp, temp, gate, Bmode::vector);
  on(Vop::min, up, up, kf(most), Bmode::scalar);
  on(Vop::max, up, up, kf(-most), Bmode::scalar);
  on(Vop::mad, up, up, kf(1), Bmode::scalar, 1);
  on(Vop::mul, temp, temp, up, Bmode::vector);
}

// x += share * (hidden values times the matrix, plus bias); where experts lie whole on a die, what share multiplies goes to `result`.
void Lowering::expert_out(const MatrixPlan& m) {
  const int columns = m.nbs * p_.cols;
  if (p_.spread) e_.set(p0_, p_.result);
  else own(p0_, 0, p_.x_part, p2_);
  weights_.phase(m, [&](const Prefetch& next) {
    e_.wait(Engine::mx, kOutFree);
    if (p_.expert_parts() > 1) e_.copy(p1_, hidden_);
    else e_.set(p1_, p_.hq);
    bool first = true;
    for (const auto& size : next) {
      weights_.consume(m, size, {.a = p1_, .am = k(p_.ek), .o = out_, .om = k(columns), .on = k(p_.cols), .m = k(1), .acc = !first});
      advance(p1_, m.kbs * 32LL);
      if (!first && m.bias()) e_.signal(Engine::ve, kScaleFree);  // this part of k came without a bias
      first = false;
    }
    e_.signal(Engine::mx, kResult);
    e_.wait(Engine::ve, kResult);
    if (m.bias()) weights_.add_bias(out_, k(columns), k(1), columns);
    if (p_.spread) e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = p0_, .a = out_, .b = k(kOne), .rows = k(1), .cols = k(columns)});
    else e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .a = out_, .b = p0_, .s = share_, .rows = k(1), .cols = k(columns)});
    e_.signal(Engine::ve, kOutFree);
    advance(p0_, columns);
    toggle_out();
  });
}

// Where the next layer's experts lie: behind these, or at the beginning of the next window.
void Lowering::next_experts() {
  const auto layer = static_cast<long long>(p_.expert_bytes) * p_.experts_here();
  advance(experts_at_, layer);
  if (p_.expert_windows < 2) return;
  const Reg inside = e_.temporary(), over = e_.temporary();
  e_.alui(AluFn::eq, over, experts_at_, u32(layer * p_.expert_layers));
  e_.alu(AluFn::add, expert_window_, expert_window_, over);
  const Reg one = k(1);
  e_.alu(AluFn::sub, inside, one, over);
  e_.alu(AluFn::mul, experts_at_, experts_at_, inside);
}

}  // namespace jogak::schedule
