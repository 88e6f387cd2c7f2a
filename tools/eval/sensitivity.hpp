// What each weight format costs each matrix of a model in accuracy, measured on a text or on examples.
#pragma once
#include <functional>

#include "evaluate.hpp"
#include "passes/mixed.hpp"

namespace jogak::eval {

// A model of any kind whose matrices can be rounded one by one, and how far that takes its results from those with none rounded.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual void set(const std::string& matrix, ir::Format format) = 0;
  virtual void reset(const std::string& matrix) = 0;
  virtual double divergence() = 0;
};
using Progress = std::function<void(int, int)>;  // told how many of how many passes are done
// The errors of every choice's candidates, each alone; 0 where there is only one, whose values stay as they are.
void measure(Probe& probe, std::vector<passes::Choice>& choices, const Progress& progress);

// Every matrix (ffn_gate and ffn_up of a layer together) in every format, alone: the mean divergence (nats, Kullback-Leibler) of the fp32
// decoder with these weights rounded from the one with none. A tensor whose blocks are those of the array has only its own format. Costs
// a pass over the texts for each matrix and format. `progress` is told how many of how many passes are done.
std::vector<passes::Choice> sensitivity(const ir::Graph& graph, const Texts& texts, const Progress& progress = {});
// The same with all matrices in the formats that were picked.
double divergence(const ir::Graph& graph, const Texts& texts, const std::vector<passes::Choice>& choices, const passes::Mixture& mixture);

// What was chosen, and what it costs.
struct Mixed {
  std::vector<passes::Choice> choices;
  passes::Mixture picked;
  double measured = 0;    // divergence of all together
  bool by_layer = true;   // false: every layer has the same formats, because the program holds no more bodies
};
using Fits = std::function<bool(const std::vector<std::string>&)>;
// Formats within a budget, by matrix, or by role where the layers would need more bodies of code than a program holds. An error budget is
// met by the measured divergence of all together, not by the sum. `fits` says whether a program with these rules holds its code. Throws jogak::Error where no choice meets the budget.
Mixed mix(const ir::Graph& graph, const Texts& texts, const passes::Budget& budget, const Progress& progress = {},
          const Fits& fits = {});
// The same for choices whose candidates have their bytes. most_bodies: kinds of layers in turn that a program holds, 0: any number.
Mixed mix(Probe& probe, std::vector<passes::Choice> choices, const passes::Budget& budget, int most_bodies, const Progress& progress, const Fits& fits);

}  // namespace jogak::eval
