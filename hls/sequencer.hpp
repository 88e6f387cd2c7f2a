// The sequencer: loads a program, runs its control instructions, checks commands and puts them into the engines' queues.
#pragma once

#include "check.hpp"
#include "matrix.hpp"
#include "port.hpp"
#include "semaphores.hpp"

namespace jogak { namespace JG_NAMESPACE {

// The registers of spec/npu.yaml in memory, word by word: the job's are read, results written.
constexpr u32 kRegisterWords = (spec::csr::counter + 64 * 8) / 4;
constexpr u32 reg_word(u32 offset) { return offset / 4; }

struct Window {
  u64 base;
  u32 size, flags;
};

struct Loop {
  u32 first, last, left;
};

struct Core {
  u32 reg[spec::limit::registers];
  u32 pc, code_len, depth;
  Loop loop[spec::limit::loop_depth];
  u32 balance[spec::limit::semaphores];  // signals issued less waits issued
  Window window[spec::limit::windows];
  u64 count[64];
  Fault fault;
  u32 fault_engine;
  u64 fault_address;
  bool halted, aborted;
  JG_IF_LINKS(u32 place;)
};

struct Queues {
  Fifo<Entry<Dma>, hls_depth::queue>&load, &store;
  Fifo<MatmulEntry, hls_depth::queue>& matrix;
  Fifo<Entry<Vector>, hls_depth::queue>& vector;
};

inline void tally(Core& core, spec::Counter counter, u64 n) { core.count[static_cast<u32>(counter)] += n; }
inline void set_reg(Core& core, u32 index, u32 value) {
  if (index != 0) core.reg[index] = value;
}

inline u32 compute(spec::AluFn fn, u32 a, u32 b) {
  switch (fn) {
    case spec::AluFn::add: return a + b;
    case spec::AluFn::sub: return a - b;
    case spec::AluFn::mul: return a * b;
    case spec::AluFn::and_: return a & b;
    case spec::AluFn::or_: return a | b;
    case spec::AluFn::shl: return a << (b & 31);
    case spec::AluFn::shr: return a >> (b & 31);
    case spec::AluFn::minu: return a < b ? a : b;
    case spec::AluFn::maxu: return a > b ? a : b;
    case spec::AluFn::ltu: return a < b ? 1 : 0;
    default: return a == b ? 1 : 0;
  }
}

// To the next instruction, or back where a loop's body ends.
inline void advance(Core& core) {
  if (core.depth > 0 && core.loop[core.depth - 1].last == core.pc) {
    Loop& loop = core.loop[core.depth - 1];
    if (--loop.left > 0) {
      core.pc = loop.first;
      return;
    }
    --core.depth;
  }
  ++core.pc;
}

inline Fault begin_loop(Core& core, const spec::Loop& i) {
  const u32 rounds = core.reg[i.rc];
  const u32 outer = core.depth > 0 ? core.loop[core.depth - 1].last : core.code_len;
  if (core.depth == spec::limit::loop_depth || i.end <= core.pc || i.end >= outer) return Fault::loop;
  if (rounds == 0) {
    core.pc = i.end + 1u;
    return Fault::none;
  }
  core.loop[core.depth].first = core.pc + 1;
  core.loop[core.depth].last = i.end;
  core.loop[core.depth].left = rounds;
  ++core.depth;
  ++core.pc;
  return Fault::none;
}

// A wait or signal into the queue of its engine; the sequencer's own at once. False: a fault elsewhere ended the wait.
inline bool order(Kind kind, spec::Engine engine, u8 sem, u8 n, Queues q, Fifo<SemRequest, 4>& give,
                  Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant) {
  switch (engine) {
    case spec::Engine::ld: q.load.write({kind, sem, n, 0, Dma()}); return true;
    case spec::Engine::st: q.store.write({kind, sem, n, 0, Dma()}); return true;
    case spec::Engine::mx: q.matrix.write({kind, sem, n, 0, Matmul()}); return true;
    case spec::Engine::ve: q.vector.write({kind, sem, n, 0, Vector()}); return true;
    default: break;
  }
  if (kind == Kind::signal) give.write({SemOp::give, sem, n});
  return kind != Kind::wait || granted(sem, n, take, grant);
}

template <class I>
Dma resolve_dma(const Core& core, const I& i) {
  const Window& w = core.window[i.win];
  Dma c = {};
  c.space = i.space;
  c.base = w.base, c.size = w.size;
  JG_IF_LINKS(c.place = core.place;)
  c.da = core.reg[i.da], c.ca = core.reg[i.ca], c.len = core.reg[i.len];
  c.n1 = core.reg[i.n1], c.ds1 = core.reg[i.ds1], c.cs1 = core.reg[i.cs1];
  c.n2 = core.reg[i.n2], c.ds2 = core.reg[i.ds2], c.cs2 = core.reg[i.cs2];
  return c;
}

inline Fault issue_load_command(Core& core, const spec::Insn& insn, Queues q) {
  const spec::Load i = spec::decode<spec::Load>(insn);
  Dma c = resolve_dma(core, i);
  c.gather = i.gather;
  c.idx = core.reg[i.idx];
  const Fault fault = check_dma(c, (core.window[i.win].flags & 1) != 0);
  if (fault != Fault::none) return fault;
  tally(core, spec::Counter::cmd_load, 1);
  q.load.write({Kind::command, 0, 0, static_cast<u16>(core.pc), c});
  return Fault::none;
}

inline Fault issue_store_command(Core& core, const spec::Insn& insn, Queues q) {
  const spec::Store i = spec::decode<spec::Store>(insn);
  const Dma c = resolve_dma(core, i);
  const Fault fault = check_dma(c, (core.window[i.win].flags & 2) != 0);
  if (fault != Fault::none) return fault;
  tally(core, spec::Counter::cmd_store, 1);
  q.store.write({Kind::command, 0, 0, static_cast<u16>(core.pc), c});
  return Fault::none;
}

inline Fault issue_matmul(Core& core, const spec::Insn& insn, Queues q) {
  const spec::Mm i = spec::decode<spec::Mm>(insn);
  const u32* r = core.reg;
  Matmul c;
  c.wfmt = i.wfmt, c.wscale = i.wscale, c.ascale = i.ascale, c.acc = i.acc, c.colload = i.colload;
  c.w = r[i.w], c.ws = r[i.ws], c.wn = r[i.wn], c.wk = r[i.wk], c.a = r[i.a], c.am = r[i.am];
  c.o = r[i.o], c.om = r[i.om], c.on = r[i.on], c.m = r[i.m], c.kb = r[i.kb], c.nb = r[i.nb];
  put_sparsity(c, i.sparse, r[i.wi]);
  const Fault fault = check_matmul(c);
  if (fault != Fault::none) return fault;
  tally(core, spec::Counter::cmd_mm, 1);
  const u64 blocks = u64(c.m) * c.kb * c.nb;
  tally(core, spec::Counter::macs, blocks * kBlock * C);
  tally(core, spec::Counter::mx_busy, blocks * (kBlock / R));  // a slice a cycle
  q.matrix.write({Kind::command, 0, 0, static_cast<u16>(core.pc), c});
  return Fault::none;
}

inline Vector resolve_vec(const Core& core, const spec::Insn& insn) {
  const spec::Vec i = spec::decode<spec::Vec>(insn);
  const u32* r = core.reg;
  Vector c = {};
  c.op = i.op, c.bmode = i.bmode, c.func = i.func, c.red = i.red, c.wr = i.wr, c.nega = i.nega, c.negb = i.negb;
  c.absa = i.absa, c.swap = i.swap, c.masked = i.masked, c.linc = i.linc;
  c.dst = r[i.dst], c.ds = r[i.ds], c.a = r[i.a], c.as = r[i.as], c.b = r[i.b], c.bs = r[i.bs];
  c.s = r[i.s], c.lim = r[i.lim], c.r = r[i.r], c.rows = r[i.rows], c.cols = r[i.cols];
  return c;
}

inline Vector resolve_qnt(const Core& core, const spec::Insn& insn) {
  const spec::Qnt i = spec::decode<spec::Qnt>(insn);
  const u32* r = core.reg;
  Vector c = {};
  c.quantise = true;
  c.group = i.group;
  c.dst = r[i.dst], c.ds = r[i.ds], c.a = r[i.a], c.as = r[i.as], c.r = r[i.r], c.rows = r[i.rows], c.cols = r[i.cols];
  return c;
}

inline Fault issue_vector(Core& core, const Vector& c, Queues q) {
  const Fault fault = check_vector(c);
  if (fault != Fault::none) return fault;
  tally(core, c.quantise ? spec::Counter::cmd_qnt : spec::Counter::cmd_vec, 1);
  tally(core, spec::Counter::vec_elems, u64(c.rows) * c.cols);
  q.vector.write({Kind::command, 0, 0, static_cast<u16>(core.pc), c});
  return Fault::none;
}

// The instruction at pc. Moves pc, or says why not; `stopped`: a fault elsewhere came first.
inline Fault step(Core& core, const spec::Insn& insn, bool& stopped, Queues q, Fifo<u32, 8>& lds,
                  Fifo<Row, 32>& lds_data, Fifo<SemRequest, 4>& give, Fifo<SemRequest, 2>& take,
                  Fifo<bool, 2>& grant) {
  const Fault bits = check_bits(insn);
  if (bits != Fault::none) return bits;
  Fault fault = Fault::none;
  switch (static_cast<spec::Op>(spec::opcode_of(insn))) {
    case spec::Op::halt: core.halted = true; return Fault::none;
    case spec::Op::alu: {
      const spec::Alu i = spec::decode<spec::Alu>(insn);
      set_reg(core, i.rd, compute(i.fn, core.reg[i.ra], core.reg[i.rb]));
      break;
    }
    case spec::Op::alui: {
      const spec::Alui i = spec::decode<spec::Alui>(insn);
      set_reg(core, i.rd, compute(i.fn, core.reg[i.ra], i.imm));
      break;
    }
    case spec::Op::loop: return begin_loop(core, spec::decode<spec::Loop>(insn));
    case spec::Op::lds: {
      const spec::Lds i = spec::decode<spec::Lds>(insn);
      const u32 at = core.reg[i.ra];
      if (at >= kVmemWords) return Fault::onchip;
      lds.write(at / C);
      JG_THEN;
      set_reg(core, i.rd, lds_data.read().word[at % C]);
      break;
    }
    case spec::Op::wait: {
      const spec::Wait i = spec::decode<spec::Wait>(insn);
      if (i.n == 0) return Fault::reserved;
      const bool remote = kLinks && i.sem >= spec::limit::semaphores;  // what others give is not known here
      if (!remote && (i.sem >= spec::limit::semaphores || core.balance[i.sem] < i.n)) return Fault::semaphore;
      if (!remote) core.balance[i.sem] -= i.n;
      stopped = !order(Kind::wait, i.eng, i.sem, i.n, q, give, take, grant);
      if (stopped) return Fault::none;
      tally(core, spec::Counter::waits, 1);
      break;
    }
    case spec::Op::signal: {
      const spec::Signal i = spec::decode<spec::Signal>(insn);
      if (i.n == 0) return Fault::reserved;
      if (i.sem >= spec::limit::semaphores || core.balance[i.sem] + i.n > spec::limit::semaphore_max) return Fault::semaphore;
      core.balance[i.sem] += i.n;
      order(Kind::signal, i.eng, i.sem, i.n, q, give, take, grant);
      tally(core, spec::Counter::signals, 1);
      break;
    }
    case spec::Op::load: fault = issue_load_command(core, insn, q); break;
    case spec::Op::store: fault = issue_store_command(core, insn, q); break;
    case spec::Op::mm: fault = issue_matmul(core, insn, q); break;
    case spec::Op::vec: fault = issue_vector(core, resolve_vec(core, insn), q); break;
    default: fault = issue_vector(core, resolve_qnt(core, insn), q); break;
  }
  if (fault == Fault::none) advance(core);
  return fault;
}

// A job's registers into a core.
inline Core begin(const u32* regs) {
  Core core = {};
  for (u32 i = 0; i < spec::limit::args; ++i) core.reg[i + 1] = regs[reg_word(spec::csr::arg_at(i))];
  for (u32 i = 0; i < spec::limit::windows; ++i) {
    core.window[i].base = regs[reg_word(spec::csr::win_base_lo_at(i))] | u64(regs[reg_word(spec::csr::win_base_hi_at(i))]) << 32;
    core.window[i].size = regs[reg_word(spec::csr::win_size_at(i))];
    core.window[i].flags = regs[reg_word(spec::csr::win_flags_at(i))];
  }
  const u32 length = regs[reg_word(spec::csr::code_len)];
  JG_IF_LINKS(core.place = regs[reg_word(spec::csr::place)];)
  core.code_len = length < kConfig.imem_words ? length : kConfig.imem_words;  // more is not loaded
  return core;
}

inline void fetch(hls::burst_maxi<PortWord> memory, const u32* regs, u32 length, spec::Insn* code) {
  const u64 address = regs[reg_word(spec::csr::code_lo)] | u64(regs[reg_word(spec::csr::code_hi)]) << 32;
  u32 at = 0;
  for (Cuts cuts(address, length * 16); length > 0 && cuts.more();) {
    const Burst b = cuts.next();
    memory.read_request(b.word, b.beats);
    for (u32 i = 0; i < b.beats; ++i) {
      JG_PIPELINE(1)
      const Chunk c = cut(memory.read());
      for (u32 k = 0; k < P; ++k, ++at) {
        JG_UNROLL
        u64& half = at % 16 < 8 ? code[at / 16].lo : code[at / 16].hi;
        if (at % 8 == 0) half = 0;
        half |= u64(c.byte[k]) << (at % 8 * 8);
      }
    }
  }
}

constexpr u32 kLetters = 0x4b474f4a;  // of register id

// What the machine is, and what came of the job.
inline void finish(const Core& core, u32* regs) {
  regs[reg_word(spec::csr::id)] = kLetters;
  regs[reg_word(spec::csr::isa_version)] = spec::isa_version;
  regs[reg_word(spec::csr::isa_hash)] = spec::isa_hash;
  regs[reg_word(spec::csr::config_hash)] = kConfig.hash;
  regs[reg_word(spec::csr::status)] = (core.fault == Fault::none ? 0 : 2) | (core.aborted ? 8 : 0);
  regs[reg_word(spec::csr::fault_cause)] = static_cast<u32>(core.fault);
  regs[reg_word(spec::csr::fault_pc)] = core.fault == Fault::none ? 0 : core.pc;
  regs[reg_word(spec::csr::fault_engine)] = core.fault_engine;
  regs[reg_word(spec::csr::fault_addr_lo)] = static_cast<u32>(core.fault_address);
  regs[reg_word(spec::csr::fault_addr_hi)] = static_cast<u32>(core.fault_address >> 32);
  for (u32 i = 0; i < 64; ++i) {
    regs[reg_word(spec::csr::counter_at(i))] = static_cast<u32>(core.count[i]);
    regs[reg_word(spec::csr::counter_at(i)) + 1] = static_cast<u32>(core.count[i] >> 32);
  }
}

inline void take_note(Core& core, const FaultNote& note, Fault fault, spec::Engine engine) {
  core.fault = fault;
  core.pc = note.pc;
  core.fault_engine = static_cast<u32>(engine);
  core.fault_address = note.address;
}

inline void sequencer(hls::burst_maxi<PortWord> memory, u32* regs, Fifo<Entry<Dma>, hls_depth::queue>& load_queue,
                      Fifo<Entry<Dma>, hls_depth::queue>& store_queue, Fifo<MatmulEntry, hls_depth::queue>& matrix_queue,
                      Fifo<Entry<Vector>, hls_depth::queue>& vector_queue, Fifo<u32, 8>& lds, Fifo<Row, 32>& lds_data,
                      Fifo<SemRequest, 4>& give, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant,
                      Fifo<FaultNote, 2>& note, Fifo<Traffic, 2>& loaded, Fifo<Traffic, 2>& stored,
                      Fifo<bool, 2>& load_idle, Fifo<bool, 2>& store_idle, Fifo<bool, 2>& matrix_idle,
                      Fifo<bool, 2>& vector_idle, Fifo<bool, 2>& clock_ask, Fifo<u64, 2>& clock_now, Fifo<bool, 2>& over,
                      Fifo<bool, 2>& aborted
                      JG_IF_LINKS(, Fifo<FaultNote, 2>& store_note, Fifo<bool, 2>& gate)) {
  JG_STATES(spec::Insn, code, kConfig.imem_words);
  JG_RAM(code)
  const Queues q = {load_queue, store_queue, matrix_queue, vector_queue};
  clock_ask.write(true);
  JG_THEN;
  const u64 began = clock_now.read();
  Core core = begin(regs);
  if ((regs[reg_word(spec::csr::launch_flags)] & 1) == 0) fetch(memory, regs, core.code_len, code);
  const u32 watchdog = regs[reg_word(spec::csr::watchdog)];
  u64& executed = core.count[static_cast<u32>(spec::Counter::instructions)];
  give.write({SemOp::clear, 0, 0});
  JG_THEN;
  grant.read();
  JG_IF_LINKS(gate.write((core.place >> 16 & 1) != 0);)
  FaultNote n;
  bool noted = false, stopped = false;
  JG_IF_LINKS(FaultNote store_n; bool store_noted = false;)
  while (!core.halted && core.fault == Fault::none && !stopped) {
    noted = note.read_nb(n);
    JG_IF_LINKS(store_noted = store_note.read_nb(store_n);)
    aborted.read_nb(core.aborted);
    if (noted || core.aborted JG_IF_LINKS(|| store_noted)) break;
    if (watchdog != 0 && executed == watchdog) core.fault = Fault::watchdog;
    else if (core.pc >= core.code_len) core.fault = Fault::loop;
    else core.fault = step(core, code[core.pc], stopped, q, lds, lds_data, give, take, grant);
    if (core.fault == Fault::none && !stopped) ++executed;
    if (executed % 1024 == 0) JG_TURN(aborted);
  }
  if (core.fault != Fault::none) core.fault_engine = static_cast<u32>(spec::Engine::seq);
  for (u32 e = 0; e < 4; ++e) order(Kind::stop, static_cast<spec::Engine>(e), 0, 0, q, give, take, grant);
  JG_THEN;
  const Traffic l = loaded.read(), s = stored.read();
  load_idle.read();
  store_idle.read();
  matrix_idle.read();
  vector_idle.read();
  JG_THEN;
  over.write(true);
  JG_THEN;
  const bool first = aborted.read();  // two words if the host aborted the job
  if (first && !core.aborted) aborted.read();
  core.aborted |= first;
  JG_IF_LINKS(gate.write(true);)
  // A bad index that was found late is the first fault all the same, if it lies before.
  if (!noted) noted = note.read_nb(n);
  JG_IF_LINKS(if (store_noted || store_note.read_nb(store_n)) take_note(core, store_n, Fault::bus, spec::Engine::st);)
  if (noted) take_note(core, n, Fault::index, spec::Engine::ld);
  tally(core, spec::Counter::load_bytes, l.bytes);
  tally(core, spec::Counter::load_beats, l.beats);
  tally(core, spec::Counter::load_bursts, l.bursts);
  tally(core, spec::Counter::gather_rows, l.rows);
  tally(core, spec::Counter::store_bytes, s.bytes);
  tally(core, spec::Counter::store_beats, s.beats);
  tally(core, spec::Counter::store_bursts, s.bursts);
  // A cycle for each, so these are times that need no clock.
  tally(core, spec::Counter::ld_beats, l.beats);
  tally(core, spec::Counter::st_beats, s.beats);
  JG_THEN;
  clock_ask.write(true);
  JG_THEN;
  tally(core, spec::Counter::cycles, clock_now.read() - began);
  finish(core, regs);
}

}}  // namespace jogak::JG_NAMESPACE
