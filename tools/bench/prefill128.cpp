// prefill128: useful products per cycle and multiplier of 128 tokens through one Llama layer, softmax and norms included.
#include "bench.hpp"
#include "llama.hpp"

namespace jogak::bench {
namespace {

constexpr int kTokens = 128;

void prefill(const Options& options, Report& report) {
  const std::string name = options.config.empty() ? "edge" : options.config;
  const std::string format = options.format.empty() ? "int8" : options.format;
  // The smallest vocabulary: the head is not part of the layer.
  const import::LlamaHyper shape{.layers = 1, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 2048, .context = kTokens, .vocab = 32};
  LlamaPair llama(shape, name, format);
  const int launches = (kTokens + llama.rows() - 1) / llama.rows(), rows = (kTokens + launches - 1) / launches;
  std::uint64_t cycles = 0, differences = 0;
  for (int at = 0; at < kTokens; at += rows) {
    const Measured m = llama.measure(at, std::min(rows, kTokens - at));
    cycles += m.cycles, differences += m.differences;
  }
  const double d = shape.width;
  const double macs = kTokens * (4 * d * d + 3 * d * shape.ffn) + 2 * d * kTokens * (kTokens + 1) / 2;  // causal pairs only
  const spec::Config& config = *spec::find_config(name.c_str());
  const std::string text = "d 768, " + std::to_string(launches) + " launches of " + std::to_string(rows);
  report.add({.case_name = text, .config = name, .on = "rtl", .value = macs / (static_cast<double>(cycles) * config.rows * config.cols), .unit = "of peak",
              .bar = 0.90, .aim = 0.95});
  report.add({.case_name = text, .config = name, .on = "rtl", .value = static_cast<double>(cycles), .unit = "cycles"});
  report.add({.case_name = "model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(differences), .unit = "differences", .bar = 0, .less = true});
}

const Register registered{"prefill128", "useful share of the array's peak, one Llama layer, 128 tokens", prefill};

}  // namespace
}  // namespace jogak::bench
