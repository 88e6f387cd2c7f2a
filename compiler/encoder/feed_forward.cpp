#include "lowering.hpp"

namespace jogak::encoder {

void Lowering::product(const MatrixPlan& m, Reg out, int words, Reg a, int stride) {
  e_.wait(Engine::mx, kOutFree);
  e_.copy(p5_, out);
  e_.repeat(u32(m.slots), [&] {
    ring_.consume(m, {.a = a, .am = k(stride), .o = p5_, .om = k(words), .on = k(p_.cols), .m = m_});
    e_.signal(Engine::mx, kResult);
    if (m.slots > 1) advance(p5_, static_cast<long long>(m.nbs) * p_.cols);
  });
}

void Lowering::finish(const MatrixPlan& m, Reg out, int words) {
  const int columns = m.nbs * p_.cols;
  e_.copy(p5_, out);
  e_.repeat(u32(m.slots), [&] {
    e_.wait(Engine::ve, kResult);
    if (m.channel()) scale(p5_, words, columns);
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p5_, .ds = k(words), .a = p5_, .as = k(words), .b = ring_.params(), .s = kf(1.0f),
               .rows = m_, .cols = k(columns)});
    ring_.release(1);
    if (m.slots > 1) advance(p5_, columns);
  });
}

void Lowering::scale(Reg at, int words, int columns) {
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = at, .ds = k(words), .a = at, .as = k(words),
             .b = sum(ring_.params(), p_.slot.columns), .rows = m_, .cols = k(columns)});
}

// x += rows at `operand` (`stride` bytes apart) times the matrix + bias; then total = the sums of x's rows: of so many columns as a slot makes
// and these added up, or, in chunks, whose bits no configuration changes, all at once.
void Lowering::residual(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride) {
  const int columns = m.nbs * p_.cols;
  const bool apart = m.channel();  // scales multiply the whole sum over k: it grows in an output buffer
  const bool parts = p_.chunk == 0;
  e_.label(label);
  if (parts)
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(p_.total), .a = k(p_.total), .rows = k(1), .cols = m_});
  e_.set(p0_, p_.x);
  e_.repeat(u32(m.iterations), [&] {
    e_.set(p1_, operand);
    if (apart) e_.wait(Engine::mx, kOutFree);
    const auto part = [&](bool acc) {
      ring_.consume(m, {.a = p1_, .am = k(stride), .o = apart ? out_ : p0_, .om = apart ? k(columns) : k(p_.dn), .on = k(p_.cols), .m = m_, .acc = acc});
      if (m.kparts > 1) advance(p1_, m.kbs * 32LL);
    };
    if (apart) part(false);
    e_.repeat(u32(m.kparts - (apart ? 1 : 0)), [&] { part(true); });
    e_.signal(Engine::mx, kResult);
    e_.wait(Engine::ve, kResult);
    if (apart) scale(out_, columns, columns);
    if (apart)
      e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .ds = k(p_.dn), .a = p0_, .as = k(p_.dn), .b = out_, .bs = k(columns),
                 .s = kf(1.0f), .rows = m_, .cols = k(columns)});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .red = parts ? Vred::sum : Vred::none, .wr = true, .dst = p0_, .ds = k(p_.dn), .a = p0_, .as = k(p_.dn),
               .b = ring_.params(), .s = kf(1.0f), .r = parts ? k(p_.part) : Reg{0}, .rows = m_, .cols = k(columns)});
    ring_.release(m.kparts);
    if (parts)
      e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = k(p_.total), .a = k(p_.total), .b = k(p_.part), .s = kf(1.0f), .rows = k(1),
               .cols = m_});
    if (apart) {
      e_.signal(Engine::ve, kOutFree);
      toggle_out();
    }
    advance(p0_, columns);
  });
  if (!parts) row_sums();
}

// The product of an iteration is queued before the vector engine's work on the one before it.
void Lowering::feed_forward(const MatrixPlan& m) {
  e_.label("ffn_up");
  e_.wait(Engine::ve, kYFree);  // the rows of the block before have left hq's place
  e_.set(p0_, p_.hq);
  product(m, out_, p_.uc);
  e_.repeat(u32(m.iterations - 1), [&] {
    toggle_out();
    product(m, out_, p_.uc);
    const Reg out = other_out();
    e_.copy(p1_, out);
    finish(m, p1_, p_.uc);
    take_columns(p1_);
  });
  finish(m, out_, p_.uc);
  take_columns(out_);
  toggle_out();
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
}

void Lowering::take_columns(Reg out) {
  activate(p_.activation, out, p_.uc);
  e_.put(Qnt{.dst = p0_, .ds = k(p_.fk), .a = k(p_.work), .as = k(p_.uc), .rows = m_, .cols = k(p_.uc)});
  e_.signal(Engine::ve, kOutFree);
  advance(p0_, p_.uc);
}

// x / (1 + exp(-x P(x^2))): quick and tanh GELU by their definition; the exact one with P of degree 2, whose error is below 2.6e-5 for every x.
// tanh: 2 / (1 + exp(-2 x)) - 1.
void Lowering::activate(Activation activation, Reg x, int words) {
  // Constants are asked for again and again: they last for a few instructions only.
  const long long t = p_.work, u = p_.work + static_cast<long long>(p_.rows) * words;
  const auto put = [&](Vec v) {
    v.wr = true;
    v.ds = v.as = v.cols = k(words);
    v.rows = m_;
    if (v.bmode == Bmode::vector) v.bs = v.cols;
    e_.put(v);
  };
  const auto mul = [&](long long dst, Reg a, Reg b) { put({.op = Vop::mul, .bmode = Bmode::vector, .dst = k(dst), .a = a, .b = b}); };
  const auto mad = [&](long long dst, long long a, float s, float b) {
    put({.op = Vop::mad, .bmode = Bmode::scalar, .dst = k(dst), .a = k(a), .b = kf(b), .s = kf(s)});
  };
  if (activation == Activation::tanh) {
    put({.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::exp, .dst = k(t), .a = x, .b = kf(-2.0f)});
    put({.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::recip, .dst = k(t), .a = k(t), .b = kf(1.0f), .s = kf(1.0f)});
    return mad(t, t, 2.0f, -1.0f);
  }
  if (activation == Activation::gelu_quick) {
    put({.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::exp, .dst = k(t), .a = x, .b = kf(-1.702f)});
  } else {
    mul(u, x, x);
    if (activation == Activation::gelu_tanh) {
      mad(t, u, 0.0713548162726f, 1.59576912161f);
    } else {
      mad(t, u, -0.00070303490923969f, 0.07401127493173339f);
      put({.op = Vop::max, .bmode = Bmode::scalar, .dst = k(t), .a = k(t), .b = 0});
      mul(t, k(t), k(u));
      mad(t, t, 1.0f, 1.5950158281494673f);
    }
    put({.op = Vop::mul, .bmode = Bmode::vector, .func = Vfunc::exp, .nega = true, .dst = k(t), .a = k(t), .b = x});
  }
  put({.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::recip, .dst = k(t), .a = k(t), .b = kf(1.0f), .s = kf(1.0f)});
  mul(t, k(t), x);
}

}  // namespace jogak::encoder
