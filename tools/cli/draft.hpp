// --draft of run and serve: where guesses of the next tokens come from.
#pragma once

#include <memory>

#include "cli.hpp"

namespace jogak::cli {

struct DraftOptions {
  std::string from;          // empty: no guesses
  std::string on = "model";  // the draft model's machine
  int tokens = 4;            // most guesses of a launch
};
void add_draft_options(CLI::App& command, DraftOptions& options);

// Owns what the drafter needs.
struct Draft {
  std::unique_ptr<Session> session;
  std::unique_ptr<Drafter> drafter;
};
// `lookup`: repetitions in the text; `layers:N`: the first layers of the model file; otherwise a model or program file,
// compiled as the target is.
Draft open_draft(const DraftOptions& options, const std::filesystem::path& model, const CompileOptions& compile_options, const Session& target);

}  // namespace jogak::cli
