// The project's own model: tokenizer, fp32 reference and machine arithmetic against models/golden.json.
#include <cmath>

#include "float_llama.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const std::filesystem::path kModel = "models/jogak-stories.gguf";
constexpr double kClear = 0.5;  // logits this far apart keep their order in int8 and MXFP4

bool present() {
  const bool there = std::filesystem::exists(kModel) && std::filesystem::exists("models/golden.json");
  if (!there) MESSAGE("SKIPPED: no " << kModel.string());
  return there;
}
const ir::Graph& graph() {
  static const ir::Graph g = import::read_model(kModel);
  return g;
}
Session& machine(const std::string& format) {
  static std::map<std::string, std::unique_ptr<Session>> sessions;
  auto& s = sessions[format];
  if (!s) s = std::make_unique<Session>(compile(graph(), {.config = "edge", .format = format}).program, "model");
  s->reset();
  return *s;
}

std::vector<std::vector<int>> heldout(std::size_t lines) {
  std::ifstream in("models/heldout.txt");
  REQUIRE(in.good());
  std::vector<std::vector<int>> all;
  const Session& s = machine("int8");
  for (std::string line; all.size() < lines && std::getline(in, line);) {
    all.push_back(s.tokenizer().encode(line, true));
    all.back().push_back(s.tokenizer().eos());
    all.back().resize(std::min<std::size_t>(all.back().size(), static_cast<std::size_t>(s.model().context) + 1));
  }
  return all;
}

}  // namespace

TEST_CASE("own model: text to ids and back as in the golden file") {
  if (!present()) return;
  const auto golden = read_json("models/golden.json");
  const Tokenizer& t = machine("int8").tokenizer();
  for (const auto& entry : golden.at("encode")) {
    CAPTURE(entry.dump());
    CHECK(t.encode(entry.at("text").get<std::string>()) == entry.at("ids").get<std::vector<int>>());
  }
  for (const auto& run : golden.at("greedy")) {
    std::vector<int> ids = run.at("prompt_ids");
    CHECK(t.encode(run.at("prompt").get<std::string>()) == ids);
    const std::vector<int> more = run.at("ids");
    ids.insert(ids.end(), more.begin(), more.end());
    CHECK(t.decode(ids) == run.at("text").get<std::string>());
  }
}

TEST_CASE("own model: the plain fp32 decoder gives the golden logits and ids") {
  if (!present()) return;
  const auto golden = read_json("models/golden.json");
  FloatLlama model(graph());
  bool first = true;
  for (const auto& run : golden.at("greedy")) {
    model.reset();
    std::vector<float> logits;
    for (const int id : run.at("prompt_ids").get<std::vector<int>>()) logits = model.step(id);
    if (first) {
      for (const auto& top : golden.at("top_logits_after_prompt_0"))
        CHECK(logits[top.at("id").get<std::size_t>()] == doctest::Approx(top.at("logit").get<double>()).epsilon(1e-3));
    }
    first = false;
    for (const int id : run.at("ids").get<std::vector<int>>()) {
      CHECK(best(logits) == id);
      logits = model.step(id);
    }
  }
}

TEST_CASE("own model: the machine picks the golden ids wherever they are clear") {
  if (!present()) return;
  const auto golden = read_json("models/golden.json");
  for (const char* format : {"int8", "int8c", "mxfp4"}) {
    CAPTURE(format);
    int clear = 0;
    for (const auto& run : golden.at("greedy")) {
      Session& s = machine(format);
      const std::vector<int> prompt = run.at("prompt_ids"), ids = run.at("ids");
      const std::vector<double> margins = run.at("margins");
      auto logits = s.feed(prompt);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (margins[i] >= kClear) {
          ++clear;
          CHECK(best(logits) == ids[i]);
        }
        if (s.room() == 0) break;
        logits = s.feed(std::span(&ids[i], 1));
      }
    }
    CHECK(clear > 100);
  }
}

TEST_CASE("own model: perplexity within 1 % (int8, int8c) and 6 % (MXFP4) of fp32") {
  if (!present()) return;
  const auto texts = heldout(10);
  FloatLlama reference(graph());
  double exact = 0;
  int count = 0;
  for (const auto& ids : texts) {
    reference.reset();
    for (std::size_t i = 0; i + 1 < ids.size(); ++i, ++count) exact += surprise(reference.step(ids[i]), ids[i + 1]);
  }
  CHECK(std::exp(exact / count) < 1.6);  // it has learned the text
  for (const auto& [format, most] : {std::pair{"int8", 1.01}, std::pair{"int8c", 1.01}, std::pair{"mxint8", 1.01}, std::pair{"mxfp4", 1.06}}) {
    CAPTURE(format);
    double sum = 0;
    for (const auto& ids : texts) {
      Session& s = machine(format);
      const auto logits = s.feed_all(std::span(ids).first(ids.size() - 1));
      const auto vocab = static_cast<std::size_t>(s.model().vocab);
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) sum += surprise(std::span(logits).subspan(i * vocab, vocab), ids[i + 1]);
    }
    const double ratio = std::exp((sum - exact) / count);
    CHECK(ratio < most);
    CHECK(ratio != 1.0);
  }
}
