// Callers in several threads whose sequences share launches.
#include <thread>

#include "batcher.hpp"
#include "held_device.hpp"
#include "own.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const Program& several() {
  static const Program p = compile(own_graph(), {.config = "nano", .sequences = 3, .kv_tokens = 512}).program;
  return p;
}
Generation alone(const std::vector<int>& prompt, const GenerateOptions& options) {
  static const Program one = own_program();
  Session session(one, "model");
  return session.generate(prompt, options);
}

}  // namespace

TEST_CASE("callers that share launches get the tokens they would get alone, greedy or sampled, and prefixes that others left") {
  if (!own_model_present()) return;
  BatchSession batch(several(), "model");
  Batcher batcher(batch);
  const Tokenizer& words = batch.language_model().tokenizer;
  std::vector<std::vector<int>> prompts;
  for (const char* text : {"Once upon a time", "The dog was", "Lily had a red ball and", "One day", "Tom"}) prompts.push_back(words.encode(text));
  std::vector<GenerateOptions> options(prompts.size());
  for (std::size_t i = 0; i < options.size(); ++i) {
    options[i].tokens = 20 + static_cast<int>(i) * 7;
    options[i].keep_prefix = true;
    if (i % 2 == 1) options[i].sampling = {.temperature = 0.8f, .top_p = 0.9f, .seed = i};
  }
  std::vector<Generation> all(prompts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < prompts.size(); ++i) threads.emplace_back([&, i] { all[i] = batcher.generate(prompts[i], options[i]); });
  for (std::thread& t : threads) t.join();
  std::size_t made = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CAPTURE(i);
    const Generation one = alone(prompts[i], options[i]);
    CHECK(all[i].ids == one.ids);
    CHECK(all[i].text == one.text);
    CHECK(all[i].stop == one.stop);
    made += one.ids.size();
  }
  CHECK(batcher.launches() < made);
  // The next turn of the first conversation finds all but its last token.
  std::vector<int> longer = all[0].prompt;
  longer.insert(longer.end(), all[0].ids.begin(), all[0].ids.end());
  longer.push_back(words.encode("dog").back());
  const Generation next = batcher.generate(longer, options[0]);
  CHECK(next.reused == static_cast<int>(longer.size()) - 2);
  CHECK(next.ids == alone(longer, options[0]).ids);
}

TEST_CASE("a batcher: one caller leaves, the machine fails, everything stops") {
  if (!own_model_present()) return;
  Hold hold;
  BatchSession batch(several(), std::make_unique<HeldDevice>(open_for(several(), "model"), hold));
  Batcher batcher(batch);
  const std::vector<int> prompt = batch.language_model().tokenizer.encode("Once upon a time");
  CHECK_THROWS_WITH_AS(batcher.generate({}, {}), doctest::Contains("length of the prompt, found 0"), Error);
  CHECK_THROWS_WITH_AS(batcher.generate({-1}, {}), doctest::Contains("token, found -1"), Error);
  LookupDrafter lookup;
  CHECK_THROWS_WITH_AS(batcher.generate(prompt, {.drafter = &lookup}), doctest::Contains("guesses"), Error);
  const Generation left = batcher.generate(prompt, {.tokens = 50}, [](const Token& t) { return t.index < 3; });
  CHECK(left.stop == Stop::callback);
  CHECK(left.ids.size() >= 4);
  CHECK(left.ids.size() < 50);
  hold.fail_next();
  CHECK_THROWS_WITH_AS(batcher.generate(prompt, {.tokens = 3}), doctest::Contains("test device"), Error);
  CHECK(batcher.generate(prompt, {.tokens = 3}).ids == alone(prompt, {.tokens = 3}).ids);
  Generation stopped;
  std::thread caller([&] { stopped = batcher.generate(prompt, {.stop_at_end = false}, [&](const Token& t) {
      if (t.index == 2) batcher.stop();
      return true;
    }); });
  caller.join();
  CHECK(stopped.stop == Stop::aborted);
  CHECK(batcher.generate(prompt, {.tokens = 2}).stop == Stop::aborted);
}
