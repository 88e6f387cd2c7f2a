// Weights in the order of use: the bytes of window 0.
#pragma once
#include <cstddef>
#include <vector>

#include "plan.hpp"

namespace jogak::schedule {

// Stream of weight slots, norm weights, rotary tables and the embedding table, laid out as `plan` says.
std::vector<std::byte> pack_weights(const Llama& model, const Plan& plan);

}  // namespace jogak::schedule
