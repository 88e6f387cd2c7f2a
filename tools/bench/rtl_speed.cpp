// rtl-speed: simulated kHz of the whole RTL, one thread, processor time: one busy with products, one decoding.
#include "bench.hpp"
#include "compiler/schedule/gemm.hpp"
#include "llama.hpp"

namespace jogak::bench {
namespace {

void add(Report& report, const std::string& name, const char* what, const Measured& m) {
  report.add({.case_name = what, .config = name, .on = "rtl", .value = static_cast<double>(m.cycles) / m.seconds / 1000, .unit = "kHz", .bar = 150, .aim = 400});
}

void speed(const Options& options, Report& report) {
  const std::string name = options.config.empty() ? "edge" : options.config;
  const spec::Config& config = *spec::find_config(name.c_str());
  const schedule::Gemm gemm{.config = config, .m = 256, .n = 256, .k = 256};
  Pair product(config, schedule::lower_gemm(gemm).program().code(), {gemm.b_bytes(), gemm.a_bytes(), gemm.c_bytes()});
  std::uint32_t state = 1;
  for (const std::size_t w : {0u, 1u})
    for (std::uint8_t& byte : product.window(w)) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  add(report, name, "gemm 256", product.measure({}));
  LlamaPair llama({.layers = 2, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 2048}, name, "int8");
  llama.advance(0, llama.rows());
  add(report, name, "decode d 288", llama.measure(llama.rows(), 1));
}

const Register registered{"rtl-speed", "simulated kHz of the whole RTL", speed};

}  // namespace
}  // namespace jogak::bench
