// How a decoder uses the dies of a package: tensor-parallel, with experts whole or in parts, or as a pipeline.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../schedule/plan.hpp"
#include "board.hpp"

namespace jogak::package {

struct Placed {
  schedule::PlanOptions choices;
  schedule::Plan plan;
  std::vector<schedule::Llama> stages;  // of a pipeline: each die's layers
  std::vector<int> first_layers;        // of each die
  Stand stand = {};                     // on the package
  std::string choice = {};              // of "auto": what each way would take, as text
};

// `way`: "tensor", "experts", "pipeline", or "auto": the one whose token takes less time by prediction, of those that the decoder allows. Throws
// jogak::Error where none is left, with the reason of the first; a code that is too long, or that some dies of a pipeline cannot share, is one.
// The dies stand on the board, or on that of the dies alone, where what they send each other takes least time.
Placed place(const std::string& way, const schedule::Llama& model, const spec::Config& config, const schedule::PlanOptions& choices, int dies,
             const std::optional<Board>& board = {});

}  // namespace jogak::package
