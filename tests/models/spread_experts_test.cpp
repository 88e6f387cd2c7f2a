// Experts that lie whole on a die each: the bits of one die, whoever has which.
#include <algorithm>
#include <bit>

#include "checked_dies.hpp"
#include "dies.hpp"
#include "import/synthetic.hpp"
#include "package/load.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const std::vector<int> kPrompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};

void check_same(const Bits& a, const Bits& b) {
  CHECK(a.ids == b.ids);
  CHECK(same_bits(a.logits, b.logits));
  CHECK(a.cache == b.cache);
}

void same(const ir::Graph& graph, const std::string& config, std::initializer_list<int> dies) {
  const Bits one = bits_of(compile(graph, {.config = config}).program, kPrompt, 3);
  for (const int n : dies) {
    CAPTURE(n);
    check_same(bits_of(compile(graph, {.config = config, .dies = n, .parallel = "experts"}).program, kPrompt, 3), one);
  }
}

import::LlamaHyper eight(int top) {
  import::LlamaHyper h{.layers = 3, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 96};
  h.mixture.experts = 8, h.mixture.top = top;
  return h;
}

}  // namespace

TEST_CASE("experts whole on a die: gpt-oss, Qwen 2 and Qwen 3 give the bits of one die") {
  for (const char* name : {"gpt_oss", "qwen2_moe", "qwen3_moe", "qwen3_moe_some"})
    for (const char* config : {"nanoquad", "quad"}) {
      CAPTURE(name);
      CAPTURE(config);
      same(import::read_model(std::string("tests/models/golden/") + name), config, {2, 3});
    }
}

TEST_CASE("experts whole on a die: four dies, shares over all or the chosen, all experts chosen, biases, shared ones, layers without, long contexts") {
  for (const int top : {1, 3, 8}) {
    CAPTURE(top);
    import::LlamaHyper h = eight(top);
    h.mixture.over_chosen = top != 3;
    same(import::synthetic_llama(h, static_cast<std::uint64_t>(top)), "quad", {2, 4});
  }
  import::LlamaHyper biased = eight(4), shared = eight(3), far = eight(2);
  biased.expert_bias = biased.output_bias = true, biased.mixture.limit = 7, biased.mixture.alpha = 1.702f, biased.ffn = 160;
  same(import::synthetic_llama(biased, 1), "nanoquad", {4});
  shared.expert_ffn = 64, shared.shared_ffn = 96, shared.shared_gate = true, shared.dense = {true, false, false};
  same(import::synthetic_llama(shared, 1), "quad", {4});
  far.context = 1024;
  same(import::synthetic_llama(far, 1), "quad", {4});
}

// Its results take so much room on nanoquad that those of 7 rows have places, of 21 of a launch on two dies.
import::LlamaHyper wide() {
  import::LlamaHyper h = eight(3);
  h.layers = 1, h.width = 256, h.ffn = 32;
  return h;
}

TEST_CASE("experts whole on a die: results of some rows at once and then of more") {
  const ir::Graph graph = import::synthetic_llama(wide(), 1);
  const CompileOptions two{.config = "nanoquad", .dies = 2, .parallel = "experts"};
  const Compiled c = compile(graph, two);
  CHECK_MESSAGE(c.explanation.find("of 21 rows ") != std::string::npos, c.explanation);
  CHECK_MESSAGE(c.explanation.find("results of 7 rows at once") != std::string::npos, c.explanation);
  const std::vector<int> prompt = [] {
    std::vector<int> ids(41);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>((i * i * 7 + i) % 96);
    return ids;
  }();
  const Bits one = bits_of(compile(graph, {.config = "nanoquad"}).program, prompt, 2);
  check_same(bits_of(c.program, prompt, 2), one);
  Session checked(c.program, checked_dies(c.program));
  checked.feed(prompt);
  const auto backends = driver::package_backends();
  if (std::find(backends.begin(), backends.end(), "rtl") == backends.end()) return;
  Session session(c.program, "rtl"), model(c.program, "model");
  const auto some = std::span(prompt).first(12);
  const auto logits = session.feed(some), expected = model.feed(some);
  CHECK(same_bits(logits, expected));
  CHECK(session.kv_cache() == model.kv_cache());
}

TEST_CASE("experts whole on a die: each die loads its own alone") {
  const import::LlamaHyper h = eight(2);
  const ir::Graph graph = import::synthetic_llama(h, 1);
  const auto experts = [](const Program& p) {
    std::uint64_t bytes = 0;
    for (const Segment& s : p.segments)
      if (s.window == 3 && s.die == 0) bytes += s.size();
    return bytes;
  };
  const Program one = compile(graph, {.config = "quad"}).program, four = compile(graph, {.config = "quad", .dies = 4, .parallel = "experts"}).program;
  CHECK(experts(four) * 4 >= experts(one));
  CHECK(experts(four) * 4 < experts(one) + experts(one) / 50);  // smaller slots, each a multiple of 64 bytes
  CHECK(four.abi.find("\"parallel\":\"experts\"") != std::string::npos);
  Session session(four, "model"), alone(one, "model");
  const std::uint64_t expert = nlohmann::json::parse(one.abi)["experts"]["bytes"].get<std::uint64_t>();  // without what rounds up slots
  std::uint64_t several = 0;
  for (int id = 1; id < 9; ++id) {
    (void)session.feed(std::span(&id, 1));
    (void)alone.feed(std::span(&id, 1));
    const std::vector<int> chosen = session.experts();
    CHECK(chosen == alone.experts());
    std::vector<std::uint64_t> mine(4), load;
    for (const int e : chosen) ++mine[static_cast<std::size_t>(e / 2)];
    for (const LaunchRecord& r : session.steps().back().dies) load.push_back(r[spec::Counter::load_bytes]);
    // All dies' heads, columns and parts are alike here, so what differs is the experts.
    for (std::size_t d = 1; d < 4; ++d) CHECK(load[d] - mine[d] * expert == load[0] - mine[0] * expert);
    several += *std::max_element(mine.begin(), mine.end()) != *std::min_element(mine.begin(), mine.end());
  }
  CHECK(several > 0);
}

TEST_CASE("experts whole on a die: what does not fit is refused by name") {
  const auto refuse = [](import::LlamaHyper h, const CompileOptions& options) { return refusal([&] { (void)compile(import::synthetic_llama(h, 1), options); }); };
  CompileOptions four{.config = "quad", .dies = 4, .parallel = "experts"}, two = four;
  two.dies = 2;
  import::LlamaHyper dense = eight(2), six = eight(2), wide = eight(8);
  dense.mixture = {}, six.mixture.experts = 6;
  CHECK(refuse(dense, two) == "package: experts whole on each of 2 dies, found a decoder without, expected one with experts (else --parallel tensor or pipeline)");
  CHECK(refuse(six, four) == "package: experts whole on each of 4 dies, found 6, expected a multiple (else --parallel tensor)");
  CHECK(refuse(six, two).empty());
  four.config = "edge";
  CHECK(refuse(six, four) == "package: dies of edge, found 4, expected 1: this configuration has no links (quad has)");
  wide.width = 2048, wide.heads = 8, wide.kv_heads = 8, wide.layers = 1;
  CHECK(refuse(wide, {.config = "nanoquad", .dies = 2, .parallel = "tensor"}).empty());
  CHECK(refuse(wide, {.config = "nanoquad", .dies = 2, .parallel = "experts"}).starts_with("package: attention on 2 dies that takes all 64 keys at once, as on 1, found no room (plan: one token of this model on nanoquad with context 64 and the results of 8 experts of other dies, found "));
  CHECK(refuse(eight(2), {.config = "quad", .dies = 2, .parallel = "both"}) == "package: way to use the dies, found both, expected auto, tensor, experts or pipeline");
}

TEST_CASE("experts whole on a die: no engine runs ahead of another") {
  for (const bool bias : {false, true}) {
    import::LlamaHyper h = eight(3);
    h.expert_bias = bias;
    const Program program = compile(import::synthetic_llama(h, 1), {.config = "nanoquad", .dies = 4, .parallel = "experts"}).program;
    Session session(program, checked_dies(program));
    session.feed(kPrompt);
    session.feed(std::vector<int>{7});
  }
}

// There the stores of one die really meet what another one does.
TEST_CASE("experts whole on a die: Verilated packages and the cycle model, fast and slow links: the bits of one die") {
  const auto backends = driver::package_backends();
  import::LlamaHyper small{.layers = 2, .width = 32, .heads = 4, .kv_heads = 4, .ffn = 32, .context = 32, .vocab = 32}, shared = small;
  small.mixture.experts = shared.mixture.experts = 4, small.mixture.top = 3, shared.mixture.top = 2;
  shared.shared_ffn = 32, shared.dense = {true, false}, shared.expert_bias = true;
  const std::vector<int> prompt = {3, 1, 4};
  for (const auto& [hyper, count] : {std::pair{small, 4}, {shared, 2}}) {
    CAPTURE(count);
    const ir::Graph graph = import::synthetic_llama(hyper, 1);
    const Bits one = bits_of(compile(graph, {.config = "nanoquad"}).program, prompt, 2);
    const Program program = compile(graph, {.config = "nanoquad", .dies = count, .parallel = "experts"}).program;
    for (const double speed : {64.0, 1.0}) {
      CAPTURE(speed);
      std::vector<std::uint64_t> cycles;
      for (const std::string backend : {"cycle", "rtl"}) {
        if (std::find(backends.begin(), backends.end(), backend) == backends.end()) continue;
        CAPTURE(backend);
        std::vector<std::unique_ptr<driver::Device>> dies;
        REQUIRE(driver::open_package({.backend = backend, .config = "nanoquad", .columns = program.mesh.columns, .rows = program.mesh.rows, .memory_bytes = memory_of(program),
                                      .link_gb_per_s = speed, .link_latency_ps = speed > 1 ? 2'000u : 300'000u}, dies).ok());
        Session session(program, std::move(dies));
        CHECK(session.generate(prompt, {.tokens = 2, .stop_at_end = false}).ids == one.ids);
        CHECK(session.kv_cache() == one.cache);
        cycles.push_back(session.steps().back().record[spec::Counter::cycles]);
      }
      // The host starts one Verilated die after the other.
      if (cycles.size() == 2) CHECK(std::abs(double(cycles[0]) - double(cycles[1])) < 0.01 * double(cycles[0]));
    }
  }
}

TEST_CASE("load of the busiest die: the mean over all choices") {
  for (const auto& [experts, top, dies] : {std::tuple{8, 3, 4}, {8, 2, 2}, {12, 5, 3}, {6, 6, 2}, {4, 1, 4}}) {
    CAPTURE(experts);
    CAPTURE(top);
    double sum = 0, choices = 0;
    for (unsigned set = 0; set < 1u << experts; ++set) {
      if (std::popcount(set) != top) continue;
      int most = 0;
      for (int d = 0; d < dies; ++d) most = std::max(most, std::popcount(set >> d * (experts / dies) & ((1u << experts / dies) - 1)));
      sum += most, ++choices;
    }
    CHECK(package::busiest_load(experts, top, dies, 1) == doctest::Approx(sum / choices).epsilon(1e-4));
  }
  // With many rows the dies get even.
  CHECK(package::busiest_load(32, 8, 4, 1) == doctest::Approx(3.6).epsilon(0.1));
  CHECK(package::busiest_load(32, 8, 4, 128) / (128 * 2) < 1.1);
  CHECK(package::busiest_load(32, 8, 4, 128) / (128 * 2) > 1);
}

TEST_CASE("many small experts on four dies lie whole on them by prediction, large ones in parts: whatever the cycle model finds faster") {
  for (const int columns : {64, 512}) {
    CAPTURE(columns);
    import::LlamaHyper h{.layers = 1, .width = 512, .heads = 8, .kv_heads = 4, .ffn = columns, .context = 64, .vocab = 64};
    h.mixture = {.experts = 16, .top = 4};
    const ir::Graph graph = import::synthetic_llama(h, 1);
    const auto program = [&](const std::string& way) { return compile(graph, {.config = "quad", .dies = 4, .parallel = way}).program; };
    const auto cycles = [&](const std::string& way) {
      Session session(program(way), "cycle");
      std::uint64_t sum = 0;
      for (int id = 1; id <= 8; ++id) {
        (void)session.feed(std::span(&id, 1));
        sum += session.steps().back().record[spec::Counter::cycles];
      }
      return sum;
    };
    const std::string faster = cycles("experts") < cycles("tensor") ? "experts" : "tensor";
    CHECK(faster == (columns == 64 ? "experts" : "tensor"));
    CHECK(program("auto").abi.find("\"parallel\":\"" + faster + "\"") != std::string::npos);
  }
}

TEST_CASE("experts whole on a die: the prediction is the cycle model's mean over tokens, within a fifth") {
  import::LlamaHyper h{.layers = 2, .width = 512, .heads = 8, .kv_heads = 4, .ffn = 512, .context = 64, .vocab = 64};
  h.mixture.experts = 16, h.mixture.top = 4;
  const ir::Graph graph = import::synthetic_llama(h, 1);
  const auto predicted = [](const Compiled& c) {
    const std::string before = "predicted: ";
    const auto at = c.explanation.find(before);
    REQUIRE_MESSAGE(at != std::string::npos, c.explanation);
    return std::stod(c.explanation.substr(at + before.size()));
  };
  for (const int dies : {2, 4})
    for (const char* way : {"experts", "tensor"}) {
      CAPTURE(way);
      CAPTURE(dies);
      const Compiled c = compile(graph, {.config = "quad", .dies = dies, .parallel = way});
      Session session(c.program, "cycle");
      double found = 0;
      for (int id = 1; id <= 16; ++id) {
        (void)session.feed(std::span(&id, 1));
        found += double(session.steps().back().record[spec::Counter::cycles]) / 16;
      }
      CHECK(found / predicted(c) < 1.2);
      CHECK(found / predicted(c) > 0.95);
      CHECK(c.explanation.find(way == std::string("experts") ? "experts whole on a die" : "tensor-parallel") != std::string::npos);
      CHECK(c.explanation.find("  bound: ") != std::string::npos);
    }
}
