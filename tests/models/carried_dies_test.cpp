// Compiled programs on packages whose mesh has memory and io dies beside the program's.
#include <algorithm>

#include "driver/package.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const std::filesystem::path kOwn = "models/jogak-stories.gguf";

bool present() {
  const auto backends = driver::package_backends();
  const bool there = std::filesystem::exists(kOwn) && std::find(backends.begin(), backends.end(), "systemc") != backends.end();
  if (!there) MESSAGE("SKIPPED: no " << kOwn.string() << ", or a build without SystemC");
  return there;
}

}  // namespace

TEST_CASE("a program for two dies on packages with dies between them: its tokens and KV cache, later") {
  if (!present()) return;
  const std::vector<int> prompt = {1, 403, 407};
  const std::pair<const char*, const char*> packages[] = {{"quad", "io-pair.yaml"}, {"nanoquad", "memory-corner.yaml"}};
  for (const auto& [config, file] : packages) {
    CAPTURE(file);
    const Program program = compiled(kOwn, {.config = config, .context = 32, .dies = 2});
    Session exact(program, "model"), beside(program, std::string("systemc:") + (config == std::string("quad") ? "lpddr5-6400" : "lpddr4-4266"));
    Session far(program, std::string("systemc:boards/packages/") + file);
    const std::vector<int> ids = exact.generate(prompt, {.tokens = 3, .stop_at_end = false}).ids;
    CHECK(beside.generate(prompt, {.tokens = 3, .stop_at_end = false}).ids == ids);
    CHECK(far.generate(prompt, {.tokens = 3, .stop_at_end = false}).ids == ids);
    CHECK(far.kv_cache() == exact.kv_cache());
    CHECK(far.dies() == 2);
    const auto cycles = [](const Session& s) { return s.steps().back().record[spec::Counter::cycles]; };
    CHECK(cycles(far) > cycles(beside));
    // Dies that only carry have the numbers behind the program's.
    for (std::size_t die = 0; die < 2; ++die) {
      const auto links = far.links(die);
      REQUIRE_FALSE(links.empty());
      for (const driver::LinkUse& l : links) CHECK(l.to >= 2);
      CHECK(std::ranges::any_of(links, [](const driver::LinkUse& l) { return l.payload_bytes > 0; }));
    }
  }
}

TEST_CASE("a program for more dies than a package's compute dies is refused, which are named") {
  if (!present()) return;
  std::vector<std::unique_ptr<driver::Device>> dies;
  const auto refusal = [&](std::uint32_t columns, std::uint32_t rows, std::uint64_t bytes) {
    return driver::open_package({.backend = "systemc:boards/packages/memory-corner.yaml", .config = "nanoquad", .columns = columns, .rows = rows, .memory_bytes = bytes}, dies).message();
  };
  CHECK(refusal(2, 2, 1 << 20) == "package memory-corner: program, found one for 4 dies, expected one for its 2 compute dies (first, second)");
  CHECK(refusal(2, 1, 1 << 25) == "package memory-corner: memory of die first, found 16777216 bytes, expected 33554432 at least");
  CHECK(refusal(2, 1, 1 << 20).empty());
  CHECK(dies.size() == 2);
}
