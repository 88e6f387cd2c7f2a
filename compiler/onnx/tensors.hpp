// Tensors of the container, internal to the reader.
#pragma once
#include <filesystem>

#include "array.hpp"
#include "container.pb.h"

namespace jogak::onnx {

// `folder` is where external data lies. Checks form and size, and that weights are finite: constants whose type is
// a float type may not hold NaN; infinities are masks and stay.
Array read_tensor(const pb::Tensor& tensor, const std::filesystem::path& folder);

}  // namespace jogak::onnx
