// jogak eval of classifiers: what it takes beside the model.
#pragma once
#include "cli.hpp"
#include "mixed.hpp"
#include "tools/eval/classify.hpp"

namespace jogak::cli {

struct ClassifyArguments {
  std::string labels;
  double scale = 1, offset = 0;
  int examples = 0;
  eval::ClassifyOptions options;
};
void add_classify_options(CLI::App& command, ClassifyArguments& arguments);
void classify(const std::string& model, const std::vector<std::string>& formats, const ClassifyArguments& arguments, const MixedArguments& mixed, bool as_json);
// The same of an encoder (folder or GGUF), with the errors behind its layers.
// text: what words are hidden in, in place of labels.
struct HiddenText {
  std::string file;
  bool lines = false;
};
void classify_encoder(const std::string& model, const std::string& tower, const std::string& pooling, const HiddenText& text, const std::vector<std::string>& formats, const CompileOptions& options, const ClassifyArguments& arguments,
                      const MixedArguments& mixed, bool as_json);

}  // namespace jogak::cli
