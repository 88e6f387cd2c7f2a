// GGUF model files (versions 2 and 3), architecture llama. Format: ggml's docs/gguf.md.
#pragma once
#include <filesystem>
#include <span>

#include "../ir/graph.hpp"

namespace jogak::import {

// Throws jogak::Error for a broken file, another architecture, or a tensor type other than F32, F16, BF16, Q8_0, Q4_0, MXFP4.
ir::Graph read_gguf(std::span<const std::byte> file, const std::string& name);

// llama2.c's version 0 checkpoint with its tokenizer file (fp32 only).
ir::Graph read_llama2c(std::span<const std::byte> checkpoint, std::span<const std::byte> tokenizer, const std::string& name);

// By contents and suffix: .gguf, or .bin with tokenizer.bin / tok*.bin beside it.
ir::Graph read_model(const std::filesystem::path& path);

}  // namespace jogak::import
