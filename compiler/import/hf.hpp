// Models in the layout of Hugging Face: a folder with config.json, tokenizer.json and safetensors.
#pragma once
#include <filesystem>

#include "../ir/graph.hpp"
#include "shapes.hpp"

namespace jogak::import {

// Model types llama, mistral, qwen2, qwen3, qwen3_moe, gpt_oss, phi3 and gemma. Throws jogak::Error for what is missing, broken or no decoder of these, by its name.
ir::Graph read_hf(const std::filesystem::path& folder);

// What config.json alone says: of a folder, or the file itself. Throws likewise.
Shape read_hf_shape(const std::filesystem::path& path);

// tokenizer.json with a BPE model, byte-level or with byte fallback. Sets no begin or end tokens but the one put in front of every text.
ir::Vocabulary read_hf_tokenizer(const std::filesystem::path& file);

// How the model wants conversations (Jinja): chat_template.jinja, else the (default) one in tokenizer_config.json, else nothing.
std::string read_chat_template(const std::filesystem::path& folder);

}  // namespace jogak::import
