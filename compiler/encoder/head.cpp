// What is made of the last rows: dense layers, the last one's result to DRAM.
#include <bit>

#include "lowering.hpp"

namespace jogak::encoder {

void Lowering::head(const Head& head) {
  if (p_.head_rows == HeadRows::mean) return mean_of_rows();
  if (head.steps.empty()) return;
  ring_.start({p_.w_head, p_.slots_head, 0, 1}, p_.head_rows == HeadRows::all ? blocks_ : k(1));
  e_.wait(Engine::ve, kYFree);  // the last rows are in DRAM
  if (p_.head_rows != HeadRows::all) {
    if (p_.head_rows == HeadRows::last) fetch_last_row();
    take_xq();
    e_.set(row_, 0);
    e_.set(m_, 1);
    e_.wait(Engine::mx, kXqFull);
    steps(head);
    return;
  }
  blocks([&] {
    take_xq();
    e_.copy(p0_, more_blocks());
    e_.copy(p2_, p0_);
    wait_stored_next();
    e_.loop(p2_, [&] {
      const Reg next = sum(row_, p_.rows);
      e_.copy(p1_, next);
      load_xq(p1_);
    });
    e_.wait(Engine::mx, kXqFull);
    steps(head);
    e_.signal(Engine::mx, kXqFree);
  });
}

// The first block's rows, which are there, give way to the last row.
void Lowering::fetch_last_row() {
  e_.wait(Engine::mx, kXqFull);
  e_.signal(Engine::mx, kXqFree);
  take_xq();
  wait_stored();
  e_.alui(AluFn::add, p0_, n_, ~0u);
  load_xq(p0_);
}

// The rows of all blocks but the first, which were waited for when its quantised rows were loaded.
void Lowering::wait_stored() {
  e_.alui(AluFn::add, p0_, blocks_, ~0u);
  if (p_.chunk > 0) e_.alui(AluFn::minu, p0_, p0_, 1);
  e_.loop(p0_, [&] { e_.wait(Engine::ld, kStored); });
}

// Row by row onto the work area, and as many ones beside it; times the reciprocal of their sum.
void Lowering::mean_of_rows() {
  e_.label("pooling");
  const auto clear = [&](std::uint32_t at, Reg words) {
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(at), .a = k(at), .rows = k(1), .cols = words});
  };
  e_.wait(Engine::ve, kYFree);
  e_.wait(Engine::ld, kXFree);
  wait_stored();
  clear(p_.work, k(p_.dn));
  clear(p_.mean, k(1));
  blocks([&] {
    e_.wait(Engine::ld, kTaken);
    load_x(row_, k(p_.x * 4LL), m_);
    e_.signal(Engine::ld, kInput);
    e_.wait(Engine::ve, kInput);
    e_.set(p0_, p_.x);
    e_.loop(m_, [&] {
      e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = k(p_.work), .a = k(p_.work), .b = p0_, .s = kf(1.0f), .rows = k(1), .cols = k(p_.dn)});
      e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = k(p_.mean), .a = k(p_.mean), .b = kf(1.0f), .s = kf(1.0f), .rows = k(1), .cols = k(1)});
      advance(p0_, p_.dn);
    });
    e_.signal(Engine::ve, kTaken);
  });
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = k(p_.mean), .a = k(p_.mean), .b = kf(1.0f), .rows = k(1), .cols = k(1)});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = k(p_.work), .ds = k(p_.dn), .a = k(p_.work), .as = k(p_.dn), .b = k(p_.mean), .bs = k(1), .rows = k(1),
             .cols = k(p_.dn)});
  e_.signal(Engine::ve, kOutput);
  e_.wait(Engine::st, kOutput);
  e_.put(Store{.win = 2, .space = Space::vmem, .da = k(p_.io_out), .ca = k(p_.work * 4LL), .len = k(p_.dn * 4LL), .n1 = k(1), .n2 = k(1)});
}

void Lowering::steps(const Head& head) {
  int norms = 0;
  for (std::size_t i = 0; i + 1 < head.steps.size(); ++i) {
    e_.label("head_dense");
    hidden_step(head.steps[i], p_.head[i], i == 0);
    if (!head.steps[i].normed) continue;
    row_sums();
    load_norm();
    norm(true, k(p_.hq));
    ++norms;
  }
  if (head.steps.size() > 1) {
    e_.signal(Engine::ve, kOperand);
    e_.wait(Engine::mx, kOperand);
  }
  advance(norm_at_, -8LL * p_.dn * norms);
  e_.label("output");
  output_step(p_.head.back(), head.steps.size() == 1);
}

// Activated columns are quantised at hq, or, where a norm follows, gathered in x.
void Lowering::hidden_step(const HeadStep& step, const MatrixPlan& m, bool first) {
  e_.set(p0_, step.normed ? p_.x : p_.hq);
  e_.set(p1_, u32(p_.dn));  // columns left
  if (!first) {
    e_.signal(Engine::ve, kOperand);
    e_.wait(Engine::mx, kOperand);
  }
  e_.repeat(u32(m.iterations), [&] {
    product(m, out_, kHeadColumns, first ? xq_ : k(p_.hq), p_.dk);
    finish(m, out_, kHeadColumns);
    activate(step.activation, out_, kHeadColumns);
    if (step.normed) {
      const Reg columns = e_.temporary();
      e_.alui(AluFn::minu, columns, p1_, kHeadColumns);
      e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = p0_, .ds = k(p_.dn), .a = k(p_.work), .as = k(kHeadColumns), .b = kf(1.0f),
                 .rows = m_, .cols = columns});
    } else {
      e_.put(Qnt{.dst = p0_, .ds = k(p_.dk), .a = k(p_.work), .as = k(kHeadColumns), .rows = m_, .cols = k(kHeadColumns)});
    }
    e_.signal(Engine::ve, kOutFree);
    toggle_out();
    advance(p0_, kHeadColumns);
    advance(p1_, -kHeadColumns);
  });
}

void Lowering::output_step(const MatrixPlan& m, bool first) {
  e_.alui(AluFn::mul, p0_, row_, u32(p_.output_words * 4LL));
  advance(p0_, p_.io_out);
  e_.repeat(u32(m.iterations), [&] {
    product(m, out_, kHeadColumns, first ? xq_ : k(p_.hq), p_.dk);
    finish(m, out_, kHeadColumns);
    e_.signal(Engine::ve, kOutput);
    e_.wait(Engine::st, kOutput);
    e_.put(Store{.win = 2, .space = Space::vmem, .da = p0_, .ca = shifted(AluFn::shl, out_, 2), .len = k(kHeadColumns * 4LL), .n1 = m_,
                 .ds1 = k(p_.output_words * 4LL), .cs1 = k(kHeadColumns * 4LL), .n2 = k(1)});
    e_.signal(Engine::st, kOutputFree);
    e_.wait(Engine::ve, kOutputFree);
    e_.signal(Engine::ve, kOutFree);
    toggle_out();
    advance(p0_, kHeadColumns * 4LL);
  });
}

}  // namespace jogak::encoder
