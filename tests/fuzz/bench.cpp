#include "bench.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "order.hpp"
#include "runtime/asm.hpp"
#include "sim/model/resolve.hpp"

namespace jogak::fuzz {

namespace {

constexpr u64 kCycleLimit = 600'000;
constexpr u32 kNoSemaphore = 0;  // all give order
constexpr u32 kAbortShare = 16;  // before one program in so many, the same is launched and aborted
constexpr u32 kDisturbShare = 8;
constexpr u32 kSilence = 600;   // cycles without an answer before a time-out
constexpr u32 kTwiceShare = 8;  // one in so many is launched twice, the second time without loading it

bool is_async(spec::Fault f) { return u32(f) >= u32(spec::Fault::bus); }

std::string hex(u64 value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

bool certain(const Moment& m, const Moment& fault) {
  const u64 time = m.clock[m.engine], known = fault.clock[m.engine];
  return m.engine == fault.engine ? time < known : time <= known;
}

// Port words that the touch reaches.
bool reaches(const model::Touch& t, const Range& range, u64 port) {
  return t.store == model::Store::dram && t.first / port * port < range.end && (t.last / port + 1) * port > range.begin;
}

// What a run that stops early leaves open: bytes of every store, and who may have stopped it.
struct Open {
  std::array<std::vector<bool>, model::kStores> bytes;
  std::vector<Moment> suspects;
};

struct Watch {
  std::vector<Moment> moments;
  std::size_t until_fault = 0;
};

void mark(std::vector<bool>& bytes, u64 first, u64 last, u64 granule, u64 base) {
  const u64 begin = (first - base) / granule * granule, end = ((last - base) / granule + 1) * granule;
  for (u64 i = begin; i < std::min<u64>(end, bytes.size()); ++i) bytes[i] = true;
}

Open open_bytes(const Case& c, Oracle& oracle, const Watch& watch) {
  Open open;
  const spec::Config& config = oracle.config();
  for (std::size_t s = 0; s < kSpaces.size(); ++s)
    open.bytes[s].resize(oracle.machine().memories().bytes(kSpaces[s]).size());
  open.bytes[std::size_t(model::Store::dram)].resize(kDataBytes);
  if (c.error) {
    for (const Moment& m : watch.moments) {
      if (std::ranges::any_of(m.touches, [&](const auto& t) { return reaches(t, *c.error, config.port_bytes); })) {
        open.suspects.push_back(m);
      }
    }
  } else {
    open.suspects.push_back(watch.moments[watch.until_fault]);
  }
  for (const Moment& m : watch.moments) {
    if (std::ranges::all_of(open.suspects, [&](const Moment& f) { return certain(m, f); })) continue;
    for (const model::Touch& t : m.touches) {
      if (!t.write) continue;
      const u64 base = t.store == model::Store::dram ? kDataBase : 0;
      mark(open.bytes[std::size_t(t.store)], t.first, t.last, model::granule(t.store, config), base);
    }
  }
  return open;
}

std::string compare_bytes(std::span<const u8> found, std::span<const u8> meant, const std::vector<bool>& open,
                          const char* where, u64 unit) {
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == meant[i] || (!open.empty() && open[i])) continue;
    if (wrong++ == 0) first = i / unit * unit;
  }
  if (wrong == 0) return {};
  u32 f = 0, m = 0;
  std::memcpy(&f, &found[first], std::min<u64>(unit, 4));
  std::memcpy(&m, &meant[first], std::min<u64>(unit, 4));
  std::ostringstream out;
  out << where << ": at " << first / unit << " (units of " << unit << " bytes) found " << hex(f) << ", expected "
      << hex(m) << "; " << wrong << " bytes differ\n";
  return out.str();
}

std::string compare_fault(const sim::FaultRecord& found, const model::FaultRecord& meant) {
  if (found.code == meant.code && found.pc == meant.pc &&
      (meant.code == spec::Fault::none || (found.engine == meant.engine && found.address == meant.address))) {
    return {};
  }
  std::ostringstream out;
  const auto tell = [&](const auto& f) {
    out << "code " << u32(f.code) << " pc " << f.pc << " engine " << u32(f.engine) << " address " << hex(f.address);
  };
  out << "fault: found ";
  tell(found);
  out << ", expected ";
  tell(meant);
  out << "\n";
  return out.str();
}

// One of the commands that reach the bad addresses, and such an address.
std::string compare_bus(const sim::FaultRecord& found, const std::vector<Moment>& suspects, const Code& code,
                        const Range& range) {
  const bool possible = std::ranges::any_of(suspects, [&](const Moment& m) {
    return std::size_t(found.engine) == m.engine && found.pc < code.item_of.size() && code.item_of[found.pc] == m.item;
  });
  const bool inside = found.address >= range.begin / 4096 * 4096 && found.address < range.end;
  if (found.code == spec::Fault::bus && possible && inside) return {};
  std::ostringstream out;
  out << "fault: found code " << u32(found.code) << " pc " << found.pc << " engine " << u32(found.engine) << " address "
      << hex(found.address) << ", expected code 16 of a command that reaches " << hex(range.begin) << "\n";
  return out.str();
}

std::string compare_counters(const sim::RunResult& found, const model::Counters& meant) {
  std::string out;
  for (const spec::CounterInfo& c : spec::counters) {
    if (!c.exact || found.counters[c.index] == meant.values[c.index]) continue;
    out += std::string("counter ") + c.name + ": found " + std::to_string(found.counters[c.index]) + ", expected " +
           std::to_string(meant.values[c.index]) + "\n";
  }
  return out;
}

// Timing counters that count work, a cycle each: known without a clock where nothing is cut short.
std::string compare_events(const sim::RunResult& found, const model::Counters& meant, const spec::Config& config) {
  struct Event {
    spec::Counter counter;
    u64 meant;
  };
  std::vector<Event> events{{spec::Counter::ld_beats, meant[spec::Counter::load_beats]},
                            {spec::Counter::st_beats, meant[spec::Counter::store_beats]}};
  if (config.sparse == 0) events.push_back({spec::Counter::mx_busy, meant[spec::Counter::macs] / (config.rows * config.cols)});
  std::string out;
  for (const Event& e : events) {
    const u64 n = found.counters[std::size_t(e.counter)];
    if (n != e.meant) out += "events of counter " + std::to_string(u32(e.counter)) + ": found " + std::to_string(n) + ", expected " + std::to_string(e.meant) + "\n";
  }
  return out;
}

}  // namespace

Bench::Bench(std::string_view config, u64 seed) : random_(seed ^ 0xBE7C4) {
  rtl::Options o{.read_latency = random_.pick({1u, 2u, 7u, 30u, 90u}),
                 .write_latency = random_.pick({1u, 2u, 9u, 50u}),
                 .stall = random_.pick({0u, 20u, 80u, 170u}),
                 .seed = seed};
  o.dram_base = kDramBase, o.dram_bytes = kCodeBytes + kDataBytes;
  rtl_ = rtl::make_simulator(config, o);
  memory_ = "read latency " + std::to_string(o.read_latency) + ", write latency " + std::to_string(o.write_latency) +
            ", stall " + std::to_string(o.stall) + "/256";
}

// The same memories, program and bus errors on both sides.
void Bench::prepare(const Case& c, Oracle& oracle, const Code& code) {
  fill(c, oracle.machine().memories(), oracle.data());
  for (const spec::Space space : kSpaces) rtl_->poke(space, 0, oracle.machine().memories().bytes(space));
  std::ranges::copy(oracle.data(), rtl_->dram().begin() + kCodeBytes);
  std::memcpy(rtl_->dram().data(), code.insns.data(), code.insns.size() * sizeof(spec::Insn));
  rtl_->clear_bus_errors();
  if (c.error) rtl_->bus_error(c.error->begin, c.error->end);
}

// With disturb the host reads registers meanwhile, and writes some that must not change during a run.
bool Bench::run_to_end(bool disturb) {
  if (!disturb) return rtl_->run_until_irq(kCycleLimit);
  const u64 end = rtl_->cycles() + kCycleLimit;
  while (!rtl_->run_until_irq(1 + random_.below(200))) {
    if (rtl_->cycles() > end) return false;
    constexpr u32 kFirst = spec::csr::launch_flags, kEnd = spec::csr::counter;
    if (random_.one_in(2)) rtl_->read_csr(4 * random_.below(256));
    else rtl_->write_csr(kFirst + 4 * random_.below((kEnd - kFirst) / 4), random_.word());
  }
  return true;
}

// A launch that is aborted somewhere: must end, and must leave nothing behind that the next one feels.
bool Bench::abort_once(const Case& c, Oracle& oracle, const Code& code, std::string& out) {
  prepare(c, oracle, code);
  sim::launch(*rtl_, setup_of(c, u32(code.insns.size())));
  const bool finished = rtl_->run_until_irq(random_.below(random_.one_in(4) ? 100 : 3000));
  rtl_->write_csr(spec::csr::control, 1);
  if (!rtl_->run_until_irq(kCycleLimit)) {
    out = "not done after an abort (" + memory_ + ")\n";
    return false;
  }
  const sim::RunResult result = sim::collect(*rtl_);
  if (!result.done || result.bus_dead || (!finished && !result.aborted && result[spec::Counter::instructions] == 0)) {
    out = "status after an abort: done " + std::to_string(result.done) + ", aborted " + std::to_string(result.aborted) +
          ", bus dead " + std::to_string(result.bus_dead) + " (" + memory_ + ")\n";
  }
  return out.empty();
}

std::string Bench::silence(const Case& c, Oracle& oracle) {
  const Code code = emit(c.items);
  try {
    prepare(c, oracle, code);
    rtl_->clear_bus_errors();  // a bus fault of the program has no part in this
    sim::LaunchSetup setup = setup_of(c, u32(code.insns.size()));
    setup.bus_timeout = kSilence;
    sim::launch(*rtl_, setup);
    const bool finished = rtl_->run_until_irq(random_.below(3000));
    rtl_->freeze_bus(!finished);
    if (!rtl_->run_until_irq(kCycleLimit)) return "not done with a silent memory (" + memory_ + ")\n";
    const sim::RunResult result = sim::collect(*rtl_);
    const spec::Fault meant = oracle.run(c).result.fault.code;
    const bool timed_out = !finished && result.fault.code == spec::Fault::timeout;
    const bool own_end = result.fault.code == meant && (meant != spec::Fault::none || !result.bus_dead);
    if (result.done && (timed_out || own_end)) return {};
    return "silent memory: fault " + std::to_string(u32(result.fault.code)) + ", bus dead " +
           std::to_string(result.bus_dead) + ", expected a time-out or the program's own " +
           std::to_string(u32(meant)) + " (" + memory_ + ")\n";
  } catch (const Error& error) {
    return std::string(error.what()) + " (" + memory_ + ")\n";
  }
}

std::string Bench::run(const Case& c, Oracle& oracle, Coverage* coverage) {
  const Code code = emit(c.items);
  sim::RunResult result;
  const u64 before = rtl_->cycles();
  std::string out, how;
  try {
    if (random_.one_in(4)) rtl_->reset(), how += ", after reset";
    const bool abort = random_.one_in(kAbortShare) && has_bus();
    if (abort) how += ", after an abort";
    if (abort && !abort_once(c, oracle, code, out)) return out;
    const bool disturb = random_.one_in(kDisturbShare) && has_bus();
    if (disturb) how += ", with register accesses during the run";
    // Where an aborted or a first launch has loaded the program, it may stay.
    const bool twice = random_.one_in(kTwiceShare) && !c.error;
    if (twice) how += ", launched again without loading";
    for (int launch = 0; launch <= int(twice); ++launch) {
      prepare(c, oracle, code);
      sim::LaunchSetup setup = setup_of(c, u32(code.insns.size()));
      setup.resident = launch == 1;
      sim::launch(*rtl_, setup);
      if (!run_to_end(disturb)) {
        return "not done after " + std::to_string(kCycleLimit) + " cycles (" + memory_ + ")\n";
      }
      result = sim::collect(*rtl_);
    }
  } catch (const Error& error) {
    return std::string(error.what()) + " (" + memory_ + ")\n";
  }
  cycles_ += rtl_->cycles() - before;

  u32 depth = 0, deepest = 0;
  for (const Item& i : c.items) {
    depth += i.kind == Item::Kind::loop;
    depth -= i.kind == Item::Kind::end;
    deepest = std::max(deepest, depth);
  }
  const Meaning meaning = oracle.run(c, [&](const model::Step& s, u32) {
    if (coverage) coverage->step(s);
  });
  if (coverage) {
    coverage->program(std::min(deepest, spec::limit::loop_depth));
    if (result.fault.code != spec::Fault::none) {
      const bool inside = result.fault.pc < code.insns.size() && !c.unloadable();
      const spec::Insn* at = inside ? &code.insns[result.fault.pc] : nullptr;
      coverage->fault(result.fault.code, at);
    }
  }
  const std::string difference = compare(c, oracle, meaning, result);
  return difference.empty() ? difference : difference + "(" + memory_ + how + ")\n";
}

std::string Bench::compare(const Case& c, Oracle& oracle, const Meaning& meaning, const sim::RunResult& result) {
  std::string out;
  if (!result.done || result.aborted || result.bus_dead) {
    out += "status: done " + std::to_string(result.done) + ", aborted " + std::to_string(result.aborted) +
           ", bus dead " + std::to_string(result.bus_dead) + ", expected done only\n";
  }
  Open open;
  model::FaultRecord fault = meaning.result.fault;
  if (c.unloadable()) {
    // Nothing was done.
    fill(c, oracle.machine().memories(), oracle.data());
    fault = {spec::Fault::bus, 0, Engine::seq, kDramBase};
  } else if (is_async(c.fault)) {
    // The whole program tells who writes what; then the model's own end once more.
    Case whole = c;
    if (c.harmless) whole.pool.push_back(*c.harmless);
    Watch watch;
    for (const Case* part : {static_cast<const Case*>(&whole), &c}) {
      Order order(oracle.config(), kNoSemaphore);
      order.keep_moments();
      const model::Env env = oracle.env(*part);
      oracle.run(*part, [&](const model::Step& s, u32 item) { order.step(s, item, env); });
      if (part == &whole) watch.moments = order.moments();
      else watch.until_fault = order.moments().size() - 1;
    }
    open = open_bytes(c, oracle, watch);
  }
  if (c.error && !c.unloadable()) {
    out += compare_bus(result.fault, open.suspects, meaning.code, *c.error);
  } else {
    out += compare_fault(result.fault, fault);
  }
  if (!is_async(c.fault)) out += compare_counters(result, meaning.result.counters);
  if (c.fault == spec::Fault::none && !c.error) out += compare_events(result, meaning.result.counters, oracle.config());
  const char* names[] = {"wspm", "wsc", "aspm", "asc", "vmem"};
  for (std::size_t s = 0; s < kSpaces.size(); ++s) {
    const std::span<const u8> meant = oracle.machine().memories().bytes(kSpaces[s]);
    std::vector<u8> found(meant.size());
    rtl_->peek(kSpaces[s], 0, found);
    out += compare_bytes(found, meant, open.bytes[s], names[s], kSpaces[s] == spec::Space::vmem ? 4 : 1);
  }
  out += compare_bytes(rtl_->dram().subspan(kCodeBytes), oracle.data(), open.bytes[std::size_t(model::Store::dram)],
                       "dram", 1);
  return out;
}

namespace {

std::string values(const model::Command& command) {
  std::ostringstream out;
  const auto dma = [&](const char* name, const model::DmaBox& x) {
    out << name << " space " << spec::space_values[u32(x.space)].name << " win " << x.win << " da " << x.da << " ca "
        << x.ca << " len " << x.len << " n1 " << x.n1 << " ds1 " << x.ds1 << " cs1 " << x.cs1 << " n2 " << x.n2
        << " ds2 " << x.ds2 << " cs2 " << x.cs2;
    if (x.gather) out << " gather idx " << x.idx;
  };
  struct Tell {
    std::ostringstream& o;
    decltype(dma)& d;
    void operator()(const model::LoadCmd& x) { d("load", x); }
    void operator()(const model::StoreCmd& x) { d("store", x); }
    void operator()(const model::MmCmd& x) {
      o << "mm wfmt " << u32(x.wfmt) << " wscale " << u32(x.wscale) << " ascale " << u32(x.ascale) << " acc " << x.acc
        << " colload " << x.colload << " w " << x.w << " ws " << x.ws << " wn " << x.wn << " wk " << x.wk << " a "
        << x.a << " am " << x.am << " o " << x.o << " om " << x.om << " on " << x.on << " m " << x.m << " kb " << x.kb
        << " nb " << x.nb;
      if (x.sparse) o << " sparse wi " << x.wi;
    }
    void operator()(const model::VecCmd& x) {
      o << "vec op " << u32(x.op) << " bmode " << u32(x.bmode) << " func " << u32(x.func) << " red " << u32(x.red)
        << " wr " << x.wr << " nega " << x.nega << " negb " << x.negb << " absa " << x.absa << " swap " << x.swap
        << " masked " << x.masked << " linc " << x.linc << " dst " << x.dst << " ds " << x.ds << " a " << x.a << " as "
        << x.as << " b " << x.b << " bs " << x.bs << " s " << x.s << " lim " << x.lim << " r " << x.r << " rows "
        << x.rows << " cols " << x.cols;
    }
    void operator()(const model::QntCmd& x) {
      o << "qnt group " << u32(x.group) << " dst " << x.dst << " ds " << x.ds << " a " << x.a << " as " << x.as << " r "
        << x.r << " rows " << x.rows << " cols " << x.cols;
    }
  };
  std::visit(Tell{out, dma}, command);
  return out.str();
}

}  // namespace

std::string commands_of(const Case& c, Oracle& oracle) {
  std::string out;
  oracle.run(c, [&](const model::Step& s, u32) {
    if (s.command) {
      out += "pc " + std::to_string(s.pc) + ": " + values(*s.command) + "\n";
      return;
    }
    const auto op = static_cast<spec::Op>(spec::opcode_of(s.insn));
    if (op != spec::Op::alu && op != spec::Op::alui)
      out += "pc " + std::to_string(s.pc) + ": " + disassemble(s.insn) + "\n";
  });
  return out;
}

}  // namespace jogak::fuzz
