// A model in the machine's arithmetic against itself in fp32: perplexity, agreement, and the error behind every layer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compile.hpp"
#include "session.hpp"

namespace jogak::eval {

using Texts = std::vector<std::vector<int>>;  // token ids; all but the first of each are predicted

// lines: each line is a text, begin and end tokens around it, cut at context + 1 (the last one is only predicted).
// Otherwise the whole is cut into windows of that length, each after a begin token. most: tokens to predict, 0: all.
// Throws jogak::Error where nothing can be predicted.
Texts cut(const std::string& text, const Tokenizer& tokenizer, int context, bool lines, int most);

struct Quality {
  double perplexity = 0;
  double same_best = 1;    // share of predictions with fp32's best token
  double divergence = 0;   // mean Kullback-Leibler divergence from fp32, nats
};
struct Comparison {
  int tokens = 0;          // predicted
  Quality exact;           // the fp32 reference
  std::vector<Quality> machines;
};
// Logits after every id, from a new start. Throws jogak::Error after an abort.
std::vector<float> logits_of(Session& session, std::span<const int> ids);
// Every machine on every text, beside the fp32 decoder.
Comparison compare(const ir::Graph& graph, const std::vector<Session*>& machines, const Texts& texts);

// The residual stream behind the first layers, as the machine has it: the model is compiled with these layers only, a norm
// without weights and a head that hands the features through. What is compared is the normalised stream; reading it costs
// one quantisation to int8, whose error is that of 0 layers (the embedding is exact).
struct LayerError {
  int layer = -1;       // -1: reading alone
  std::string name;     // "blk.2"
  double error = 0;     // root of the mean square of the difference, relative to that of the fp32 stream
  double added = 0;     // what this layer adds: root of the difference of squares to the row before; 0 where it shrinks
};
std::vector<LayerError> layer_errors(const ir::Graph& graph, const CompileOptions& options, const std::string& backend, const Texts& texts);
// The layer that adds most; null if there is none.
const LayerError* worst(const std::vector<LayerError>& errors);

// The graph cut behind `layers` layers, whose logits are features first .. first + vocab - 1 of the normalised stream.
ir::Graph reading_graph(const ir::Graph& graph, int layers, int first);

}  // namespace jogak::eval
