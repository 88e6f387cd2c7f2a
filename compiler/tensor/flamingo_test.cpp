#include "flamingo.hpp"

#include <map>

#include "check.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

// Random weights by name; what `fixed` names has that value everywhere.
Weights random_weights(std::map<std::string, float> fixed = {}) {
  return [fixed](const std::string& name, const Shape& shape) {
    if (const auto it = fixed.find(name); it != fixed.end()) return std::vector<float>(static_cast<std::size_t>(elements(shape)), it->second);
    const unsigned seed = static_cast<unsigned>(std::hash<std::string>{}(name));
    return random_values(shape, seed, -0.3f, 0.3f);
  };
}

constexpr FlamingoShape kShape{.heads = 2, .head_dim = 16, .hidden_factor = 2, .latents = 64, .layers = 2};

Graph only_resampler(std::int64_t features) {
  Graph g;
  g.output("latents", resampler(g, g.input("features", DType::f32, {2, features, 24}), kShape, random_weights()));
  return g;
}

constexpr std::int64_t kText = 6, kMedia = 5;

// A stand-in for a layer of the language model, before and behind the gated block, which is left out with gate < 0.
Graph language_model(float gate) {
  Graph g;
  const auto weights = random_weights({{"x.attn_gate", gate}, {"x.ff_gate", gate}});
  const ValueId text = g.input("text", DType::f32, {1, kText, 32}), media = g.input("media", DType::f32, {1, kMedia, 24});
  const ValueId seen = g.input("seen", DType::boolean, {1, 1, kText, kMedia}), w = g.constant("w", {32, 32}, random_values({32, 32}, 4, -0.3f, 0.3f));
  ValueId x = g.add(Op::matmul, "before", {text, w});
  if (gate >= 0) x = gated_cross_attention(g, x, media, seen, kShape, weights, "x.");
  g.output("y", g.add(Op::matmul, "behind", {x, w}));
  g.output("x", x);
  return g;
}

Tensors inputs() {
  std::vector<float> seen(kText * kMedia, 1);
  std::fill_n(seen.begin(), 2 * kMedia, 0.0f);  // two tokens before any image
  seen[2 * kMedia + 4] = 0;
  return {{"text", random_values({1, kText, 32}, 1)}, {"media", random_values({1, kMedia, 24}, 2)}, {"seen", seen}};
}


bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

}  // namespace

TEST_CASE("the resampler gives 64 tokens for any number of features") {
  for (const std::int64_t features : {1, 7, 65}) {
    const Graph g = only_resampler(features);
    CHECK(g.shape(g.outputs().at(0).value) == Shape{2, 64, 24});
    MESSAGE(features << " features, worst error " << compare(g, {{"features", random_values({2, features, 24}, 9)}}, {.error = 3e-5, .floor = 0.1}));
  }
}

TEST_CASE("gated cross attention follows the reference, also for tokens that see nothing") {
  const Graph g = language_model(0.5f);
  const Tensors in = inputs();
  MESSAGE("worst error " << compare(g, in, {.error = 3e-5, .floor = 0.1}));
  // A token before any image has no part of the media: other media change nothing of it.
  Tensors other = in;
  other["media"] = random_values({1, kMedia, 24}, 77);
  const auto a = run_checked(lower(g, {.config = "nano"}), in).at("x"), b = run_checked(lower(g, {.config = "nano"}), other).at("x");
  CHECK(same_bits({a.begin(), a.begin() + 64}, {b.begin(), b.begin() + 64}));
  CHECK(std::all_of(a.begin(), a.end(), [](float x) { return std::isfinite(x); }));
  CHECK_FALSE(same_bits({a.begin() + 64, a.end()}, {b.begin() + 64, b.end()}));
}

TEST_CASE("gates of 0 leave the language model's bits") {
  for (const char* config : {"nano", "edge"}) {
    const auto alone = run_checked(lower(language_model(-1), {.config = config}), inputs());
    const auto closed = run_checked(lower(language_model(0), {.config = config}), inputs());
    const auto open = run_checked(lower(language_model(0.5f), {.config = config}), inputs());
    CHECK(same_bits(alone.at("y"), closed.at("y")));
    CHECK(same_bits(alone.at("x"), closed.at("x")));
    CHECK_FALSE(same_bits(alone.at("x"), open.at("x")));
  }
}

TEST_CASE("features of a wrong rank are refused") {
  Graph g;
  const ValueId flat = g.input("features", DType::f32, {7, 24});
  CHECK_THROWS_WITH_AS(resampler(g, flat, kShape, random_weights()), "flamingo: features, found [7, 24], expected [images, features, width]", Error);
}
