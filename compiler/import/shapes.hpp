// Shapes of well-known models, without weights.
#pragma once
#include <filesystem>

#include "llama.hpp"

namespace jogak::import {

// gpt-oss-20b as its publisher describes it.
LlamaHyper gptoss_20b();

// Sizes and kind of the decoder that a config.json (or a folder with one) describes.
struct Shape {
  std::string name;
  LlamaHyper hyper;
  bool tied = false;
  bool mxfp4_experts = false;
};
// Throws jogak::Error as read_hf does.
Shape read_shape(const std::filesystem::path& path);

}  // namespace jogak::import
