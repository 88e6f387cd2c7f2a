// Quality and errors of layers, on models small enough to know what must come out.
#include "tools/eval/sensitivity.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "import/gguf.hpp"
#include "import/synthetic.hpp"
#include "tests/models/float_llama.hpp"

using namespace jogak;

namespace {

constexpr const char* kModel = "models/jogak-stories.gguf";
constexpr const char* kText = "models/heldout.txt";

bool present() {
  const bool there = std::filesystem::exists(kModel) && std::filesystem::exists(kText);
  if (!there) MESSAGE("SKIPPED: no " << kModel);
  return there;
}
const ir::Graph& own() {
  static const ir::Graph graph = import::read_model(kModel);
  return graph;
}
std::string heldout() {
  std::ifstream in(kText);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("eval: texts by lines and by windows, cut where they must be") {
  TokenizerData data{.tokens = {"<unk>", "<s>", "</s>", "a", "b"}, .scores = {}, .types = {2, 3, 3, 1, 1}, .bos = 1, .eos = 2, .unk = 0, .add_space_prefix = false};
  const Tokenizer t(data);
  CHECK(eval::cut("ab\n\nb\n", t, 8, true, 0) == eval::Texts{{1, 3, 4, 2}, {1, 4, 2}});
  CHECK(eval::cut("abab\n", t, 3, true, 0) == eval::Texts{{1, 3, 4, 3}});
  CHECK(eval::cut("ababab", t, 3, false, 0) == eval::Texts{{1, 3, 4, 3}, {1, 4, 3, 4}});
  CHECK(eval::cut("ababab", t, 3, false, 4) == eval::Texts{{1, 3, 4, 3}, {1, 4}});
  CHECK(eval::cut("ab\nab\n", t, 8, true, 5) == eval::Texts{{1, 3, 4, 2}, {1, 3, 4}});
  CHECK_THROWS_WITH_AS(eval::cut("", t, 8, false, 0), doctest::Contains("nothing to predict"), Error);
}

TEST_CASE("eval: perplexity is that of the reference's own sum, formats differ from it by what they lose") {
  if (!present()) return;
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<Session*> machines;
  for (const char* format : {"int8", "mxfp4"}) {
    sessions.push_back(std::make_unique<Session>(compile(own(), {.config = "nano", .format = format}).program, "model"));
    machines.push_back(sessions.back().get());
  }
  const auto texts = eval::cut(heldout(), machines[0]->tokenizer(), machines[0]->model().context, true, 900);
  const eval::Comparison c = eval::compare(own(), machines, texts);
  CHECK(c.tokens == 900);
  tests::FloatLlama model(own());
  double surprise = 0;
  for (const auto& ids : texts) {
    model.reset();
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) surprise += tests::surprise(model.step(ids[i]), ids[i + 1]);
  }
  CHECK(c.exact.perplexity == doctest::Approx(std::exp(surprise / 900)).epsilon(1e-9));
  CHECK(c.exact.same_best == 1);
  CHECK(std::abs(c.exact.divergence) < 1e-9);
  CHECK(c.machines[0].perplexity / c.exact.perplexity == doctest::Approx(1).epsilon(0.01));
  CHECK(c.machines[0].divergence > 0);
  CHECK(c.machines[1].divergence > 4 * c.machines[0].divergence);
  CHECK(c.machines[1].same_best < c.machines[0].same_best);
  CHECK(c.machines[0].same_best > 0.98);
}

// A layer given in a coarser format must be found.
TEST_CASE("eval: the error behind each layer, and the worst one by name") {
  const ir::Graph graph = import::synthetic_llama({.layers = 4, .width = 96, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64, .vocab = 64}, 5);
  const eval::Texts texts = {{1, 17, 4, 60, 33, 8, 9, 50, 2, 11}};
  for (const char* bad : {"blk.0", "blk.2"}) {
    CAPTURE(bad);
    const auto errors = eval::layer_errors(graph, {.config = "edge", .context = 64, .format_of = {std::string(bad) + ".=mxfp4"}}, "model", texts);
    REQUIRE(errors.size() == 5);
    CHECK(errors[0].name == "reading alone");
    CHECK(errors[0].error > 0.001);
    CHECK(errors[0].error < 0.008);
    CHECK(eval::worst(errors)->name == bad);
    CHECK(eval::worst(errors)->added > 0.02);
  }
  const auto fine = eval::layer_errors(graph, {.config = "edge", .context = 64}, "model", texts);
  for (const auto& e : fine) CHECK(e.error < 0.03);
}

TEST_CASE("eval: layers of experts, the first reading has none of them") {
  const ir::Graph graph = import::read_model("tests/models/golden/gpt_oss");
  const auto errors = eval::layer_errors(graph, {.config = "nano", .context = 64, .format_of = {"ffn_experts=int8"}}, "model", {{7, 96, 185, 10, 99, 188, 13, 102}});
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].error < 0.008);
  for (const auto& e : errors) CHECK(e.error < 0.1);
}

// Vocabulary 64, width 96: the stream is read in two parts, each feature once.
TEST_CASE("eval: the graph that reads the stream hands it through") {
  const ir::Graph graph = import::synthetic_llama({.layers = 2, .width = 96, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64, .vocab = 64}, 5);
  std::vector<float> whole;
  for (const int first : {0, 64}) {
    tests::FloatLlama model(eval::reading_graph(graph, 0, first));
    const std::vector<float> part = model.step(7);
    whole.insert(whole.end(), part.begin(), part.begin() + std::min(64, 96 - first));
  }
  const std::vector<float> table = passes::to_float(graph.tensors[static_cast<std::size_t>(graph.nodes[0].weights[0])]);
  double square = 0;
  for (std::size_t i = 0; i < 96; ++i) square += double(table[7 * 96 + i]) * double(table[7 * 96 + i]);
  for (std::size_t i = 0; i < 96; ++i) CHECK(double(whole[i]) == doctest::Approx(127.0 / 128 * double(table[7 * 96 + i]) / std::sqrt(square / 96 + 1e-5)).epsilon(1e-4));
}

TEST_CASE("eval: sensitivities are measured, and a mixture meets its budget") {
  const ir::Graph graph = import::synthetic_llama({.layers = 2, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64, .vocab = 96}, 3);
  const eval::Texts texts = {{1, 17, 4, 60, 33, 8, 9, 50, 2, 11}};
  const auto choices = eval::sensitivity(graph, texts);
  REQUIRE(choices.size() == 2 * 6 + 1);
  const auto cost = [](const passes::Choice& c, ir::Format f) {
    for (const auto& candidate : c.candidates)
      if (candidate.format == f) return candidate.error;
    return -1.0;
  };
  for (const auto& c : choices) {
    CAPTURE(c.name);
    CHECK(cost(c, ir::Format::int8) > 0);
    CHECK(cost(c, ir::Format::mxfp4) > 10 * cost(c, ir::Format::int8));
  }
  const double half = eval::divergence(graph, texts, choices, passes::choose_formats(choices, {.error = 0.01}));
  CHECK(half > 0);
  const eval::Mixed m = eval::mix(graph, texts, {.error = 0.005});
  CHECK(m.measured <= 0.005);
  CHECK(m.measured == doctest::Approx(eval::divergence(graph, texts, m.choices, m.picked)));
  // What was chosen runs, and is the better for its bytes.
  const auto rules = passes::format_rules(m.choices, m.picked);
  Session mixed(compile(graph, {.config = "nano", .format_of = rules}).program, "model"), four(compile(graph, {.config = "nano", .format = "mxfp4"}).program, "model");
  const eval::Comparison c = eval::compare(graph, {&mixed, &four}, texts);
  CHECK(c.machines[0].divergence < c.machines[1].divergence / 2);
}
