// Encoders on the command line: folders of bert, vit and clip, and their programs.
#pragma once
#include "mixed.hpp"
#include "onnx.hpp"
#include "tools/eval/encoders.hpp"

namespace jogak::cli {

struct EncoderArguments {
  OnnxArguments files;  // model, inputs, outputs and comparison, as for ONNX
  CompileOptions options;
  std::string tower;    // of a clip folder
  MixedArguments mixed = {};  // compile
  std::string prompt = {};    // run: text in place of ids
  std::string pooling = {};   // none, mean or cls, in place of what the files say
};

// A folder of an encoder, or a program made of one.
bool is_encoder_model(const std::string& path);
// --tower, --pooling, --merge-tokens.
void add_encoder_options(CLI::App& command, std::string& tower, std::string& pooling, CompileOptions& options);
// The model's file or folder, cut and merged as the options ask.
eval::ReadEncoder reader(const std::string& model, const std::string& tower, const std::string& pooling, const CompileOptions& options);
// Formats within the budget; empty where nothing is asked for.
std::optional<eval::Mixed> mix(const eval::ReadEncoder& read, const MixedArguments& arguments, const CompileOptions& options);
// Writes the program where a file is named.
void compile_encoder(const EncoderArguments& arguments);
// One launch a sequence or image. Returns 0, or 1 where the output differs from what --compare gives.
int run_encoder(const EncoderArguments& arguments);

}  // namespace jogak::cli
