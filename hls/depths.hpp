// Sizes of the design that its estimate of time (predict.cpp) needs too.
#pragma once

#include <cstdint>

namespace jogak { namespace hls_depth {

constexpr std::uint32_t queue = 16;  // entries of an engine's queue
constexpr std::uint32_t kept = 8;    // rows whose sums stay in the matrix engine's foot

}}  // namespace jogak::hls_depth
