// rtl-speed: simulated kHz of the whole RTL, one thread, processor time: one busy with products, one decoding. The systolic
// array alone, fed with random bytes every cycle, runs beside them for scale: what the rest of the machine costs.
#include "Vnpu_array_edge.h"
#include "common.hpp"
#include "compiler/schedule/gemm.hpp"
#include "llama.hpp"

namespace jogak::bench {
namespace {

void add(Report& report, const std::string& name, const char* what, const Measured& m) {
  report.add({.case_name = what, .config = name, .on = "rtl", .value = static_cast<double>(m.cycles) / m.seconds / 1000, .unit = "kHz", .bar = 150, .aim = 400});
}

// Rows of S slices without a gap, and a word of weights into the other bank every second cycle.
void bare_array(Report& report) {
  VerilatedContext context;
  Vnpu_array_edge array(&context);
  constexpr int slices = 32 / 16, cycles = 200'000;
  std::uint32_t state = 1;
  const auto random = [&] { return state = state * 1664525u + 1013904223u; };
  array.rst_ni = 0;
  const double start = cpu_seconds();
  for (int cycle = 0; cycle < cycles; ++cycle) {
    array.rst_ni = cycle > 2;
    array.mv_valid_i = 1;
    array.mv_first_i = cycle % slices == 0;
    array.mv_last_i = cycle % slices == slices - 1;
    array.mv_sel_i = (cycle >> 6 & 1) * slices + cycle % slices;
    for (auto& word : array.mv_bytes_i.m_storage) word = random();
    array.ld_valid_i = cycle & 1;
    array.ld_bank_i = ~cycle >> 6 & 1;
    array.ld_idx_i = cycle >> 1 & 15;
    for (auto& word : array.ld_word_i.m_storage) word = random();
    array.clk_i = 0, array.eval();
    array.clk_i = 1, array.eval();
  }
  const double seconds = cpu_seconds() - start;
  report.add({.case_name = "the array alone, for scale", .config = "edge", .on = "rtl", .value = cycles / seconds / 1000, .unit = "kHz"});
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
  if (name == "edge") bare_array(report);
}

const Register registered{"rtl-speed", "simulated kHz of the whole RTL", speed};

}  // namespace
}  // namespace jogak::bench
