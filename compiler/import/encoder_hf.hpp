// Encoders in the layout of Hugging Face (a folder with config.json and safetensors), and bert as GGUF.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "../encoder/model.hpp"

namespace jogak::import {

// Is it a folder whose model_type is one of an encoder (bert, vit, clip), or a GGUF file of architecture bert?
bool is_encoder(const std::filesystem::path& model);

// Weights of an encoder as its matrices are wanted.
struct EncoderFormats {
  ir::Format standard = ir::Format::int8;
  std::vector<std::pair<std::string, ir::Format>> rules = {};  // of matrices whose name contains the first; the last that fits counts
  bool keep_exact = false;  // Dense::exact
  std::optional<encoder::Pooling> pooling = {};  // in place of what the files say
};
// bert: with a head for masked words ("logits" of every row) or for classes ("logits" of the first row, through the pooler), or without ("hidden").
// vit: with classes ("logits"). clip: `tower` "text" or "vision", the projected embedding ("embedding").
// Throws jogak::Error for what is missing, broken, not of these, or without a place here, by its name.
encoder::Encoder read_encoder(const std::filesystem::path& model, const EncoderFormats& formats, const std::string& tower = "");

}  // namespace jogak::import
