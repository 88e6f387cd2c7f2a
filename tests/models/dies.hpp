// What programs for packages give, bit by bit.
#pragma once

#include "shared.hpp"

namespace jogak::tests {

// Tokens, logits and KV cache of a prompt, in launches of all the rows there are and of one, on the exact model.
struct Bits {
  std::vector<float> logits;
  std::vector<std::uint8_t> cache;
  std::vector<int> ids;
};

inline Bits bits_of(const Program& program, const std::vector<int>& prompt, int tokens) {
  Session session(program, "model");
  CHECK(session.dies() == program.mesh.dies());
  Bits b;
  b.logits = session.feed_all(prompt);
  session.reset();
  b.ids = session.generate(prompt, {.tokens = tokens, .stop_at_end = false}).ids;
  b.cache = session.kv_cache();
  if (session.language_model().pipeline()) {  // in several launches, which overlap
    session.reset();
    session.limit_rows(4);
    session.clear_steps();
    CHECK(session.generate(prompt, {.tokens = tokens, .stop_at_end = false}).ids == b.ids);
    CHECK(session.steps().size() == (prompt.size() + 3) / 4 + session.dies() - 1 + static_cast<std::size_t>(tokens) - 1);
    CHECK(session.kv_cache() == b.cache);
  }
  return b;
}

}  // namespace jogak::tests
