#include "pair.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "error.hpp"
#include "hls/csim/kernel.hpp"
#include "hls/predict.hpp"
#include "sim/cycle/chip.hpp"
#include "sim/cycle/recorder.hpp"

namespace jogak::bench {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kCycleLimit = std::uint64_t(1) << 30;
std::uint64_t pages(std::uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

Pair::Pair(const spec::Config& config, std::vector<spec::Insn> code, const std::vector<std::uint64_t>& sizes, On on)
    : config_(config), code_(std::move(code)), model_(config) {
  std::uint64_t at = pages(code_.size() * sizeof(spec::Insn));
  for (const std::uint64_t size : sizes) {
    windows_.push_back({.base = at, .size = static_cast<std::uint32_t>(size), .readable = true, .writable = !windows_.empty()});
    at += pages(size);
  }
  image_.resize(at);
  std::memcpy(image_.data(), code_.data(), code_.size() * sizeof(spec::Insn));
  model_.dram().attach(0, image_);
  const rtl::Options machine{.dram_bytes = static_cast<std::size_t>(at)};
  rtl_ = on == On::hls ? hls_csim::make_simulator(config.name, machine) : rtl::make_simulator(config.name, machine);
}

std::span<std::uint8_t> Pair::window(std::size_t index) {
  return std::span(image_).subspan(static_cast<std::size_t>(windows_[index].base), windows_[index].size);
}

void Pair::check(const model::Result& result) const {
  if (!result.ok())
    throw Error("bench", "model's fault at pc " + std::to_string(result.fault.pc), std::to_string(static_cast<int>(result.fault.code)), "none");
}

model::Launch Pair::launch(std::span<const std::uint32_t> args) const {
  model::Launch launch{.code = code_};
  std::copy(args.begin(), args.end(), launch.args.begin());
  std::copy(windows_.begin(), windows_.end(), launch.windows.begin());
  return launch;
}

void Pair::advance(std::span<const std::uint32_t> args) { check(model_.launch(launch(args))); }

Timed Pair::time(std::span<const std::uint32_t> args) {
  const model::Launch launched = launch(args);
  cycle::Recorder recorder(config_);
  recorder.begin(launched.windows);
  hls_csim::Predictor predictor(config_);
  model_.on_instruction([&](const model::Step& s) {
    recorder.step(s, model_.memories());
    predictor.step(s);
  });
  const std::clock_t start = std::clock();
  Timed t{.result = model_.launch(launched)};
  const std::clock_t executed = std::clock();
  model_.on_instruction({});
  check(t.result);
  recorder.end(t.result.fault, t.result.counters[spec::Counter::instructions], code_);
  cycle::Chip chip(config_, {}, recorder.stream());
  chip.launch({.code = 0, .instructions = static_cast<std::uint32_t>(code_.size()), .keep = true});
  if (chip.run(kCycleLimit) != cycle::Chip::Stop::done) throw Error("bench", "cycle model", "no end", "one within " + std::to_string(kCycleLimit) + " cycles");
  const std::clock_t end = std::clock();
  t.value_seconds = static_cast<double>(executed - start) / CLOCKS_PER_SEC;
  t.time_seconds = static_cast<double>(end - executed) / CLOCKS_PER_SEC;
  t.counters = chip.counters();
  t.hls_cycles = predictor.cycles();
  return t;
}

Measured Pair::measure(std::span<const std::uint32_t> args) {
  const auto dram = rtl_->dram();
  std::copy(image_.begin(), image_.end(), dram.begin());
  sim::LaunchSetup setup{.code = 0, .code_len = static_cast<std::uint32_t>(code_.size())};
  std::copy(args.begin(), args.end(), setup.args.begin());
  for (std::size_t i = 0; i < windows_.size(); ++i)
    setup.windows[i] = {windows_[i].base, windows_[i].size, windows_[i].readable, windows_[i].writable};
  const std::clock_t start = std::clock();
  Measured m;
  m.rtl = sim::run(*rtl_, setup, kCycleLimit);
  m.seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (!m.rtl.ok()) throw Error("bench", "RTL run", m.rtl.done ? "fault " + std::to_string(static_cast<int>(m.rtl.fault.code)) : "no end", "done");
  m.cycles = m.rtl[spec::Counter::cycles];

  m.timed = time(args);
  const model::Result& result = m.timed.result;
  for (std::size_t i = 0; i < image_.size(); ++i) m.differences += image_[i] != dram[i];
  for (const auto& counter : spec::counters) {
    const auto c = static_cast<spec::Counter>(counter.index);
    m.differences += counter.exact && result.counters[c] != m.rtl[c];
  }
  return m;
}

}  // namespace jogak::bench
