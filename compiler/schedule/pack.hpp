// Weights in the order of use: what lies in DRAM before a launch.
#pragma once
#include <memory>
#include <vector>

#include "plan.hpp"
#include "program.hpp"

namespace jogak::schedule {

// Stream of weight slots, norm weights, rotary tables and the embedding table, and windows of experts, laid out as `plan` says. Each die of a package has
// its own, of its model (all of it, or its layers). Bytes are
// made when they are taken, a few MiB at a time; experts are quantised one by one.
std::vector<Segment> weight_segments(const std::vector<std::shared_ptr<const Llama>>& models, std::shared_ptr<const Plan> plan);

class Out;
// A window of experts, counted from 0; the part of each that this die has.
void put_experts(Out& out, const Llama& model, const Plan& plan, int window, int part);

}  // namespace jogak::schedule
