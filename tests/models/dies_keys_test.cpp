// Attention takes its keys at once or in chunks, which differ in rounding: on packages as on one die, also where a chip is nearly full.
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

// One row of it fills all but 192 bytes of the activation scratchpad of nano when all 512 keys are taken at once. On two dies attention's rows,
// whose one KV head is padded to two, take 128 more, on four 384.
const import::LlamaHyper kNearlyFull{.layers = 1, .width = 64, .heads = 4, .kv_heads = 1, .ffn = 64640, .context = 512, .vocab = 64};

struct Bits {
  std::vector<float> logits;
  std::vector<std::uint8_t> cache;
};
Bits bits_of(int dies) {
  Session session(compile(import::synthetic_llama(kNearlyFull, 1), {.config = "nanoquad", .dies = dies}).program, "model");
  std::vector<int> prompt(260);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<int>(i * i % 61);
  return {session.feed_all(prompt), session.kv_cache()};
}

}  // namespace

TEST_CASE("a nearly full chip: keys at once as on one die while they fit, else refused by name") {
  const Bits one = bits_of(1), two = bits_of(2);
  CHECK(same_bits(two.logits, one.logits));
  CHECK(two.cache == one.cache);
  const std::string four = refusal([] { compile(import::synthetic_llama(kNearlyFull, 1), {.config = "nanoquad", .dies = 4}); });
  CHECK(four == "package: attention on 4 dies that takes all 512 keys at once, as on 1, found no room (plan: one token of this model on nanoquad with context 512, found 1304 words of vector "
                "memory, 65728 bytes of activations, expected at most 16384 and 65536), expected fewer dies, or a shorter context");
}
