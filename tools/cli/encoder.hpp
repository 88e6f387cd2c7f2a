// Encoders on the command line: folders of bert, vit and clip, and their programs.
#pragma once
#include "onnx.hpp"

namespace jogak::cli {

struct EncoderArguments {
  OnnxArguments files;  // model, inputs, outputs and comparison, as for ONNX
  CompileOptions options;
  std::string tower;    // of a clip folder
};

// A folder of an encoder, or a program made of one.
bool is_encoder_model(const std::string& path);
// --tower, --merge-tokens.
void add_encoder_options(CLI::App& command, std::string& tower, CompileOptions& options);
// Writes the program where a file is named.
void compile_encoder(const EncoderArguments& arguments);
// One launch a sequence or image. Returns 0, or 1 where the output differs from what --compare gives.
int run_encoder(const EncoderArguments& arguments);

}  // namespace jogak::cli
