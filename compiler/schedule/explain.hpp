// What bounds each matrix of a plan, in words.
#pragma once
#include <string>

#include "plan.hpp"

namespace jogak::schedule {

// One line per matrix of each kind of layer: bytes, port cycles, array cycles for 1 row and for the most rows, and which of them binds.
std::string explain(const Plan& plan);

}  // namespace jogak::schedule
