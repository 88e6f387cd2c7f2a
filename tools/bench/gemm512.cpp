// gemm512-int8, gemm512-mxfp4: share of the array's peak in C = A B, 512 x 512 x 512, doorbell to done.
#include <random>

#include "common.hpp"
#include "compiler/passes/quantize.hpp"
#include "compiler/schedule/gemm.hpp"
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

Product multiply(const Options& options, ir::Format format) {
  const spec::Config& config = config_of(options);
  const int size = config.cols < 16 ? 256 : 512;
  const schedule::Gemm gemm{.config = config, .m = size, .n = size, .k = size, .format = format};
  std::mt19937_64 random(options.seed);
  ir::Tensor b{"b", {size, size}, ir::DType::f32, {}};
  for (int i = 0; i < size * size; ++i) {
    const float x = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    const auto* bytes = reinterpret_cast<const std::byte*>(&x);
    b.data.append(bytes, bytes + sizeof x);
  }
  const auto packed = schedule::pack_b(gemm, passes::quantize(b, format));
  Pair pair(config, schedule::lower_gemm(gemm).program().code(), {packed.size(), gemm.a_bytes(), gemm.c_bytes()});
  std::transform(packed.begin(), packed.end(), pair.window(0).begin(), [](std::byte x) { return static_cast<std::uint8_t>(x); });
  const auto a = pair.window(1);
  const std::size_t codes = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < codes; ++i) a[i] = static_cast<std::uint8_t>(random() % 255 + 129);  // -127 .. 127
  for (std::size_t i = codes; i < a.size(); i += 2) a[i] = static_cast<std::uint8_t>(random() % 128), a[i + 1] = 0x3c;  // bf16 about 0.01
  return {config, size, pair.measure({})};
}

void gemm(const Options& options, Report& report, ir::Format format) {
  const Product product = multiply(options, format);
  const Measured& m = product.measured;
  const std::string name = product.config.name, shape = product.shape();
  const double peak = static_cast<double>(product.config.rows * product.config.cols) * static_cast<double>(m.cycles);
  report.add({.case_name = shape, .config = name, .on = "rtl", .value = product.macs() / peak, .unit = "of peak", .bar = 0.95, .aim = 0.98});
  report.add({.case_name = shape, .config = name, .on = "rtl", .value = static_cast<double>(m.cycles), .unit = "cycles"});
  report.add({.case_name = "model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
}

const Register int8{"gemm512-int8", "share of peak of a matrix product, int8 weights", [](const Options& o, Report& r) { gemm(o, r, ir::Format::int8); }};
const Register mxfp4{"gemm512-mxfp4", "share of peak of a matrix product, MXFP4 weights", [](const Options& o, Report& r) { gemm(o, r, ir::Format::mxfp4); }};

}  // namespace
}  // namespace jogak::bench
