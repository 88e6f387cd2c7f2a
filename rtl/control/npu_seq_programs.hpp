// For the sequencer's test: random programs whose operands lie at and around every limit.
#pragma once

#include <random>
#include <vector>

#include "sim/model/execute.hpp"

namespace jogak::seq_test {

using namespace jogak::model;
using spec::Insn;

inline const spec::Config& config() { return *spec::find_config(DUT_CONFIG); }

struct Program {
  std::vector<Insn> code;
  std::array<u32, 16> args{};
  std::array<Window, 8> windows{};
  u32 watchdog = 0;
};

class Generator {
 public:
  explicit Generator(u32 seed) : rng_(seed) {}

  Program program() {
    p_ = {};
    looped_ = false;
    for (u32& a : p_.args) a = u32(rng_());
    for (Window& w : p_.windows) {
      w = {.base = (u64(rng_()) << 6) & 0xFF'FFFF'FFC0, .size = u32(rng_() % 4096 * 16),
           .readable = rng_() % 16 != 0, .writable = rng_() % 16 != 0};
    }
    p_.watchdog = one_in(6) ? u32(rng_() % 60 + 1) : 0;
    const u32 length = 4 + u32(rng_() % 40);
    while (p_.code.size() < length) instruction();
    if (p_.watchdog == 0 && looped_) p_.watchdog = 2000;
    if (!one_in(5)) p_.code.push_back(encode(spec::Halt{}));
    return p_;
  }

 private:
  bool one_in(u32 n) { return rng_() % n == 0; }
  u8 reg() { return u8(rng_() % 64); }
  void emit(const Insn& insn) { p_.code.push_back(insn); }

  void instruction() {
    switch (rng_() % 12) {
      case 0: case 1: return alu();
      case 2: return loop();
      case 3: return lds();
      case 4: case 5: return semaphore();
      case 6: case 7: return dma();
      case 8: return mm();
      case 9: return vec();
      case 10: return qnt();
      default: return one_in(12) ? junk() : alu();
    }
  }

  void junk() {
    Insn insn{rng_(), rng_()};
    if (one_in(2)) insn = p_.code.empty() ? insn : p_.code.back();
    if (one_in(2)) insn.lo = (insn.lo & ~0xFFull) | std::array{1, 2, 3, 4, 5, 6, 7, 16, 17, 32, 48, 49}[rng_() % 12];
    if (one_in(2)) insn.hi &= (1ull << rng_() % 30) - 1;
    if (one_in(3)) insn.hi |= 1ull << rng_() % 64;
    emit(insn);
  }

  void alu() {
    const auto fn = static_cast<spec::AluFn>(rng_() % 11);
    if (one_in(2)) emit(encode(spec::Alu{fn, reg(), u8(rng_() % 20), u8(rng_() % 20)}));
    else emit(encode(spec::Alui{fn, reg(), u8(rng_() % 20), one_in(2) ? u32(rng_() % 40) : u32(rng_())}));
  }

  void set(u8 r, u32 value) { emit(encode(spec::Alui{spec::AluFn::or_, r, 0, value})); }

  void loop() {
    looped_ = true;
    const u8 r = reg();
    set(r, u32(rng_() % 4));
    emit(encode(spec::Loop{r, u16(p_.code.size() + rng_() % 7 + (one_in(9) ? 0 : 1))}));
  }

  void lds() {
    const u8 r = reg();
    const u32 words = config().vmem_bytes / 4;
    set(r, one_in(12) ? words : one_in(4) ? words - 1 : u32(rng_() % words));
    emit(encode(spec::Lds{reg(), r}));
  }

  void semaphore() {
    const auto engine = static_cast<spec::Engine>(rng_() % 5);
    const u8 sem = u8(rng_() % 4 * 9), n = u8(one_in(30) ? 0 : one_in(10) ? rng_() : rng_() % 3 + 1);
    if (one_in(3)) emit(encode(spec::Wait{engine, sem, n}));
    else emit(encode(spec::Signal{engine, sem, n}));
  }

  u32 number() { return one_in(40) ? 65536 : one_in(40) ? 65535 : one_in(30) ? u32(rng_()) : u32(rng_() % 5 + (one_in(12) ? 0 : 1)); }
  u32 stride(u32 granule) { return one_in(40) ? u32(rng_()) : one_in(60) ? ~0u - granule + 1 : u32(rng_() % 12) * granule; }

  // A base so that the box's last element is last, or next to it.
  u32 base(u64 limit, u64 extent, u32 granule) {
    if (one_in(25)) return u32(rng_());
    const u64 room = limit > extent ? (limit - extent) / granule : 0;
    if (one_in(3)) return u32(room + (one_in(4) ? 1 : 0)) * granule;
    return room == 0 ? 0 : u32(rng_() % (room + 1)) * granule;
  }

  // Registers for the fields of a command, distinct and not r0 where it matters.
  u8 put(u32 value) {
    next_ = next_ % 63 + 1;
    set(next_, value);
    return next_;
  }

  void dma() {
    const bool store = one_in(2), gather = !store && one_in(3);
    const auto space = static_cast<spec::Space>(rng_() % 5);
    const u32 win = u32(rng_() % 8), granule = space == spec::Space::vmem ? 4 : 2;
    Memories sizes(config());
    const u32 n1 = number(), n2 = number();
    const u32 len = one_in(30) ? (1u << 20) + 2 * u32(rng_() % 2) : u32(rng_() % 20) * granule + (one_in(40) ? 1 : 0);
    const u32 ds1 = stride(2), ds2 = stride(2), cs1 = stride(granule), cs2 = stride(granule);
    const u64 dram = u64(n1 - 1) * (gather ? 0 : ds1) + u64(n2 - 1) * ds2 + len;
    const u64 chip = u64(n1 - 1) * cs1 + u64(n2 - 1) * cs2 + len;
    const u8 da = put(base(p_.windows[win].size, dram, 2) + (one_in(60) ? 1 : 0));
    const u8 ca = put(base(sizes.bytes(space).size(), chip, granule) + (one_in(60) ? 2 : 0));
    const u8 rlen = put(len), rn1 = put(n1), rds1 = put(ds1), rcs1 = put(cs1);
    const u8 rn2 = put(n2), rds2 = put(ds2), rcs2 = put(cs2);
    const u8 idx = put(base(config().vmem_bytes / 4, n1, 1));
    if (store) emit(encode(spec::Store{u8(win), space, da, ca, rlen, rn1, rds1, rcs1, rn2, rds2, rcs2}));
    else emit(encode(spec::Load{u8(win), space, gather, da, ca, rlen, rn1, rds1, rcs1, rn2, rds2, rcs2, idx}));
  }

  void mm() {
    const auto& c = config();
    spec::Mm i{.wfmt = static_cast<spec::Wfmt>(rng_() % 2), .wscale = static_cast<spec::Wscale>(rng_() % 4),
               .ascale = static_cast<spec::Ascale>(rng_() % 2), .acc = one_in(2), .colload = one_in(5)};
    i.sparse = config().sparse ? one_in(2) : one_in(40);
    if (i.sparse && !one_in(20)) i.colload = false;
    const bool int8 = i.wfmt == spec::Wfmt::int8, e8m0 = i.wscale == spec::Wscale::e8m0;
    const u32 tile = (int8 ? 32 : 16) * c.cols, set_bytes = (e8m0 ? 1 : 2) * c.cols;
    const u32 m = number(), kb = number(), nb = number();
    const u32 am = stride(32), wn = stride(tile), wk = stride(tile);
    u32 om = stride(c.cols), on = stride(c.cols);
    if (one_in(2)) on = (m - 1) * om + c.cols;
    else if (one_in(2)) om = (nb - 1) * on + c.cols * (one_in(8) ? 0 : 1);
    const u64 span = u64(nb - 1) * wn + u64(kb - 1) * wk;
    const u32 shift = (int8 ? 5 : 4) - (e8m0 ? 0 : 1);
    i.w = put(base(c.wspm_bytes, span + tile, tile));
    i.ws = put(base(c.wsc_bytes, (span >> shift) + set_bytes, set_bytes));
    i.wn = put(wn), i.wk = put(wk);
    i.wi = put(base(c.wspm_bytes, (span >> (int8 ? 2 : 1)) + 8 * c.cols, 8 * c.cols) + (one_in(50) ? 4 * c.cols : 0));
    i.a = put(base(c.aspm_bytes, u64(m - 1) * am + u64(kb) * (i.sparse ? 64 : 32), 32) + (one_in(50) ? 16 : 0));
    i.am = put(am);
    i.o = put(base(c.vmem_bytes / 4, u64(m - 1) * om + u64(nb - 1) * on + c.cols, c.cols));
    i.om = put(om), i.on = put(on), i.m = put(m), i.kb = put(kb), i.nb = put(nb);
    emit(encode(i));
  }

  void vec() {
    const auto& c = config();
    const u64 words = c.vmem_bytes / 4;
    spec::Vec i{.op = static_cast<spec::Vop>(rng_() % 4), .bmode = static_cast<spec::Bmode>(rng_() % 3),
                .func = static_cast<spec::Vfunc>(rng_() % 4), .red = static_cast<spec::Vred>(rng_() % 3)};
    i.wr = one_in(2), i.nega = one_in(2), i.negb = one_in(2), i.absa = one_in(2);
    i.swap = one_in(3), i.masked = one_in(2), i.linc = one_in(2);
    const bool vector = i.bmode == spec::Bmode::vector;
    const u32 rows = number(), cols = number() * (one_in(2) ? 1 : 2);
    const u32 as = stride(c.cols), ds = stride(c.cols), bs = stride(vector ? c.cols : 1);
    i.dst = put(base(words, u64(rows - 1) * ds + cols, c.cols) + (one_in(40) ? 1 : 0)), i.ds = put(ds);
    i.a = put(base(words, u64(rows - 1) * as + cols, c.cols)), i.as = put(as);
    i.b = put(base(words, u64(rows - 1) * bs + (vector ? cols : 1), vector ? c.cols : 1)), i.bs = put(bs);
    i.s = put(u32(rng_())), i.lim = put(u32(rng_())), i.r = put(base(words, rows, 1));
    i.rows = put(rows), i.cols = put(cols);
    emit(encode(i));
  }

  void qnt() {
    const auto& c = config();
    const u64 words = c.vmem_bytes / 4;
    spec::Qnt i{.group = static_cast<spec::Qgroup>(rng_() % (config().sparse || one_in(20) ? 3 : 2))};
    const u32 rows = number(), cols = one_in(3) ? 256 + u32(rng_() % 2) : number() * 30;
    const u32 as = stride(c.cols), ds = stride(32);
    i.dst = put(base(c.aspm_bytes, u64(rows - 1) * ds + (cols + 31) / 32 * 32, 32)), i.ds = put(ds);
    i.a = put(base(words, u64(rows - 1) * as + cols, c.cols)), i.as = put(as);
    i.r = put(base(words, rows, 1)), i.rows = put(rows), i.cols = put(cols);
    emit(encode(i));
  }

  std::mt19937_64 rng_;
  Program p_;
  u8 next_ = 0;
  bool looped_ = false;  // may run long: bound by the watchdog
};

}  // namespace jogak::seq_test
