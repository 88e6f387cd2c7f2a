// gemm512-int8, gemm512-mxfp4: share of the array's peak in C = A B, 512 x 512 x 512, doorbell to done. hls-speed: the same product in C
// simulation of the HLS kernel; hls-cycles: what that estimates for itself.
#include <random>

#include "bench.hpp"
#include "compiler/passes/quantize.hpp"
#include "compiler/schedule/gemm.hpp"
#include "llama.hpp"
#include "pair.hpp"

namespace jogak::bench {
namespace {

struct Product {
  spec::Config config;
  int size;
  Measured measured;
  double macs() const { return static_cast<double>(size) * size * size; }
  std::string shape() const { return std::to_string(size) + " x " + std::to_string(size) + " x " + std::to_string(size); }
};

Product multiply(const Options& options, ir::Format format, Pair::On on) {
  const std::string name = options.config.empty() ? "edge" : options.config;
  const spec::Config* config = spec::find_config(name.c_str());
  if (!config) throw Error("bench", "configuration", name, "one of spec/configs");
  const int size = config->cols < 16 ? 256 : 512;
  const schedule::Gemm gemm{.config = *config, .m = size, .n = size, .k = size, .format = format};
  std::mt19937_64 random(options.seed);
  ir::Tensor b{"b", {size, size}, ir::DType::f32, {}};
  for (int i = 0; i < size * size; ++i) {
    const float x = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    const auto* bytes = reinterpret_cast<const std::byte*>(&x);
    b.data.append(bytes, bytes + sizeof x);
  }
  const auto packed = schedule::pack_b(gemm, passes::quantize(b, format));
  Pair pair(*config, schedule::lower_gemm(gemm).program().code(), {packed.size(), gemm.a_bytes(), gemm.c_bytes()}, on);
  std::transform(packed.begin(), packed.end(), pair.window(0).begin(), [](std::byte x) { return static_cast<std::uint8_t>(x); });
  const auto a = pair.window(1);
  const std::size_t codes = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < codes; ++i) a[i] = static_cast<std::uint8_t>(random() % 255 + 129);  // -127 .. 127
  for (std::size_t i = codes; i < a.size(); i += 2) a[i] = static_cast<std::uint8_t>(random() % 128), a[i + 1] = 0x3c;  // bf16 about 0.01
  return {*config, size, pair.measure({})};
}

void gemm(const Options& options, Report& report, ir::Format format) {
  const Product product = multiply(options, format, Pair::On::rtl);
  const Measured& m = product.measured;
  const std::string name = product.config.name, shape = product.shape();
  const double peak = static_cast<double>(product.config.rows * product.config.cols) * static_cast<double>(m.cycles);
  report.add({.case_name = shape, .config = name, .on = "rtl", .value = product.macs() / peak, .unit = "of peak", .bar = 0.95, .aim = 0.98});
  report.add({.case_name = shape, .config = name, .on = "rtl", .value = static_cast<double>(m.cycles), .unit = "cycles"});
  report.add({.case_name = "model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
}

// Processor time, values and all.
void hls_speed(const Options& options, Report& report) {
  for (const auto& [format, text] : {std::pair{ir::Format::int8, "int8"}, {ir::Format::mxfp4, "mxfp4"}}) {
    const Product product = multiply(options, format, Pair::On::hls);
    const Measured& m = product.measured;
    const std::string name = product.config.name, what = product.shape() + " " + text;
    report.add({.case_name = what, .config = name, .on = "hls", .value = product.macs() / m.seconds / 1e6, .unit = "MMAC/s", .bar = 300});
    report.add({.case_name = what + ", model and HLS", .config = name, .on = "hls", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
  }
}

// The kernel's estimate of its own time, beside the RTL's cycles.
void add_cycles(Report& report, const std::string& what, const std::string& name, const Measured& m) {
  const auto hls_cycles = static_cast<double>(m.timed.hls_cycles), rtl_cycles = static_cast<double>(m.cycles);
  report.add({.case_name = what, .config = name, .on = "hls", .value = hls_cycles, .unit = "cycles, estimated"});
  report.add({.case_name = what, .config = name, .on = "rtl", .value = rtl_cycles, .unit = "cycles"});
  report.add({.case_name = what, .config = name, .on = "hls", .value = hls_cycles / rtl_cycles, .unit = "of the RTL's cycles"});
}

void hls_cycles(const Options& options, Report& report) {
  const Product product = multiply(options, ir::Format::int8, Pair::On::rtl);
  add_cycles(report, "gemm " + product.shape(), product.config.name, product.measured);
  LlamaPair llama({.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000}, product.config.name, "int8");
  llama.advance(0, llama.rows());
  add_cycles(report, "decode d 288", product.config.name, llama.measure(llama.rows(), 1));
}

const Register estimate{"hls-cycles", "the HLS kernel's estimate of its cycles beside the RTL's", hls_cycles};
const Register hls{"hls-speed", "C simulation of the HLS kernel: products of a matrix product in a second of processor time", hls_speed};
const Register int8{"gemm512-int8", "share of peak of a matrix product, int8 weights", [](const Options& o, Report& r) { gemm(o, r, ir::Format::int8); }};
const Register mxfp4{"gemm512-mxfp4", "share of peak of a matrix product, MXFP4 weights", [](const Options& o, Report& r) { gemm(o, r, ir::Format::mxfp4); }};

}  // namespace
}  // namespace jogak::bench
