// From logits to the next token.
#pragma once

#include <cstdint>
#include <span>

namespace jogak {

struct Sampling {
  float temperature = 0;  // 0: the best token, the first of equals
  float top_p = 1;        // only the most likely tokens whose probabilities add up to this
  std::uint64_t seed = 1;
};

class Sampler {
 public:
  // Throws jogak::Error for a negative temperature or a top_p outside 0..1.
  explicit Sampler(const Sampling& sampling);
  int pick(std::span<const float> logits);

 private:
  Sampling sampling_;
  std::uint64_t state_;
};

int best(std::span<const float> logits);

}  // namespace jogak
