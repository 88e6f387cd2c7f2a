// What makes generation cheaper must not change a bit of it: kept prefixes, guessed tokens.
#include <algorithm>
#include <cstring>
#include <functional>

#include "own.hpp"
#include "stop_text.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

// Guesses by a rule of the test.
class RuleDrafter final : public Drafter {
 public:
  explicit RuleDrafter(std::function<std::vector<int>(std::span<const int>, int)> rule) : rule_(std::move(rule)) {}
  std::vector<int> draft(std::span<const int> ids, int most) override {
    calls += 1;
    return rule_(ids, most);
  }
  int calls = 0;

 private:
  std::function<std::vector<int>(std::span<const int>, int)> rule_;
};

Session& own() {
  static Session session(own_program(), "model");
  session.reset();
  session.limit_rows(session.model().rows);
  session.clear_steps();
  return session;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

// Ids and everything else that a caller sees.
void check_same(const Generation& found, const Generation& plain) {
  CHECK(found.ids == plain.ids);
  CHECK(found.text == plain.text);
  CHECK(found.stop == plain.stop);
}

constexpr const char* kPrompt = "Once upon a time";

}  // namespace

TEST_CASE("a kept prefix gives logits and KV cache of a cold start, bit by bit") {
  if (!own_model_present()) return;
  std::vector<int> first, second;
  for (int i = 0; i < 50; ++i) first.push_back(i * 53 % 700);
  for (const int same : {0, 1, 7, 31, 32, 49}) {
    CAPTURE(same);
    second.assign(first.begin(), first.begin() + same);
    for (int i = same; i < 70; ++i) second.push_back((i * 31 + 5) % 700);
    Session cold(own_program(), "model"), warm(own_program(), "model");
    const std::vector<float> expected = cold.feed_all(second);
    (void)warm.feed(first);
    const int kept = warm.rewind_to(second);
    CHECK(kept == same);
    CHECK(warm.position() == same);
    const std::vector<float> found = warm.feed_all(std::span(second).subspan(static_cast<std::size_t>(kept)));
    const auto vocab = static_cast<std::size_t>(warm.model().vocab);
    CHECK(same_bits(found, std::span(expected).subspan(static_cast<std::size_t>(kept) * vocab)));
    CHECK(warm.kv_cache() == cold.kv_cache());
  }
}

TEST_CASE("generate keeps the prefix it is told to keep, and says how much") {
  if (!own_model_present()) return;
  Session& s = own();
  const Generation cold = s.generate(kPrompt, {.tokens = 12});
  CHECK(cold.reused == 0);
  std::vector<int> longer = cold.prompt;
  longer.insert(longer.end(), cold.ids.begin(), cold.ids.end());
  s.reset();
  const Generation whole = s.generate(longer, {.tokens = 12});
  s.reset();
  (void)s.generate(kPrompt, {.tokens = 12});
  s.clear_steps();
  const Generation warm = s.generate(longer, {.tokens = 12, .keep_prefix = true});
  check_same(warm, whole);
  CHECK(warm.reused == static_cast<int>(longer.size()) - 1);  // the last token made was never fed
  CHECK(s.steps().front().rows == 1);
  // The same prompt again: its last token is fed again, for the logits.
  const Generation again = s.generate(longer, {.tokens = 12, .keep_prefix = true});
  check_same(again, whole);
  CHECK(again.reused == static_cast<int>(longer.size()) - 1);
  CHECK_THROWS_AS(s.rewind(s.position() + 1), Error);
  CHECK_THROWS_AS(s.rewind(-1), Error);
}

TEST_CASE("guesses never change the tokens, greedy or sampled, right or wrong") {
  if (!own_model_present()) return;
  Session& s = own();
  Session small(own_program(2), "model");
  ModelDrafter model(small, s);
  LookupDrafter lookup;
  for (const float temperature : {0.0f, 0.8f}) {
    const GenerateOptions options{.tokens = 60, .sampling = {.temperature = temperature, .top_p = 0.9f, .seed = 7}};
    s.reset();
    s.clear_steps();
    const Generation plain = s.generate(kPrompt, options);
    const int position = s.position();
    const auto launches = s.steps().size();
    const std::vector<int> probe = {500, 41, 7};
    const std::vector<float> after = s.feed_all(probe);
    const auto prompt = plain.prompt.size();
    RuleDrafter right([&](std::span<const int> ids, int most) {
      std::vector<int> guesses;
      for (std::size_t i = ids.size() - prompt; i < plain.ids.size() && static_cast<int>(guesses.size()) < most; ++i) guesses.push_back(plain.ids[i]);
      return guesses;
    });
    RuleDrafter wrong([&](std::span<const int> ids, int most) {
      const std::size_t i = ids.size() - prompt;
      return std::vector<int>(static_cast<std::size_t>(most), i < plain.ids.size() ? plain.ids[i] ^ 1 : 0);
    });
    RuleDrafter half([&](std::span<const int> ids, int most) {
      std::vector<int> guesses = right.draft(ids, most);
      for (std::size_t i = 0; i < guesses.size(); ++i) guesses[i] ^= (ids.size() + i) % 3 == 0 ? 1 : 0;
      return guesses;
    });
    RuleDrafter stray([](std::span<const int>, int) { return std::vector<int>{-1, 1 << 20}; });
    for (const int draft : {1, 3, 8})
      for (Drafter* drafter : {static_cast<Drafter*>(&right), static_cast<Drafter*>(&wrong), static_cast<Drafter*>(&half), static_cast<Drafter*>(&stray),
                               static_cast<Drafter*>(&lookup), static_cast<Drafter*>(&model)}) {
        CAPTURE(draft);
        GenerateOptions with = options;
        with.drafter = drafter, with.draft = draft;
        s.reset();
        s.clear_steps();
        const Generation g = s.generate(kPrompt, with);
        check_same(g, plain);
        CHECK(s.position() == position);
        CHECK(static_cast<int>(s.steps().size()) == static_cast<int>(launches) - g.kept);
        CHECK(g.kept <= g.drafted);
        if (drafter == &right) CHECK(g.kept == g.drafted);
        if (drafter == &right) CHECK(s.steps().size() == 1 + (59u + static_cast<unsigned>(draft)) / (static_cast<unsigned>(draft) + 1));
        if (drafter == &wrong) CHECK(g.kept == 0);
        if (drafter == &wrong) CHECK(g.drafted > 0);
        if (drafter == &stray) CHECK(g.drafted == 0);
        if (drafter == &model && temperature == 0) CHECK(g.kept > 0);
        CHECK(same_bits(s.feed_all(probe), after));
      }
  }
}

TEST_CASE("guesses stop at the context's end, at the end of text and at a stop text as plain generation does") {
  if (!own_model_present()) return;
  Session s(compile(own_graph(), {.config = "nano", .context = 64}).program, "model");
  LookupDrafter lookup;
  const auto both = [&](GenerateOptions options) {
    s.reset();
    const Generation plain = s.generate(kPrompt, options);
    const int position = s.position();
    s.reset();
    options.drafter = &lookup, options.draft = 6;
    check_same(s.generate(kPrompt, options), plain);
    CHECK(s.position() == position);
    return plain;
  };
  CHECK(both({.tokens = 0, .stop_at_end = false}).stop == Stop::context);
  CHECK(s.room() == 0);
  const Generation stopped = both({.tokens = 0, .stop = {"zebra", ". S"}});
  CHECK(stopped.stop == Stop::text);
  CHECK(stopped.text.find(". S") == std::string::npos);
  Session whole(own_program(), "model");
  const Generation first = whole.generate(kPrompt, {.tokens = 12});
  whole.reset();
  const Generation ended = whole.generate(kPrompt, {.tokens = 12, .ends = {first.ids[7]}});
  CHECK(ended.stop == Stop::end);
  CHECK(ended.ids == std::vector<int>(first.ids.begin(), std::find(first.ids.begin(), first.ids.end(), first.ids[7])));
  std::vector<int> ids;
  for (const bool guess : {false, true}) {
    whole.reset();
    const Generation g = whole.generate(kPrompt, {.tokens = 0, .drafter = guess ? &lookup : nullptr});
    CHECK(g.stop == Stop::end);
    if (guess) CHECK(g.ids == ids);
    if (guess) CHECK(g.kept > 0);
    ids = g.ids;
  }
}

TEST_CASE("a generation ends before its next launch when go_on says no, and goes on from there") {
  if (!own_model_present()) return;
  Session& s = own();
  s.limit_rows(2);
  std::vector<int> prompt = s.tokenizer().encode("Once upon a time, there was a kind girl named");
  int asked = 0;
  const Generation g = s.generate(prompt, {.tokens = 5, .go_on = [&] { return ++asked < 3; }});
  CHECK(g.stop == Stop::callback);
  CHECK(g.ids.empty());
  CHECK(s.position() == 4);
  const Generation rest = s.generate(prompt, {.tokens = 5, .keep_prefix = true});
  CHECK(rest.reused == 4);
  s.reset();
  check_same(rest, s.generate(prompt, {.tokens = 5}));
}

TEST_CASE("a draft with another vocabulary is refused") {
  if (!own_model_present()) return;
  ir::Graph other = own_graph();
  other.vocabulary.tokens[500] = "other";
  Session small(compile(passes::first_layers(other, 1), {.config = "nano"}).program, "model");
  CHECK_THROWS_WITH_AS(ModelDrafter(small, own()), doctest::Contains("draft: token 500"), Error);
}

TEST_CASE("lookup guesses what followed the longest repetition, the latest of equals") {
  LookupDrafter d;
  const std::vector<int> ids = {1, 2, 3, 4, 9, 2, 3, 4, 8, 7, 3, 4, 6, 2, 3, 4};
  CHECK(d.draft(ids, 2) == std::vector<int>{8, 7});  // 2 3 4 stands twice before; 3 4 alone later
  CHECK(d.draft(std::span(ids).first(12), 9) == std::vector<int>{8, 7, 3, 4});
  CHECK(d.draft(std::span(ids).first(4), 4).empty());
  CHECK(d.draft({}, 4).empty());
  CHECK(d.draft(ids, 0).empty());
}

TEST_CASE("stop texts are found across pieces, and only what may be one is held back") {
  StopText s({"</end>", "\n\n"});
  CHECK(s.put("one <") == "one ");
  CHECK(s.put("b> two\n") == "<b> two");
  CHECK(s.put("three") == "\nthree");
  CHECK(s.put("</en") == "");
  CHECK(s.put("d> four") == "");
  CHECK(s.found());
  CHECK(s.put("five") == "");
  CHECK(s.finish() == "");
  StopText open({"abc"});
  CHECK(open.put("xab") == "x");
  CHECK(open.finish() == "ab");
  CHECK(StopText({"aab"}).put("aaab") == "a");
  CHECK_THROWS_AS(StopText({""}), Error);
}
