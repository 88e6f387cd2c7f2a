// Weights in safetensors files: one file, or shards with an index.
#pragma once
#include <filesystem>
#include <vector>

#include "../ir/graph.hpp"

namespace jogak::import {

// All tensors of model.safetensors, or those that model.safetensors.index.json lists, F32, F16, BF16 or U8.
// Throws jogak::Error for a missing or broken file, an index that leads out of the folder, and other types of values, naming the tensor.
std::vector<ir::Tensor> read_safetensors(const std::filesystem::path& folder);

// All tensors of one file.
std::vector<ir::Tensor> read_safetensors_file(const std::filesystem::path& file);

}  // namespace jogak::import
