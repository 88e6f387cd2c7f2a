// A random exchange of a package on either description, traced: what the test compares and jogak-package-trace writes.
#pragma once

#include <cstring>
#include <random>

#include "package_run.hpp"
#include "sim/rtl/exchange.hpp"

namespace jogak::trace {

struct ExchangeOptions {
  std::string config = "nanoquad", memory = "ideal";
  std::uint32_t columns = 2, rows = 2, rounds = 5;
  u64 seed = 1, window = 256;
  link::ChannelOptions link = {};
};

class TracedExchange {
 public:
  explicit TracedExchange(const ExchangeOptions& o) : o_(o), values_(*spec::find_config(o.config.c_str()), o.columns, o.rows), programs_(rtl::Exchange(values_.die(0).config(), values_.dies(), o.seed, true).make(o.rounds)) {
    std::mt19937_64 random(o.seed);
    for (unsigned d = 0; d < values_.dies(); ++d) {
      model::Machine& m = values_.die(d);
      m.randomize(o.seed + d);
      for (auto& word : m.memories().vmem) word = 0x3f000000u | (static_cast<std::uint32_t>(random()) & 0x80ffffffu);
      for (auto& b : m.dram().allocate(rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes)) b = static_cast<std::uint8_t>(random());
      model::Launch l{.code = programs_[d].code()};
      if (l.code.size_bytes() > rtl::kCodeBytes) throw Error("trace", "rounds", std::to_string(o.rounds), "fewer: the program has room for " + std::to_string(rtl::kCodeBytes) + " bytes");
      l.windows[0] = {rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes, true, true};
      for (unsigned j = 0; j < values_.dies(); ++j) l.windows[1 + j] = {model::remote_base(j % o.columns, j / o.columns), model::kRemoteWindowBytes, false, true};
      launches_.push_back(l);
    }
    memory_ = dram::parse_options(o.memory);
  }

  PackageTrace on_rtl() {
    rtl::PackageOptions with;
    with.columns = o_.columns, with.rows = o_.rows, with.link = o_.link;
    std::vector<Counts> counts;
    with.die.dram_base = rtl::kBase, with.die.dram_bytes = rtl::kCodeBytes + rtl::kWindowBytes, with.die.memory = memory(counts);
    const auto package = rtl::make_package(o_.config, with);
    PackageTrace trace = header("rtl");
    attach(*package, trace);
    for (unsigned d = 0; d < values_.dies(); ++d) {
      rtl::Simulator& die = package->die(d);
      for (const auto s : rtl::kSpaces) die.poke(s, 0, values_.die(d).memories().bytes(s));
      std::memcpy(die.dram().data(), launches_[d].code.data(), launches_[d].code.size_bytes());
      std::ranges::copy(std::span<const std::uint8_t>(values_.die(d).dram().find(rtl::kBase + rtl::kCodeBytes, rtl::kWindowBytes), rtl::kWindowBytes), die.dram().begin() + rtl::kCodeBytes);
    }
    for (unsigned d = 0; d < values_.dies(); ++d) {
      sim::LaunchSetup setup{.code = rtl::kBase, .code_len = static_cast<std::uint32_t>(launches_[d].code.size())};
      for (std::size_t w = 0; w < setup.windows.size(); ++w) {
        const model::Window& from = launches_[d].windows[w];
        setup.windows[w] = {from.base, from.size, from.readable, from.writable};
      }
      sim::launch(package->die(d), setup);
      launched_.push_back(package->cycles());
    }
    if (!run(*package, trace, kLimit, counts)) throw Error("trace", "RTL", "some dies still running", "all done");
    return trace;
  }

  // Launched in the cycles in which the RTL was, where that ran before; else all at once.
  PackageTrace on_cycle() {
    cycle::PackageOptions with;
    with.link = o_.link;
    std::vector<Counts> counts;
    std::vector<std::unique_ptr<MemoryTiming>> behind;
    for (const MemoryFactory make = memory(counts); make && behind.size() < values_.dies();) {
      behind.push_back(make());
      with.memories.emplace_back().behind = behind.back().get();
    }
    cycle::Package package(values_, with);
    PackageTrace trace = header("cycle");
    if (!launched_.empty()) package.idle(launched_[0] - 1 - package.cycles());
    std::vector<cycle::Package::Launch> launches;
    for (unsigned d = 0; d < values_.dies(); ++d) launches.push_back({.job = launches_[d], .code = rtl::kBase, .delay = launched_.empty() ? 0 : launched_[d] - package.cycles() - 1});
    if (!run(package, launches, trace, kLimit, counts)) throw Error("trace", "cycle model", "some dies still running", "all done");
    return trace;
  }

 private:
  static constexpr u64 kLimit = 5'000'000;
  PackageTrace header(const char* backend) const { return PackageTrace({.backend = backend, .config = o_.config, .columns = o_.columns, .rows = o_.rows, .window = o_.window}); }
  MemoryFactory memory(std::vector<Counts>& counts) const { return memory_.preset == nullptr ? MemoryFactory{} : watched(memory_, counts); }

  ExchangeOptions o_;
  model::Package values_;
  std::vector<ProgramBuilder> programs_;
  std::vector<model::Launch> launches_;
  std::vector<u64> launched_;
  dram::Options memory_;
};

}  // namespace jogak::trace
