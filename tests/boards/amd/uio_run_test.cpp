// The project's own model through the UIO backend with a double of the board: the same tokens, logits and cache bytes as on
// the model. Weights, prompts and KV cache all pass the double's incoherent memory.
#include <doctest/doctest.h>

#include <filesystem>

#include "compile.hpp"
#include "driver/uio/uio.hpp"
#include "driver/uio/uio_double.hpp"
#include "import/gguf.hpp"
#include "session.hpp"

using namespace jogak;

namespace {

constexpr std::uint64_t kMemory = std::uint64_t(32) << 20;

std::unique_ptr<driver::Device> board(const std::string& config, std::shared_ptr<driver::uio::Seen> seen) {
  std::unique_ptr<driver::Device> device;
  const driver::Status s = driver::uio::open_on(driver::uio::make_double(config, kMemory, std::move(seen)), {.config = config, .memory_bytes = kMemory}, device);
  REQUIRE_MESSAGE(s.ok(), s.message());
  return device;
}

}  // namespace

TEST_CASE("uio run: tokens, logits and cache are those of the model") {
  const std::filesystem::path path = "models/jogak-stories.gguf";
  if (!std::filesystem::exists(path)) {
    MESSAGE("SKIPPED: no " << path.string());
    return;
  }
  const Program program = compile(import::read_model(path), {.config = "edge"}).program;
  const auto seen = std::make_shared<driver::uio::Seen>();
  Session model(program, "model"), uio(program, board("edge", seen));
  CHECK(uio.device().backend == "uio");
  std::vector<int> expected_ids;
  for (Session* session : {&model, &uio}) {
    const Generation g = session->generate("Once upon a time", {.tokens = 24});
    REQUIRE(g.ids.size() == 24);
    if (expected_ids.empty()) expected_ids = g.ids;
    CHECK(g.ids == expected_ids);
  }
  CHECK(uio.kv_cache() == model.kv_cache());
  const int next[] = {expected_ids.back()};
  const auto a = model.feed(next);
  const std::vector<float> logits(a.begin(), a.end());
  const auto b = uio.feed(next);
  CHECK(std::vector<float>(b.begin(), b.end()) == logits);
  CHECK(seen->mistakes.empty());
  CHECK(seen->interrupts >= 25);
  CHECK(seen->syncs > seen->interrupts);
}

TEST_CASE("uio run: a program for another configuration is refused before anything is written") {
  const std::filesystem::path path = "models/jogak-stories.gguf";
  if (!std::filesystem::exists(path)) return;
  const Program program = compile(import::read_model(path), {.config = "nano"}).program;
  CHECK_THROWS_WITH(Session(program, board("edge", std::make_shared<driver::uio::Seen>())), doctest::Contains("the program was compiled for it"));
}
