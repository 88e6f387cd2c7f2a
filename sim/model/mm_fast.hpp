// The fast way through mm: the same bits, by host SIMD and host floats.
#pragma once

#include "execute.hpp"
#include "mm_kernel.hpp"

namespace jogak::model {

// False where two stored values that are not zero choose the same activation, which a dense tile cannot hold.
bool mm_fast_takes(const MmCmd&, const Env&);
// Executes a checked, non-empty command, of the sparse ones those that mm_fast_takes().
void mm_fast(const MmCmd&, Env&, const MmKernel&);

}  // namespace jogak::model
