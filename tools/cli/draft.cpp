#include "draft.hpp"

#include <charconv>

#include "import/gguf.hpp"
#include "passes/truncate.hpp"

namespace jogak::cli {
namespace {

constexpr const char* kLayers = "layers:";

Program first_layers_program(const std::string& text, const std::filesystem::path& model, const CompileOptions& options) {
  int layers = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layers);
  if (error != std::errc() || end != text.data() + text.size()) throw Error("draft", "number of layers", text, "such as layers:2");
  if (model.extension() == ".jgk") throw Error("draft", "layers of " + model.filename().string(), "a program file", "a model file, which can be compiled again");
  return compile(passes::first_layers(import::read_model(model), layers), options).program;
}

}  // namespace

void add_draft_options(CLI::App& command, DraftOptions& options) {
  command.add_option("--draft", options.from,
                     "Guess the next tokens and check several in a launch; the tokens stay the same. From: lookup (repetitions in the text), "
                     "a smaller model's file, or layers:N (the first layers of this one)");
  command.add_option("--draft-tokens", options.tokens, "Most guesses of a launch")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_option("--draft-on", options.on, "Backend of the draft model: a machine of its own")->capture_default_str();
}

Draft open_draft(const DraftOptions& options, const std::filesystem::path& model, const CompileOptions& compile_options, const Session& target) {
  Draft draft;
  if (options.from.empty()) return draft;
  if (options.from == "lookup") {
    draft.drafter = std::make_unique<LookupDrafter>();
    return draft;
  }
  CompileOptions with = compile_options;
  with.format_of.clear();  // these name matrices of the target
  with.parallel = "auto";  // what does for the target may not for fewer layers
  const Program program = options.from.starts_with(kLayers) ? first_layers_program(options.from.substr(std::string(kLayers).size()), model, with)
                                                            : load(options.from, with, {});
  draft.session = std::make_unique<Session>(program, options.on);
  draft.drafter = std::make_unique<ModelDrafter>(*draft.session, target);
  return draft;
}

}  // namespace jogak::cli
