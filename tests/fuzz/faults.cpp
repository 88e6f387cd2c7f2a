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
      case Fault::opcode:
        return opcode();
      case Fault::reserved:
        return reserved();
      case Fault::window:
        return window();
      case Fault::onchip:
        return onchip();
      case Fault::align:
        return align();
      case Fault::shape:
        return shape();
      case Fault::semaphore:
        return semaphore();
      case Fault::loop:
        return loop();
      default:
        return false;
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
      if (x && r_.one_in(2)) x->f.sparse = true, x->f.colload = config_.sparse;
      else if (x) x->f.wfmt = spec::Wfmt::e2m1, x->f.colload = true;
      return put(x);
    }
    if (combination && op_ == spec::Op::qnt && !config_.sparse) {
      auto x = s_.qnt();
      if (x) x->f.group = spec::Qgroup::pair;
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

  // v such that the box of `extent` from there ends just beyond `size`, by at most a granule.
  static void just_over(Val& v, u64 size, u64 extent, u32 granule) {
    if (extent > size) return;
    v = u32((size - extent) / granule * granule + granule);
  }
  static u64 chip_extent(const Dma& x) {
    return u64(x.n1.value - 1) * x.cs1.value + u64(x.n2.value - 1) * x.cs2.value + x.len.value;
  }
  static u64 dram_extent(const Dma& x) {
    const u64 inner = x.gather ? 0 : u64(x.n1.value - 1) * x.ds1.value;
    return inner + u64(x.n2.value - 1) * x.ds2.value + x.len.value;
  }

  bool window() {
    auto x = dma();
    if (!x) return false;
    switch (r_.below(5)) {
      case 0:
        x->win = u8(r_.below(8));
        break;  // perhaps closed, small or not permitted
      case 1:
        x->da = 0xFFFFFFFE - 2 * r_.below(4);
        break;
      case 2:
        x->n2 = 2 + r_.below(4), x->ds2 = 0xFFFFFF00, x->cs2 = 0;
        break;
      case 3:
        x->da = x->da.value + 2 * (1 + r_.below(kDataBytes));
        break;
      default:
        just_over(x->da, s_.window_size(x->win), dram_extent(*x), 2);
        break;
    }
    return put(x);
  }

  bool onchip() {
    switch (op_) {
      case spec::Op::load:
      case spec::Op::store:
        return onchip_dma();
      case spec::Op::mm:
        return onchip_mm();
      case spec::Op::vec:
        return onchip_vec();
      case spec::Op::qnt:
        return onchip_qnt();
      default:
        w_.line(spec::Lds{w_.any_register(), w_.reg(config_.vmem_bytes / 4 + (r_.one_in(2) ? 0 : r_.below(1 << 30)))});
        return true;
    }
  }

  bool onchip_dma() {
    auto x = dma();
    if (!x) return false;
    const u32 g = x->space == spec::Space::vmem ? 4 : 2;
    if (x->gather && r_.one_in(2)) x->idx = config_.vmem_bytes / 4 - x->n1.value + 1 + r_.below(3);
    else if (r_.one_in(2)) just_over(x->ca, s_.bytes(x->space), chip_extent(*x), g);
    else if (r_.one_in(2)) x->ca = x->ca.value + g * r_.below(100'000);
    else x->cs1 = 0xFFFFFFF0 / g * g, x->n1 = 2 + r_.below(3), x->ds1 = 0;
    return put(x);
  }

  bool onchip_mm() {
    auto x = s_.mm();
    if (!x) return false;
    const u32 c = config_.cols, tile = (x->f.wfmt == spec::Wfmt::int8 ? 32 : 16) * c;
    const u32 set = (x->f.wscale == spec::Wscale::e8m0 ? 1 : 2) * c, m = x->m.value - 1, kb = x->kb.value - 1;
    const u64 way = u64(x->nb.value - 1) * x->wn.value + u64(kb) * x->wk.value;
    const u32 depth = x->f.sparse ? 64 : 32;
    switch (r_.below(x->f.sparse ? 6 : 5)) {
      case 5:
        just_over(x->wi, config_.wspm_bytes, way / tile * 8 * c + 8 * c, 8 * c);
        break;
      case 0:
        just_over(x->w, config_.wspm_bytes, way + tile, tile);
        break;
      case 1:
        x->nb = 0xFFFF, x->wn = 0x7FFFFFFF / tile * tile, x->on = m * x->om.value + c;
        break;
      case 2:
        just_over(x->ws, config_.wsc_bytes, way / tile * set + set, set);
        break;
      case 3:
        just_over(x->a, config_.aspm_bytes, u64(m) * x->am.value + (kb + 1) * depth, 32);
        break;
      default:
        just_over(x->o, config_.vmem_bytes / 4, u64(m) * x->om.value + u64(x->nb.value - 1) * x->on.value + c, c);
        break;
    }
    return put(x);
  }

  bool onchip_vec() {
    auto x = s_.vec();
    if (!x) return false;
    const u32 c = config_.cols, words = config_.vmem_bytes / 4, rows = x->rows.value - 1;
    const bool vector = x->f.bmode == spec::Bmode::vector;
    switch (r_.below(5)) {
      case 0:
        just_over(x->a, words, u64(rows) * x->as.value + x->cols.value, c);
        break;
      case 1:
        x->f.wr = true, just_over(x->dst, words, u64(rows) * x->ds.value + x->cols.value, c);
        break;
      case 2:
        x->f.red = spec::Vred::sum, just_over(x->r, words, rows + 1, 1);
        break;
      case 3:
        if (x->f.bmode == spec::Bmode::scalar) return false;
        just_over(x->b, words, u64(rows) * x->bs.value + (vector ? x->cols.value : 1), vector ? c : 1);
        break;
      default:
        x->rows = 2 + r_.below(9), x->as = 0xFFFFFFFF / c * c;
        break;
    }
    return put(x);
  }

  bool onchip_qnt() {
    auto x = s_.qnt();
    if (!x) return false;
    const u32 words = config_.vmem_bytes / 4, rows = x->rows.value - 1, blocks = (x->cols.value + 31) / 32;
    switch (r_.below(3)) {
      case 0:
        just_over(x->a, words, u64(rows) * x->as.value + x->cols.value, config_.cols);
        break;
      case 1:
        just_over(x->dst, config_.aspm_bytes, u64(rows) * x->ds.value + 32 * blocks, 32);
        break;
      default:
        x->f.group = spec::Qgroup::row, just_over(x->r, words, rows + 1, 1);
        break;
    }
    return put(x);
  }

  // A value next to a legal one.
  void shift(Val& v, u32 granule) { v = v.value + (r_.one_in(2) ? granule / 2 : 1 + r_.below(granule - 1)); }
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
        switch (r_.below(x->f.sparse ? 5 : 4)) {
          case 4:
            shift_one(8 * c, x->wi);
            break;
          case 0:
            shift_one(32, x->a, x->am);
            break;
          case 1:
            shift_one(16 * c, x->w, x->wn, x->wk);
            break;
          case 2:
            shift_one(c, x->ws);
            break;
          default:
            shift_one(c, x->o, x->om, x->on);
            break;
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

  u32 too_many() { return r_.one_in(2) ? 65536 : 65536 | r_.word(); }

  bool shape() {
    switch (op_) {
      case spec::Op::load:
      case spec::Op::store: {
        auto x = dma();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0:
            x->len = (1 << 20) + 4 * (1 + r_.below(1000));
            break;
          case 1:
            x->n1 = too_many();
            break;
          default:
            x->n2 = too_many();
            break;
        }
        return put(x);
      }
      case spec::Op::mm: {
        auto x = s_.mm();
        if (!x) return false;
        switch (r_.below(8)) {
          case 0:
            x->m = too_many();
            break;
          case 1:
            x->kb = too_many();
            break;
          case 2:
            x->nb = too_many();
            break;
          case 3:
            x->om = 0, x->m = 2 + r_.below(3);
            break;
          case 4:
            x->on = 0, x->nb = 2 + r_.below(3);
            break;
          default: {
            // Rows of one dimension just meet those of the other.
            const u32 c = config_.cols, m = 2 + r_.below(2), nb = 2 + r_.below(2), wide = c * (2 + r_.below(3));
            x->m = m, x->nb = nb;
            if (r_.one_in(2)) x->om = wide, x->on = (m - 1) * wide - c * r_.below(2);
            else x->on = wide, x->om = (nb - 1) * wide - c * r_.below(2);
            break;
          }
        }
        return put(x);
      }
      case spec::Op::vec: {
        auto x = s_.vec();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0:
            x->rows = too_many();
            break;
          case 1:
            x->cols = too_many();
            break;
          default:
            x->f.swap = true, x->cols = x->cols.value | 1;
            break;
        }
        return put(x);
      }
      default: {
        auto x = s_.qnt();
        if (!x) return false;
        switch (r_.below(3)) {
          case 0:
            x->rows = too_many();
            break;
          case 1:
            x->cols = too_many();
            break;
          default:
            x->f.group = spec::Qgroup::row, x->cols = 257 + (r_.one_in(2) ? 0 : r_.below(20));
            break;
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
    const u8 n = u8(1 + r_.below(255));
    const u8 more = u8(256 - n + (r_.one_in(2) ? 0 : r_.below(n)));
    w_.line(spec::Signal{eng, sem, n});
    w_.line(spec::Signal{eng, sem, more});
    return true;
  }

  bool loop() {
    const auto wrong = [&](u16 end, Item::End kind) {
      const u8 counter = w_.reg(r_.below(3));
      w_.raw({.insn = spec::encode(spec::Loop{counter, end}), .end = kind});
    };
    switch (r_.below(5)) {
      case 0:
        wrong(0, Item::End::as_is);
        return true;
      case 1:
        wrong(0, Item::End::self);
        return true;
      case 2:
        wrong(0, Item::End::past_code);
        return true;
      case 3: {
        const u8 counter = w_.reg(1 + r_.below(3));
        const bool room = w_.depth() < spec::limit::loop_depth - 1;
        if (room) w_.raw({.kind = Item::Kind::loop, .insn = spec::encode(spec::Loop{counter, 0})});
        wrong(0, Item::End::enclosing);
        w_.line(spec::Alui{});
        if (room) w_.raw({.kind = Item::Kind::end});
        return true;
      }
      default:
        break;
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
