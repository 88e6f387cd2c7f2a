// The same job on the exact model, the cycle model and the Verilated RTL, from one DRAM image; for benchmarks that count
// cycles.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "sim/cycle/stream.hpp"
#include "sim/model/machine.hpp"
#include "sim/rtl/simulator.hpp"

namespace jogak::bench {

// On the cycle model.
struct Timed {
  model::Result result;
  std::array<std::uint64_t, model::kCounters> counters{};  // timing ones too
  std::uint64_t hls_cycles = 0;  // the HLS kernel's own estimate
  double value_seconds = 0, time_seconds = 0;  // processor time: the exact model's execution, the time of what it did
  std::uint64_t cycles() const { return counters[static_cast<std::size_t>(spec::Counter::cycles)]; }
};

struct Measured {
  std::uint64_t cycles = 0;
  double seconds = 0;            // processor time of the RTL simulation, or the HLS kernel's
  std::uint64_t differences = 0; // DRAM bytes and exact counters in which model and RTL differ
  sim::RunResult rtl;
  Timed timed;
  double share(spec::Counter c) const { return static_cast<double>(rtl[c]) / static_cast<double>(cycles); }
};

class Pair {
 public:
  enum class On { rtl, hls };  // the machine beside the models

  // Windows 0 .. sizes.size() - 1, all zero; window 0 is read only for the program.
  Pair(const spec::Config& config, std::vector<spec::Insn> code, const std::vector<std::uint64_t>& sizes, On on = On::rtl);

  std::span<std::uint8_t> window(std::size_t index);
  // On the model alone: brings memory to where a measurement starts. Throws Error on a fault.
  void advance(std::span<const std::uint32_t> args);
  // On both. Throws Error on a fault or when the RTL does not end within 2^30 cycles.
  Measured measure(std::span<const std::uint32_t> args);
  // On the models alone.
  Timed time(std::span<const std::uint32_t> args);

 private:
  model::Launch launch(std::span<const std::uint32_t> args) const;
  void check(const model::Result& result) const;

  spec::Config config_;
  std::vector<spec::Insn> code_;
  std::vector<model::Window> windows_;
  std::vector<std::uint8_t> image_;     // the model's DRAM
  model::Machine model_;
  std::unique_ptr<rtl::Simulator> rtl_;
};

}  // namespace jogak::bench
