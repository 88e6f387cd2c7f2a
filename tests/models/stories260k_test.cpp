// stories260K (llama2.c): the golden ids, and what must not change the bits.
#include <cstring>
#include <thread>

#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

constexpr const char* kModel = "stories260K/stories260K.bin";

const Program& edge() {
  static const Program program = compiled(shared_model(kModel), {.config = "edge"});
  return program;
}

const std::vector<int> kIds = {1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337,
                               410, 408, 419, 292, 411, 322, 265, 282, 295, 433, 426, 385, 328, 432, 358, 394, 261, 370, 432, 352};

}  // namespace

TEST_CASE("stories260K int8: the first 64 golden ids") {
  const auto model = shared_model(kModel);
  if (model.empty()) return;
  const std::vector<int> golden = read_json(model.parent_path() / "golden.json").at("first64_ids");
  for (const char* config : {"edge", "small"}) {
    CAPTURE(config);
    Session session(compiled(model, {.config = config, .context = 128}), "model");
    const Generation g = session.generate("", {.tokens = 64});
    CHECK(g.prompt == std::vector<int>{1});
    CHECK(g.ids == golden);
    CHECK(g.stop == Stop::tokens);
    CHECK(g.text.starts_with("Once upon a time, there was a little girl named Lily."));
  }
}

TEST_CASE("chunks do not change the bits") {
  if (shared_model(kModel).empty()) return;
  Session session(edge(), "model");
  const std::vector<float> all = session.feed_all(kIds);
  REQUIRE(all.size() == kIds.size() * 512);
  const std::vector<std::uint8_t> kv = session.kv_cache();
  for (const int rows : {1, 2, 7, 32, 40}) {
    CAPTURE(rows);
    session.reset();
    session.limit_rows(std::min(rows, session.model().rows));
    CHECK(same_bits(session.feed_all(kIds), all));
    session.reset();
    const auto last = session.feed(kIds);
    CHECK(same_bits(last, std::span(all).last(512)));
    CHECK(session.kv_cache() == kv);
  }
}

TEST_CASE("a conversation goes on, starts anew, and samples the same with the same seed") {
  if (shared_model(kModel).empty()) return;
  Session session(edge(), "model");
  const Generation one = session.generate("Tom", {.tokens = 20});
  session.reset();
  Generation two = session.generate("Tom", {.tokens = 10});
  CHECK(session.position() == static_cast<int>(two.prompt.size()) + 9);
  const Generation rest = session.generate(std::vector<int>{two.ids.back()}, {.tokens = 10});
  two.ids.insert(two.ids.end(), rest.ids.begin(), rest.ids.end());
  CHECK(one.ids == two.ids);

  const auto sampled = [&](std::uint64_t seed, float top_p) {
    session.reset();
    return session.generate("Tom", {.tokens = 20, .sampling = {.temperature = 1.0f, .top_p = top_p, .seed = seed}}).ids;
  };
  CHECK(sampled(5, 0.9f) == sampled(5, 0.9f));
  CHECK(sampled(5, 0.9f) != sampled(6, 0.9f));
  CHECK(sampled(5, 1e-6f) == one.ids);
}

TEST_CASE("limits of a session are sentences") {
  if (shared_model(kModel).empty()) return;
  const Program program = compiled(shared_model(kModel), {.config = "edge", .context = 64});
  Session session(program, "model");
  const auto refusal = [&](std::vector<int> ids) {
    try {
      session.feed(ids);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refusal(std::vector<int>(65, 1)) == "session: length of the prompt, found 65 tokens, expected at most 64 (context of 64, 0 used)");
  CHECK(refusal({}) == "session: tokens, found none, expected at least one");
  CHECK(refusal({512}) == "session: token, found 512, expected 0 to 511");
  CHECK(refusal({-1}) == "session: token, found -1, expected 0 to 511");
  CHECK(session.position() == 0);
  const Generation g = session.generate("", {.tokens = 0, .stop_at_end = false});
  CHECK(g.stop == Stop::context);
  CHECK(g.ids.size() == 64);
  CHECK(session.room() == 0);
  CHECK(refusal({1}).find("64 used") != std::string::npos);
}

TEST_CASE("an abort from another thread ends a generation") {
  if (shared_model(kModel).empty()) return;
  Session session(edge(), "model");
  std::thread other;
  const Generation g = session.generate("", {.tokens = 0, .stop_at_end = false}, [&](const Token& t) {
    if (t.index == 3) other = std::thread([&] { session.abort(); });
    return true;
  });
  other.join();
  CHECK(g.stop == Stop::aborted);
  CHECK(g.ids.size() >= 4);
  const std::vector<int> begin = {1};
  CHECK_THROWS_AS(session.feed(begin), Error);
  session.reset();
  CHECK(session.generate("", {.tokens = 3}).ids == std::vector<int>{403, 407, 261});
}

TEST_CASE("a program for another machine is refused in one sentence") {
  if (shared_model(kModel).empty()) return;
  std::unique_ptr<driver::Device> device;
  REQUIRE(driver::open_device({.backend = "model", .config = "small", .memory_bytes = 1 << 24}, device).ok());
  std::string message;
  try {
    Session session(edge(), std::move(device));
  } catch (const Error& e) {
    message = e.what();
  }
  CHECK(message.starts_with("device: configuration, found small 0x"));
  CHECK(message.find("expected edge 0x") != std::string::npos);
  try {
    Session session(edge(), "null");
  } catch (const Error& e) {
    message = e.what();
  }
  CHECK(message.starts_with("device: identification of null, found 0x00000000"));
}
