// batch-decode: one launch that makes a token of each of several sequences, against a token of one: tokens a cycle on the RTL.
#include "batch_session.hpp"
#include "common.hpp"

namespace jogak::bench {
namespace {

constexpr int kPosition = 32;  // tokens in each sequence's cache

std::vector<int> prompt_of(int sequence, int vocab) {
  std::vector<int> ids;
  for (int i = 0; i < kPosition; ++i) ids.push_back((1 + sequence * 131 + i * 53) % vocab);
  return ids;
}

double one(const Program& program, const std::string& on) {
  Session session(program, on);
  (void)session.feed(prompt_of(0, session.model().vocab));
  const int id = 7;
  (void)session.feed(std::span(&id, 1));
  return static_cast<double>(session.steps().back().record[spec::Counter::cycles]);
}

double several(const Program& program, const std::string& on, int sequences) {
  BatchSession batch(program, on);
  std::vector<BatchPart> next;
  for (int i = 0; i < sequences; ++i) {
    const int s = batch.add();
    (void)batch.step({{s, prompt_of(i, batch.model().vocab)}});
    next.push_back({s, {7 + i}});
  }
  (void)batch.step(next);
  return static_cast<double>(batch.steps().back().record[spec::Counter::cycles]);
}

void run(const Options& o, Report& report) {
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(path)) return report.skip("no " + path.string());
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "rtl");
  const ir::Graph graph = import::read_model(path);
  CompileOptions options{.config = config, .format = value_or(o.format, "int8")};
  const double alone = one(compile(graph, options).program, on);
  const std::string where = graph.model_name + ", position " + std::to_string(kPosition) + ", ";
  report.add({.case_name = where + "1 sequence", .config = config, .on = on, .value = alone, .unit = "cycles"});
  options.sequences = 8;
  const Program program = compile(graph, options).program;
  for (const int sequences : {1, 4, 8}) {
    const double cycles = several(program, on, sequences);
    const std::string what = where + std::to_string(sequences) + " of 8 sequences";
    report.add({.case_name = what, .config = config, .on = on, .value = cycles, .unit = "cycles"});
    report.add({.case_name = what, .config = config, .on = on, .value = sequences * alone / cycles, .unit = "x tokens a cycle of 1"});
  }
}

const Register registered{"batch-decode", "tokens a cycle of 4 and 8 sequences in one launch against one", run};

}  // namespace
}  // namespace jogak::bench
