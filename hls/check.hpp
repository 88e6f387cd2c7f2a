// Whether an instruction may run, by its bits and by its registers' values, in the documented order: reserved; align, shape, window,
// onchip. Products have 64 bits, so nothing wraps.
#pragma once

#include "types.hpp"

namespace jogak { namespace JG_NAMESPACE {

using spec::Fault;

// Spare bits are what decoding and encoding lose; enumerated fields end at a last value.
template <class T>
bool spare_bits(const spec::Insn& insn) {
  return !(spec::encode(spec::decode<T>(insn)) == insn);
}
template <class E>
bool beyond(E value, E last) {
  return static_cast<u32>(value) > static_cast<u32>(last);
}

inline Fault check_bits(const spec::Insn& insn) {
  bool bad = false;
  switch (static_cast<spec::Op>(spec::opcode_of(insn))) {
    case spec::Op::halt: bad = spare_bits<spec::Halt>(insn); break;
    case spec::Op::alu: bad = spare_bits<spec::Alu>(insn) || beyond(spec::decode<spec::Alu>(insn).fn, spec::AluFn::eq); break;
    case spec::Op::alui: bad = spare_bits<spec::Alui>(insn) || beyond(spec::decode<spec::Alui>(insn).fn, spec::AluFn::eq); break;
    case spec::Op::loop: bad = spare_bits<spec::Loop>(insn); break;
    case spec::Op::lds: bad = spare_bits<spec::Lds>(insn); break;
    case spec::Op::wait: bad = spare_bits<spec::Wait>(insn) || beyond(spec::decode<spec::Wait>(insn).eng, spec::Engine::seq); break;
    case spec::Op::signal:
      bad = spare_bits<spec::Signal>(insn) || beyond(spec::decode<spec::Signal>(insn).eng, spec::Engine::seq);
      break;
    case spec::Op::load: bad = spare_bits<spec::Load>(insn) || beyond(spec::decode<spec::Load>(insn).space, spec::Space::vmem); break;
    case spec::Op::store: {
      const spec::Store s = spec::decode<spec::Store>(insn);
      bad = spare_bits<spec::Store>(insn) || beyond(s.space, spec::Space::vmem) || s.space == spec::Space::wspm || s.space == spec::Space::wsc;
      break;
    }
    case spec::Op::mm: {
      const spec::Mm m = spec::decode<spec::Mm>(insn);
      bad = spare_bits<spec::Mm>(insn) || beyond(m.wfmt, spec::Wfmt::e2m1) || beyond(m.wscale, spec::Wscale::e8m0) ||
            beyond(m.ascale, spec::Ascale::bf16) || (m.sparse && !kSparse) || (m.colload && (m.sparse || m.wfmt != spec::Wfmt::int8));
      break;
    }
    case spec::Op::vec: {
      const spec::Vec v = spec::decode<spec::Vec>(insn);
      bad = spare_bits<spec::Vec>(insn) || beyond(v.op, spec::Vop::min) || beyond(v.bmode, spec::Bmode::scalar) ||
            beyond(v.func, spec::Vfunc::rsqrt) || beyond(v.red, spec::Vred::max);
      break;
    }
    case spec::Op::qnt:
      bad = spare_bits<spec::Qnt>(insn) || beyond(spec::decode<spec::Qnt>(insn).group, kSparse ? spec::Qgroup::pair : spec::Qgroup::row);
      break;
    default: return Fault::opcode;
  }
  return bad ? Fault::reserved : Fault::none;
}

inline u64 last_of(u32 count, u32 stride) { return u64(count - 1) * stride; }
inline bool many(u32 count) { return count > spec::limit::count_max; }

inline u32 space_bytes(spec::Space space) {
  switch (space) {
    case spec::Space::wspm: return kConfig.wspm_bytes;
    case spec::Space::wsc: return kConfig.wsc_bytes;
    case spec::Space::aspm: return kConfig.aspm_bytes;
    case spec::Space::asc: return kConfig.asc_bytes;
    default: return kConfig.vmem_bytes;
  }
}

inline Fault check_dma(const Dma& c, bool permitted) {
  const u32 chip = c.space == spec::Space::vmem ? 4 : 2;
  if (((c.da | c.ds1 | c.ds2) % 2 | (c.ca | c.cs1 | c.cs2 | c.len) % chip) != 0) return Fault::align;
  if (c.len > spec::limit::len_max || many(c.n1) || many(c.n2)) return Fault::shape;
  if (is_empty(c)) return Fault::none;
  const u64 dram_end = u64(c.da) + last_of(c.n2, c.ds2) + (c.gather ? 0 : last_of(c.n1, c.ds1)) + c.len;
  if (!permitted || dram_end > c.size) return Fault::window;
  const u64 chip_end = u64(c.ca) + last_of(c.n2, c.cs2) + last_of(c.n1, c.cs1) + c.len;
  if (chip_end > space_bytes(c.space)) return Fault::onchip;
  return c.gather && u64(c.idx) + c.n1 > kVmemWords ? Fault::onchip : Fault::none;
}

inline Fault check_matmul(const Matmul& c) {
  const bool int8 = c.wfmt == spec::Wfmt::int8;
  const u32 tile = (int8 ? kBlock : kBlock / 2) * C;
  const u32 set = (c.wscale == spec::Wscale::e8m0 ? 1 : 2) * C;
  const bool scaled = c.wscale != spec::Wscale::one;
  if (((c.a | c.am) % kBlock | (c.w | c.wn | c.wk) % tile | (c.o | c.om | c.on) % C) != 0) return Fault::align;
  if (scaled && c.ws % set != 0) return Fault::align;
  const u32 index_bytes = kBlock / 4 * C;
  if (is_sparse(c) && indices_of(c) % index_bytes != 0) return Fault::align;
  if (many(c.m) || many(c.kb) || many(c.nb) || (c.m > 1 && c.om < C) || (c.nb > 1 && c.on < C)) return Fault::shape;
  if (c.m > 1 && c.nb > 1 && last_of(c.m, c.om) + C > c.on && last_of(c.nb, c.on) + C > c.om) return Fault::shape;
  if (c.m == 0 || c.kb == 0 || c.nb == 0) return Fault::none;
  const u64 tiles = last_of(c.nb, c.wn) + last_of(c.kb, c.wk);
  const u32 shift = (int8 ? 5 : 4) - (set == 2 * C ? 1 : 0);
  const bool on_chip = c.a + last_of(c.m, c.am) + u64(c.kb) * (is_sparse(c) ? 2 * kBlock : kBlock) <= kConfig.aspm_bytes &&
                       c.w + tiles + tile <= kConfig.wspm_bytes &&
                       (!is_sparse(c) || indices_of(c) + (tiles >> (int8 ? 2 : 1)) + index_bytes <= kConfig.wspm_bytes) &&
                       (!scaled || c.ws + (tiles >> shift) + set <= kConfig.wsc_bytes) &&
                       c.o + last_of(c.m, c.om) + last_of(c.nb, c.on) + C <= kVmemWords;
  return on_chip ? Fault::none : Fault::onchip;
}

inline Fault check_vector(const Vector& c) {
  const bool vector_b = !c.quantise && c.bmode == spec::Bmode::vector;
  u32 rest = (c.a | c.as) % C;
  if (vector_b) rest |= (c.b | c.bs) % C;
  if (c.quantise) rest |= (c.dst | c.ds) % kBlock;
  else if (c.wr) rest |= (c.dst | c.ds) % C;
  if (rest != 0) return Fault::align;
  if (many(c.rows) || many(c.cols)) return Fault::shape;
  const bool by_row = c.quantise && c.group == spec::Qgroup::row;
  if (by_row ? c.cols > spec::limit::quant_cols_max : !c.quantise && c.swap && c.cols % 2 != 0) return Fault::shape;
  if (c.rows == 0 || c.cols == 0) return Fault::none;
  const u64 blocks = u64(c.cols + kBlock - 1) / kBlock * kBlock;
  bool on_chip = c.a + last_of(c.rows, c.as) + c.cols <= kVmemWords;
  if (c.quantise) {
    on_chip = on_chip && c.dst + last_of(c.rows, c.ds) + blocks <= kConfig.aspm_bytes;
  } else {
    const bool reads_b = c.bmode != spec::Bmode::scalar;
    on_chip = on_chip && (!reads_b || c.b + last_of(c.rows, c.bs) + (vector_b ? c.cols : 1) <= kVmemWords);
    on_chip = on_chip && (!c.wr || c.dst + last_of(c.rows, c.ds) + c.cols <= kVmemWords);
  }
  const bool lists_rows = c.quantise ? by_row : c.red != spec::Vred::none;
  on_chip = on_chip && (!lists_rows || u64(c.r) + c.rows <= kVmemWords);
  return on_chip ? Fault::none : Fault::onchip;
}

}}  // namespace jogak::JG_NAMESPACE
