// What each weight format costs each matrix of a decoder in accuracy, measured on a text.
#pragma once
#include <functional>

#include "evaluate.hpp"
#include "passes/mixed.hpp"

namespace jogak::eval {

// Every matrix (ffn_gate and ffn_up of a layer together) in every format, alone: the mean divergence (nats, Kullback-Leibler) of the fp32
// decoder with these weights rounded from the one with none. A tensor whose blocks are those of the array has only its own format. Costs
// a pass over the texts for each matrix and format. `progress` is told how many of how many passes are done.
std::vector<passes::Choice> sensitivity(const ir::Graph& graph, const Texts& texts, const std::function<void(int, int)>& progress = {});
// The same with all matrices in the formats that were picked.
double divergence(const ir::Graph& graph, const Texts& texts, const std::vector<passes::Choice>& choices, const passes::Mixture& mixture);

struct Mixed {
  std::vector<passes::Choice> choices;
  passes::Mixture picked;
  double measured = 0;    // divergence of all together
  bool by_layer = true;   // false: every layer has the same formats, because the program holds no more bodies
};
// Formats within a budget, by matrix, or by role where the layers would need more bodies of code than a program holds. An error budget is
// met by the measured divergence of all together, not by the sum. `fits` says whether a program with these rules holds its code. Throws jogak::Error where no choice meets the budget.
Mixed mix(const ir::Graph& graph, const Texts& texts, const passes::Budget& budget, const std::function<void(int, int)>& progress = {},
          const std::function<bool(const std::vector<std::string>&)>& fits = {});

}  // namespace jogak::eval
