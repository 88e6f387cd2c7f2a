// attention4k: 128 queries of one head against 4096 keys; q from fp32 and the result to fp32 included.
#include "bench.hpp"
#include "compiler/encoder/long_attention_data.hpp"
#include "pair.hpp"

namespace jogak::bench {
namespace {

void attention(const Options& options, Report& report) {
  const std::string name = options.config.empty() ? "edge" : options.config;
  encoder::LongAttention a{.config = *spec::find_config(name.c_str())};
  if (name != "edge") a.queries = 32, a.chunk = 32, a.head_dim = 32;
  Pair pair(a.config, encoder::lower_attention(a).program().code(), {a.input_bytes(), a.output_bytes()});
  (void)encoder::fill_attention(a, a.keys, pair.window(0));
  const auto keys = static_cast<std::uint32_t>(a.keys);
  const Measured m = pair.measure(std::span(&keys, 1));
  const double ideal = 2.0 * a.queries * a.keys * a.head_dim / (a.config.rows * a.config.cols);
  const std::string text = std::to_string(a.queries) + " queries x " + std::to_string(a.keys) + " keys, d " + std::to_string(a.head_dim);
  report.add({.case_name = text, .config = name, .on = "rtl", .value = static_cast<double>(m.cycles), .unit = "cycles"});
  report.add({.case_name = text, .config = name, .on = "rtl", .value = static_cast<double>(m.cycles) / ideal, .unit = "of the array's time",
              .bar = name == "edge" ? std::optional(1.15) : std::nullopt, .less = true});
  encoder::LongAttention longer = a;
  longer.keys = 1 << 20;
  report.add({.case_name = "words on chip with 2^20 keys, less those with 4096", .config = name, .on = "model",
              .value = static_cast<double>(longer.vector_words()) - a.vector_words(), .unit = "words", .bar = 0, .less = true});
  report.add({.case_name = "model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
}

const Register registered{"attention4k", "cycles of 128 queries over 4096 keys against the array's own", attention};

}  // namespace
}  // namespace jogak::bench
