// sparse-decode: a token of a decoder whose matrices have two zeros of each four, with the selection in the array and without: cycles, bytes.
#include "common.hpp"
#include "import/synthetic.hpp"
#include "passes/two_of_four.hpp"

namespace jogak::bench {
namespace {

constexpr int kPosition = 32;

struct Token {
  double cycles = 0, bytes = 0;
};

Token token(const ir::Graph& graph, const std::string& config, const std::string& on, const char* format) {
  Session session(compile(graph, {.config = config, .context = 64, .format = format}).program, on);
  std::vector<int> ids;
  for (int i = 0; i < kPosition; ++i) ids.push_back((1 + i * 53) % graph.vocab);
  (void)session.feed(ids);
  (void)session.feed(std::vector<int>{7});
  const auto& record = session.steps().back().record;
  return {static_cast<double>(record[spec::Counter::cycles]), static_cast<double>(record[spec::Counter::load_bytes])};
}

// Behind the layers a head of few rows: what the layers cost shows.
void run(const Options& o, Report& report) {
  const std::string sparse = value_or(o.config, "edge24"), on = value_or(o.on, "cycle");
  ir::Graph graph = import::synthetic_llama({.layers = 4, .width = 768, .heads = 12, .kv_heads = 12, .ffn = 2048, .context = 64, .vocab = 512}, 5);
  passes::prune_two_of_four(graph);
  for (const char* format : {"int8", "int8c", "mxfp4"}) {
    const Token less = token(graph, sparse, on, format), all = token(graph, sparse.substr(0, sparse.find("24")), on, format);
    const std::string what = std::string("d 768, position 32, ") + format;
    report.add({.case_name = what, .config = sparse, .on = on, .value = less.cycles, .unit = "cycles"});
    report.add({.case_name = what, .config = sparse, .on = on, .value = less.cycles / all.cycles, .unit = "x dense cycles", .less = true});
    report.add({.case_name = what, .config = sparse, .on = on, .value = less.bytes / all.bytes, .unit = "x dense bytes", .less = true});
  }
}

const Register registered{"sparse-decode", "a token of a 2:4 sparse decoder against the same weights dense: cycles and bytes", run};

}  // namespace
}  // namespace jogak::bench
