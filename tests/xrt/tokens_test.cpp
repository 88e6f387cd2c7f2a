// The project's own model through driver/xrt, the real XRT libraries and a simulated card: the tokens, logits and cache of the model.
// Started by jogak-xrt-sim; JOGAK_XRT_TEST_CONFIG and _TOKENS say what is on the card.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "compile.hpp"
#include "import/gguf.hpp"
#include "session.hpp"

using namespace jogak;

TEST_CASE("xrt run: tokens, logits and cache are those of the model") {
  const std::filesystem::path path = "models/jogak-stories.gguf";
  const char *xclbin = std::getenv("JOGAK_XCLBIN"), *config = std::getenv("JOGAK_XRT_TEST_CONFIG"), *tokens = std::getenv("JOGAK_XRT_TEST_TOKENS");
  REQUIRE((xclbin != nullptr && config != nullptr && tokens != nullptr));
  if (!std::filesystem::exists(path)) {
    MESSAGE("SKIPPED: no " << path.string());
    return;
  }
  const int count = std::atoi(tokens);
  const Program program = compile(import::read_model(path), {.config = config, .context = 64, .max_rows = 8}).program;
  Session model(program, "model"), card(program, std::string("xrt:") + xclbin);
  CHECK(card.device().backend == "xrt");
  const Generation a = model.generate("Once", {.tokens = count, .stop_at_end = false});
  const Generation b = card.generate("Once", {.tokens = count, .stop_at_end = false});
  REQUIRE(a.ids.size() == static_cast<std::size_t>(count));
  CHECK(a.ids == b.ids);
  CHECK(card.kv_cache() == model.kv_cache());
  const int next[] = {a.ids.back()};
  const auto x = model.feed(next);
  const std::vector<float> logits(x.begin(), x.end());
  const auto y = card.feed(next);
  CHECK(std::vector<float>(y.begin(), y.end()) == logits);
}
