#include "compare.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "error.hpp"
#include "sim/dram/dram.hpp"

namespace jogak::fuzz {

namespace {

constexpr u64 kCycleLimit = 8'000'000;

std::string tell(const cycle::Event& e) {
  const char* const names[] = {"ld", "st", "mx", "ve"};
  std::ostringstream out;
  out << names[e.engine] << (e.start ? " starts" : " ends") << " pc " << e.pc << " in cycle " << e.cycle;
  return out.str();
}

// Relative to the first event: the host's accesses before it take time of their own.
std::string compare_events(const std::vector<cycle::Event>& rtl, const std::vector<cycle::Event>& model) {
  for (std::size_t i = 0; i < std::max(rtl.size(), model.size()); ++i) {
    if (i >= rtl.size()) return "cycle model alone: " + tell(model[i]) + "\n";
    if (i >= model.size()) return "RTL alone: " + tell(rtl[i]) + "\n";
    const auto key = [&](const std::vector<cycle::Event>& v) {
      return std::tuple(v[i].cycle - v[0].cycle, v[i].engine, v[i].start, v[i].pc);
    };
    if (key(rtl) == key(model)) continue;
    return "event " + std::to_string(i) + " of " + std::to_string(rtl.size()) + ": RTL " + tell(rtl[i]) + ", cycle model " + tell(model[i]) +
           " (first: " + std::to_string(rtl[0].cycle) + ", " + std::to_string(model[0].cycle) + ")\n";
  }
  return {};
}

}  // namespace

TimeBench::TimeBench(std::string_view config, u64 seed) {
  Random random(seed ^ 0xC1C1E);
  memory_ = {.read_latency = random.pick({1u, 2u, 7u, 30u, 64u, 90u}), .write_latency = random.pick({1u, 2u, 9u, 50u, 64u}), .stall = 0, .seed = seed};
  rtl::Options o{.read_latency = memory_.read_latency, .write_latency = memory_.write_latency, .stall = 0, .seed = seed};
  const std::string dram = random.pick<const char*>({"ideal", "ideal", "ddr4-3200", "lpddr4-4266", "lpddr5-6400:mhz=400", "hbm2"});
  if ((o.memory = dram::parse_memory(dram))) behind_ = o.memory(), memory_.behind = behind_.get();
  o.dram_base = kDramBase, o.dram_bytes = kCodeBytes + kDataBytes;
  rtl_ = rtl::make_simulator(config, o);
}

TimeBench::Timed TimeBench::on_rtl(const Case& c, Oracle& oracle, const Code& code, bool resident) {
  Timed timed;
  fill(c, oracle.machine().memories(), oracle.data());
  for (const spec::Space space : kSpaces) rtl_->poke(space, 0, oracle.machine().memories().bytes(space));
  std::ranges::copy(oracle.data(), rtl_->dram().begin() + kCodeBytes);
  std::memcpy(rtl_->dram().data(), code.insns.data(), code.insns.size() * sizeof(spec::Insn));
  rtl_->on_trace([&](const rtl::TraceEvent& e) { timed.events.push_back({e.cycle, u8(e.engine), e.start, u16(e.pc), 0, 0, 0}); });
  sim::LaunchSetup setup = setup_of(c, u32(code.insns.size()));
  setup.resident = resident;
  rtl_->restart_memory();
  const sim::RunResult result = sim::run(*rtl_, setup, kCycleLimit);
  rtl_->on_trace({});
  if (!result.done) throw Error("cycle fuzz", "seed " + std::to_string(c.seed), "RTL still running", "an end within " + std::to_string(kCycleLimit) + " cycles");
  timed.counters = result.counters;
  return timed;
}

TimeBench::Timed TimeBench::on_model(const Case& c, Oracle& oracle, const Code& code, bool resident) {
  cycle::Recorder recorder(oracle.config());
  std::array<model::Window, spec::limit::windows> windows;
  for (u32 i = 0; i < windows.size(); ++i) windows[i] = {c.windows[i].base, c.windows[i].size, c.windows[i].readable, c.windows[i].writable};
  recorder.begin(windows);
  const Meaning meaning = oracle.run(c, [&](const model::Step& s, u32) { recorder.step(s, oracle.machine().memories()); });
  recorder.end(meaning.result.fault, meaning.result.counters[spec::Counter::instructions], code.insns);
  Timed timed;
  cycle::Chip chip(oracle.config(), memory_, recorder.stream());
  chip.trace(&timed.events);
  chip.launch({.code = kDramBase, .instructions = u32(code.insns.size()), .resident = resident});
  if (chip.run(kCycleLimit) != cycle::Chip::Stop::done) throw Error("cycle fuzz", "seed " + std::to_string(c.seed), "cycle model still running", "an end");
  timed.counters = chip.counters();
  for (const spec::CounterInfo& info : spec::counters)
    if (info.exact) timed.counters[info.index] = meaning.result.counters.values[info.index];
  return timed;
}

Difference TimeBench::run(Case c, Oracle& oracle, bool resident) {
  // Faults that come from outside have no exact time: those programs run without.
  if (c.harmless) c.pool.push_back(*c.harmless);
  c.error.reset();
  const Code code = emit(c.items);
  if (resident) (void)on_rtl(c, oracle, code, false);
  const Timed rtl = on_rtl(c, oracle, code, resident), model = on_model(c, oracle, code, resident);
  const auto at = std::size_t(spec::Counter::cycles);
  Difference d{rtl.counters[at], model.counters[at], compare_events(rtl.events, model.events)};
  for (const spec::CounterInfo& info : spec::counters) {
    if (rtl.counters[info.index] == model.counters[info.index]) continue;
    d.text += std::string("counter ") + info.name + ": RTL " + std::to_string(rtl.counters[info.index]) + ", cycle model " +
              std::to_string(model.counters[info.index]) + "\n";
  }
  return d;
}

}  // namespace jogak::fuzz
