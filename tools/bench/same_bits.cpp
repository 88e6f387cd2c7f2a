// The same program on two backends: tokens, logits, KV cache and exact counters must be equal, bit by bit.
#include <cstring>

#include "common.hpp"
#include "import/synthetic.hpp"

namespace jogak::bench {
namespace {

struct Differences {
  std::uint64_t tokens = 0, logits = 0, kv_bytes = 0, counters = 0;
  std::vector<float> prompt_logits = {};  // of the first machine
};

std::uint64_t count_different(const void* a, const void* b, std::size_t items, std::size_t size) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < items; ++i) n += std::memcmp(static_cast<const char*>(a) + i * size, static_cast<const char*>(b) + i * size, size) != 0;
  return n;
}

// Prefill of a prompt, logits of every row, then greedy decode; each machine follows its own tokens.
Differences compare(const Program& program, const std::string& on, const std::vector<int>& prompt, int tokens) {
  Session a(program, on), b(program, "model");
  Differences d;
  std::vector<float> la = a.feed_all(prompt), lb = b.feed_all(prompt);
  d.prompt_logits = la;
  for (int i = 0;; ++i) {
    d.logits += count_different(la.data(), lb.data(), lb.size(), 4);
    for (const spec::CounterInfo& c : spec::counters)
      d.counters += c.exact && a.steps().back().record.counters[c.index] != b.steps().back().record.counters[c.index];
    const auto vocab = static_cast<std::size_t>(a.model().vocab);
    const int ta = best(std::span(la).last(vocab)), tb = best(std::span(lb).last(vocab));
    d.tokens += ta != tb;
    if (i == tokens || a.room() == 0) break;
    la = a.feed_all(std::span(&ta, 1));
    lb = b.feed_all(std::span(&tb, 1));
  }
  const auto ka = a.kv_cache(), kb = b.kv_cache();
  d.kv_bytes = count_different(ka.data(), kb.data(), kb.size(), 1);
  return d;
}

// On every configuration; what they compute for the prompt must not depend on sizes either.
void measure(const std::string& name, const ir::Graph& graph, const std::string& format, const Options& o, Report& report) {
  const std::string on = value_or(o.on, "rtl");
  std::vector<std::string> configs = {"edge", "small", "nano"};
  if (!o.config.empty()) configs = {o.config};
  std::vector<int> prompt = {1};
  for (int i = 1; i < 19; ++i) prompt.push_back(i * 37 % graph.vocab);
  const int tokens = o.tokens == 0 ? 8 : o.tokens;
  const std::string label = name + ", " + format + ", prompt of " + std::to_string(prompt.size()) + ", " + std::to_string(tokens) + " decoded: ";
  std::vector<float> first;
  for (const std::string& config : configs) {
    const Program program = compile(graph, {.config = config, .context = std::min(graph.context, 128), .format = format}).program;
    const Differences d = compare(program, on, prompt, tokens);
    const auto add = [&](const std::string& what, std::uint64_t n) {
      report.add({.case_name = label + what, .config = config, .on = on, .value = static_cast<double>(n), .unit = "differences", .bar = 0, .less = true});
    };
    add("tokens", d.tokens), add("logits", d.logits), add("KV cache bytes", d.kv_bytes), add("exact counters", d.counters);
    if (first.empty()) {
      first = d.prompt_logits;
    } else {
      add("logits against " + configs[0], count_different(first.data(), d.prompt_logits.data(), first.size(), 4));
    }
  }
}

void run(const Options& o, Report& report) {
  std::vector<std::string> formats = {"int8", "int8c", "mxfp4"};
  if (!o.format.empty()) formats = {o.format};
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(path)) return report.skip("no " + path.string());
  const ir::Graph graph = import::read_model(path);
  for (const std::string& format : formats) measure(path.stem().string(), graph, format, o, report);
  if (!o.model.empty()) return;
  // Odd sizes: heads of 24, 3 query heads a KV head, no multiple of anything in feed-forward and vocabulary.
  const import::LlamaHyper odd{.layers = 2, .width = 72, .heads = 3, .kv_heads = 1, .ffn = 100, .context = 64, .vocab = 301};
  for (const std::string& format : formats) measure("odd sizes", import::synthetic_llama(odd, o.seed), format, o, report);
}

const Register registered{"same-bits", "differences between the RTL and the exact model: tokens, logits, KV cache, counters", run};

}  // namespace
}  // namespace jogak::bench
