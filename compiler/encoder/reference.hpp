// The encoder's meaning in double, with the values its quantised weights have, or with those before where the reader kept them.
#pragma once
#include <vector>

#include "model.hpp"

namespace jogak::encoder {

// x: rows of `width` values. Rows behind the last layer (before the final norm, where norms come first).
// trace: gets the rows behind each layer.
using Trace = std::vector<std::vector<double>>;
std::vector<double> reference(const Encoder& model, const std::vector<float>& x, int rows, Trace* trace = nullptr);

// A whole model: of a text or an image to the head's result, row by row.
struct ReferenceInput {
  std::vector<int> ids = {}, types = {};  // types: one an id, or none
  std::vector<float> pixels = {};
};
std::vector<double> reference(const Encoder& model, const ReferenceInput& input, Trace* trace = nullptr);

}  // namespace jogak::encoder
