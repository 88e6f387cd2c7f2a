// The Verilated machine with its memory: cycle-accurate truth. One library per configuration, chosen by name.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/memory_timing.hpp"
#include "sim/simulator.hpp"

namespace jogak::rtl {

struct Options {
  std::uint32_t read_latency = 64;   // cycles
  std::uint32_t write_latency = 64;
  std::uint32_t stall = 0;           // chance in 256 that a memory channel rests in a cycle
  std::uint64_t seed = 1;            // of the stalls and of everything that reset leaves open
  std::uint64_t dram_base = 0;
  std::size_t dram_bytes = std::size_t(1) << 20;
  MemoryFactory memory = {};         // what is behind the port; empty: the latencies above
};

// A command starts or is complete.
struct TraceEvent {
  std::uint64_t cycle;
  spec::Engine engine;
  bool start;
  std::uint32_t pc;
  std::span<const std::uint64_t> counters;  // so far, by index of spec::Counter; valid in the callback only
};

class Simulator : public sim::Simulator {
 public:
  virtual void reset() = 0;
  virtual std::uint64_t cycles() const = 0;  // since construction
  virtual bool irq() const = 0;

  // On-chip memories byte by byte, behind the machine's back. Throws Error beyond the memory.
  virtual void peek(spec::Space space, std::size_t at, std::span<std::uint8_t> bytes) const = 0;
  virtual void poke(spec::Space space, std::size_t at, std::span<const std::uint8_t> bytes) = 0;

  // Whether there is a bus whose answers can be bad or late, and whose jobs can be aborted.
  virtual bool has_bus() const { return true; }
  // Memory that answers errors in [begin, end), or nothing at all.
  virtual void bus_error(std::uint64_t begin, std::uint64_t end) = 0;
  virtual void clear_bus_errors() = 0;
  virtual void freeze_bus(bool frozen) = 0;
  // The time of what is behind the port begins anew; between jobs.
  virtual void restart_memory() = 0;

  virtual void on_trace(std::function<void(const TraceEvent&)> callback) = 0;
  // Waves of the cycles [from, to) as VCD; throws Error where built without JOGAK_RTL_TRACE.
  virtual void waves(const std::string& path, std::uint64_t from, std::uint64_t to) = 0;
};

// Throws Error for a configuration that is not built in.
std::unique_ptr<Simulator> make_simulator(std::string_view config, const Options& options = {});
std::vector<std::string> built_configs();

}  // namespace jogak::rtl
