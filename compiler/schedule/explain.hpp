// What bounds each part of a plan: cycles on the memory port against cycles in the array.
#pragma once
#include <string>
#include <vector>

#include "bound.hpp"
#include "plan.hpp"

namespace jogak::schedule {

// The figures of one layer of each run of equal layers, and of the output; attention by blocks of keys.
std::vector<Bound> bounds(const Plan& plan);
// The same for one row and for the most rows a launch takes, as text.
std::string explain(const Plan& plan);

}  // namespace jogak::schedule
