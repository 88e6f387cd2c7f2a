// Tensors of the container, internal to the reader.
#pragma once
#include <filesystem>

#include "array.hpp"
#include "container.pb.h"

namespace jogak::onnx {

// `folder` is where external data lies. Checks form and size.
Array read_tensor(const pb::Tensor& tensor, const std::filesystem::path& folder);
// The same for a model's constants: NaN is refused; infinities are masks and stay.
Array read_weights(const pb::Tensor& tensor, const std::filesystem::path& folder);

}  // namespace jogak::onnx
