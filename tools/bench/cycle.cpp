// cycle-error: the cycle model against the RTL on what the other benchmarks run and on random programs. cycle-speed: simulated cycles a second.
#include <cstring>
#include <functional>

#include "bench.hpp"
#include "common.hpp"
#include "compiler/encoder/compile.hpp"
#include "compiler/encoder/long_attention_data.hpp"
#include "compiler/encoder/synthetic.hpp"
#include "compiler/schedule/gemm.hpp"
#include "error.hpp"
#include "llama.hpp"
#include "process.hpp"

namespace jogak::bench {
namespace {

const spec::Config& config_of(const Options& o) {
  const std::string name = value_or(o.config, "edge");
  const spec::Config* config = spec::find_config(name.c_str());
  if (!config) throw Error("bench", "configuration", name, "one of spec/configs");
  return *config;
}

void noise(std::span<std::uint8_t> bytes) {
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
}

std::unique_ptr<Pair> gemm(const spec::Config& config, int size, ir::Format format) {
  const schedule::Gemm g{.config = config, .m = size, .n = size, .k = size, .format = format};
  auto pair = std::make_unique<Pair>(config, schedule::lower_gemm(g).program().code(), std::vector<std::uint64_t>{g.b_bytes(), g.a_bytes(), g.c_bytes()});
  noise(pair->window(0)), noise(pair->window(1));
  return pair;
}

// x of `rows` rows in fp32.
std::unique_ptr<Pair> encoder(const spec::Config& config, const encoder::Shape& shape) {
  const Program program = encoder::compile(encoder::synthetic(shape, ir::Format::int8, 1), config.name);
  auto pair = std::make_unique<Pair>(config, program.code, std::vector<std::uint64_t>{program.window_bytes[0], program.window_bytes[1]});
  for (const Segment& s : program.segments) std::copy(s.bytes.begin(), s.bytes.end(), pair->window(s.window).begin() + static_cast<std::ptrdiff_t>(s.offset));
  const Symbol& x = *program.find("x");
  for (std::uint64_t i = 0; i < x.bytes / 4; ++i) {
    const float value = static_cast<float>((i * 2654435761u >> 8) % 4096) / 1024.0f - 2.0f;
    std::memcpy(pair->window(1).data() + x.offset + 4 * i, &value, 4);
  }
  return pair;
}

std::unique_ptr<Pair> attention(const encoder::LongAttention& a) {
  auto pair = std::make_unique<Pair>(a.config, encoder::lower_attention(a).program().code(), std::vector<std::uint64_t>{a.input_bytes(), a.output_bytes()});
  (void)encoder::fill_attention(a, a.keys, pair->window(0));
  return pair;
}

const import::LlamaHyper kDecode{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};
const import::LlamaHyper kPrefill{.layers = 1, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 2048, .context = 128, .vocab = 32};
constexpr int kPosition = 200, kTokens = 128;

// Every workload that an RTL benchmark counts cycles of, once.
struct Workload {
  std::string name;
  std::function<Measured(const spec::Config&)> measure;
};

Measured decode(const spec::Config& config, const char* format) {
  LlamaPair llama(kDecode, config.name, format);
  for (int at = 0; at < kPosition; at += llama.rows()) llama.advance(at, std::min(llama.rows(), kPosition - at));
  return llama.measure(kPosition, 1);
}

Measured layer(const spec::Config& config, encoder::Shape shape) {
  const std::uint32_t rows = static_cast<std::uint32_t>(shape.context);
  return encoder(config, shape)->measure(std::span(&rows, 1));
}

Measured keys4096(const spec::Config& config) {
  encoder::LongAttention a{.config = config};
  if (std::string(config.name) != "edge") a.queries = 32, a.chunk = 32, a.head_dim = 32;
  const auto keys = static_cast<std::uint32_t>(a.keys);
  return attention(a)->measure(std::span(&keys, 1));
}

std::vector<Workload> workloads(const spec::Config& sizes) {
  const int size = sizes.cols < 16 ? 256 : 512;
  return {{"gemm512-int8", [=](const spec::Config& c) { return gemm(c, size, ir::Format::int8)->measure({}); }},
          {"gemm512-mxfp4", [=](const spec::Config& c) { return gemm(c, size, ir::Format::mxfp4)->measure({}); }},
          {"decode-int8", [](const spec::Config& c) { return decode(c, "int8c"); }},
          {"decode-q8_0", [](const spec::Config& c) { return decode(c, "int8"); }},
          {"decode-mxfp4", [](const spec::Config& c) { return decode(c, "mxfp4"); }},
          {"prefill128, first launch",
           [](const spec::Config& c) {
             LlamaPair llama(kPrefill, c.name, "int8");
             return llama.measure(0, std::min(llama.rows(), kTokens));
           }},
          {"bert-layer", [](const spec::Config& c) { return layer(c, {.width = 768, .heads = 12, .ffn = 3072, .context = kTokens}); }},
          {"vit-layer", [](const spec::Config& c) { return layer(c, {.width = 768, .heads = 12, .ffn = 3072, .context = 197, .norm_first = true}); }},
          {"attention4k", keys4096}};
}

double timing_counters_off(const Measured& m) {
  double off = 0;
  for (const spec::CounterInfo& c : spec::counters) off += !c.exact && m.timed.counters[c.index] != m.rtl.counters[c.index];
  return off;
}

// what: what the program runs; arguments: its own ones.
void random_programs(const Options& o, const std::string& what, const std::string& name, const std::string& arguments, const std::string& config, int count, Report& report) {
  const std::filesystem::path program = beside(name);
  if (!std::filesystem::exists(program)) return report.skip("no " + program.string());
  const Output out = last_line("'" + program.string() + "' " + arguments + " --seed " + std::to_string(o.seed) + " --count " + std::to_string(count) + " --tell 0", " programs of ");
  unsigned long long programs = 0, differ = 1, cycles = 0;
  double length = 0, mean = 1, worst = 1;
  if (std::sscanf(out.text.c_str(), "%*[^:]: %llu programs of %lf cycles, %llu differ, error mean %lf, worst %lf and %llu cycles", &programs, &length, &differ, &mean, &worst, &cycles) != 6)
    throw Error("bench", "last line of " + name, out.text, "programs, how many differ, errors");
  const auto add = [&](const char* part, double value, const char* unit, std::optional<double> bar) {
    report.add({.case_name = what + part, .config = config, .on = "cycle", .value = value, .unit = unit, .bar = bar, .aim = 0, .less = true});
  };
  add("", static_cast<double>(differ), ("programs in which a cycle or a counter differs, of " + std::to_string(programs)).c_str(), std::nullopt);
  add(", mean", mean, "of the RTL's cycles", 0.01);
  // Short programs may be off by a few cycles.
  add(", worst", cycles <= 32 ? 0 : worst, "of the RTL's cycles, where it is more than 32", 0.03);
}

void error(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  const int count = o.tokens > 0 ? o.tokens : 10000;
  random_programs(o, "random programs", "jogak-cycle-fuzz", "--config " + std::string(config.name), config.name, count, report);
  random_programs(o, "random exchanges in packages", "jogak-package-fuzz", "", "nanoquad", std::max(1, count / 10), report);
  double sum = 0, worst = 0, worst_cycles = 0, counters = 0, differences = 0, n = 0;
  for (const Workload& w : workloads(config)) {
    const Measured m = w.measure(config);
    const double off = std::abs(static_cast<double>(m.timed.cycles()) - static_cast<double>(m.cycles)), share = off / static_cast<double>(m.cycles);
    report.add({.case_name = w.name, .config = config.name, .on = "cycle", .value = off, .unit = "cycles off, of " + std::to_string(m.cycles)});
    sum += share, worst = std::max(worst, share), worst_cycles = std::max(worst_cycles, off), ++n;
    counters += timing_counters_off(m), differences += static_cast<double>(m.differences);
  }
  const auto add = [&](const char* what, double value, const char* unit, std::optional<double> bar) {
    report.add({.case_name = what, .config = config.name, .on = "cycle", .value = value, .unit = unit, .bar = bar, .aim = 0, .less = true});
  };
  add("mean", sum / n, "of the RTL's cycles", 0.01);
  add("worst", worst, "of the RTL's cycles", 0.03);
  add("worst", worst_cycles, "cycles", std::nullopt);
  add("timing counters", counters, "that differ", std::nullopt);
  add("model and RTL", differences, "differences", 0);
}

void add_speed(Report& report, const std::string& config, const std::string& what, const Timed& t) {
  const double cycles = static_cast<double>(t.cycles());
  const auto add = [&](const char* how, double seconds, double bar) {
    report.add({.case_name = what + ", " + how, .config = config, .on = "cycle", .value = cycles / seconds * 1e-6, .unit = "M cycles/s", .bar = bar, .aim = 41});
  };
  add("with values", t.value_seconds + t.time_seconds, 2);
  add("timing only", t.time_seconds, 10);
}

void speed(const Options& o, Report& report) {
  const spec::Config& config = config_of(o);
  add_speed(report, config.name, "gemm 512", gemm(config, 512, ir::Format::int8)->time({}));
  LlamaPair llama(kDecode, config.name, "int8");
  llama.advance(0, llama.rows());
  add_speed(report, config.name, "decode d 288", llama.time(llama.rows(), 1));
  const encoder::Shape bert{.layers = 12, .width = 768, .heads = 12, .ffn = 3072, .context = kTokens};
  const std::uint32_t rows = kTokens;
  const Timed t = encoder(config, bert)->time(std::span(&rows, 1));
  add_speed(report, config.name, "BERT-base, 128 tokens", t);
  report.add({.case_name = "BERT-base, 128 tokens", .config = config.name, .on = "cycle", .value = t.value_seconds + t.time_seconds, .unit = "s", .bar = 60, .less = true});
  report.add({.case_name = "BERT-base, 128 tokens", .config = config.name, .on = "cycle", .value = static_cast<double>(t.cycles()), .unit = "cycles"});
}

const Register registered_error{"cycle-error", "cycle model against RTL: the benchmarks' workloads and random programs (--tokens: how many)", error};
const Register registered_speed{"cycle-speed", "simulated cycles a second of the cycle model, and all of BERT-base", speed};

}  // namespace
}  // namespace jogak::bench
