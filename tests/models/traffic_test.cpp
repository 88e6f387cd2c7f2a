// What attention moves between DRAM and chip, byte by byte, as the machine's own counters have it.
#include <algorithm>

#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;
using spec::Counter;

namespace {

LlamaHyper shape(int kv_heads, int context, int head_dim = 16) {
  return {.layers = 3, .width = 64, .heads = 8, .kv_heads = kv_heads, .ffn = 96, .context = context, .vocab = 100, .head_dim = head_dim};
}

std::vector<int> some_ids(int count) {
  std::vector<int> ids;
  while (static_cast<int>(ids.size()) < count) ids.push_back(static_cast<int>((1 + ids.size() * ids.size() * 37 + ids.size() / 7) % 100));
  return ids;
}

// A launch of `rows` tokens at `position`.
LaunchRecord launch(Session& s, int position, int rows = 1) {
  s.reset();
  const auto ids = some_ids(position + rows);
  if (position > 0) (void)s.feed(std::span(ids).first(static_cast<std::size_t>(position)));
  (void)s.feed(std::span(ids).subspan(static_cast<std::size_t>(position)));
  CHECK(s.steps().back().rows == rows);
  return s.steps().back().record;
}

int round_up(int x, int to) { return (x + to - 1) / to * to; }

// Bytes of a key and its value in one layer: codes of both, 2 bytes of scale for 32 values of K, 4 for those of V.
std::uint64_t key_bytes(const LlamaHyper& h, const char* config) {
  const int cols = static_cast<int>(spec::find_config(config)->cols), k = round_up(h.head_dim, 32);
  return static_cast<std::uint64_t>(h.kv_heads * (k + k / 16 + round_up(h.head_dim, cols) + 4));
}

}  // namespace

TEST_CASE("traffic: keys and values cost what the KV heads hold, to the byte: eight query heads share two, and read a quarter") {
  for (const char* config : {"nano", "edge"})
    for (const int context : {256, 768}) {  // taken whole, and in chunks
      CAPTURE(config);
      CAPTURE(context);
      std::vector<std::uint64_t> grown;
      for (const int kv_heads : {8, 4, 2, 1}) {
        CAPTURE(kv_heads);
        const LlamaHyper h = shape(kv_heads, context);
        Session s(compile(import::synthetic_llama(h, 3), {.config = config}).program, "model");
        const auto bytes = [&](int position) { return launch(s, position)[Counter::load_bytes]; };
        const std::uint64_t near = bytes(40), far = bytes(40 + 160);  // keys are taken in blocks of 32
        CHECK(far - near == 3 * 160 * key_bytes(h, config));
        grown.push_back(far - near);
      }
      CHECK(grown[0] == 2 * grown[1]);
      CHECK(grown[0] == 4 * grown[2]);
      CHECK(grown[0] == 8 * grown[3]);
    }
}

// Stored are a token's keys and values and the logits asked for: no scores, however many keys there are.
TEST_CASE("traffic: attention writes no matrix of queries by keys") {
  for (const char* config : {"nano", "edge"})
    for (const int context : {256, 768}) {
      CAPTURE(config);
      CAPTURE(context);
      const LlamaHyper h = shape(2, context);
      const Program program = compile(import::synthetic_llama(h, 3), {.config = config}).program;
      Session s(program, "model");
      const std::uint64_t logits = program.find("logits")->shape[1] * 4;
      for (const int position : {0, 1, 100, context - 40})
        for (const int rows : {1, 7}) {
          CAPTURE(position);
          CHECK(launch(s, position, rows)[Counter::store_bytes] == static_cast<std::uint64_t>(rows) * 3 * key_bytes(h, config) + logits);
        }
    }
}

TEST_CASE("traffic: far behind a sliding window each token takes the same cycles on the RTL, and reads and writes the same bytes") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  LlamaHyper h = shape(1, 544, 160);  // heads of 160 are taken in chunks of 64 keys
  h.layers = 1, h.heads = 1, h.window = 20;
  Session s(compile(import::synthetic_llama(h, 3), {.config = "nano"}).program, "rtl");
  const auto cost = [&](int position) {
    const LaunchRecord r = launch(s, position);
    return std::vector{r[Counter::load_bytes], r[Counter::store_bytes], r[Counter::macs], r[Counter::cycles]};
  };
  const auto near = cost(100), far = cost(420), here = cost(5);
  CHECK(near == far);
  CHECK(here[3] < near[3]);
  MESSAGE("cycles of a token at position 5: ", here[3], ", 100: ", near[3], ", 420: ", far[3]);
}
