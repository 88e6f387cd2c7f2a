// Several sequences in one launch, against each of them alone.
#include <cstring>

#include "batch_session.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

std::vector<int> some_ids(int count, int seed) {
  std::vector<int> ids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>((static_cast<std::size_t>(seed) + i * i * 37 + i / 7) % 100);
  return ids;
}

LlamaHyper shape(int heads, int kv_heads, int head_dim, int context) {
  return {.layers = 2, .width = 64, .heads = heads, .kv_heads = kv_heads, .ffn = 96, .context = context, .vocab = 100, .head_dim = head_dim};
}

// What a sequence gives by itself, on the program for one.
struct Alone {
  Alone(const ir::Graph& graph, const CompileOptions& options, const std::vector<int>& ids) : session(compile(graph, options).program, "model") {
    logits = session.feed_all(ids);
    const int page = 0;
    kv = kv_rows(session.kv_layout(), session.model().layers, session.kv_cache(), std::span(&page, 1), static_cast<int>(ids.size()));
  }
  std::span<const float> after(std::size_t tokens) const { return std::span(logits).subspan((tokens - 1) * 100, 100); }
  Session session;
  std::vector<float> logits;
  std::vector<std::uint8_t> kv;
};

struct Feeding {
  std::vector<int> ids;
  std::size_t done = 0;
  int sequence = 0;
};

// Every sequence with its own prompt cut into parts of its own, all in the same launches; logits behind every part.
void feed_together(BatchSession& batch, std::vector<Feeding>& all, const std::vector<Alone*>& alone) {
  for (Feeding& f : all) f.sequence = batch.add();
  for (std::size_t round = 0;; ++round) {
    std::vector<BatchPart> parts;
    std::vector<std::size_t> who;
    for (std::size_t i = 0; i < all.size(); ++i) {
      Feeding& f = all[i];
      const std::size_t rows = std::min(f.ids.size() - f.done, i == round % all.size() ? std::size_t(17) : 1 + i);
      if (rows == 0) continue;
      parts.push_back({f.sequence, {f.ids.begin() + static_cast<std::ptrdiff_t>(f.done), f.ids.begin() + static_cast<std::ptrdiff_t>(f.done + rows)}});
      who.push_back(i);
      f.done += rows;
    }
    if (parts.empty()) break;
    const auto logits = batch.step(parts);
    REQUIRE(logits.size() == parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      CAPTURE(who[i]);
      CAPTURE(all[who[i]].done);
      CHECK(same_bits(logits[i], alone[who[i]]->after(all[who[i]].done)));
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(batch.kv_cache(all[i].sequence) == alone[i]->kv);
}

void compare(const LlamaHyper& h, const CompileOptions& options, const std::vector<int>& lengths) {
  const ir::Graph graph = import::synthetic_llama(h, 9);
  std::vector<Feeding> all;
  std::vector<std::unique_ptr<Alone>> alone;
  std::vector<Alone*> each;
  for (const int n : lengths) {
    all.push_back({.ids = some_ids(n, static_cast<int>(all.size()) + 1)});
    alone.push_back(std::make_unique<Alone>(graph, options, all.back().ids));
    each.push_back(alone.back().get());
  }
  CompileOptions several = options;
  several.sequences = static_cast<int>(lengths.size());
  BatchSession batch(compile(graph, several).program, "model");
  feed_together(batch, all, each);
  // Pages that others have used, in another order.
  for (Feeding& f : all) batch.remove(f.sequence), f.done = 0;
  std::swap(all.front(), all.back());
  std::swap(each.front(), each.back());
  std::swap(alone.front(), alone.back());
  feed_together(batch, all, each);
}

}  // namespace

TEST_CASE("a batch has the bits of each sequence alone: keys as a whole, heads that fill their padding and others, every format") {
  for (const char* config : {"nano", "edge"}) {
    CAPTURE(config);
    for (const char* format : {"int8", "int8c"}) compare(shape(4, 2, 16, 192), {.config = config, .format = format}, {150, 3, 70});
    LlamaHyper h = shape(2, 2, 40, 96);
    h.qkv_bias = h.qk_norm = true;
    compare(h, {.config = config}, {90, 33, 64, 1});
  }
}

TEST_CASE("a batch has the bits of each sequence alone: keys in chunks, sliding windows") {
  for (const char* config : {"nano", "edge"}) {
    CAPTURE(config);
    compare(shape(4, 2, 16, 768), {.config = config}, {400, 20, 270});
    LlamaHyper h = shape(4, 1, 24, 576);
    h.layers = 3, h.window = 33, h.sliding = {true, true, false};
    compare(h, {.config = config, .format = "int8c"}, {300, 290});
  }
}

TEST_CASE("a batch has the bits of each sequence alone: experts and sinks, keys as a whole and in chunks") {
  for (const int context : {64, 544}) {
    CAPTURE(context);
    compare({.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = context, .vocab = 100, .qkv_bias = true, .output_bias = true, .sinks = true,
             .mixture = {.experts = 6, .top = 2, .limit = 7, .alpha = 1.702f}, .expert_bias = true},
            {.config = "edge"}, {40, 50, 7});
  }
}

TEST_CASE("pages: taken as a sequence grows, given back, shared out among fewer tokens than all contexts together") {
  const Program program = compile(import::synthetic_llama(shape(2, 1, 16, 256), 9), {.config = "nano", .sequences = 4, .kv_tokens = 320}).program;
  BatchSession batch(program, "model");
  CHECK(batch.most() == 4);
  CHECK(batch.page_tokens() == 64);
  CHECK(batch.free_pages() == 5);
  const int a = batch.add(), b = batch.add();
  (void)batch.step({{a, some_ids(30, 1)}, {b, {1, 2, 3}}});
  (void)batch.step({{a, some_ids(30, 2)}});
  CHECK(batch.free_pages() == 3);
  (void)batch.step({{a, {1, 2, 3, 4, 5}}});
  CHECK(batch.free_pages() == 2);
  batch.rewind(a, 64);
  CHECK(batch.free_pages() == 3);
  batch.remove(b);
  CHECK(batch.free_pages() == 4);
  CHECK_THROWS_WITH_AS(batch.step({{b, {1}}}), doctest::Contains("sequence, found 1"), Error);
  CHECK_THROWS_WITH_AS(batch.step({{a, {1}}, {a, {2}}}), doctest::Contains("twice"), Error);
  CHECK_THROWS_WITH_AS(batch.step({}), doctest::Contains("found 0, expected 1 to 4"), Error);
  CHECK_THROWS_WITH_AS(batch.step({{a, {100}}}), doctest::Contains("token, found 100"), Error);
  CHECK_THROWS_WITH_AS(batch.step({{a, {}}}), doctest::Contains("none"), Error);
  CHECK_THROWS_WITH_AS(batch.step({{a, some_ids(200, 1)}}), doctest::Contains("context"), Error);
  for (int i = 0; i < 4; ++i) (void)batch.step({{batch.add(), {1}}});
  CHECK(batch.free_pages() == 0);
  CHECK_THROWS_WITH_AS(batch.step({{a, {1}}}), doctest::Contains("0 free"), Error);
  CHECK(batch.history(a).size() == 64);
  CHECK_THROWS_WITH_AS(Session(program, "model"), doctest::Contains("sequences of a launch, found 4, expected 1"), Error);
  CHECK_THROWS_WITH_AS(compile(import::synthetic_llama(shape(2, 1, 16, 256), 9), {.sequences = 2, .kv_tokens = 100}), doctest::Contains("tokens of the KV cache"), Error);
}

TEST_CASE("a batch reads the weights once") {
  LlamaHyper h = shape(4, 2, 16, 128);
  h.ffn = 1024;
  const ir::Graph graph = import::synthetic_llama(h, 9);
  const auto bytes = [&](int sequences) {
    BatchSession batch(compile(graph, {.config = "edge", .sequences = 8}).program, "model");
    std::vector<BatchPart> parts;
    for (int i = 0; i < sequences; ++i) parts.push_back({batch.add(), {i}});
    (void)batch.step(parts);
    return batch.steps().back().record[spec::Counter::load_bytes];
  };
  const auto one = bytes(1), eight = bytes(8);
  const auto weights = static_cast<std::uint64_t>(BatchSession(compile(graph, {.sequences = 8}).program, "model").model().weight_bytes);
  CHECK(eight > one);
  CHECK(one > weights);
  CHECK(eight - one <= 7 * (one - weights));
}

TEST_CASE("a batch on the RTL has the model's bits") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  const Program program = compile(import::synthetic_llama(shape(2, 1, 16, 128), 9), {.config = "nano", .sequences = 3}).program;
  BatchSession rtl(program, "rtl"), model(program, "model");
  for (BatchSession* b : {&rtl, &model})
    for (int i = 0; i < 3; ++i) (void)b->add();
  for (const auto& parts : {std::vector<BatchPart>{{0, some_ids(20, 1)}, {1, {5}}}, std::vector<BatchPart>{{2, some_ids(3, 4)}, {0, {7}}, {1, {9}}}}) {
    const auto a = rtl.step(parts), b = model.step(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) CHECK(same_bits(a[i], b[i]));
  }
  for (int i = 0; i < 3; ++i) CHECK(rtl.kv_cache(i) == model.kv_cache(i));
}
