// dies-same-tokens: greedy tokens of our own model and stories260K on packages of 2 and 4 dies against one die, on the exact model and, some
// of them, on Verilated chiplets. Likewise of a small decoder with experts, which lie in parts on all dies or whole on one each.
#include <algorithm>

#include "common.hpp"
#include "compiler/import/synthetic.hpp"
#include "driver/package.hpp"

namespace jogak::bench {
namespace {

struct Run {
  std::vector<int> ids;
  std::vector<std::uint8_t> cache;
};

Run run(const ir::Graph& graph, CompileOptions options, const std::string& on, int tokens) {
  Session session(compile(graph, options).program, on);
  Run r;
  r.ids = session.generate("Once upon a time", {.tokens = tokens, .stop_at_end = false}).ids;
  r.cache = session.kv_cache();
  return r;
}

void compare(const ir::Graph& graph, const CompileOptions& options, const std::string& on, int tokens, Report& report) {
  CompileOptions alone = options;
  alone.dies = 1;
  const Run one = run(graph, alone, "model", tokens);
  for (const int dies : {2, 4}) {
    alone.dies = dies;
    const Run several = run(graph, alone, on, tokens);
    std::size_t different = one.ids.size() != several.ids.size();
    for (std::size_t i = 0; i < std::min(one.ids.size(), several.ids.size()); ++i) different += one.ids[i] != several.ids[i];
    const std::string name = graph.model_name + ", " + (options.parallel == "auto" ? options.format : "--parallel " + options.parallel) + ", " + std::to_string(dies) + " dies, " + std::to_string(tokens) + " tokens";
    report.add({.case_name = name, .config = options.config, .on = on, .value = static_cast<double>(different), .unit = "different tokens", .bar = 0, .less = true});
    report.add({.case_name = name + ", KV cache", .config = options.config, .on = on, .value = one.cache == several.cache ? 0.0 : 1.0, .unit = "different", .bar = 0, .less = true});
  }
}

void same(const Options& o, Report& report) {
  std::vector<std::filesystem::path> models = {own_model("jogak-stories.gguf"), shared_model("stories260K/stories260K.bin")};
  if (!o.model.empty()) models = {o.model};
  const auto machines = driver::package_backends();
  for (const auto& path : models) {
    if (!std::filesystem::exists(path)) {
      report.skip("no " + path.string());
      continue;
    }
    const ir::Graph graph = import::read_model(path);
    for (const std::string format : {"int8", "mxfp4"}) {
      if (!o.format.empty() && format != o.format) continue;
      for (const std::string config : {"quad", "nanoquad"})
        if (o.config.empty() || config == o.config) compare(graph, {.config = config, .context = 128, .format = format}, value_or(o.on, "model"), o.tokens > 0 ? o.tokens : 64, report);
    }
    if (!o.on.empty()) continue;
    if (std::find(machines.begin(), machines.end(), "rtl") == machines.end()) report.skip("no Verilated packages in this build");
    else compare(graph, {.config = "nanoquad", .context = 32}, "rtl", 4, report);
  }
}

void same_experts(const Options& o, Report& report) {
  import::LlamaHyper hyper{.layers = 3, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 256};
  hyper.mixture = {.experts = 8, .top = 3}, hyper.shared_ffn = 64, hyper.shared_gate = true, hyper.dense = {true, false, false};
  ir::Graph graph = import::synthetic_llama(hyper, o.seed);
  graph.model_name = "3 of 8 experts";
  const auto machines = driver::package_backends();
  const bool rtl = std::find(machines.begin(), machines.end(), "rtl") != machines.end();
  for (const std::string way : {"tensor", "experts"}) {
    for (const std::string config : {"quad", "nanoquad"}) compare(graph, {.config = config, .parallel = way}, "model", 24, report);
    if (rtl) compare(graph, {.config = "nanoquad", .parallel = way}, "rtl", 3, report);
  }
}

const Register registered{"dies-same-tokens", "tokens and KV cache on 2 and 4 dies against one", [](const Options& o, Report& report) {
                            same(o, report);
                            if (o.model.empty() && o.on.empty()) same_experts(o, report);
                          }};

}  // namespace
}  // namespace jogak::bench
