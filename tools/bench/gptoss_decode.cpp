// gptoss-decode: one decode step of a layer of gpt-oss-20b's shape, doorbell to done: share of the memory port that carries useful bytes.
#include "bench.hpp"
#include "compiler/import/shapes.hpp"
#include "llama.hpp"

namespace jogak::bench {
namespace {

constexpr int kPosition = 200;

// Every weight that the step needs once: attention in int8 with a scale per channel, the router, the chosen experts in MXFP4, all biases and
// norms, K and V of the keys seen; of the embedding one row.
double useful_bytes(const import::LlamaHyper& h) {
  const double d = h.width, q = h.heads * h.head(), kv = h.kv_heads * h.head(), f = h.ffn, experts = h.mixture.experts, top = h.mixture.top;
  const double attention = d * (q + 2 * kv) + q * d + 4 * (q + 2 * kv + d), router = experts * d * (1 + 2.0 / 32);
  const double expert = 3 * d * f * (0.5 + 1.0 / 32) + 4 * (2 * f + d), head = d * h.vocab + 4.0 * h.vocab;
  const double vectors = 4 * (d + 3 * d + (q + 2 * kv) + d + experts + h.heads + 2 * h.head());
  const double key = 2 * h.head() + 2 * ((h.head() + 31) / 32) + 4, keys = std::min(kPosition + 1, h.window);
  return attention + router + top * expert + head + vectors + h.kv_heads * keys * key;
}

void decode(const Options& options, Report& report) {
  const std::string name = options.config.empty() ? "edge" : options.config, format = options.format.empty() ? "int8c" : options.format;
  import::LlamaHyper h = import::gptoss_20b().hyper;
  h.layers = 1, h.vocab = 128, h.sliding = {true}, h.context = 8192;
  LlamaPair llama(h, name, format);
  for (int at = 0; at < kPosition; at += llama.rows()) llama.advance(at, std::min(llama.rows(), kPosition - at));
  const Measured m = llama.measure(kPosition, 1);
  const double port = static_cast<double>(spec::find_config(name.c_str())->port_bytes), cycles = static_cast<double>(m.cycles);
  const double bytes = static_cast<double>(m.rtl[spec::Counter::load_bytes]), all = static_cast<double>(llama.program().window_bytes[3]);
  const std::string label = "one layer, 4 of 32 experts, position 200";
  if (format == "int8c")
    report.add({.case_name = label, .config = name, .on = "rtl", .value = useful_bytes(h) / (port * cycles), .unit = "of port", .bar = 0.88});
  report.add({.case_name = label, .config = name, .on = "rtl", .value = cycles, .unit = "cycles"});
  report.add({.case_name = "read, all experts being " + std::to_string(static_cast<std::uint64_t>(all)) + " bytes", .config = name, .on = "rtl", .value = bytes, .unit = "bytes"});
  report.add({.case_name = "beats", .config = name, .on = "rtl", .value = m.share(spec::Counter::ld_beats), .unit = "of cycles"});
  for (const auto& [counter, what] : {std::pair{spec::Counter::seq_wait_sem, "sequencer waits for the router"}, {spec::Counter::ld_idle, "load queue empty"},
                                      {spec::Counter::ld_wait_sem, "load engine waits for a slot"}})
    report.add({.case_name = what, .config = name, .on = "rtl", .value = static_cast<double>(m.rtl[counter]), .unit = "cycles"});
  report.add({.case_name = "model and RTL", .config = name, .on = "rtl", .value = static_cast<double>(m.differences), .unit = "differences", .bar = 0, .less = true});
}

const Register registered{"gptoss-decode", "useful share of the memory port, decode of a layer of gpt-oss-20b", decode};

}  // namespace
}  // namespace jogak::bench
