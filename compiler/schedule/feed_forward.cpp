#include "lowering.hpp"

namespace jogak::schedule {

void Lowering::toggle_out() {
  if (p_.out_buffers == 2) toggle(out_, p_.work, static_cast<long long>(p_.work) + p_.out_words);
}

void Lowering::scale(Reg at, int row_words, Reg rows, int columns) {
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  weights_.scale(at, k(row_words), rows, columns);
}

void Lowering::residual(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride, std::optional<AdapterGroup> group) {
  e_.label(label);
  own(p0_, p_.x, p_.x_part);
  if (m.channel()) add_scaled(m, operand, stride);
  else accumulate(m, operand, stride);
  if (group) adapter_residual(*group, operand, stride, p_.x);
  e_.signal(Engine::mx, kResult);
  // Beside a feed-forward nobody needs the others' columns yet: its product comes onto these.
  if (p_.parallel && group == AdapterGroup::o) return;
  if (p_.dies > 1 && m.channel() && p_.adapter.rank > 0) {  // an adapter's product came behind the scales
    e_.wait(Engine::ve, kResult);
    e_.signal(Engine::mx, kResult);
  }
  gather_columns(m.channel() ? Engine::ve : Engine::mx, p_.x);
}

// The rows of work y are p_.y: cleared, summed up, normalised.
void Lowering::residual_normed(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride, AdapterGroup group) {
  e_.label(label);
  const auto y = [&] { return k(p_.y); };
  const auto dn = [&] { return k(p_.dn); };
  const auto width = [&] { return k(p_.width); };
  if (p_.dies > 1) own(p0_, p_.y, p_.x_part);  // the other dies' columns come from them
  const Reg mine = p_.dies > 1 ? p0_ : y();
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = mine, .ds = dn(), .a = mine, .as = dn(), .rows = m_, .cols = k(p_.x_part)});
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  own(p0_, p_.y, p_.x_part);
  if (m.channel()) add_scaled(m, operand, stride);
  else accumulate(m, operand, stride);
  adapter_residual(group, operand, stride, p_.y);
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  gather_columns(Engine::ve, p_.y);
  const std::uint32_t weights = p_.extra + (group == AdapterGroup::o ? p_.at_post_attn : p_.at_post_ffn);
  const auto sums = [&] { return k(p_.sums); };
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = y(), .as = dn(), .b = y(), .bs = dn(), .r = sums(), .rows = m_, .cols = width()});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = sums(), .a = sums(), .b = kf(p_.eps),
             .s = kf(1.0f / static_cast<float>(p_.width)), .rows = k(1), .cols = m_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = y(), .ds = dn(), .a = y(), .as = dn(), .b = sums(), .bs = k(1), .rows = m_, .cols = width()});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = y(), .ds = dn(), .a = y(), .as = dn(), .b = k(weights), .rows = m_, .cols = width()});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = k(p_.x), .ds = dn(), .a = k(p_.x), .as = dn(), .b = y(), .bs = dn(), .s = kf(1.0f),
             .rows = m_, .cols = width()});
}

void Lowering::cap(const Value& at, const Value& words, Reg rows, float scale, float cap) {
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::exp, .wr = true, .dst = at(), .ds = words(), .a = at(), .as = words(), .b = kf(2 * scale / cap),
             .rows = rows, .cols = words()});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = at(), .ds = words(), .a = at(), .as = words(), .b = kf(1.0f), .s = kf(1.0f),
             .rows = rows, .cols = words()});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = at(), .ds = words(), .a = at(), .as = words(), .b = kf(cap), .s = kf(-2 * cap), .rows = rows,
             .cols = words()});
}

void Lowering::cap_logits(bool there) {
  if (!there) {
    e_.signal(Engine::mx, kResult);
    e_.wait(Engine::ve, kResult);
  }
  cap([&] { return out_; }, [&] { return k(p_.vocab_step); }, logit_rows_, 1, p_.logit_cap);
}

void Lowering::add_side_bias(Reg at, int row_words, Reg rows, int columns) {
  e_.signal(Engine::mx, kResult);
  e_.wait(Engine::ve, kResult);
  weights_.add_bias(at, k(row_words), rows, columns);
}

void Lowering::add_scaled(const MatrixPlan& m, std::uint32_t operand, int stride) {
  const int columns = m.nbs * p_.cols;
  weights_.phase(m, [&](const Prefetch& next) {
    const auto part = [&](const std::optional<SlotSize>& size, bool acc) {
      weights_.consume(m, size, {.a = p1_, .am = k(stride), .o = out_, .om = k(columns), .on = k(p_.cols), .m = m_, .acc = acc});
    };
    e_.wait(Engine::mx, kOutFree);
    e_.set(p1_, operand);
    part(next.front(), false);
    if (m.kparts > 1) {
      weights_.slots(std::span(next).subspan(1), [&](const std::optional<SlotSize>& size) {
        advance(p1_, m.k_columns());
        part(size, true);
        e_.signal(Engine::ve, kScaleFree);  // this part came without scales
      });
    }
    scale(out_, columns, m_, columns);
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .ds = k(p_.dn), .a = out_, .as = k(columns), .b = p0_,
               .bs = k(p_.dn), .s = kf(1.0f), .rows = m_, .cols = k(columns)});
    e_.signal(Engine::ve, kOutFree);
    advance(p0_, columns);
    toggle_out();
  });
}

void Lowering::accumulate(const MatrixPlan& m, std::uint32_t operand, int stride) {
  e_.set(p1_, operand);
  weights_.phase(m, [&](const Prefetch& next) {
    weights_.consume(m, next.front(), {.a = p1_, .am = k(stride), .o = p0_, .om = k(p_.dn), .on = k(p_.cols), .m = m_, .acc = true});
    if (m.kparts == 1) {
      advance(p0_, static_cast<long long>(m.nbs) * p_.cols);
      return;
    }
    advance(p1_, m.k_columns());  // next part of k; after the last one back to the first, next column block
    const Reg done = e_.temporary();
    e_.alui(AluFn::eq, done, p1_, operand + u32(static_cast<long long>(m.kparts) * m.k_columns()));
    const Reg step = times(done, static_cast<long long>(m.nbs) * p_.cols);
    e_.alu(AluFn::add, p0_, p0_, step);
    const Reg back = times(done, static_cast<long long>(m.kparts) * m.k_columns());
    e_.alu(AluFn::sub, p1_, p1_, back);
  });
}

void Lowering::feed_forward(const MatrixPlan& m, const Feed& f) {
  e_.label(f.label);
  if (!f.shared) {
    adapter_input(AdapterGroup::ffn, p_.xq, p_.dk);
    adapter_adds(p_.adapter.up_ffn(), AdapterGroup::ffn, 0, p_.adapter.feeds);
  }
  e_.wait(Engine::ve, kStagingFree);
  own(p0_, p_.hq, f.columns / p_.dies);
  if (p_.up_bias_apart) own(p4_, p_.extra + p_.at_up_bias, p_.ffn_part);
  weights_.phase(m, [&](const Prefetch& next) {
    project(m, next, m_, (p_.gated ? 2 : 1) * p_.fc, Engine::ve, [&] {
      if (p_.up_bias_apart) {
        const Reg fc = k(p_.fc);
        e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = fc, .a = out_, .as = fc, .b = p4_, .s = kf(1.0f), .rows = m_, .cols = fc});
        advance(p4_, p_.fc);
      }
      swiglu(m_);
      if (f.shared && p_.shared_score)  // a factor of each row, which the product need not see
        e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = k(p_.temp), .ds = k(p_.fc), .a = k(p_.temp), .as = k(p_.fc),
                   .b = k(p_.route + p_.score_column()), .bs = k(p_.ep), .rows = m_, .cols = k(p_.fc)});
      e_.put(Qnt{.group = blocks(p_.pair_hidden), .dst = p0_, .ds = k(f.columns), .a = k(p_.temp), .as = k(p_.fc), .rows = m_, .cols = k(p_.fc)});
      e_.signal(Engine::ve, kOutFree);
      gather_piece(p0_, p_.fc, f.columns);
      advance(p0_, p_.fc);
    });
  });
  adds_.reset();
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
  end_gather(p_.hq, f.columns / p_.dies);
}

void Lowering::exponent(Reg rows) {
  const Reg temp = k(p_.temp), fc = k(p_.fc), row = k((p_.gated ? 2LL : 1LL) * p_.fc);
  if (p_.activation == ir::Activation::silu) {
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::exp, .wr = true, .nega = true, .dst = temp, .ds = fc, .a = out_, .as = row,
               .b = kf(1.0f), .rows = rows, .cols = fc});
    return;
  }
  constexpr float kSlope = 1.5957691f, kCubic = 0.044715f;  // 2 sqrt(2 / pi); Hendrycks and Gimpel, arXiv 1606.08415
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = temp, .ds = fc, .a = out_, .as = row, .b = out_, .bs = row, .rows = rows, .cols = fc});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = kf(-kSlope), .s = kf(-kSlope * kCubic),
             .rows = rows, .cols = fc});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .func = Vfunc::exp, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = out_, .bs = row,
             .rows = rows, .cols = fc});
}

void Lowering::swiglu(Reg rows) {
  const Reg temp = k(p_.temp), fc = k(p_.fc), row = k((p_.gated ? 2LL : 1LL) * p_.fc), one = kf(1.0f);
  exponent(rows);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = one,
             .s = one, .rows = rows, .cols = fc});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = out_, .bs = row,
             .rows = rows, .cols = fc});
  if (!p_.gated) return;
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = sum(out_, p_.fc), .bs = row,
             .rows = rows, .cols = fc});
}

}  // namespace jogak::schedule
