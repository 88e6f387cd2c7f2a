// The HLS kernel in C simulation, by configuration.
//
//   auto kernel = hls::make_kernel("edge");
//   std::array<std::uint32_t, hls::kRegisterWords> regs{};       // of spec/npu.yaml, the job in them
//   kernel->run(regs, memory, base);                              // fault and counters in them
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/rtl/simulator.hpp"

namespace jogak::hls_csim {

constexpr std::size_t kRegisterWords = (spec::csr::counter + 8 * sim::kCounters) / 4;

// Registers and memory of a job; memory is the device's at addresses from base on, aligned to 64 bytes, as base is.
struct Job {
  std::span<std::uint32_t, kRegisterWords> regs;
  std::span<std::uint8_t> memory;
  std::uint64_t base;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual const spec::Config& config() const = 0;
  // One job. `stop` may become true from another
  // thread: the job then ends with status aborted. Throws where the kernel reaches beyond memory, or its processes wait for each other; after
  // that the kernel runs no other job.
  virtual void run(std::span<std::uint32_t, kRegisterWords> regs, std::span<std::uint8_t> memory, std::uint64_t base,
                   const std::atomic<bool>* stop = nullptr) = 0;
  // A byte of an on-chip memory. Throws Error beyond it.
  virtual std::uint8_t& byte(spec::Space space, std::size_t at) = 0;
};

// Its memories are clear. Throws Error for a configuration that is not built in.
std::unique_ptr<Kernel> make_kernel(std::string_view config);
std::vector<std::string> built_configs();

// Kernels of a configuration with links, joined to a mesh by streams and a router beside each (hls/router.hpp). Die x + y * columns lies at
// (x, y).
class Package {
 public:
  virtual ~Package() = default;
  virtual std::uint32_t dies() const = 0;
  virtual Kernel& die(std::uint32_t index) = 0;
  // A job for every die, to the end of all; each one's register `place` is set. `stop`: as Kernel::run, of all dies; it is set where some
  // wait and none can go on, and who waits for what comes back, else an empty text. A stream of the network has room for
  // 2 * depth words. Throws as Kernel::run, and where a die ended before what was sent to it.
  virtual std::string run(std::span<const Job> jobs, std::atomic<bool>& stop, std::uint32_t depth = kNetworkDepth) = 0;
  static constexpr std::uint32_t kNetworkDepth = 32;
};
// Throws Error for a configuration that is not built in or has no links, and for a mesh larger than its chiplets.
std::unique_ptr<Package> make_package(std::string_view config, std::uint32_t columns, std::uint32_t rows);

// The same as a simulator without time or bus: a job is over when run_until_irq() comes back, cycles() counts jobs.
std::unique_ptr<rtl::Simulator> make_simulator(std::string_view config, const rtl::Options& options);

}  // namespace jogak::hls_csim
