#include "order.hpp"

#include <functional>
#include <map>
#include <queue>

#include "error.hpp"

namespace jogak::onnx {

namespace {

std::map<std::string, std::size_t> makers_of(const Graph& graph) {
  std::map<std::string, std::size_t> makers;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const std::string& out : graph.nodes[i].outputs)
      if (!out.empty() && (graph.constants.count(out) || !makers.emplace(out, i).second))
        throw Error("onnx: " + graph.nodes[i].title(), "value '" + out + "'", "made twice", "one maker");
  return makers;
}

}  // namespace

void sort_nodes(Graph& graph) {
  const auto makers = makers_of(graph);
  std::map<std::string, bool> given;
  for (const Port& port : graph.inputs) given[port.name] = true;
  std::vector<std::vector<std::size_t>> users(graph.nodes.size());
  std::vector<std::size_t> missing(graph.nodes.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& in : graph.nodes[i].inputs) {
      if (in.empty() || graph.constants.count(in) || given.count(in)) continue;
      const auto maker = makers.find(in);
      if (maker == makers.end())
        throw Error("onnx: " + graph.nodes[i].title(), "input '" + in + "'", "no node that makes it",
                    "an input, a constant or an output of another node");
      users[maker->second].push_back(i);
      ++missing[i];
    }
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] == 0) ready.push(i);
  std::vector<Node> sorted;
  while (!ready.empty()) {
    const std::size_t i = ready.top();
    ready.pop();
    for (const std::size_t user : users[i])
      if (--missing[user] == 0) ready.push(user);
    sorted.push_back(graph.nodes[i]);
  }
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] != 0)
      throw Error("onnx: " + graph.nodes[i].title(), "order of nodes", "a cycle that it needs", "a graph without cycles");
  graph.nodes = std::move(sorted);
  for (const Port& port : graph.outputs)
    if (!makers.count(port.name) && !graph.constants.count(port.name) && !given.count(port.name))
      throw Error("onnx: output '" + port.name + "'", "maker", "none", "a node, an input or a constant of that name");
}

}  // namespace jogak::onnx
