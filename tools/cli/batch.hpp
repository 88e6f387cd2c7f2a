// run --batch: the prompts of a file, several a launch.
#pragma once

#include "board.hpp"

namespace jogak::cli {

struct BatchArguments {
  std::filesystem::path file;  // a prompt a line; empty lines are left out
  std::string on, lora, package;  // lora: an adapter's folder, package: the file behind `on`, or empty
  GenerateOptions generate;
  bool json = false;
};
// A JSON object a prompt, or prompt and text; in the order of the file.
void run_batch(const std::filesystem::path& model, CompileOptions options, Given given, const BatchArguments& arguments);

}  // namespace jogak::cli
