// Float formats of 16 bits and fewer, as ONNX defines them.
#pragma once
#include <cstdint>

#include "array.hpp"

namespace jogak::onnx {

struct MiniFloat {
  int exponent, mantissa, bias;
  enum Special { ieee, nan_only, negative_zero_is_nan, none, power } special;
};

const MiniFloat* minifloat(Type type);  // null for other types
double decode(const MiniFloat& format, std::uint32_t code);
// Nearest, ties to even. Too large becomes the largest value, or, without saturation and in formats of 16 bits, infinity
// or what stands for it: NaN.
std::uint32_t encode(const MiniFloat& format, double value, bool saturate = true);
double largest(const MiniFloat& format);

}  // namespace jogak::onnx
