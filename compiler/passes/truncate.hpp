// A model's first layers as a model of its own: a drafter for the whole one, or the place where an error begins.
#pragma once
#include "../ir/graph.hpp"

namespace jogak::passes {

// The graph without layers `layers` .. graph.layers - 1: what follows the last layer then follows layer layers - 1 (the
// embedding for 0). Throws jogak::Error for a number of layers that the graph does not have.
ir::Graph first_layers(const ir::Graph& graph, int layers);

}  // namespace jogak::passes
