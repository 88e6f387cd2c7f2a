#include "faults.hpp"

namespace jogak::fuzz {

using spec::Fault;

namespace {

class Faults {
 public:
  Faults(Shapes& shapes, Writer& writer, Random& random, const spec::Config& config, u8 spare)
      : s_(shapes), w_(writer), r_(random), config_(config), spare_(spare) {}

  bool write(Fault fault, spec::Op op) {
    op_ = op;
    switch (fault) {
      case Fault::opcode: return opcode();
      case Fault::reserved: return reserved();
      case Fault::window: return window();
      case Fault::onchip: return onchip();
      case Fault::align: return align();
      case Fault::shape: return shape();
      case Fault::semaphore: return semaphore();
      case Fault::loop: return loop();
      default: return false;
    }
  }

 private:
  template <class X>
  bool put(const std::optional<X>& x) {
    if (x) s_.write(*x);
    return x.has_value();
  }
  std::optional<Dma> dma() { return op_ == spec::Op::load ? s_.load() : s_.store(); }

  bool opcode() {
    constexpr u8 known[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x20, 0x30, 0x31};
    for (;;) {
      const u8 op = r_.one_in(4) ? u8(r_.pick({0x00, 0xFF, 0xC0, 0x32})) : u8(r_.word());
      bool legal = false;
      for (const u8 k : known) legal |= op == k;
      if (legal) continue;
      w_.line(spec::Insn{op | (r_.one_in(2) ? r_.next() << 8 : 0), r_.one_in(2) ? r_.next() : 0});
      return true;
    }
  }

  // A legal encoding with random bits until the check says reserved; or a combination that is.
  bool reserved() {
    const auto eng = static_cast<Engine>(r_.below(5));
    const bool combination = r_.one_in(2);
    if (combination && op_ == spec::Op::signal) return w_.line(spec::Signal{eng, spare_, 0}), true;
    if (combination && op_ == spec::Op::wait) return w_.line(spec::Wait{eng, spare_, 0}), true;
    if (combination && op_ == spec::Op::store) {
      auto x = s_.store();
      if (x) x->space = r_.one_in(2) ? spec::Space::wspm : spec::Space::wsc;
      return put(x);
    }
    if (combination && op_ == spec::Op::mm) {
      auto x = s_.mm();
      if (x) x->f.wfmt = spec::Wfmt::e2m1, x->f.colload = true;
      return put(x);
    }
    for (;;) {
      spec::Insn insn{u64(op_), 0};
      const u32 bit = 8 + r_.below(120);
      if (r_.one_in(2)) (bit < 64 ? insn.lo : insn.hi) |= 1ull << bit % 64;
      else insn.lo |= u64(r_.below(256)) << 8;
      if (spec::check(insn) != Fault::reserved) continue;
      w_.line(insn);
      return true;
    }
  }

  bool window() {
    auto x = dma();
    if (!x) return false;
    switch (r_.below(4)) {
      case 0: x->win = u8(r_.below(8)); break;  // perhaps closed, small or not permitted
      case 1: x->da = 0xFFFFFFFE - 2 * r_.below(4); break;
      case 2: x->n2 = 2 + r_.below(4), x->ds2 = 0xFFFFFF00, x->cs2 = 0; break;
      default: x->da = x->da.value + 2 * (1 + r_.below(kDataBytes)); break;
    }
    return put(x);
  }

  bool onchip() {
    const u32 c = config_.cols;
    switch (op_) {
      case spec::Op::load:
      case spec::Op::store: {
        auto x = dma();
        if (!x) return false;
        const u32 g = x->space == spec::Space::vmem ? 4 : 2;
        if (x->gather && r_.one_in(2)) x->idx = config_.vmem_bytes / 4 - x->n1.value + 1 + r_.below(3);
        else if (r_.one_in(2)) x->ca = x->ca.value + g * r_.below(100'000);
        else x->cs1 = 0xFFFFFFF0 / g * g, x->n1 = 2 + r_.below(3), x->ds1 = 0;
        return put(x);
      }
      case spec::Op::mm: {
        auto x = s_.mm();
        if (!x) return false;
        constexpr u32 tile_granule = 32;
        switch (r_.below(4)) {
          case 0: x->w = config_.wspm_bytes - tile_granule * c * r_.below(2), x->wk = tile_granule * c, x->kb = 2; break;
          case 1: x->ws = config_.wsc_bytes - 2 * c * r_.below(2), x->nb = 2, x->wn = tile_granule * c; break;
          case 2: x->a = config_.aspm_bytes - 32 * r_.below(3); x->kb = 4; break;
          default: x->o = config_.vmem_bytes / 4 - c * r_.below(2), x->m = 2; break;
        }
        return put(x);
      }
      case spec::Op::vec: {
        auto x = s_.vec();
        if (!x) return false;
        const u32 words = config_.vmem_bytes / 4;
        switch (r_.below(4)) {
          case 0: x->a = words - c * r_.below(2), x->cols = c + 2; break;
          case 1: x->f.wr = true, x->dst = words - c * r_.below(2), x->cols = c + 2; break;
          case 2: x->f.red = spec::Vred::sum, x->r = words - x->rows.value + 1 + r_.below(2); break;
          default: x->f.bmode = spec::Bmode::row_scalar, x->b_register.reset(), x->b = words - r_.below(2), x->bs = 1, x->rows = 2;
        }
        return put(x);
      }
      case spec::Op::qnt: {
        auto x = s_.qnt();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0: x->a = config_.vmem_bytes / 4 - c * r_.below(2), x->cols = c + 1; break;
          case 1: x->dst = config_.aspm_bytes - 32 * r_.below(2), x->cols = 33; break;
          default: x->f.group = spec::Qgroup::row, x->r = config_.vmem_bytes / 4 - x->rows.value + 1; break;
        }
        return put(x);
      }
      default:
        w_.line(spec::Lds{w_.any_register(), w_.reg(config_.vmem_bytes / 4 + (r_.one_in(2) ? 0 : r_.below(1 << 30)))});
        return true;
    }
  }

  // A value next to a legal one.
  void shift(Val& v, u32 granule) {
    v = v.value + (r_.one_in(2) ? granule / 2 : 1 + r_.below(granule - 1));
  }
  template <class... Vals>
  void shift_one(u32 granule, Vals&... vals) {
    Val* all[] = {&vals...};
    shift(*all[r_.below(sizeof...(vals))], granule);
  }

  bool align() {
    const u32 c = config_.cols;
    switch (op_) {
      case spec::Op::load:
      case spec::Op::store: {
        auto x = dma();
        if (!x) return false;
        const u32 g = x->space == spec::Space::vmem ? 4 : 2;
        if (r_.one_in(2)) shift_one(g, x->ca, x->cs1, x->cs2, x->len);
        else shift_one(2, x->da, x->ds1, x->ds2);
        return put(x);
      }
      case spec::Op::mm: {
        auto x = s_.mm();
        if (!x) return false;
        switch (r_.below(4)) {
          case 0: shift_one(32, x->a, x->am); break;
          case 1: shift_one(16 * c, x->w, x->wn, x->wk); break;
          case 2: shift_one(c, x->ws); break;
          default: shift_one(c, x->o, x->om, x->on); break;
        }
        return put(x);
      }
      case spec::Op::vec: {
        auto x = s_.vec();
        if (!x) return false;
        if (x->f.bmode == spec::Bmode::vector) shift_one(c, x->a, x->as, x->b, x->bs, x->dst, x->ds);
        else shift_one(c, x->a, x->as);
        return put(x);
      }
      default: {
        auto x = s_.qnt();
        if (!x) return false;
        if (r_.one_in(2)) shift_one(32, x->dst, x->ds);
        else shift_one(c, x->a, x->as);
        return put(x);
      }
    }
  }

  u32 too_many() { return r_.one_in(2) ? 65536 + r_.below(3) : 65536 | r_.word(); }

  bool shape() {
    switch (op_) {
      case spec::Op::load:
      case spec::Op::store: {
        auto x = dma();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0: x->len = (1 << 20) + 4 * (1 + r_.below(1000)); break;
          case 1: x->n1 = too_many(); break;
          default: x->n2 = too_many(); break;
        }
        return put(x);
      }
      case spec::Op::mm: {
        auto x = s_.mm();
        if (!x) return false;
        switch (r_.below(6)) {
          case 0: x->m = too_many(); break;
          case 1: x->kb = too_many(); break;
          case 2: x->nb = too_many(); break;
          case 3: x->om = 0, x->m = 2 + r_.below(3); break;
          case 4: x->on = 0, x->nb = 2 + r_.below(3); break;
          default: x->m = 3, x->nb = 2, x->om = config_.cols * 2, x->on = config_.cols * (2 + 2 * r_.below(2)); break;
        }
        return put(x);
      }
      case spec::Op::vec: {
        auto x = s_.vec();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0: x->rows = too_many(); break;
          case 1: x->cols = too_many(); break;
          default: x->f.swap = true, x->cols = x->cols.value | 1; break;
        }
        return put(x);
      }
      default: {
        auto x = s_.qnt();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0: x->rows = too_many(); break;
          case 1: x->cols = too_many(); break;
          default: x->f.group = spec::Qgroup::row, x->cols = 257 + r_.below(20); break;
        }
        return put(x);
      }
    }
  }

  // The last signal or wait is the one too many.
  bool semaphore() {
    const auto eng = static_cast<Engine>(r_.below(5));
    const u8 sem = spare_;
    if (op_ == spec::Op::wait) {
      const u8 given = u8(r_.below(4));
      if (given) w_.line(spec::Signal{eng, sem, given});
      w_.line(spec::Wait{static_cast<Engine>(r_.below(5)), sem, u8(given + 1 + r_.below(r_.one_in(2) ? 2 : 250))});
      return true;
    }
    const u8 n = u8(128 + r_.below(128));
    w_.line(spec::Signal{eng, sem, n});
    w_.line(spec::Signal{eng, sem, n});
    return true;
  }

  bool loop() {
    const auto wrong = [&](u16 end, Item::End kind) {
      const u8 counter = w_.reg(r_.below(3));
      w_.raw({.insn = spec::encode(spec::Loop{counter, end}), .end = kind});
    };
    switch (r_.below(5)) {
      case 0: wrong(0, Item::End::as_is); return true;
      case 1: wrong(0, Item::End::self); return true;
      case 2: wrong(0, Item::End::past_code); return true;
      case 3: wrong(0, Item::End::enclosing); return true;
      default: break;
    }
    const u32 more = spec::limit::loop_depth + 1 - w_.depth();
    const u8 counter = w_.reg(1 + r_.below(3));
    for (u32 i = 0; i < more; ++i) w_.raw({.kind = Item::Kind::loop, .insn = spec::encode(spec::Loop{counter, 0})});
    for (u32 i = 0; i < more; ++i) w_.raw({.kind = Item::Kind::end});
    return true;
  }

  Shapes& s_;
  Writer& w_;
  Random& r_;
  const spec::Config& config_;
  u8 spare_;
  spec::Op op_{};
};

}  // namespace

bool write_fault(const FaultCell& cell, Shapes& shapes, Writer& writer, Random& random, const spec::Config& config,
                 u8 spare_semaphore) {
  return Faults(shapes, writer, random, config, spare_semaphore).write(cell.fault, cell.op);
}

}  // namespace jogak::fuzz
