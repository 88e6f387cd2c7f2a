// jogak-package-fuzz: random exchanges between chiplets in time, the cycle model of a package against the Verilated one; memories without stalls.
//   jogak-package-fuzz --seed 0 --count 12 [--config nanoquad] [--tell 3] [--errors 1] [--rounds 6]
// Exit status 0: not one cycle differs, no counter.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "error.hpp"
#include "sim/cycle/package.hpp"
#include "sim/dram/dram.hpp"
#include "sim/rtl/exchange.hpp"
#include "sim/rtl/package.hpp"
#include "tests/fuzz/arguments.hpp"

using namespace jogak;
using rtl::kBase, rtl::kCodeBytes, rtl::kWindowBytes, rtl::kSpaces;
using model::u32;
using model::u64;
using model::u8;

namespace {

struct Options {
  std::string config = "nanoquad";
  u64 seed = 0, count = 12, tell = 3, errors = 1, rounds = 6;
};

Options parse(int argc, char** argv) {
  Options o;
  fuzz::read_arguments("jogak-package-fuzz", argc, argv,
                       {{"--config", &o.config}, {"--seed", &o.seed}, {"--count", &o.count}, {"--tell", &o.tell}, {"--errors", &o.errors}, {"--rounds", &o.rounds}});
  return o;
}

const spec::Config& config_of(const std::string& name) {
  const spec::Config* config = spec::find_config(name.c_str());
  if (config == nullptr) throw Error("jogak-package-fuzz", "configuration", name, "one of spec/configs");
  return *config;
}

struct Timed {
  std::vector<std::array<u64, 64>> counters;      // of each die's launches
  std::vector<std::vector<cycle::Event>> events;  // of each die; cycle: of the package
  std::vector<u64> launched;                      // cycles of all launches
  u64 breaks = 0;                                 // the cycle in which lanes break
  u64 ended = 0, replays = 0;                     // the last launch's end, and the flits sent again up to then
};

rtl::PackageOptions options_of(u64 seed, bool errors) {
  constexpr std::array<std::array<u32, 2>, 4> kMeshes = {{{2, 2}, {2, 1}, {1, 2}, {1, 1}}};
  constexpr std::array kRates = {34.0, 64.0, 4.0, 17.0}, kNoise = {0.0, 1e-6, 1e-5, 1e-4};
  std::mt19937_64 random(seed);
  rtl::PackageOptions o;
  o.columns = kMeshes[seed % 4][0], o.rows = kMeshes[seed % 4][1];
  o.link = {kRates[random() % 4], 300 * (random() % 30), errors ? kNoise[random() % 4] : 0, seed};
  o.die.seed = seed;
  o.die.read_latency = 1 + u32(random() % 90), o.die.write_latency = 1 + u32(random() % 60);
  constexpr std::array kMemories = {"ideal", "ideal", "ddr4-3200", "lpddr5-6400"};
  o.die.memory = dram::parse_memory(kMemories[random() % 4]);
  return o;
}

// One exchange, as both machines see it.
class Case {
 public:
  Case(u64 seed, const Options& o)
      : options_(options_of(seed, o.errors != 0)), values_(config_of(o.config), options_.columns, options_.rows), programs_(rtl::Exchange(values_.die(0).config(), values_.dies(), seed, seed % 2 != 0).make(u32(o.rounds))) {
    std::mt19937_64 random(seed);
    for (u32 d = 0; d < values_.dies(); ++d) {
      model::Machine& m = values_.die(d);
      m.randomize(seed + d);
      for (u32& word : m.memories().vmem) word = 0x3f000000u | (static_cast<u32>(random()) & 0x80ffffffu);
      for (u8& b : m.dram().allocate(kBase + kCodeBytes, kWindowBytes)) b = u8(random());
      model::Launch l{.code = programs_[d].code()};
      if (l.code.size_bytes() > kCodeBytes) throw Error("package fuzz", "program", std::to_string(l.code.size_bytes()) + " bytes", "at most " + std::to_string(kCodeBytes));
      l.windows[0] = {kBase + kCodeBytes, kWindowBytes, true, true};
      for (u32 j = 0; j < values_.dies(); ++j) l.windows[1 + j] = {model::remote_base(j % options_.columns, j / options_.columns), model::kRemoteWindowBytes, false, true};
      launches_.push_back(l);
    }
  }

  Timed on_rtl() {
    rtl::PackageOptions with = options_;
    with.die.dram_base = kBase, with.die.dram_bytes = kCodeBytes + kWindowBytes;
    const auto package = rtl::make_package(values_.die(0).config().name, with);
    if (breaks()) package->channel(0, 0).break_lanes(true, false);
    Timed t;
    t.breaks = package->cycles();
    t.events.resize(values_.dies());
    for (u32 d = 0; d < values_.dies(); ++d) {
      rtl::Simulator& die = package->die(d);
      for (const auto s : kSpaces) die.poke(s, 0, values_.die(d).memories().bytes(s));
      std::memcpy(die.dram().data(), launches_[d].code.data(), launches_[d].code.size_bytes());
      std::ranges::copy(std::span<const u8>(values_.die(d).dram().find(kBase + kCodeBytes, kWindowBytes), kWindowBytes), die.dram().begin() + kCodeBytes);
      die.on_trace([&t, &package, d](const rtl::TraceEvent& e) { t.events[d].push_back({package->cycles(), u8(e.engine), e.start, static_cast<std::uint16_t>(e.pc), 0, 0, 0}); });
    }
    for (u32 k = 0; k < kLaunches; ++k) launch(*package, k, t);
    return t;
  }

  // Launched as the RTL was.
  Timed on_model(const Timed& rtl) {
    std::vector<std::unique_ptr<MemoryTiming>> behind(values_.dies());
    std::vector<AxiPace::Options> memories;
    for (auto& memory : behind) {
      if (options_.die.memory) memory = options_.die.memory();
      memories.push_back({.read_latency = options_.die.read_latency, .write_latency = options_.die.write_latency, .behind = memory.get()});
    }
    cycle::Package package(values_, {.link = options_.link, .memories = memories});
    package.idle(rtl.breaks - package.cycles());
    if (breaks()) package.channel(0, 0).break_lanes(true, false);
    Timed t;
    t.events.resize(values_.dies());
    for (u32 k = 0; k < kLaunches; ++k) {
      const u64* const at = &rtl.launched[k * values_.dies()];
      std::vector<std::vector<cycle::Event>> events(values_.dies());
      std::vector<cycle::Package::Launch> launches;
      // The host's register accesses after the launch before.
      package.idle(at[0] - 1 - package.cycles());
      for (u32 d = 0; d < values_.dies(); ++d) {
        package.trace(d, &events[d]);
        launches.push_back({.job = launches_[d], .code = kBase, .resident = k != 0, .delay = at[d] - package.cycles() - 1});
      }
      for (const model::Result& r : package.launch(launches)) t.counters.push_back(r.counters.values);
      for (u32 d = 0; d < values_.dies(); ++d)
        for (cycle::Event& e : events[d]) e.cycle += at[d], t.events[d].push_back(e);
    }
    package.idle(rtl.ended - std::min(rtl.ended, package.cycles()));
    for (u32 d = 0; d < values_.dies(); ++d)
      for (u32 l = 0; l < cycle::Package::kLinks; ++l) t.replays += package.link(d, l).replays;
    return t;
  }

 private:
  static constexpr u32 kLaunches = 2;  // the second one finds its program in instruction memory

  // Some links lose half of their lanes before the first launch.
  bool breaks() const { return options_.columns == 2 && options_.link.seed % 5 == 0; }

  void launch(rtl::PackageSimulator& package, u32 number, Timed& t) {
    for (u32 d = 0; d < values_.dies(); ++d) {
      sim::LaunchSetup setup{.code = kBase, .code_len = u32(launches_[d].code.size()), .resident = number != 0};
      for (u32 w = 0; w < setup.windows.size(); ++w) {
        const model::Window& from = launches_[d].windows[w];
        setup.windows[w] = {from.base, from.size, from.readable, from.writable};
      }
      package.die(d).restart_memory();
      sim::launch(package.die(d), setup);
      t.launched.push_back(package.cycles());
    }
    if (!package.run_until_done(2'000'000)) throw Error("package fuzz", "RTL", "some dies still running", "all done");
    t.ended = package.cycles(), t.replays = package.replays();
    for (u32 d = 0; d < values_.dies(); ++d) t.counters.push_back(sim::collect(package.die(d)).counters);
  }

  rtl::PackageOptions options_;
  model::Package values_;
  std::vector<ProgramBuilder> programs_;
  std::vector<model::Launch> launches_;
};

std::string tell(const cycle::Event& e) {
  const char* const names[] = {"ld", "st", "mx", "ve"};
  return std::string(names[e.engine]) + (e.start ? " starts" : " ends") + " pc " + std::to_string(e.pc) + " in cycle " + std::to_string(e.cycle);
}

struct Difference {
  double share = 0;  // of the worst die
  u64 cycles = 0, off = 0;
  std::string text;
};

Difference compare(const Timed& rtl, const Timed& found) {
  Difference d;
  if (rtl.replays != found.replays) d.text += "replays: RTL " + std::to_string(rtl.replays) + ", cycle model " + std::to_string(found.replays) + "\n";
  for (std::size_t die = 0; die < rtl.events.size(); ++die) {
    const auto &a = rtl.events[die], &b = found.events[die];
    const auto key = [](const cycle::Event& e) { return std::tuple(e.cycle, e.engine, e.start, e.pc); };
    const auto first = std::ranges::mismatch(a, b, {}, key, key);
    if (first.in1 != a.end() || first.in2 != b.end())
      d.text += "die " + std::to_string(die) + ", event " + std::to_string(first.in1 - a.begin()) + " of " + std::to_string(a.size()) + ": RTL " + (first.in1 != a.end() ? tell(*first.in1) : "none") + ", cycle model " +
                (first.in2 != b.end() ? tell(*first.in2) : "none") + "\n";
  }
  for (std::size_t run = 0; run < rtl.counters.size(); ++run) {
    const std::string at = "launch " + std::to_string(run / rtl.events.size()) + " of die " + std::to_string(run % rtl.events.size()) + ", ";
    for (const spec::CounterInfo& c : spec::counters) {
      const u64 want = rtl.counters[run][c.index], got = found.counters[run][c.index];
      if (want != got) d.text += at + "counter " + c.name + ": RTL " + std::to_string(want) + ", cycle model " + std::to_string(got) + "\n";
    }
    const u64 want = rtl.counters[run][std::size_t(spec::Counter::cycles)], got = found.counters[run][std::size_t(spec::Counter::cycles)];
    d.cycles = std::max(d.cycles, want);
    const u64 off = want > got ? want - got : got - want;
    d.off = std::max(d.off, off), d.share = std::max(d.share, double(off) / double(want));
  }
  return d;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    u64 differ = 0, worst = 0, cycles = 0, replays = 0;
    double sum = 0, worst_share = 0;
    for (u64 seed = o.seed; seed < o.seed + o.count; ++seed) {
      Case c(seed, o);
      const Timed rtl = c.on_rtl(), found = c.on_model(rtl);
      const Difference d = compare(rtl, found);
      cycles += d.cycles, sum += d.share, replays += rtl.replays;
      worst = std::max(worst, d.off), worst_share = std::max(worst_share, d.share), differ += !d.text.empty();
      if (!d.text.empty() && differ <= o.tell) std::printf("seed %llu: %llu cycles\n%s", static_cast<unsigned long long>(seed), static_cast<unsigned long long>(d.cycles), d.text.c_str());
    }
    std::printf("%s packages: %llu programs of %.0f cycles, %llu differ, error mean %.6f, worst %.6f and %llu cycles; %llu flits sent again\n", o.config.c_str(), static_cast<unsigned long long>(o.count),
                double(cycles) / double(o.count), static_cast<unsigned long long>(differ), sum / double(o.count), worst_share, static_cast<unsigned long long>(worst), static_cast<unsigned long long>(replays));
    return differ == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
