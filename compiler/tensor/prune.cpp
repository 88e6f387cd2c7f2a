// Magnitude pruning of weights to 2:4.
#include <set>

#include "../passes/two_of_four.hpp"
#include "lower.hpp"

namespace jogak::tensor {

std::size_t prune_two_of_four(Graph& graph) {
  std::set<std::pair<ValueId, bool>> done;
  for (const Node& n : graph.nodes()) {
    if (n.op != Op::matmul || !graph.value(n.inputs[1]).constant()) continue;
    const ValueId id = n.inputs[1];
    const bool across = n.attrs.transpose_b;
    if (!done.insert({id, across}).second) continue;
    const Shape& s = graph.shape(id);
    std::vector<float> data = *graph.value(id).data;
    const auto wide = static_cast<std::size_t>(s[s.size() - 1]), high = static_cast<std::size_t>(s[s.size() - 2]);
    const std::size_t k = across ? wide : high, rows = across ? high : wide, step = across ? 1 : wide;
    std::vector<float> row(k);
    for (std::size_t batch = 0; batch < data.size(); batch += wide * high)
      for (std::size_t r = 0; r < rows; ++r) {
        float* at = &data[batch + r * (across ? wide : 1)];
        for (std::size_t i = 0; i < k; ++i) row[i] = at[i * step];
        passes::prune_row(row);
        for (std::size_t i = 0; i < k; ++i) at[i * step] = row[i];
      }
    graph.replace(id, std::move(data));
  }
  return done.size();
}

}  // namespace jogak::tensor
