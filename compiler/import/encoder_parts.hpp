// An encoder from a configuration and tensors by Hugging Face's names, wherever these came from.
#pragma once
#include "encoder_hf.hpp"
#include "json_file.hpp"

namespace jogak::import {

encoder::Encoder build_encoder(const Json& config, std::vector<ir::Tensor> tensors, const std::string& name, const EncoderFormats& formats, const std::string& tower);

// GGUF, architecture bert.
bool is_encoder_gguf(const std::filesystem::path& file);
encoder::Encoder read_encoder_gguf(const std::filesystem::path& file, const EncoderFormats& formats);

}  // namespace jogak::import
