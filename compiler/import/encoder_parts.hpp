// An encoder from a configuration and tensors by Hugging Face's names, wherever these came from.
#pragma once
#include <functional>

#include "encoder_hf.hpp"
#include "json_file.hpp"
#include "word_pieces.hpp"

namespace jogak::import {

encoder::Encoder build_encoder(const Json& config, std::vector<ir::Tensor> tensors, const std::string& name, const EncoderFormats& formats, const std::string& tower);

// The words that `read` finds, or why it refused them; a vocabulary larger than the model's is refused likewise.
encoder::Words words_of(const std::function<encoder::Words()>& read, int vocab);
// What 1_Pooling/config.json asks for, where it is there.
encoder::Pooling folder_pooling(const std::filesystem::path& model);

// GGUF, architecture bert.
bool is_encoder_gguf(const std::filesystem::path& file);
encoder::Encoder read_encoder_gguf(const std::filesystem::path& file, const EncoderFormats& formats);

}  // namespace jogak::import
