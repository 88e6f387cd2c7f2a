// Weights in the order of use: the bytes of window 0.
#pragma once
#include <cstddef>
#include <vector>

#include "plan.hpp"

namespace jogak::schedule {

// Stream of weight slots, norm weights, rotary tables and the embedding table, laid out as `plan` says.
std::vector<std::byte> pack_weights(const Llama& model, const Plan& plan);

// A window of experts, counted from 0. Matrices are quantised one by one: no more than this window and one of them are in memory.
std::vector<std::byte> pack_experts(const Llama& model, const Plan& plan, int window);

}  // namespace jogak::schedule
