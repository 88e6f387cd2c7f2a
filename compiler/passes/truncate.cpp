#include "truncate.hpp"

#include "error.hpp"

namespace jogak::passes {

ir::Graph first_layers(const ir::Graph& graph, int layers) {
  if (layers < 0 || layers > graph.layers)
    throw Error("truncate", "layers to keep", std::to_string(layers), "0 to " + std::to_string(graph.layers));
  ir::Graph out = graph;
  out.layers = layers;
  out.nodes.clear();
  std::vector<int> index;  // of each old node in the new graph; of a dropped one that of the last node kept before the cut
  int last = -1;
  for (const ir::Node& node : graph.nodes) {
    if (node.layer < layers) {
      ir::Node copy = node;
      for (int& i : copy.inputs) i = index.at(static_cast<std::size_t>(i));
      last = static_cast<int>(out.nodes.size());
      out.nodes.push_back(std::move(copy));
    }
    index.push_back(last);
  }
  return out;
}

}  // namespace jogak::passes
