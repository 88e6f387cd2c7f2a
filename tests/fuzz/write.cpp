// Commands to lines: every field gets a register, fields without meaning get any.
#include "shapes.hpp"

namespace jogak::fuzz {

void Shapes::write(const Dma& x) {
  Writer& w = writer_;
  spec::Load i{.win = x.win, .space = x.space, .gather = x.gather};
  i.da = w.reg(x.da), i.ca = w.reg(x.ca), i.len = w.reg(x.len), i.n1 = w.reg(x.n1), i.ds1 = w.reg(x.ds1);
  i.cs1 = w.reg(x.cs1), i.n2 = w.reg(x.n2), i.ds2 = w.reg(x.ds2), i.cs2 = w.reg(x.cs2);
  if (x.store) {
    w.line(spec::Store{i.win, i.space, i.da, i.ca, i.len, i.n1, i.ds1, i.cs1, i.n2, i.ds2, i.cs2});
    return;
  }
  i.idx = x.gather ? w.reg(x.idx) : w.any_register();
  w.line(i);
}

void Shapes::write(const Mm& x) {
  Writer& w = writer_;
  spec::Mm i = x.f;
  i.w = w.reg(x.w), i.wn = w.reg(x.wn), i.wk = w.reg(x.wk), i.a = w.reg(x.a), i.am = w.reg(x.am), i.o = w.reg(x.o);
  i.om = w.reg(x.om), i.on = w.reg(x.on), i.m = w.reg(x.m), i.kb = w.reg(x.kb), i.nb = w.reg(x.nb);
  i.ws = i.wscale == spec::Wscale::one ? w.any_register() : w.reg(x.ws);
  i.wi = i.sparse ? w.reg(x.wi) : w.any_register();
  w.line(i);
}

void Shapes::write(const Vec& x) {
  Writer& w = writer_;
  spec::Vec i = x.f;
  i.s = x.s_register ? *x.s_register : w.reg(x.s);
  i.lim = x.lim_register ? *x.lim_register : i.masked ? w.reg(x.lim) : w.any_register();
  i.b = x.b_register ? *x.b_register : w.reg(x.b);
  i.dst = i.wr ? w.reg(x.dst) : w.any_register();
  i.ds = i.wr ? w.reg(x.ds) : w.any_register();
  i.a = w.reg(x.a), i.as = w.reg(x.as);
  i.bs = i.bmode == spec::Bmode::scalar ? w.any_register() : w.reg(x.bs);
  i.r = i.red == spec::Vred::none ? w.any_register() : w.reg(x.r);
  i.rows = w.reg(x.rows), i.cols = w.reg(x.cols);
  w.line(i);
}

void Shapes::write(const Qnt& x) {
  Writer& w = writer_;
  spec::Qnt i = x.f;
  i.dst = w.reg(x.dst), i.ds = w.reg(x.ds), i.a = w.reg(x.a), i.as = w.reg(x.as);
  i.r = i.group == spec::Qgroup::row ? w.reg(x.r) : w.any_register();
  i.rows = w.reg(x.rows), i.cols = w.reg(x.cols);
  w.line(i);
}

void Shapes::empty(Dma& x) {
  const u32 which = random_.below(3), granule = x.space == spec::Space::vmem ? 4 : 2;
  (which == 0 ? x.len : which == 1 ? x.n1 : x.n2) = 0;
  x.da = far(2), x.ds1 = far(2), x.ds2 = far(2), x.ca = far(granule), x.cs1 = far(granule), x.cs2 = far(granule);
  x.win = u8(random_.below(8)), x.idx = random_.word();
}

// The shape is checked though nothing is done: output strides stay.
void Shapes::empty(Mm& x) {
  const u32 which = random_.below(3);
  (which == 0 ? x.m : which == 1 ? x.kb : x.nb) = 0;
  const u32 granule = 32 * config_.cols;
  x.w = far(granule), x.ws = far(granule), x.wn = far(granule), x.wk = far(granule), x.wi = far(granule), x.a = far(32), x.am = far(32);
  x.o = far(config_.cols);
}

void Shapes::empty(Vec& x) {
  (random_.one_in(2) ? x.rows : x.cols) = 0;
  const u32 c = config_.cols;
  x.dst = far(c), x.ds = far(c), x.a = far(c), x.as = far(c), x.r = random_.word();
  if (x.f.bmode != spec::Bmode::scalar) x.b = far(c), x.bs = far(c);
}

void Shapes::empty(Qnt& x) {
  (random_.one_in(2) ? x.rows : x.cols) = 0;
  x.dst = far(32), x.ds = far(32), x.a = far(config_.cols), x.as = far(config_.cols), x.r = random_.word();
}

}  // namespace jogak::fuzz
