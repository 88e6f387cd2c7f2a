// The fast way through mm: the same bits, by host SIMD and host floats.
#pragma once

#include "execute.hpp"
#include "mm_kernel.hpp"

namespace jogak::model {

// Executes a checked, non-empty command.
void mm_fast(const MmCmd&, Env&, const MmKernel&);

}  // namespace jogak::model
