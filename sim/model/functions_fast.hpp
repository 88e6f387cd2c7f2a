// The function pipeline over many values at once, the bits of num::fexp, num::frecip and num::frsqrt.
#pragma once

#include <cstdint>

#include "npu_spec.hpp"

namespace jogak::model {

// x[i] = func(x[i]) for i < n, in whatever way this processor is fastest.
void apply_function(spec::Vfunc func, std::uint32_t* x, std::uint64_t n);

}  // namespace jogak::model
