#include <bit>

#include "lowering.hpp"

namespace jogak::encoder {

void Lowering::load_norm() {
  e_.label("norm_weights");
  e_.wait(Engine::ld, kNormFree);
  e_.put(Load{.win = 0, .space = Space::vmem, .da = norm_at_, .ca = k(p_.norms * 4LL), .len = k(8LL * p_.dn), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kNormFull);
  advance(norm_at_, 8LL * p_.dn);
}

void Lowering::row_sums() {
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::sum, .a = k(p_.x), .as = k(p_.dn), .b = kf(1.0f), .r = k(p_.total), .rows = m_,
             .cols = k(p_.width)});
}

// p0: where the quantised rows go, p1: rows left, p2: their means, p3: their values, p5: rows of this group.
void Lowering::norm(bool in_place, Reg dst) {
  e_.copy(p0_, dst);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = k(p_.mean), .a = k(p_.total), .b = kf(1.0f / static_cast<float>(p_.width)),
             .rows = k(1), .cols = m_});
  e_.set(p2_, p_.mean);
  e_.set(p3_, p_.x);
  if (in_place) {
    e_.copy(p5_, m_);
    normalise(true);
    e_.signal(Engine::ve, kNormFree);
    quantise_rows(p3_, p5_, p0_);
    return;
  }
  // Groups of rows in the work area: x stays as it is.
  e_.wait(Engine::ve, kNormFull);
  e_.copy(p1_, m_);
  const Reg up = sum(m_, p_.group - 1), trips = shifted(AluFn::shr, up, std::countr_zero(static_cast<unsigned>(p_.group)));
  e_.copy(p4_, trips);
  e_.loop(p4_, [&] {
    e_.alui(AluFn::minu, p5_, p1_, u32(p_.group));
    normalise(false);
    quantise_rows(k(p_.work), p5_, p0_);
    advance(p0_, static_cast<long long>(p_.group) * p_.dk);
    advance(p1_, -p_.group);
    advance(p2_, p_.group);
    advance(p3_, static_cast<long long>(p_.group) * p_.dn);
  });
  e_.signal(Engine::ve, kNormFree);
}

void Lowering::normalise(bool in_place) {
  const auto to = [&] { return in_place ? p3_ : k(p_.work); };
  const auto dn = [&] { return k(p_.dn); };
  const auto width = [&] { return k(p_.width); };
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .wr = true, .negb = true, .dst = to(), .ds = dn(), .a = p3_, .as = dn(), .b = p2_, .bs = k(1),
             .s = kf(1.0f), .rows = p5_, .cols = width()});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = to(), .as = dn(), .b = to(), .bs = dn(), .r = k(p_.deviation), .rows = p5_,
             .cols = width()});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = k(p_.deviation), .a = k(p_.deviation), .b = kf(p_.eps),
             .s = kf(1.0f / static_cast<float>(p_.width)), .rows = k(1), .cols = p5_});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = to(), .ds = dn(), .a = to(), .as = dn(), .b = k(p_.deviation), .bs = k(1),
             .rows = p5_, .cols = width()});
  if (in_place) e_.wait(Engine::ve, kNormFull);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = to(), .ds = dn(), .a = to(), .as = dn(), .b = k(p_.norms), .rows = p5_,
             .cols = width()});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = to(), .ds = dn(), .a = to(), .as = dn(), .b = k(p_.norms + static_cast<long long>(p_.dn)),
             .s = kf(1.0f), .rows = p5_, .cols = width()});
}

void Lowering::quantise_rows(Reg from, Reg rows, Reg dst) {
  e_.put(Qnt{.dst = dst, .ds = k(p_.dk), .a = from, .as = k(p_.dn), .rows = rows, .cols = k(p_.width)});
}

}  // namespace jogak::encoder
