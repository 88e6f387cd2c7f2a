// How fast the exact model runs a 15-million-parameter language model, on one core.
#include "common.hpp"
#include "import/synthetic.hpp"

namespace jogak::bench {
namespace {

void run(const Options& o, Report& report) {
  const import::LlamaHyper shape{.layers = 6, .width = 288, .heads = 6, .kv_heads = 6, .ffn = 768, .context = 256, .vocab = 32000};
  const std::string config = value_or(o.config, "edge");
  const Program program = compile(import::synthetic_llama(shape, o.seed), {.config = config, .context = 256, .format = value_or(o.format, "int8")}).program;
  Session session(program, "model");
  const int tokens = std::min(o.tokens == 0 ? 100 : o.tokens, session.model().context - 1);
  int next = best(session.feed(std::vector<int>{1}));
  const double start = cpu_seconds();
  for (int i = 0; i < tokens; ++i) next = best(session.feed(std::span(&next, 1)));
  const double decode = tokens / (cpu_seconds() - start);
  report.add({.case_name = "decode, 6 layers, width 288, vocabulary 32000, first " + std::to_string(tokens) + " tokens", .config = config, .on = "model",
              .value = decode, .unit = "tokens/s of processor time", .bar = 200});

  session.reset();
  std::vector<int> prompt(static_cast<std::size_t>(std::min(128, session.model().context)));
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<int>(i * 17 % 32000);
  const double begin = cpu_seconds();
  (void)session.feed(prompt);
  report.add({.case_name = "prefill of " + std::to_string(prompt.size()) + " tokens", .config = config, .on = "model",
              .value = static_cast<double>(prompt.size()) / (cpu_seconds() - begin), .unit = "tokens/s of processor time"});
}

const Register registered{"model-speed", "tokens per second of the exact model on one core", run};

}  // namespace
}  // namespace jogak::bench
