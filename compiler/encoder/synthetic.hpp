// Random encoders of given sizes, for tests and benchmarks.
#pragma once
#include <cstdint>

#include "model.hpp"

namespace jogak::encoder {

struct Shape {
  int layers = 1, width = 64, heads = 4, ffn = 128, context = 32;
  bool norm_first = false, causal = false;
  Activation activation = Activation::gelu;
  int merge = 0;
};
// Rows as input, no head; weights of variance 1 / k and biases, in `format`. Their fp32 values are the quantised ones.
Encoder synthetic(const Shape& shape, ir::Format format, std::uint64_t seed);

}  // namespace jogak::encoder
