#include "resolve.hpp"

namespace jogak::model {

namespace {

DmaBox box(u32 win, spec::Space space) {
  DmaBox b{};
  b.win = win;
  b.space = space;
  return b;
}

// The register fields that load and store have in common.
template <class I>
DmaBox dma(const I& i, const Registers& r) {
  DmaBox b = box(i.win, i.space);
  b.da = r[i.da], b.ca = r[i.ca], b.len = r[i.len];
  b.n1 = r[i.n1], b.ds1 = r[i.ds1], b.cs1 = r[i.cs1];
  b.n2 = r[i.n2], b.ds2 = r[i.ds2], b.cs2 = r[i.cs2];
  return b;
}

Command resolve(const spec::Load& i, const Registers& r) {
  LoadCmd c{dma(i, r)};
  c.gather = i.gather;
  c.idx = r[i.idx];
  return c;
}

Command resolve(const spec::Store& i, const Registers& r) { return StoreCmd{dma(i, r)}; }

Command resolve(const spec::Mm& i, const Registers& r) {
  return MmCmd{.wfmt = i.wfmt, .wscale = i.wscale, .ascale = i.ascale,
               .acc = i.acc, .colload = i.colload, .sparse = i.sparse,
               .w = r[i.w], .ws = r[i.ws], .wn = r[i.wn], .wk = r[i.wk],
               .a = r[i.a], .am = r[i.am], .o = r[i.o], .om = r[i.om], .on = r[i.on],
               .m = r[i.m], .kb = r[i.kb], .nb = r[i.nb], .wi = r[i.wi]};
}

Command resolve(const spec::Vec& i, const Registers& r) {
  return VecCmd{.op = i.op, .bmode = i.bmode, .func = i.func, .red = i.red, .wr = i.wr,
                .nega = i.nega, .negb = i.negb, .absa = i.absa, .swap = i.swap,
                .masked = i.masked, .linc = i.linc,
                .dst = r[i.dst], .ds = r[i.ds], .a = r[i.a], .as = r[i.as],
                .b = r[i.b], .bs = r[i.bs], .s = r[i.s], .lim = r[i.lim], .r = r[i.r],
                .rows = r[i.rows], .cols = r[i.cols]};
}

Command resolve(const spec::Qnt& i, const Registers& r) {
  return QntCmd{.group = i.group, .dst = r[i.dst], .ds = r[i.ds], .a = r[i.a], .as = r[i.as],
                .r = r[i.r], .rows = r[i.rows], .cols = r[i.cols]};
}

}  // namespace

bool is_engine_op(spec::Op op) { return op >= spec::Op::load; }

spec::Fault check_fields(const spec::Insn& insn, const spec::Config& config) {
  const auto op = static_cast<spec::Op>(spec::opcode_of(insn));
  if (op == spec::Op::store) {
    const spec::Space space = spec::decode<spec::Store>(insn).space;
    const bool weights = space == spec::Space::wspm || space == spec::Space::wsc;
    return weights ? spec::Fault::reserved : spec::Fault::none;
  }
  bool bad = false;
  if (op == spec::Op::mm) {
    const auto mm = spec::decode<spec::Mm>(insn);
    bad = (mm.colload && (mm.wfmt != spec::Wfmt::int8 || mm.sparse)) || (mm.sparse && !config.sparse);
  }
  if (op == spec::Op::qnt) bad = !config.sparse && spec::decode<spec::Qnt>(insn).group == spec::Qgroup::pair;
  return bad ? spec::Fault::reserved : spec::Fault::none;
}

Command resolve(const spec::Insn& insn, const Registers& registers) {
  switch (static_cast<spec::Op>(spec::opcode_of(insn))) {
    case spec::Op::load: return resolve(spec::decode<spec::Load>(insn), registers);
    case spec::Op::store: return resolve(spec::decode<spec::Store>(insn), registers);
    case spec::Op::mm: return resolve(spec::decode<spec::Mm>(insn), registers);
    case spec::Op::vec: return resolve(spec::decode<spec::Vec>(insn), registers);
    default: return resolve(spec::decode<spec::Qnt>(insn), registers);
  }
}

spec::Engine engine_of(const Command& command) {
  constexpr spec::Engine engines[] = {spec::Engine::ld, spec::Engine::st, spec::Engine::mx,
                                      spec::Engine::ve, spec::Engine::ve};
  return engines[command.index()];
}

spec::Op op_of(const Command& command) {
  constexpr spec::Op ops[] = {spec::Op::load, spec::Op::store, spec::Op::mm, spec::Op::vec,
                              spec::Op::qnt};
  return ops[command.index()];
}

}  // namespace jogak::model
