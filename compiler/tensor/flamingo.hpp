// The two blocks that let a language model see (Flamingo: Alayrac et al., arXiv 2204.14198), as parts of a tensor graph. Names and
// shapes of weights are those of OpenFlamingo's checkpoints; matrices are [outputs, inputs], without biases.
#pragma once
#include <functional>

#include "graph.hpp"

namespace jogak::tensor {

// Values of the weight of that name, row-major; throws where there is none of that shape.
using Weights = std::function<std::vector<float>(const std::string& name, const Shape& shape)>;

struct FlamingoShape {
  std::int64_t heads = 8, head_dim = 64, hidden_factor = 4;
  std::int64_t latents = 64, layers = 6;  // the resampler's
};

// features [images, any number, d] -> [images, latents, d]. Each layer the latents attend to the features and to themselves.
ValueId resampler(Graph& graph, ValueId features, const FlamingoShape& shape, const Weights& weights, const std::string& prefix = "perceiver.");

// x [b, m, d] (text), media [b, n, e] -> [b, m, d]: x + tanh(attn_gate) attention(norm x, media), then + tanh(ff_gate) ff(that).
// Gates of 0 leave every bit of x. seen (boolean, broadcasts to [b, 1, m, n]; -1: all) says which media a token attends to, in
// Flamingo those of the image before it; a token that sees none gets nothing added by the attention.
ValueId gated_cross_attention(Graph& graph, ValueId x, ValueId media, ValueId seen, const FlamingoShape& shape, const Weights& weights,
                              const std::string& prefix);

}  // namespace jogak::tensor
