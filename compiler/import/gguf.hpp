// GGUF model files (versions 2 and 3), decoders (gguf.cpp lists the architectures). Format: ggml's docs/gguf.md.
#pragma once
#include <filesystem>
#include <memory>
#include <span>

#include "../ir/graph.hpp"

namespace jogak::import {

// Throws jogak::Error for a broken file, another architecture, an unknown tensor type, or tensors that are missing or have no place.
// With `keep`, which keeps `file` where it is, tensors are parts of it; otherwise they are copied.
ir::Graph read_gguf(std::span<const std::byte> file, const std::string& name, std::shared_ptr<const void> keep = nullptr);

// llama2.c's version 0 checkpoint with its tokenizer file (fp32 only).
ir::Graph read_llama2c(std::span<const std::byte> checkpoint, std::span<const std::byte> tokenizer, const std::string& name);

// By contents and suffix: .gguf, .bin with tokenizer.bin / tok*.bin beside it, or a folder in Hugging Face's layout (hf.hpp).
ir::Graph read_model(const std::filesystem::path& path);

}  // namespace jogak::import
