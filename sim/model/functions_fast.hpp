// The function pipeline: one value, and many at once with the same bits.
#pragma once

#include <cstdint>

#include "npu_spec.hpp"
#include "numerics.hpp"

namespace jogak::model {

inline std::uint32_t apply_function(spec::Vfunc func, std::uint32_t x) {
  switch (func) {
    case spec::Vfunc::exp: return num::fexp(x);
    case spec::Vfunc::recip: return num::frecip(x);
    case spec::Vfunc::rsqrt: return num::frsqrt(x);
    case spec::Vfunc::none: break;
  }
  return x;
}

// x[i] = func(x[i]) for i < n, in whatever way this processor is fastest.
void apply_function(spec::Vfunc func, std::uint32_t* x, std::uint64_t n);

}  // namespace jogak::model
