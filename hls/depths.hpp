// Sizes of the design that its estimates of time (predict.cpp) and size (resources.cpp) need too.
#pragma once

#include <cstdint>

namespace jogak { namespace hls_depth {

constexpr std::uint32_t queue = 16;  // entries of an engine's queue
constexpr std::uint32_t kept = 8;    // rows whose sums stay in the matrix engine's foot
constexpr std::uint32_t banks = 4;   // of vector memory

}}  // namespace jogak::hls_depth
