#include "ring.hpp"

namespace jogak::encoder {

using emit::Reg;
using spec::AluFn;
using spec::Engine;
using spec::Space;

void Ring::prepare() {
  for (Reg* r : {&blocks_, &use_, &fill_, &from_, &left_, &passes_, &span_, &total_, &param_, &param_fill_}) *r = e_.variable();
  e_.set(use_, 0);
  e_.set(fill_, 0);
  e_.set(param_, p_.params);
  e_.set(param_fill_, p_.params * 4);
  e_.signal(Engine::seq, kSlotFree, p_.slot.ring);
  e_.signal(Engine::seq, kParamFree, p_.slot.params);
}

void Ring::start(const Stream& stream, Reg passes) {
  const std::uint32_t ahead = p_.slot.ring - 1;
  if (started_) {  // what was loaded ahead is nothing
    e_.wait(Engine::mx, kSlotFull, ahead);
    e_.signal(Engine::mx, kSlotFree, ahead);
    e_.repeat(ahead, [&] { cycle(use_, p_.slot.weight_bytes, p_.slot.weight_bytes * p_.slot.ring); });
    release(static_cast<int>(ahead));
  }
  started_ = true;
  stream_ = stream;
  e_.copy(blocks_, passes);
  e_.set(from_, stream.at);
  e_.set(left_, stream.first);
  e_.copy(passes_, passes);
  e_.set(span_, stream.first);
  if (stream.total > 0) e_.set(total_, stream.total);
  else e_.alui(AluFn::mul, total_, passes, stream.rounds * (stream.first + stream.second));
  e_.repeat(ahead, [&] { load(); });
}

// Behind the last slot of the program the boxes are 0: such loads do nothing.
void Ring::load() {
  const SlotPlan& s = p_.slot;
  const auto boxes = [&] {
    const Reg more = e_.temporary();
    e_.alu(AluFn::ltu, more, 0, total_);
    return more;
  };
  const auto from = [&](std::uint32_t by) {
    const Reg at = e_.temporary();
    e_.alui(AluFn::add, at, from_, by);
    return at;
  };
  e_.wait(Engine::ld, kSlotFree);
  const Reg more = boxes();
  e_.put(spec::Load{.win = 0, .space = Space::wspm, .da = from_, .ca = fill_, .len = e_.constant(s.weight_bytes), .n1 = more, .n2 = e_.constant(1)});
  if (s.scale_bytes > 0) {
    const Reg da = from(s.weight_bytes), at = e_.temporary();
    e_.alui(AluFn::shr, at, fill_, 4);
    e_.put(spec::Load{.win = 0, .space = Space::wsc, .da = da, .ca = at, .len = e_.constant(s.scale_bytes), .n1 = more, .n2 = e_.constant(1)});
  }
  const Reg da = from(s.weight_bytes + s.scale_bytes);
  e_.wait(Engine::ld, kParamFree);
  e_.put(spec::Load{.win = 0, .space = Space::vmem, .da = da, .ca = param_fill_, .len = e_.constant(s.param_bytes), .n1 = more, .n2 = e_.constant(1)});
  e_.signal(Engine::ld, kSlotFull);
  const Reg step = boxes();
  e_.alu(AluFn::sub, total_, total_, step);
  cycle(fill_, s.weight_bytes, s.weight_bytes * s.ring);
  cycle(param_fill_, s.param_bytes, p_.params * 4 + s.param_bytes * s.params);
  next_address();
}

// At the end of a pass back to its start, or on to the other pass when all blocks have had this one. e: a pass ends; z: the last of its kind.
void Ring::next_address() {
  const Reg e = e_.temporary(), z = e_.temporary(), t = e_.temporary();
  const std::uint32_t both = stream_.first + stream_.second;
  e_.alui(AluFn::add, from_, from_, p_.slot.stride);
  e_.alui(AluFn::add, left_, left_, ~0u);
  e_.alui(AluFn::eq, e, left_, 0);
  e_.alu(AluFn::sub, passes_, passes_, e);
  e_.alui(AluFn::eq, z, passes_, 0);
  e_.alu(AluFn::sub, t, e, z);
  e_.alu(AluFn::mul, t, t, span_);
  e_.alui(AluFn::mul, t, t, p_.slot.stride);
  e_.alu(AluFn::sub, from_, from_, t);
  e_.alui(AluFn::mul, t, span_, static_cast<std::uint32_t>(-2));
  e_.alui(AluFn::add, t, t, both);
  e_.alu(AluFn::mul, t, t, z);
  e_.alu(AluFn::add, span_, span_, t);
  e_.alu(AluFn::mul, t, e, span_);
  e_.alu(AluFn::add, left_, left_, t);
  e_.alu(AluFn::mul, t, z, blocks_);
  e_.alu(AluFn::add, passes_, passes_, t);
}

// r = r + by; at `end` back to the ring's first (parameters do not start at 0).
void Ring::cycle(Reg r, std::uint32_t by, std::uint32_t end) {
  const std::uint32_t first = r == param_ ? p_.params : r == param_fill_ ? p_.params * 4 : 0;
  const Reg inside = e_.temporary();
  e_.alui(AluFn::add, r, r, by);
  e_.alui(AluFn::ltu, inside, r, end);
  if (first == 0) return e_.alu(AluFn::mul, r, r, inside);
  e_.alui(AluFn::add, r, r, ~first + 1);
  e_.alu(AluFn::mul, r, r, inside);
  e_.alui(AluFn::add, r, r, first);
}

void Ring::consume(const MatrixPlan& m, const Product& p) {
  const auto constant = [&](int x) { return e_.constant(static_cast<std::uint32_t>(x)); };
  e_.wait(Engine::mx, kSlotFull);
  Reg scales = 0;
  if (!m.channel()) e_.alui(AluFn::shr, scales = e_.temporary(), use_, 4);
  e_.put(spec::Mm{.wfmt = m.format == ir::Format::mxfp4 ? spec::Wfmt::e2m1 : spec::Wfmt::int8,
                  .wscale = m.channel() ? spec::Wscale::one : m.format == ir::Format::int8 ? spec::Wscale::fp16 : spec::Wscale::e8m0,
                  .ascale = spec::Ascale::bf16, .acc = p.acc, .w = use_, .ws = scales, .wn = constant(m.kbs * m.tile_bytes), .wk = constant(m.tile_bytes),
                  .a = p.a, .am = p.am, .o = p.o, .om = p.om, .on = p.on, .m = p.m, .kb = constant(m.kbs), .nb = constant(m.nbs)});
  e_.signal(Engine::mx, kSlotFree);
  cycle(use_, p_.slot.weight_bytes, p_.slot.weight_bytes * p_.slot.ring);
  e_.aside("stream", [&] { load(); });
}

void Ring::release(int slots) {
  e_.signal(Engine::ve, kParamFree, static_cast<unsigned>(slots));
  const auto words = p_.slot.param_bytes / 4;
  e_.repeat(static_cast<std::uint32_t>(slots), [&] { cycle(param_, words, p_.params + words * p_.slot.params); });
}

}  // namespace jogak::encoder
