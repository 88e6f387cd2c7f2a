// The HLS kernel in C simulation. hls-bits: the benchmarks' workloads, against the exact model; hls-speed: products a second; hls-cycles:
// what the kernel estimates for itself beside the RTL's cycles.
#include "common.hpp"
#include "workloads.hpp"

namespace jogak::bench {
namespace {

void bits(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  for (const Workload& w : workloads(config, Pair::On::hls))
    report.add({.case_name = w.name, .config = config.name, .on = "hls", .value = static_cast<double>(w.measure().differences),
                .unit = "bytes of DRAM and exact counters that differ from the model's", .bar = 0, .less = true});
}

// Processor time, values and all.
void speed(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  const int size = config.cols < 16 ? 256 : 512;
  for (const ir::Format format : {ir::Format::int8, ir::Format::mxfp4}) {
    const Measured m = product(config, size, format, Pair::On::hls)->measure({});
    const std::string what = std::to_string(size) + " cubed, " + ir::name(format);
    report.add({.case_name = what, .config = config.name, .on = "hls", .value = static_cast<double>(size) * size * size / m.seconds / 1e6, .unit = "MMAC/s", .bar = 300});
    report.add({.case_name = what + ", model and HLS", .config = config.name, .on = "hls", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
  }
}

void add_cycles(Report& report, const std::string& what, const std::string& name, const Measured& m) {
  const auto hls_cycles = static_cast<double>(m.timed.hls_cycles), rtl_cycles = static_cast<double>(m.cycles);
  report.add({.case_name = what, .config = name, .on = "hls", .value = hls_cycles, .unit = "cycles, estimated"});
  report.add({.case_name = what, .config = name, .on = "rtl", .value = rtl_cycles, .unit = "cycles"});
  report.add({.case_name = what, .config = name, .on = "hls", .value = hls_cycles / rtl_cycles, .unit = "of the RTL's cycles"});
}

void cycles(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  const int size = config.cols < 16 ? 256 : 512;
  add_cycles(report, "product " + std::to_string(size) + " cubed", config.name, product(config, size, ir::Format::int8)->measure({}));
  LlamaPair llama(kDecode, config.name, "int8");
  llama.advance(0, llama.rows());
  add_cycles(report, "decode d 288", config.name, llama.measure(llama.rows(), 1));
}

const Register registered_bits{"hls-bits", "the benchmarks' workloads on the HLS kernel in C simulation: differences from the exact model", bits};
const Register registered_cycles{"hls-cycles", "the HLS kernel's estimate of its cycles beside the RTL's", cycles};
const Register registered_speed{"hls-speed", "C simulation of the HLS kernel: products of a matrix product in a second of processor time", speed};

}  // namespace
}  // namespace jogak::bench
