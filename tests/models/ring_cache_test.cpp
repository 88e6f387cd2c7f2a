// Sliding layers that keep a ring of their window: the bits of a cache that keeps everything, and no way back to what is gone.
#include <algorithm>

#include "batch_session.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

// Heads of 160 are taken in chunks of 64 keys, so that rings are short.
LlamaHyper shape(int window, std::vector<bool> sliding, int context = 544, int head_dim = 160) {
  return {.layers = 3, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = context, .vocab = 100, .head_dim = head_dim, .window = window,
          .sliding = std::move(sliding)};
}

std::vector<int> some_ids(int count) {
  std::vector<int> ids;
  while (static_cast<int>(ids.size()) < count) ids.push_back(static_cast<int>((1 + ids.size() * ids.size() * 37 + ids.size() / 7) % 100));
  return ids;
}

std::vector<std::uint8_t> visible(const Session& s) {
  const int page = 0;
  return kv_rows(s.kv_layout(), s.model().layers, s.kv_cache(), std::span(&page, 1), s.position());
}

CompileOptions whole(CompileOptions options) {
  options.disabled.push_back("ring-cache");
  return options;
}

}  // namespace

TEST_CASE("ring cache: the bits of the whole cache, for all cuts, in rings of one chunk and of several, whatever layers slide") {
  const auto ids = some_ids(500);
  for (const auto& [window, sliding, head_dim] : {std::tuple{10, std::vector<bool>{}, 160}, std::tuple{65, std::vector<bool>{true, false, true}, 160}, std::tuple{130, std::vector<bool>{false, true, true}, 160},
                                                  std::tuple{33, std::vector<bool>{true, true, false}, 16}, std::tuple{200, std::vector<bool>{}, 160}})
    for (const char* config : {"nano", "edge"}) {
      CAPTURE(window);
      CAPTURE(config);
      const ir::Graph graph = import::synthetic_llama(shape(window, sliding, 544, head_dim), 9);
      const CompileOptions options{.config = config, .max_rows = 50};
      const Program program = compile(graph, options).program, full = compile(graph, whole(options)).program;
      CHECK(program.window_bytes[1] < full.window_bytes[1]);
      Session ring(program, "model"), all(full, "model");
      CHECK(ring.kv_layout().ring >= window + ring.model().rows - 1);
      const auto expected = all.feed_all(ids);
      for (const int rows : {ring.model().rows, 1, 13}) {
        CAPTURE(rows);
        ring.reset();
        ring.limit_rows(std::min(rows, ring.model().rows));
        CHECK(same_bits(ring.feed_all(ids), expected));
        CHECK(visible(ring) == visible(all));
      }
    }
}

TEST_CASE("ring cache: beside channel scales, adapters, experts, sinks and left-out passes") {
  const auto ids = some_ids(300);
  LlamaHyper h = shape(20, {true, false, true});
  h.qkv_bias = h.qk_norm = true;
  LlamaHyper mixture = shape(20, {true, false, true});
  mixture.qkv_bias = mixture.output_bias = mixture.sinks = mixture.expert_bias = true;
  mixture.mixture = {.experts = 8, .top = 4, .limit = 7, .alpha = 1.702f};
  const std::vector<std::string> others = {"weight-ring", "double-kv", "double-output", "hoist"};
  for (const auto& [hyper, options] : {std::pair{h, CompileOptions{.format = "int8c"}}, std::pair{h, CompileOptions{.format = "mxfp4", .disabled = others}},
                                       std::pair{shape(20, {true, false, true}), CompileOptions{.lora = 8}}, std::pair{mixture, CompileOptions{}}, std::pair{mixture, CompileOptions{.config = "nano"}}}) {
    const ir::Graph graph = import::synthetic_llama(hyper, 9);
    Session ring(compile(graph, options).program, "model"), all(compile(graph, whole(options)).program, "model");
    CHECK(ring.kv_layout().ring > 0);
    CHECK(same_bits(ring.feed_all(ids), all.feed_all(ids)));
    CHECK(visible(ring) == visible(all));
  }
}

TEST_CASE("ring cache: its bytes are the ring's share, whatever the context") {
  const auto bytes = [](const std::vector<bool>& sliding, int context) {
    const Program p = compile(import::synthetic_llama(shape(30, sliding, context), 9), {.context = context, .max_rows = 8}).program;
    return p.window_bytes[1];
  };
  CHECK(bytes({}, 4096) == bytes({}, 65536));
  CHECK(bytes({}, 4096) == 3 * 2 * 64 * (160 + 10 + 160 + 4));  // layers, KV heads, tokens of a chunk; K and V with scales
  CHECK(bytes({true, false, true}, 4096) == 2 * 2 * (64 + 64 + 4096) * (160 + 10 + 160 + 4) / 2);
}

TEST_CASE("ring cache: back to where the window is whole, else from the start or refused, never other bits") {
  const ir::Graph graph = import::synthetic_llama(shape(100, {true, true, false}), 9);
  const CompileOptions options{.max_rows = 20};
  Session ring(compile(graph, options).program, "model"), all(compile(graph, whole(options)).program, "model");
  const int held = ring.kv_layout().ring;
  CHECK(held == 128);
  const auto ids = some_ids(400);
  const auto expected = all.feed_all(ids);
  const auto from = [&](int position) { return std::span(expected).subspan(static_cast<std::size_t>(position) * 100); };
  const auto rest = [&](int position) { return std::span(ids).subspan(static_cast<std::size_t>(position)); };
  // Nothing is lost while the ring has not turned.
  (void)ring.feed(std::span(ids).first(128));
  ring.rewind(3);
  CHECK(same_bits(ring.feed_all(rest(3)), from(3)));
  // Of 400 tokens keys from 272 on are left: a query at 371 sees 272.
  CHECK(ring.can_rewind(371));
  CHECK_FALSE(ring.can_rewind(370));
  CHECK_THROWS_WITH_AS(ring.rewind(370), doctest::Contains("found 370, expected 0, or 371 to 400"), Error);
  CHECK(ring.position() == 400);
  ring.rewind(371);
  // Going back frees nothing: keys that later tokens took are still gone.
  CHECK_THROWS_AS(ring.rewind(350), Error);
  CHECK(same_bits(ring.feed_all(rest(371)), from(371)));
  // A prompt that has less in common is read again.
  std::vector<int> prompt(ids.begin(), ids.begin() + 300);
  CHECK(ring.rewind_to(prompt) == 0);
  CHECK(same_bits(ring.feed_all(prompt), std::span(expected).first(30000)));
  prompt.back() += 1;
  CHECK(ring.rewind_to(prompt) == 299);
  prompt = {ids.begin(), ids.begin() + 290};
  CHECK(ring.rewind_to(prompt) == 289);
  CHECK(same_bits(ring.feed_all(rest(289)), from(289)));
  CHECK(all.can_rewind(17));
}

TEST_CASE("ring cache: guesses that are taken back and kept prefixes leave the bits of the whole cache") {
  const ir::Graph graph = import::synthetic_llama(shape(10, {}), 9);
  const CompileOptions options{.max_rows = 9};
  Session ring(compile(graph, options).program, "model"), all(compile(graph, whole(options)).program, "model");
  CHECK(ring.kv_layout().ring == 64);
  GenerateOptions generate{.tokens = 200, .stop_at_end = false};
  const std::vector<int> prompt = some_ids(100);
  const Generation plain = all.generate(prompt, generate);
  struct Wrong : Drafter {  // right at every third place, so that launches are taken back all the time
    const std::vector<int>* sure;
    std::size_t start;
    std::vector<int> draft(std::span<const int> ids, int most) override {
      std::vector<int> guesses;
      for (int i = 0; i < most; ++i) {
        const std::size_t at = ids.size() - start + static_cast<std::size_t>(i);
        guesses.push_back(at < sure->size() && at % 3 != 0 ? (*sure)[at] : 7);
      }
      return guesses;
    }
  } drafter;
  drafter.sure = &plain.ids, drafter.start = prompt.size();
  generate.drafter = &drafter, generate.draft = 8;
  const Generation guessed = ring.generate(prompt, generate);
  CHECK(guessed.ids == plain.ids);
  CHECK(guessed.kept > 20);
  CHECK(guessed.drafted > guessed.kept + 100);
  // The next turn of the conversation, kept where it can be.
  std::vector<int> next = prompt;
  next.insert(next.end(), plain.ids.begin(), plain.ids.end());
  next.insert(next.end(), {5, 6, 7});
  generate.keep_prefix = true;
  const Generation one = ring.generate(next, generate), two = all.generate(next, generate);
  CHECK(one.reused > 290);
  CHECK(one.ids == two.ids);
  next.resize(150);
  const Generation three = ring.generate(next, generate), four = all.generate(next, generate);
  CHECK(three.reused == 0);
  CHECK(four.reused == 149);
  CHECK(three.ids == four.ids);
}

TEST_CASE("ring cache: the RTL has the model's bits where a launch goes around the ring's end") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  LlamaHyper h = shape(20, {true, false});
  h.layers = 2, h.heads = 1, h.kv_heads = 1;
  const Program program = compile(import::synthetic_llama(h, 9), {.config = "nano"}).program;
  Session rtl(program, "rtl"), model(program, "model");
  CHECK(rtl.kv_layout().ring == 64);
  const auto ids = some_ids(80);
  CHECK(same_bits(rtl.feed(ids), model.feed(ids)));
  CHECK(rtl.kv_cache() == model.kv_cache());
}
