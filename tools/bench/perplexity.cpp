// What the machine's arithmetic costs in quality: perplexity of held-out text against fp32.
#include <cmath>
#include <fstream>

#include "common.hpp"
#include "tests/models/float_llama.hpp"

namespace jogak::bench {
namespace {

struct Sum {
  double surprise = 0;
  int tokens = 0;
  double perplexity() const { return std::exp(surprise / tokens); }
};

// Ids of each line: begin, text, end, cut at one more than the context, because the last one is only predicted.
std::vector<std::vector<int>> stories(const Tokenizer& tokenizer, int context, int lines) {
  const auto path = own_model("heldout.txt");
  std::ifstream in(path);
  if (!in) throw Error("perplexity", "file " + path.string(), "nothing that can be opened", "held-out text");
  std::vector<std::vector<int>> all;
  for (std::string line; static_cast<int>(all.size()) < lines && std::getline(in, line);) {
    std::vector<int> ids = tokenizer.encode(line, true);
    ids.push_back(tokenizer.eos());
    if (static_cast<int>(ids.size()) > context + 1) ids.resize(static_cast<std::size_t>(context + 1));
    all.push_back(std::move(ids));
  }
  return all;
}

Sum reference(const ir::Graph& graph, const std::vector<std::vector<int>>& texts) {
  tests::FloatLlama model(graph);
  Sum sum;
  for (const auto& ids : texts) {
    model.reset();
    for (std::size_t i = 0; i + 1 < ids.size(); ++i, ++sum.tokens) sum.surprise += tests::surprise(model.step(ids[i]), ids[i + 1]);
  }
  return sum;
}

Sum machine(Session& session, const std::vector<std::vector<int>>& texts) {
  const auto vocab = static_cast<std::size_t>(session.model().vocab);
  Sum sum;
  for (const auto& ids : texts) {
    session.reset();
    session.clear_steps();
    const std::vector<float> logits = session.feed_all(std::span(ids).first(ids.size() - 1));
    for (std::size_t i = 0; i + 1 < ids.size(); ++i, ++sum.tokens) sum.surprise += tests::surprise(std::span(logits).subspan(i * vocab, vocab), ids[i + 1]);
  }
  return sum;
}

void run(const Options& o, Report& report) {
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(path)) return report.skip("no " + path.string());
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "model");
  const int lines = o.tokens == 0 ? 1 << 20 : o.tokens;
  const ir::Graph graph = import::read_model(path);
  double exact = 0;
  for (const std::string format : {"int8", "int8c", "mxint8", "mxfp4"}) {
    if (!o.format.empty() && o.format != format) continue;
    Session session(compile(graph, {.config = config, .format = format}).program, on);
    const auto texts = stories(session.tokenizer(), session.model().context, lines);
    if (exact == 0) {
      const Sum sum = reference(graph, texts);
      exact = sum.perplexity();
      report.add({.case_name = "fp32 reference, " + std::to_string(sum.tokens) + " tokens", .on = "host", .value = exact, .unit = "perplexity"});
    }
    const double value = machine(session, texts).perplexity();
    report.add({.case_name = format, .config = config, .on = on, .value = value, .unit = "perplexity"});
    report.add({.case_name = format + " against fp32", .config = config, .on = on, .value = 100 * (value / exact - 1), .unit = "%",
                .bar = format == "mxfp4" ? 6.0 : 1.0, .less = true});
  }
}

const Register registered{"perplexity", "quality in the machine's arithmetic against fp32 (--tokens: lines of text)", run};

}  // namespace
}  // namespace jogak::bench
