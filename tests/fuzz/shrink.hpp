// Smaller programs that still go wrong.
#pragma once

#include <functional>

#include "generate.hpp"

namespace jogak::fuzz {

// Drops units of lines, then single lines, as long as the program is legal, ends the same way in the model and
// `fails`. At most `tries` runs of it.
Case shrink(Case c, Oracle& oracle, const std::function<bool(const Case&)>& fails, u32 tries);

}  // namespace jogak::fuzz
