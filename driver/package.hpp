// A package of chiplets: its dies, each a device with memory and registers of its own.
//
// Stores of one die reach the memory of the others through windows (docs/isa.md, "Other chiplets"), so dies run together: start() gets a die
// ready, and the last one's starts them all. wait() of any of them ends when all have ended.
// abort() of any ends all; of those that were started before the others, when the last one is, or at its wait().
#pragma once

#include <memory>
#include <vector>

#include "device.hpp"

namespace jogak::trace {
class PackageTrace;  // sim/trace
}

namespace jogak::driver {

struct PackageOptions {
  std::string backend = "model";  // or "hls"; or "cycle", "rtl", "systemc", behind which ":MEMORY", a memory for each die as sim/dram/dram.hpp
                                  // names them, or ":FILE.yaml", a package's file (sim/package): its links, memories and clock
  std::string config = "quad";
  std::uint32_t columns = 2, rows = 1;  // of the mesh; die x + y * columns
  std::uint64_t memory_bytes = std::uint64_t(64) << 20;  // of each die
  double link_gb_per_s = 64;            // of a link, each way, headers included; for machines with a clock and without a file
  std::uint64_t link_latency_ps = 2000; // last bit out to flit in
};

// What a link carried in one direction since the package was opened.
struct LinkUse {
  std::uint32_t to = 0;             // the die at its other end
  std::uint64_t payload_bytes = 0;  // of packets, what is passed on to dies behind it included
  std::uint64_t busy_cycles = 0;    // with something on its lanes, idle flits included
  std::uint64_t replays = 0;
  bool counted = true;              // payload and replays are known; not on the RTL, whose links do not tell
};

class Die : public Device {
 public:
  // By which it sends; none without a clock.
  virtual std::vector<LinkUse> links() const = 0;
  // Its number in the mesh of a package's file, whose traces count dies that only carry, too.
  virtual std::uint32_t place() const = 0;
  // Of the whole package, by any of its dies, once: everything from the next start on goes into the trace that this makes (docs/trace.md),
  // its first `keep` slices and counter events (0: all). unsupported without a clock.
  virtual Status record(std::uint64_t keep, std::shared_ptr<trace::PackageTrace>& trace) = 0;
};

Status open_package(const PackageOptions& options, std::vector<std::unique_ptr<Device>>& dies);
// Names of backends that open_package knows in this build.
std::vector<std::string> package_backends();

}  // namespace jogak::driver
