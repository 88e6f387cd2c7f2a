// decode-int8 (a scale per channel), decode-q8_0 (blocks of 32), decode-mxfp4: share of the memory port that carries useful bytes in one decode step, doorbell to done.
#include "bench.hpp"
#include "llama.hpp"

namespace jogak::bench {
namespace {

constexpr int kPosition = 200;

// Every weight and scale once, and the K and V of all keys with their scales. Scales: bytes per weight, bytes per output channel.
double useful_bytes(const import::LlamaHyper& h, double bytes_per_weight, double bytes_per_channel) {
  const double d = h.width, kv = d / h.heads * h.kv_heads, head = d / h.heads;
  const double weights = h.layers * (2 * d * d + 2 * d * kv + 3 * d * h.ffn) + d * h.vocab;
  const double channels = h.layers * (2 * d + 2 * kv + 2 * h.ffn) + h.vocab;
  const double key = head + 2 * static_cast<int>((head + 31) / 32), value = head + 4;
  return weights * bytes_per_weight + channels * bytes_per_channel + h.layers * h.kv_heads * (kPosition + 1) * (key + value);
}

void decode(const Options& options, Report& report, const char* format, double bytes_per_weight, double bytes_per_channel = 0) {
  const std::string name = options.config.empty() ? "edge" : options.config;
  const import::LlamaHyper shape{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};
  LlamaPair llama(shape, name, format);
  for (int at = 0; at < kPosition; at += llama.rows()) llama.advance(at, std::min(llama.rows(), kPosition - at));
  const Measured m = llama.measure(kPosition, 1);
  const double port = static_cast<double>(spec::find_config(name.c_str())->port_bytes) * static_cast<double>(m.cycles);
  report.add({.case_name = "d 288, position 200", .config = name, .on = "rtl", .value = useful_bytes(shape, bytes_per_weight, bytes_per_channel) / port, .unit = "of port",
              .bar = 0.90, .aim = 0.95});
  report.add({.case_name = "d 288, position 200", .config = name, .on = "rtl", .value = static_cast<double>(m.cycles), .unit = "cycles per token"});
  report.add({.case_name = "beats", .config = name, .on = "rtl", .value = m.share(spec::Counter::ld_beats), .unit = "of cycles"});
  report.add({.case_name = "model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
}

const Register int8{"decode-int8", "useful share of the memory port in decode, int8 with a scale per channel",
                    [](const Options& o, Report& r) { decode(o, r, "int8c", 1, 4); }};
const Register q8{"decode-q8_0", "useful share of the memory port in decode, int8 in blocks of 32 as in GGUF's Q8_0",
                  [](const Options& o, Report& r) { decode(o, r, "int8", 1 + 2.0 / 32); }};
const Register mxfp4{"decode-mxfp4", "useful share of the memory port in decode, MXFP4", [](const Options& o, Report& r) { decode(o, r, "mxfp4", 0.5 + 1.0 / 32); }};

}  // namespace
}  // namespace jogak::bench
