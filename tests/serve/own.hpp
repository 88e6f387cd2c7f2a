// The project's own model, compiled once.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>

#include "compile.hpp"
#include "import/gguf.hpp"
#include "passes/truncate.hpp"
#include "session.hpp"

namespace jogak::tests {

inline const std::filesystem::path kOwnModel = "models/jogak-stories.gguf";

inline bool own_model_present() {
  const bool there = std::filesystem::exists(kOwnModel);
  if (!there) MESSAGE("SKIPPED: no " << kOwnModel.string());
  return there;
}
inline const ir::Graph& own_graph() {
  static const ir::Graph graph = import::read_model(kOwnModel);
  return graph;
}
// On nano, with all its layers or the first few.
inline Program own_program(int layers = -1) {
  return compile(layers < 0 ? own_graph() : passes::first_layers(own_graph(), layers), {.config = "nano"}).program;
}

}  // namespace jogak::tests
