// The encoder's meaning in double, with the values its quantised weights have; for tests and comparisons.
#pragma once
#include <vector>

#include "model.hpp"

namespace jogak::encoder {

// x: rows of `width` values. Rows behind the last layer (before the final norm, where norms come first).
std::vector<double> reference(const Encoder& model, const std::vector<float>& x, int rows);

// A whole model: of a text or an image to the head's result, row by row.
struct ReferenceInput {
  std::vector<int> ids = {}, types = {};  // types: one an id, or none
  std::vector<float> pixels = {};
};
std::vector<double> reference(const Encoder& model, const ReferenceInput& input);

}  // namespace jogak::encoder
