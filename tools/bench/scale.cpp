// scale-prefill, scale-decode: one Llama layer (d 2048, feed-forward 8192, 32 heads, 8 KV heads) on 1, 2 and 4 dies, in cycles of the cycle
// model at 1 GHz; each die has a memory channel of its own (its port, ideal memory). Then tokens of layers with experts, in both ways.
// scale-pipeline: four layers with a narrower feed-forward, one on each of 4 dies.
#include <bit>

#include "common.hpp"
#include "compiler/import/synthetic.hpp"
#include "driver/package.hpp"

namespace jogak::bench {
namespace {

constexpr import::LlamaHyper kLayer{.layers = 1, .width = 2048, .heads = 32, .kv_heads = 8, .ffn = 8192, .context = 256, .vocab = 32};
constexpr import::LlamaHyper kLayers{.layers = 4, .width = 2048, .heads = 32, .kv_heads = 8, .ffn = 2048, .context = 256, .vocab = 32};
constexpr int kMixtureTokens = 12, kMixtureDecode = 8;  // a token's experts are luck, so several

struct Run {
  std::uint64_t prefill = 0, decode = 0;  // cycles
  int launches = 0, rows = 0;
  std::vector<float> logits = {};  // after the last token: the same on any number of dies
};

std::vector<std::unique_ptr<driver::Device>> open(const Program& program, const std::string& backend, double gb_per_s) {
  if (program.mesh.dies() == 1) return open_dies(program, backend);
  std::vector<std::unique_ptr<driver::Device>> dies;
  const driver::Status s = driver::open_package({.backend = backend, .config = program.config, .columns = program.mesh.columns, .rows = program.mesh.rows,
                                                 .memory_bytes = memory_of(program), .link_gb_per_s = gb_per_s}, dies);
  if (!s.ok()) throw Error(s.message());
  return dies;
}

// `tokens` of prefill, then `mean_of` of decode, one after the other.
Run run(const ir::Graph& graph, const Options& o, int dies, double gb_per_s, int tokens, const char* parallel = "tensor", int mean_of = 1) {
  const Program program = compile(graph, {.config = value_or(o.config, "quad"), .format = value_or(o.format, "int8"), .dies = dies, .parallel = parallel}).program;
  Session session(program, open(program, value_or(o.on, "cycle"), gb_per_s));
  std::vector<int> ids;
  for (int i = 0; i < tokens; ++i) ids.push_back(i * 37 % kLayer.vocab);
  (void)session.feed(ids);
  Run r{.rows = session.model().rows};
  for (const Step& s : session.steps()) r.prefill += s.record[spec::Counter::cycles], ++r.launches;
  for (int i = 0; i < mean_of; ++i) {
    const int next = 5 + i;
    const auto last = session.feed(std::span(&next, 1));
    r.logits.assign(last.begin(), last.end());
    r.decode += session.steps().back().record[spec::Counter::cycles];
  }
  r.decode /= static_cast<std::uint64_t>(mean_of);
  return r;
}

std::uint64_t differences(const Run& a, const Run& b) {
  std::uint64_t different = 0;
  for (std::size_t i = 0; i < a.logits.size(); ++i) different += std::bit_cast<std::uint32_t>(a.logits[i]) != std::bit_cast<std::uint32_t>(b.logits[i]);
  return different;
}

// Tokens of a layer with experts: each in parts on all dies, or whole on one.
template <class Compare>
void mixtures(const Options& o, Report& report, const Compare& compare) {
  struct Shape {
    int experts, top, columns;
  };
  for (const Shape& shape : {Shape{32, 8, 768}, {64, 8, 64}}) {
    import::LlamaHyper hyper = kLayer;
    hyper.kv_heads = 4, hyper.ffn = shape.columns, hyper.mixture.experts = shape.experts, hyper.mixture.top = shape.top;
    const ir::Graph graph = import::synthetic_llama(hyper, o.seed);
    const std::string layer = "d 2048, " + std::to_string(shape.top) + " of " + std::to_string(shape.experts) + " experts of " + std::to_string(shape.columns) + ", MXFP4, ";
    const Run alone = run(graph, o, 1, 0, kMixtureTokens, "tensor", kMixtureDecode);
    for (const int dies : {2, 4})
      for (const char* way : {"tensor", "experts"}) {
        const Run r = run(graph, o, dies, 64, kMixtureTokens, way, kMixtureDecode);
        compare(alone, r);
        const std::string what = layer + std::to_string(dies) + " dies, 64 GB/s links, --parallel " + way;
        const auto add = [&](const std::string& rows, std::uint64_t one, std::uint64_t several) {
          report.add({.case_name = what + rows, .config = value_or(o.config, "quad"), .on = value_or(o.on, "cycle"), .value = static_cast<double>(one) / static_cast<double>(several), .unit = "x one die"});
        };
        add(", mean of " + std::to_string(kMixtureDecode) + " tokens", alone.decode, r.decode);
        add(", " + std::to_string(kMixtureTokens) + " tokens in " + std::to_string(r.launches) + " launches", alone.prefill, r.prefill);
      }
  }
}

void scale(const Options& o, Report& report, bool prefill) {
  const std::string config = value_or(o.config, "quad"), on = value_or(o.on, "cycle"), format = value_or(o.format, "int8");
  const int tokens = o.tokens > 0 ? o.tokens : prefill ? 128 : 32;
  const ir::Graph graph = import::synthetic_llama(kLayer, o.seed);
  const Run one = run(graph, o, 1, 0, tokens);
  const auto add = [&](const Run& r, int dies, const std::string& link, std::optional<double> bar) {
    const std::string what = "d 2048, " + format + ", " + std::to_string(dies) + (dies == 1 ? " die" : " dies" + link);
    const auto cycles = static_cast<double>(prefill ? r.prefill : r.decode), alone = static_cast<double>(prefill ? one.prefill : one.decode);
    const std::string rows = prefill ? ", " + std::to_string(tokens) + " tokens in " + std::to_string(r.launches) + " launches" : ", a token at position " + std::to_string(tokens);
    report.add({.case_name = what + rows, .config = config, .on = on, .value = cycles, .unit = "cycles"});
    if (dies == 1) return;
    if (prefill) report.add({.case_name = what, .config = config, .on = on, .value = alone / (cycles * dies), .unit = "of " + std::to_string(dies) + " times one die", .bar = bar});
    else report.add({.case_name = what, .config = config, .on = on, .value = alone / cycles, .unit = "x one die", .bar = bar});
  };
  add(one, 1, "", {});
  std::uint64_t different = 0;
  const auto compare = [&](const Run& a, const Run& b) { different += differences(a, b); };
  for (const double link : {64.0, 4.0}) {
    for (const int dies : {2, 4}) {
      const Run r = run(graph, o, dies, link, tokens);
      const std::optional<double> bar = prefill ? (dies == 2 ? 0.97 : 0.94) : (dies == 2 ? 1.85 : 3.5);
      add(r, dies, link == 64 ? ", 64 GB/s links" : ", 4 GB/s links", link == 64 ? bar : std::nullopt);
      compare(one, r);
    }
  }
  if (!prefill) mixtures(o, report, compare);
  report.add({.case_name = "logits against one die", .config = config, .on = on, .value = static_cast<double>(different), .unit = "differences", .bar = 0, .less = true});
}

void scale_pipeline(const Options& o, Report& report) {
  const std::string config = value_or(o.config, "quad"), on = value_or(o.on, "cycle"), format = value_or(o.format, "int8");
  const int tokens = o.tokens > 0 ? o.tokens : 128;
  const ir::Graph graph = import::synthetic_llama(kLayers, o.seed);
  const Run one = run(graph, o, 1, 0, tokens);
  const std::string what = "4 layers of d 2048, " + format + ", " + std::to_string(tokens) + " tokens in ";
  const auto add = [&](const std::string& name, const Run& r) {
    report.add({.case_name = what + std::to_string(r.launches) + " launches, " + name, .config = config, .on = on, .value = static_cast<double>(r.prefill), .unit = "cycles"});
  };
  add("1 die", one);
  std::uint64_t different = 0;
  for (const double link : {64.0, 4.0})
    for (const int dies : {2, 4}) {
      const Run r = run(graph, o, dies, link, tokens, "pipeline");
      const std::string name = "a pipeline of " + std::to_string(dies) + (link == 64 ? " dies, 64 GB/s links" : " dies, 4 GB/s links");
      add(name, r);
      report.add({.case_name = "prefill, " + name, .config = config, .on = on, .value = static_cast<double>(one.prefill) / static_cast<double>(r.prefill), .unit = "x one die",
                  .bar = link < 64 ? std::nullopt : std::optional(dies == 2 ? 1.8 : 3.0)});
      report.add({.case_name = "a token, " + name, .config = config, .on = on, .value = static_cast<double>(one.decode) / static_cast<double>(r.decode), .unit = "x one die"});
      different += differences(one, r);
    }
  report.add({.case_name = "logits against one die", .config = config, .on = on, .value = static_cast<double>(different), .unit = "differences", .bar = 0, .less = true});
}

const Register in_pipeline{"scale-pipeline", "four Llama layers of d 2048 as a pipeline of 2 and 4 dies against one, 128 tokens", scale_pipeline};
const Register in_prefill{"scale-prefill", "one Llama layer of d 2048 on 2 and 4 dies against one, 128 tokens", [](const Options& o, Report& r) { scale(o, r, true); }};
const Register in_decode{"scale-decode", "one Llama layer of d 2048 on 2 and 4 dies against one, a token", [](const Options& o, Report& r) { scale(o, r, false); }};

}  // namespace
}  // namespace jogak::bench
