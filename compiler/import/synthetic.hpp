// Llama models of any shape with random weights, for benchmarks and tests.
#pragma once
#include "llama.hpp"

namespace jogak::import {

// fp32 weights, uniform with standard deviation 1 / sqrt(k), norms of 1, experts MXFP4; the same seed gives the same model everywhere.
// The vocabulary is letters: token i is the letter i mod 26.
ir::Graph synthetic_llama(const LlamaHyper& hyper, std::uint64_t seed);

}  // namespace jogak::import
