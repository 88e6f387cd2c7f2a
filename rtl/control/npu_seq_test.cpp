// The sequencer against the model's own steps and checks: random programs give the same stream of
// queue entries, the same fault at the same pc, the same exact counters, under random back pressure.
#include <doctest/doctest.h>

#include <memory>

#include DUT_HEADER
#include "npu_seq_programs.hpp"
#include "sim/model/control.hpp"
#include "sim/model/execute.hpp"
#include "sim/model/resolve.hpp"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {

using namespace jogak;
using namespace jogak::model;
using namespace jogak::seq_test;
using spec::Fault;
using spec::Insn;

// What reaches a queue: kind 0 command (with its bits), 1 wait, 2 signal.
struct Entry {
  u32 engine, kind, pc, sem, n;
  std::array<u32, 16> bits{};
  bool operator==(const Entry&) const = default;
};

struct Outcome {
  std::vector<Entry> entries;
  Fault fault = Fault::none;
  u32 fault_pc = 0;
  u64 instructions = 0, signals = 0, waits = 0;
  std::array<u64, 5> commands{}, amounts{};  // amounts: gather rows, elements, macs / 32 / columns, store, load bytes
};

// Appends fields from the least significant bit up.
class Packer {
 public:
  explicit Packer(std::array<u32, 16>& words) : words_(words) {}
  Packer& put(u64 value, u32 width) {
    for (u32 i = 0; i < width; ++i, ++at_) words_[at_ / 32] |= u32(value >> i & 1) << (at_ % 32);
    return *this;
  }
  template <class... V>
  Packer& words(V... values) {
    (put(values, 32), ...);
    return *this;
  }

 private:
  std::array<u32, 16>& words_;
  u32 at_ = 0;
};

void pack(const DmaBox& c, bool load, const Program& p, Packer out) {
  const Window& w = p.windows[c.win];
  out.put(c.win, 3).put(u32(c.space), 3);
  if (load) out.put(c.gather, 1);
  out.words(c.da, c.ca, c.len, c.n1, c.ds1, c.cs1, c.n2, c.ds2, c.cs2);
  if (load) out.words(c.idx).words(u32(w.size - c.dram_end()));
  out.put(w.base + c.da, 40);
}

std::array<u32, 16> bits_of(const Command& command, const Program& p) {
  std::array<u32, 16> bits{};
  Packer out(bits);
  if (const auto* ld = std::get_if<LoadCmd>(&command)) pack(*ld, true, p, out);
  if (const auto* st = std::get_if<StoreCmd>(&command)) pack(*st, false, p, out);
  if (const auto* c = std::get_if<MmCmd>(&command)) {
    out.put(u32(c->wfmt), 2).put(u32(c->wscale), 2).put(u32(c->ascale), 1).put(c->acc, 1).put(c->colload, 1);
    out.words(c->w, c->ws, c->wn, c->wk, c->a, c->am, c->o, c->om, c->on, c->m, c->kb, c->nb).put(c->sparse, 1);
    if (config().sparse) out.words(c->wi);
  }
  if (const auto* c = std::get_if<VecCmd>(&command)) {
    out.put(u32(c->op), 3).put(u32(c->bmode), 2).put(u32(c->func), 3).put(u32(c->red), 2).put(c->wr, 1);
    out.put(c->nega, 1).put(c->negb, 1).put(c->absa, 1).put(c->swap, 1).put(c->masked, 1).put(c->linc, 1);
    out.words(c->dst, c->ds, c->a, c->as, c->b, c->bs, c->s, c->lim, c->r, c->rows, c->cols).put(0, 3);
  }
  if (const auto* c = std::get_if<QntCmd>(&command)) {
    out.put(0, 17).words(c->dst, c->ds, c->a, c->as, 0u, 0u, 0u, 0u, c->r, c->rows, c->cols);
    out.put(c->group == spec::Qgroup::pair, 1).put(c->by_row(), 1).put(1, 1);
  }
  return bits;
}

bool empty(const Command& command) {
  return std::visit([](const auto& c) { return c.empty(); }, command);
}

// Amount in the order of Outcome::amounts.
void count(const Command& command, Outcome& out) {
  ++out.commands[4 - command.index()];
  if (const auto* c = std::get_if<LoadCmd>(&command)) {
    out.amounts[4] += u64(c->n1) * c->n2 * c->len;
    if (c->gather && !c->empty()) out.amounts[0] += u64(c->n1) * c->n2;
  }
  if (const auto* c = std::get_if<StoreCmd>(&command)) out.amounts[3] += u64(c->n1) * c->n2 * c->len;
  if (const auto* c = std::get_if<MmCmd>(&command)) out.amounts[2] += u64(c->m) * c->kb * c->nb;
  if (const auto* c = std::get_if<VecCmd>(&command)) out.amounts[1] += u64(c->rows) * c->cols;
  if (const auto* c = std::get_if<QntCmd>(&command)) out.amounts[1] += u64(c->rows) * c->cols;
}

// The model without its data: steps, checks, counts.
class Reference {
 public:
  Reference(const Program& p, Memories& memories) : p_(p), memories_(memories) {
    for (u32 i = 0; i < 8; ++i) static_cast<Window&>(windows_[i]) = p.windows[i];
    seq_.code_len = static_cast<u32>(p.code.size());
    seq_.memories = &memories;
    for (u32 i = 0; i < 16; ++i) seq_.registers.set(i + 1, p.args[i]);
  }

  Outcome run() {
    while (!seq_.halted) {
      const u32 pc = seq_.pc;
      const Fault fault = one(pc);
      if (fault == Fault::none) {
        ++out_.instructions;
        continue;
      }
      out_.fault = fault;
      out_.fault_pc = pc;
      break;
    }
    return out_;
  }

 private:
  Fault one(u32 pc) {
    if (p_.watchdog != 0 && out_.instructions == p_.watchdog) return Fault::watchdog;
    if (pc >= p_.code.size()) return Fault::loop;
    const Insn insn = p_.code[pc];
    if (const Fault f = spec::check(insn); f != Fault::none) return f;
    const auto op = static_cast<spec::Op>(spec::opcode_of(insn));
    if (is_engine_op(op)) return command(insn, pc);
    switch (op) {
      case spec::Op::alu: return step(spec::decode<spec::Alu>(insn), seq_);
      case spec::Op::alui: return step(spec::decode<spec::Alui>(insn), seq_);
      case spec::Op::loop: return step(spec::decode<spec::Loop>(insn), seq_);
      case spec::Op::lds: return step(spec::decode<spec::Lds>(insn), seq_);
      case spec::Op::wait: return queued(spec::decode<spec::Wait>(insn), 1, pc, out_.waits);
      case spec::Op::signal: return queued(spec::decode<spec::Signal>(insn), 2, pc, out_.signals);
      default: return step(spec::Halt{}, seq_);
    }
  }

  template <class I>
  Fault queued(const I& i, u32 kind, u32 pc, u64& counter) {
    const Fault f = step(i, seq_);
    if (f != Fault::none) return f;
    ++counter;
    out_.entries.push_back({u32(i.eng), kind, pc, i.sem, i.n});
    return f;
  }

  Fault command(const Insn& insn, u32 pc) {
    if (const Fault f = check_fields(insn, config()); f != Fault::none) return f;
    const Command c = resolve(insn, seq_.registers);
    Counters counters;
    const Env env{config(), windows_, memories_, counters};
    if (const Fault f = check(c, env); f != Fault::none) return f;
    count(c, out_);
    if (!empty(c)) out_.entries.push_back({u32(engine_of(c)), 0, pc, 0, 0, bits_of(c, p_)});
    advance(seq_);
    return Fault::none;
  }

  const Program& p_;
  Memories& memories_;
  Windows windows_{};
  Sequencer seq_;
  Outcome out_;
};

// The RTL with queues, semaphores and vector memory that answer at random times.
class Rtl {
 public:
  Rtl() : dut_(std::make_unique<DUT>(&context_)) {
    dut_->rst_ni = 0;
    dut_->kill_i = 0;
    cycle();
    dut_->rst_ni = 1;
    cycle();
  }

  // kill_at: cycle of a kill, 0 for none.
  Outcome run(const Program& p, const Memories& memories, u32 seed, u64 kill_at = 0) {
    rng_.seed(seed);
    load(p);
    out_ = {};
    for (u32 i = 0; i < 70; ++i) cycle();  // registers are clear by then
    dut_->start_i = 1;
    step(p, memories);
    dut_->start_i = 0;
    busy_ = 0;
    u32 quiet = 0;  // amounts follow the last command by a few cycles
    for (u64 t = 1; quiet < 8; ++t) {
      dut_->kill_i = t == kill_at;
      dut_->loaded_i = t > 20;
      step(p, memories);
      busy_ += dut_->idle_o ? 0 : 1;
      quiet = dut_->idle_o ? quiet + 1 : 0;
      REQUIRE(t < 2'000'000);
    }
    dut_->kill_i = 0;
    return out_;
  }
  u64 busy_cycles() const { return busy_; }
  void stalls(bool on) { stalls_ = on; }

 private:
  bool chance() { return !stalls_ || rng_() % 3 != 0; }

  void load(const Program& p) {
    dut_->loaded_i = 0;
    dut_->code_len_i = static_cast<u32>(p.code.size());
    dut_->watchdog_i = p.watchdog;
    dut_->code_wen_i = 1;
    for (u32 i = 0; i < p.code.size(); ++i) {
      dut_->code_addr_i = i;
      for (u32 w = 0; w < 4; ++w) {
        dut_->code_data_i[w] = u32((w < 2 ? p.code[i].lo : p.code[i].hi) >> (32 * (w % 2)));
      }
      cycle();
    }
    dut_->code_wen_i = 0;
  }

  void step(const Program& p, const Memories& memories) {
    dut_->push_ready_i = 0;
    for (u32 e = 0; e < 4; ++e) dut_->push_ready_i |= u32(chance()) << e;
    dut_->lds_ready_i = chance();
    const bool grant = chance();
    dut_->take_grant_i = 0;
    dut_->sig_grant_i = 0;
    settle(p);
    dut_->take_grant_i = dut_->take_o && grant;
    dut_->sig_grant_i = dut_->sig_o && grant;
    settle(p);
    record();
    const bool fetch = dut_->lds_valid_o && dut_->lds_ready_i;
    const u32 word = fetch ? memories.vmem[dut_->lds_word_o] : 0xDEADBEEF;
    cycle();
    dut_->lds_dvalid_i = fetch;
    dut_->lds_data_i = word;
  }

  void settle(const Program& p) {
    dut_->eval();
    const Window& w = p.windows[dut_->window_idx_o];
    dut_->arg_i = p.args[dut_->arg_idx_o];
    dut_->window_base_i = w.base;
    dut_->window_size_i = w.size;
    dut_->window_flags_i = u32(w.readable) | u32(w.writable) << 1;
    dut_->eval();
  }

  void record() {
    for (u32 e = 0; e < 4; ++e) {
      if ((dut_->push_valid_o & dut_->push_ready_i) >> e & 1) entry(e, dut_->push_kind_o);
    }
    if (dut_->take_grant_i) entry(4, 1);
    if (dut_->sig_grant_i) entry(4, 2);
    out_.instructions += dut_->executed_o >> 2 & 1;
    out_.signals += dut_->executed_o >> 1 & 1;
    out_.waits += dut_->executed_o & 1;
    for (u32 i = 0; i < 5; ++i) {
      out_.commands[i] += dut_->passed_o >> i & 1;
      if (dut_->amount_kind_o >> i & 1) out_.amounts[i] += i == 0 ? dut_->gather_rows_o : dut_->amount_o;
    }
    if (dut_->fault_o) {
      CHECK(out_.fault == Fault::none);
      out_.fault = static_cast<Fault>(dut_->fault_code_o);
      out_.fault_pc = dut_->fault_pc_o;
    }
  }

  void entry(u32 engine, u32 kind) {
    Entry e{engine, kind, dut_->push_pc_o, 0, 0};
    if (kind == 0) {
      for (u32 i = 0; i < 16; ++i) e.bits[i] = dut_->push_data_o[i];
    } else {
      e.sem = dut_->push_sem_o;
      e.n = dut_->push_n_o;
    }
    if (engine == 4) e.pc = 0;
    out_.entries.push_back(e);
  }

  void cycle() {
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->eval();
  }

  VerilatedContext context_;
  std::unique_ptr<DUT> dut_;
  std::mt19937 rng_;
  Outcome out_;
  u64 busy_ = 0;
  bool stalls_ = true;
};

void compare(const Outcome& found, const Outcome& expected, u32 seed) {
  CAPTURE(seed);
  CHECK(found.fault == expected.fault);
  CHECK(found.fault_pc == expected.fault_pc);
  CHECK(found.instructions == expected.instructions);
  CHECK(found.signals == expected.signals);
  CHECK(found.waits == expected.waits);
  CHECK(found.commands == expected.commands);
  CHECK(found.amounts == expected.amounts);
  REQUIRE(found.entries.size() == expected.entries.size());
  for (std::size_t i = 0; i < found.entries.size(); ++i) {
    Entry e = expected.entries[i];
    if (e.engine == 4) e.pc = 0;
    if (found.entries[i] == e) continue;
    CAPTURE(i);
    CAPTURE(e.engine);
    CAPTURE(e.kind);
    CHECK(found.entries[i] == e);
  }
}

Memories some_memories() {
  Memories memories(config());
  std::mt19937 rng(7);
  for (u32& w : memories.vmem) w = u32(rng());
  return memories;
}

}  // namespace

TEST_CASE("random programs: entries, faults and counters as in the model") {
  Memories memories = some_memories();
  Rtl rtl;
  std::array<u32, 32> faults{};
  for (u32 seed = 1; seed <= 20'000; ++seed) {
    const Program p = Generator(seed).program();
    const Outcome expected = Reference(p, memories).run();
    ++faults[u32(expected.fault)];
    compare(rtl.run(p, memories, seed), expected, seed);
  }
  // Every synchronous fault and the clean end were met.
  for (const spec::FaultInfo& f : spec::faults) {
    if (f.async) continue;
    CAPTURE(f.name);
    CHECK(faults[u32(f.code)] > 20);
  }
}

TEST_CASE("a killed run leaves nothing behind") {
  Memories memories = some_memories();
  Rtl rtl;
  for (u32 seed = 1; seed <= 500; ++seed) {
    const Program p = Generator(seed).program();
    rtl.run(p, memories, seed, seed % 97 + 1);
    compare(rtl.run(p, memories, seed), Reference(p, memories).run(), seed);
  }
}

TEST_CASE("cycles of every instruction") {
  Memories memories = some_memories();
  Rtl rtl;
  rtl.stalls(false);
  const auto cycles = [&](const std::vector<Insn>& body) {
    Program p;
    p.windows[0] = {.base = 0, .size = 1024, .readable = true, .writable = true};
    p.code.push_back(encode(spec::Alui{spec::AluFn::or_, 1, 0, 0}));
    p.code.push_back(encode(spec::Alui{spec::AluFn::or_, 2, 0, 2}));
    p.code.insert(p.code.end(), body.begin(), body.end());
    p.code.push_back(encode(spec::Halt{}));
    const Outcome out = rtl.run(p, memories, 1);
    CHECK(out.fault == Fault::none);
    return rtl.busy_cycles();
  };
  const u64 none = cycles({});
  CHECK(cycles({encode(spec::Alui{spec::AluFn::add, 3, 1, 1})}) - none == 2);
  CHECK(cycles({encode(spec::Alui{spec::AluFn::mul, 3, 1, 1})}) - none == 3);
  CHECK(cycles({encode(spec::Lds{3, 1})}) - none == 4);
  CHECK(cycles({encode(spec::Signal{spec::Engine::mx, 1, 1})}) - none == 2);
  CHECK(cycles({encode(spec::Loop{2, 3}), encode(spec::Alui{spec::AluFn::add, 3, 1, 1})}) - none == 8);
  CHECK(cycles({encode(spec::Load{})}) - none == 9);
  CHECK(cycles({encode(spec::Store{.space = spec::Space::vmem})}) - none == 9);
  CHECK(cycles({encode(spec::Mm{})}) - none == 10);
  CHECK(cycles({encode(spec::Vec{})}) - none == 8);
  CHECK(cycles({encode(spec::Qnt{})}) - none == 7);
}
