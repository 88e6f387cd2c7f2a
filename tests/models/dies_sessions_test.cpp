// What callers do with a session on the dies of a package, in any order: prompts in launches of any size, guesses, conversations that go on, prompts given
// up or aborted between launches that overlap, full contexts. What follows has the bits of one die that has seen the same tokens.
#include <random>

#include "checked_dies.hpp"
#include "drafter.hpp"
#include "driver/package.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

class Script {
 public:
  Script(const LlamaHyper& hyper, CompileOptions options, unsigned seed)
      : random_(seed), one_(program(hyper, options, 1), "model"), several_(program(hyper, options, options.dies), "model") {}

  // So many turns, after each of which the next token is the one die's.
  void run(int turns) {
    for (int i = 0; i < turns; ++i) {
      CAPTURE(i);
      several_.limit_rows(from(1, several_.rows()));
      turn(from(0, 5));
      several_.limit_rows(several_.model().rows);
      if (several_.room() == 0) several_.reset();
      compare();
    }
  }
  int given_up = 0, aborted = 0, guessed = 0, overlapped = 0;

 private:
  static Program program(const LlamaHyper& hyper, CompileOptions options, int dies) {
    options.dies = dies;
    if (dies == 1) options.parallel = "auto";
    return compile(import::synthetic_llama(hyper, 3), options).program;
  }
  int from(int least, int most) { return least + static_cast<int>(random_() % static_cast<unsigned>(most - least + 1)); }
  std::vector<int> ids(int count) {
    std::vector<int> list;
    for (int i = 0; i < count; ++i) list.push_back(from(0, several_.model().vocab - 1));
    return list;
  }
  // The beginning of the conversation, and then something else.
  std::vector<int> prompt() {
    const auto history = several_.history();
    std::vector<int> all(history.begin(), history.begin() + from(0, static_cast<int>(history.size())));
    const std::vector<int> more = ids(from(1, std::max(1, several_.model().context - static_cast<int>(all.size()))));
    all.insert(all.end(), more.begin(), more.end());
    all.resize(std::min(all.size(), static_cast<std::size_t>(several_.model().context)));
    return all;
  }

  void turn(int kind) {
    if (kind == 0) return several_.reset();
    if (kind == 1 && several_.room() > 0) return void(several_.feed(ids(from(1, several_.room()))));
    if (kind == 2) {
      const int tokens = from(0, several_.position());
      if (several_.can_rewind(tokens)) several_.rewind(tokens);
      return;
    }
    generate(kind);
  }

  // All of it, or given up or aborted before the launch `end`.
  void generate(int kind) {
    LookupDrafter drafter;
    GenerateOptions options{.tokens = from(1, 20), .stop_at_end = false, .keep_prefix = true, .drafter = from(0, 1) == 0 ? nullptr : &drafter};
    const std::vector<int> all = prompt();
    const int end = from(1, 12);
    int asked = 0;
    if (kind > 3) options.go_on = [&] {
      if (++asked < end) return true;
      if (kind == 4) return false;
      several_.abort();
      return true;
    };
    several_.clear_steps();
    const Generation g = several_.generate(all, options);
    guessed += g.kept;
    for (const Step& s : several_.steps()) overlapped += s.rows == 0;
    if (g.stop == Stop::aborted) {
      ++aborted;
      CHECK(refusal([&] { several_.feed(ids(1)); }).starts_with("session: state, found an aborted launch"));
      (void)several_.rewind_to(all);
      return;
    }
    if (g.stop == Stop::callback) {
      ++given_up;
      if (!several_.can_rewind(several_.position())) (void)several_.rewind_to(all);
      return;
    }
    options.drafter = nullptr, options.go_on = {};
    CHECK(one_.generate(all, options).ids == g.ids);
  }

  void compare() {
    std::vector<int> all(several_.history().begin(), several_.history().end());
    const std::vector<int> next = ids(1);
    all.push_back(next.front());
    const auto found = several_.feed(next);
    const int kept = one_.rewind_to(all);
    const auto expected = one_.feed(std::span(all).subspan(static_cast<std::size_t>(kept)));
    CHECK(same_bits(found, expected));
  }

  std::mt19937 random_;
  Session one_, several_;
};

const LlamaHyper kSmall{.layers = 4, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 24};

}  // namespace

TEST_CASE("a session on dies: guesses, conversations that go on, prompts given up or aborted, full contexts") {
  LlamaHyper experts = kSmall;
  experts.mixture = {.experts = 6, .top = 2};
  struct Kind {
    LlamaHyper hyper;
    const char* way;
    int dies;
  };
  for (const Kind& k : {Kind{kSmall, "tensor", 3}, {kSmall, "pipeline", 4}, {kSmall, "pipeline", 3}, {experts, "experts", 3}, {experts, "pipeline", 2}}) {
    CAPTURE(k.way);
    CAPTURE(k.dies);
    Script script(k.hyper, {.config = "quad", .max_rows = 7, .dies = k.dies, .parallel = k.way}, 5);
    script.run(150);
    CHECK(script.given_up > 0);
    CHECK(script.aborted > 0);
    CHECK(script.guessed > 0);
    CHECK((script.overlapped > 0) == (k.way == std::string("pipeline")));
  }
}

// A ring of 256 keys has just room for a window and the rows of a launch; a pipeline's first die is three launches ahead of its last.
TEST_CASE("a session on dies: rings of sliding windows, whose keys dies that are ahead have written over") {
  LlamaHyper hyper = kSmall;
  hyper.context = 576, hyper.window = 249;
  const CompileOptions options{.config = "quad", .max_rows = 8, .dies = 4, .parallel = "pipeline"};
  Script(hyper, options, 7).run(24);
  const ir::Graph graph = import::synthetic_llama(hyper, 3);
  std::vector<int> prompt = some_ids(400);
  for (int& id : prompt) id %= hyper.vocab;
  for (const char* way : {"pipeline", "tensor"}) {
    CAPTURE(way);
    CompileOptions four = options;
    four.parallel = way;
    Session session(compile(graph, four).program, "model");
    REQUIRE(session.kv_layout().ring == 256);
    int asked = 0;
    CHECK(session.generate(prompt, {.tokens = 1, .go_on = [&] { return ++asked < 42; }}).stop == Stop::callback);
    const bool pipeline = session.language_model().pipeline();
    CHECK(session.position() == (pipeline ? 41 - 3 : 41) * 8);
    const std::vector<int> next = {5};
    const std::string reason = refusal([&] { session.feed(next); });
    CHECK(reason == (pipeline ? "session: state, found a prompt given up while launches overlapped, expected a reset or rewind before more tokens" : ""));
    session.rewind_to(prompt);
    CHECK(session.position() == (pipeline ? 0 : 41 * 8));
  }
}

// Dies without rows run all code too: products, loads and loops of nothing.
TEST_CASE("a session on dies: every kind of decoder in launches that overlap and in others, on every backend") {
  const LlamaHyper small{.layers = 2, .width = 32, .heads = 2, .kv_heads = 2, .ffn = 32, .context = 32, .vocab = 32};
  LlamaHyper chunks = small, ring = small, experts = small, post = small, beside = small;
  chunks.context = ring.context = 576, ring.window = 20;
  experts.mixture = {.experts = 4, .top = 2}, experts.shared_ffn = 32, experts.shared_gate = experts.expert_bias = true;
  post.post_norm = true;
  beside.parallel = beside.layer_norm = beside.positions = beside.qkv_bias = beside.output_bias = beside.ffn_bias = true, beside.gated = false, beside.activation = ir::Activation::gelu_tanh;
  const std::vector<int> prompt = {3, 1, 4, 1, 5};
  for (const LlamaHyper& hyper : {chunks, ring, experts, post, beside})
    for (const std::string way : {"pipeline", hyper.mixture.experts > 0 ? "experts" : "tensor"}) {
      const ir::Graph graph = import::synthetic_llama(hyper, 1);
      Session one(compile(graph, {.config = "nanoquad"}).program, "model");
      const auto expected = one.feed(prompt);
      const Program program = compile(graph, {.config = "nanoquad", .dies = 2, .parallel = way}).program;
      for (const std::string& on : driver::package_backends()) {
        CAPTURE(way);
        CAPTURE(on);
        Session session(program, on);
        session.limit_rows(2);
        CHECK(same_bits(session.feed(prompt), expected));
        CHECK(session.kv_cache() == one.kv_cache());
        CHECK(session.steps().size() == (way == "pipeline" ? 4 : 3));
      }
    }
}
