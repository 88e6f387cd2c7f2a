#include "recorder.hpp"

#include <algorithm>
#include <bit>

#include "rtl/array/mm_latency.hpp"
#include "sim/model/resolve.hpp"

namespace jogak::cycle {

namespace {

using spec::Fault;
using spec::Op;

constexpr u32 kPlain = 2, kMul = 3, kRefill = 2;
constexpr u32 kLongest = 1 << 12;  // lead of an item; nothing happens at the end of a longer one
constexpr u8 kControl = 2;  // a control instruction's first try, and an early fault

// From the cycle in which a command is taken in to the cycle of its push (npu_seq: 9, 10, 8, 7 cycles each).
u8 check_cycles(Op op) {
  switch (op) {
    case Op::mm: return 10;
    case Op::vec: return 8;
    case Op::qnt: return 7;
    default: return 9;
  }
}

bool found_by_check(Fault fault, Op op) {
  return fault == Fault::align || fault == Fault::shape || fault == Fault::window ||
         (fault == Fault::onchip && op != Op::lds);
}

template <class C>
const C& as(const model::Command& c) {
  return std::get<C>(c);
}

}  // namespace

Recorder::Recorder(const spec::Config& config) : cols_log_(u32(std::countr_zero(config.cols))) {}

void Recorder::begin(const std::array<model::Window, spec::limit::windows>& windows) {
  windows_ = windows;
  stream_.clear();
  stream_.lists.clear();
  stream_.closed = false;
  loops_.clear();
  lead_ = 0, steps_ = 0;
}

// The instruction at pc is done; true if a loop ends with it, for good.
bool Recorder::leaves_loop(u32 pc) {
  if (loops_.empty() || loops_.back().end != pc) return false;
  if (--loops_.back().left > 0) return false;
  loops_.pop_back();
  return true;
}

void Recorder::put(Item item) {
  item.lead = lead_;
  lead_ = 0;
  stream_.items.push_back(item);
}

void Recorder::step(const model::Step& s, const model::Memories& memories) {
  ++steps_;
  if (lead_ > kLongest) put({.pc = u16(s.pc), .kind = Kind::empty});
  last_lead_ = lead_;
  if (s.command != nullptr) return command(s, memories);
  control(s);
}

void Recorder::control(const model::Step& s) {
  const Op op = static_cast<Op>(spec::opcode_of(s.insn));
  Item item{.pc = u16(s.pc), .check = kControl};
  last_plain_ = op == Op::alu || op == Op::alui || op == Op::loop;
  switch (op) {
    case Op::alu:
    case Op::alui: {
      const bool mul = spec::decode<spec::Alu>(s.insn).fn == spec::AluFn::mul;
      lead_ += (mul ? kMul : kPlain) + (leaves_loop(s.pc) ? kRefill : 0);
      return;
    }
    case Op::loop: {
      const auto loop = spec::decode<spec::Loop>(s.insn);
      const u32 rounds = s.registers[loop.rc];
      lead_ += kPlain + (rounds == 0 ? kRefill : 0);
      if (rounds != 0) loops_.push_back({loop.end, rounds});
      return;
    }
    case Op::lds:
      item.kind = Kind::lds;
      item.at = s.registers[spec::decode<spec::Lds>(s.insn).ra] >> cols_log_;
      break;
    case Op::wait:
    case Op::signal: {
      const auto wait = spec::decode<spec::Wait>(s.insn);  // signal has the same fields
      item.kind = op == Op::wait ? Kind::wait : Kind::signal;
      item.engine = u8(wait.eng), item.sem = u8(wait.sem), item.n = u8(wait.n);
      break;
    }
    default: item.kind = Kind::halt; break;
  }
  item.refill = leaves_loop(s.pc);
  put(item);
}

void Recorder::command(const model::Step& s, const model::Memories& memories) {
  last_plain_ = false;
  Item item{.at = u32(stream_.commands.size()), .pc = u16(s.pc), .kind = Kind::command};
  item.check = check_cycles(model::op_of(*s.command));
  item.engine = u8(model::engine_of(*s.command));
  if (std::visit([](const auto& c) { return c.empty(); }, *s.command)) {
    item.kind = Kind::empty;
  } else {
    stream_.commands.push_back(timed(*s.command, memories));
  }
  item.refill = leaves_loop(s.pc);
  put(item);
}

DmaCmd Recorder::dma(const model::DmaBox& box) const {
  return {.base = windows_[box.win].base + box.da, .len = box.len, .ca = box.ca, .n1 = box.n1, .ds1 = box.ds1,
          .cs1 = box.cs1, .n2 = box.n2, .ds2 = box.ds2, .cs2 = box.cs2, .idx = box.idx, .space = u8(box.space),
          .gather = box.gather, .bad = false};
}

// The offsets of all its rows, up to the first that is too large.
void Recorder::list(DmaCmd& cmd, const model::DmaBox& box, const model::Memories& memories) {
  const u64 size = windows_[box.win].size, end = box.da + u64(box.n2 - 1) * box.ds2 + box.len;
  std::vector<u32> offsets;
  for (u32 i = 0; i < box.n1 && !cmd.bad; ++i) {
    const u64 offset = u64(memories.vmem[box.idx + i]) * box.ds1;
    cmd.bad = offset > size - std::min(size, end);
    offsets.push_back(u32(offset));
  }
  stream_.lists.push_back(std::move(offsets));
}

Command Recorder::timed(const model::Command& c, const model::Memories& memories) {
  Command t{};
  switch (model::op_of(c)) {
    case Op::load: {
      const auto& load = as<model::LoadCmd>(c);
      t.dma = dma(load);
      if (load.gather) list(t.dma, load, memories);
      break;
    }
    case Op::store: t.dma = dma(as<model::StoreCmd>(c)); break;
    case Op::mm: {
      const auto& mm = as<model::MmCmd>(c);
      mm::Order order = mm.colload ? mm::Order::columns : mm.int8() ? mm::Order::int8 : mm::Order::e2m1;
      if (mm.sparse) order = mm.int8() ? mm::Order::sparse_int8 : mm::Order::sparse_e2m1;
      t.mm = {.o = mm.o >> cols_log_, .om = mm.om >> cols_log_, .on = mm.on >> cols_log_, .m = mm.m, .kb = mm.kb,
              .nb = mm.nb, .order = u8(order), .acc = mm.acc};
      break;
    }
    case Op::vec: {
      const auto& v = as<model::VecCmd>(c);
      t.vec = {.a = v.a >> cols_log_, .as = v.as >> cols_log_, .b = v.b, .bs = v.bs, .dst = v.dst >> cols_log_,
               .ds = v.ds >> cols_log_, .r = v.r, .rows = v.rows, .cols = v.cols, .bmode = u8(v.bmode),
               .red = u8(v.red), .qnt = false, .by_row = false, .pair = false, .wr = v.wr, .func = v.func != spec::Vfunc::none};
      break;
    }
    default: {
      const auto& q = as<model::QntCmd>(c);
      t.vec = {.a = q.a >> cols_log_, .as = q.as >> cols_log_, .b = 0, .bs = 0, .dst = q.dst / spec::limit::block,
               .ds = q.ds / spec::limit::block, .r = q.r, .rows = q.rows, .cols = q.cols,
               .bmode = u8(spec::Bmode::scalar), .red = 0, .qnt = true, .by_row = q.by_row(),
               .pair = q.group == spec::Qgroup::pair, .wr = false, .func = false};
      break;
    }
  }
  return t;
}

void Recorder::end(const model::FaultRecord& fault, u64 executed, std::span<const spec::Insn> code) {
  stream_.closed = true;
  if (fault.code == Fault::none || fault.engine != spec::Engine::seq) return;
  if (steps_ > executed) {  // the last step was the fault itself
    if (last_plain_) lead_ = last_lead_;
    else lead_ = stream_.items.back().lead, stream_.items.pop_back();
  }
  Item item{.pc = u16(fault.pc), .kind = Kind::fault, .check = kControl};
  if (fault.pc < code.size()) {
    const Op op = static_cast<Op>(spec::opcode_of(code[fault.pc]));
    if (found_by_check(fault.code, op)) item.check = u8(check_cycles(op) - 1);
  }
  put(item);
}

}  // namespace jogak::cycle
