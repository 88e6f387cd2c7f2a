// bert-layer, vit-layer, encoder-long: cycles of one encoder layer, norms, softmax, biases, residuals and moves from and to DRAM included.
#include <cstring>

#include "bench.hpp"
#include "compiler/encoder/compile.hpp"
#include "compiler/encoder/synthetic.hpp"
#include "error.hpp"
#include "pair.hpp"

namespace jogak::bench {
namespace {

struct Case {
  encoder::Shape shape;
  int rows;
  std::string text;
};

Measured run(const Case& c, const std::string& config, ir::Format format) {
  const Program program = encoder::compile(encoder::synthetic(c.shape, format, 1), config);
  Pair pair(*spec::find_config(config.c_str()), program.code, {program.window_bytes[0], program.window_bytes[1]});
  for (const Segment& s : program.segments) std::copy(s.bytes.begin(), s.bytes.end(), pair.window(s.window).begin() + static_cast<std::ptrdiff_t>(s.offset));
  const Symbol& x = *program.find("x");
  for (std::uint64_t i = 0; i < x.bytes / 4; ++i) {
    const float value = static_cast<float>((i * 2654435761u >> 8) % 4096) / 1024.0f - 2.0f;
    std::memcpy(pair.window(1).data() + x.offset + 4 * i, &value, 4);
  }
  const std::uint32_t rows = static_cast<std::uint32_t>(c.rows);
  return pair.measure(std::span(&rows, 1));
}

double macs(const Case& c) {
  const double d = c.shape.width, n = c.rows;
  return n * (4 * d * d + 2 * d * c.shape.ffn) + 2 * n * n * d;
}

ir::Format format(const Options& options) {
  for (const ir::Format f : ir::kFormats)
    if (options.format == ir::name(f)) return f;
  if (!options.format.empty()) throw Error("bench", "--format", options.format, "int8, int8c or mxfp4");
  return ir::Format::int8;
}

void report_layer(const Case& c, const Options& options, Report& report, Figure cycles, Figure share) {
  const std::string config = options.config.empty() ? "edge" : options.config;
  const Measured m = run(c, config, format(options));
  const spec::Config& sizes = *spec::find_config(config.c_str());
  const bool bars = config == "edge" && options.tokens == 0;
  const auto add = [&](Figure f, double value, const char* unit) {
    f.case_name = c.text, f.config = config, f.on = "rtl", f.value = value, f.unit = unit;
    if (!bars) f.bar = f.aim = std::nullopt;
    report.add(f);
  };
  add(cycles, static_cast<double>(m.cycles), "cycles");
  add(share, macs(c) / (static_cast<double>(m.cycles) * sizes.rows * sizes.cols), "of peak");
  for (const auto& [name, counter] : {std::pair{"array waits for a semaphore", spec::Counter::mx_wait_sem}, {"array idle", spec::Counter::mx_idle},
                                      {"array waits for weights", spec::Counter::mx_wait_load}, {"vector engine busy", spec::Counter::ve_busy},
                                      {"load engine's beats", spec::Counter::ld_beats}})
    report.add({.case_name = name, .config = config, .on = "rtl", .value = m.share(counter), .unit = "of cycles"});
  Case two = c;
  two.shape.layers = 2;
  const Measured more = run(two, config, format(options));
  add({}, static_cast<double>(more.cycles - m.cycles), "cycles of a layer behind it");
  report.add({.case_name = "model and RTL", .config = config, .on = "rtl", .value = static_cast<double>(m.differences + more.differences),
              .unit = "differences", .bar = 0, .less = true});
}

void bert(const Options& options, Report& report) {
  const int tokens = options.tokens > 0 ? options.tokens : 128;
  const Case c{{.layers = 1, .width = 768, .heads = 12, .ffn = 3072, .context = tokens}, tokens, "BERT-base layer, " + std::to_string(tokens) + " tokens"};
  report_layer(c, options, report, {.bar = 4050000, .aim = 3830000, .less = true}, {});
}

void vit(const Options& options, Report& report) {
  const Case c{{.layers = 1, .width = 768, .heads = 12, .ffn = 3072, .context = 197, .norm_first = true}, 197, "ViT-B/16 layer, 197 tokens"};
  report_layer(c, options, report, {}, {.bar = 0.88});
}

// Keys in chunks: 40 % of the products are attention's.
void in_chunks(const Options& options, Report& report) {
  const int tokens = options.tokens > 0 ? options.tokens : 1024;
  const Case c{{.layers = 1, .width = 256, .heads = 4, .ffn = 1024, .context = tokens}, tokens, "encoder layer, d 256, " + std::to_string(tokens) + " rows"};
  report_layer(c, options, report, {}, {});
}

const Register registered_bert{"bert-layer", "cycles of a BERT-base layer on 128 tokens, all included", bert};
const Register registered_vit{"vit-layer", "useful share of the array's peak, a ViT-B/16 layer on 197 tokens", vit};

const Register registered_long{"encoder-long", "useful share of the array's peak, a layer of 1024 rows whose keys come in chunks", in_chunks};

}  // namespace
}  // namespace jogak::bench
