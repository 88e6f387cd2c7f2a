#include "two_of_four.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "codes.hpp"
#include "error.hpp"
#include "quantize.hpp"

namespace jogak::passes {

bool compress_row(std::span<const float> w, std::span<float> stored, std::span<std::uint8_t> index) {
  for (std::size_t pair = 0; pair < stored.size() / 2; ++pair) {
    const auto value = [&](std::size_t i) { return 4 * pair + i < w.size() ? w[4 * pair + i] : 0.0f; };
    std::uint8_t chosen[2] = {0, 1};
    std::size_t count = 0;
    for (std::uint8_t i = 0; i < 4; ++i) {
      if (value(i) == 0) continue;
      if (count == 2) return false;
      chosen[count++] = i;
    }
    if (count == 1) chosen[1] = chosen[0] == 0 ? 1 : 0;
    std::sort(chosen, chosen + 2);
    for (std::size_t i = 0; i < 2; ++i) stored[2 * pair + i] = value(chosen[i]), index[2 * pair + i] = chosen[i];
  }
  return true;
}

void prune_row(std::span<float> w) {
  for (std::size_t first = 0; first < w.size(); first += 4) {
    const std::size_t count = std::min<std::size_t>(4, w.size() - first);
    std::size_t order[4] = {0, 1, 2, 3};
    std::stable_sort(order, order + count, [&](std::size_t a, std::size_t b) { return std::fabs(w[first + a]) > std::fabs(w[first + b]); });
    for (std::size_t i = 2; i < count; ++i) w[first + order[i]] = 0;
  }
}

std::optional<TwoOfFour> compress(const ir::Tensor& tensor) {
  const std::int64_t n = tensor.shape[0], k = tensor.shape[1], wide = stored_of(k);
  const std::vector<float> w = finite_float(tensor);
  std::vector<float> stored(static_cast<std::size_t>(n * wide));
  TwoOfFour out{{}, std::vector<std::uint8_t>(stored.size())};
  for (std::int64_t row = 0; row < n; ++row) {
    const auto at = static_cast<std::size_t>(row * wide), count = static_cast<std::size_t>(wide);
    if (!compress_row({&w[static_cast<std::size_t>(row * k)], static_cast<std::size_t>(k)}, {&stored[at], count}, {&out.index[at], count})) return std::nullopt;
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(stored.data());
  out.stored = {tensor.name, {n, wide}, ir::DType::f32, ir::Bytes(bytes, bytes + stored.size() * 4)};
  return out;
}

std::optional<ir::QMatrix> quantize_two_of_four(const ir::Tensor& t, ir::Format format) {
  if (kept_format(t.dtype) || t.shape.size() != 2 || t.shape[0] == 0 || t.shape[1] % 64 != 0) return std::nullopt;
  std::vector<float> row(static_cast<std::size_t>(t.shape[1])), stored(row.size() / 2);
  std::vector<std::uint8_t> index(stored.size());
  to_float(t, 0, row);
  if (!compress_row(row, stored, index)) return std::nullopt;  // most have none: one row says so
  auto whole = compress(t);
  if (!whole) return std::nullopt;
  ir::QMatrix m = quantize(whole->stored, format, 0);
  m.index = std::move(whole->index);
  return m;
}

namespace {

// Matrices of a decoder whose activations are quantised by 64.
template <class F>
void each_matrix(ir::Graph& graph, const F& f) {
  const auto mixture = [](const ir::Node& n) { return n.op == ir::Op::experts; };
  if (std::any_of(graph.nodes.begin(), graph.nodes.end(), mixture)) return;
  for (ir::Node& node : graph.nodes)
    if (node.op == ir::Op::linear && node.head_dim % 64 == 0) f(node, graph.tensors[static_cast<std::size_t>(node.weights.at(0))]);
}

// Of ffn_gate that of ffn_up and the other way, with which it shares weight slots; of others its own.
std::string partner(const std::string& name) {
  for (const auto& [from, to] : {std::pair{"ffn_gate", "ffn_up"}, std::pair{"ffn_up", "ffn_gate"}})
    if (name.ends_with(from)) return name.substr(0, name.size() - std::string(from).size()) + to;
  return name;
}

}  // namespace

void use_two_of_four(ir::Graph& graph) {
  std::map<std::string, std::shared_ptr<const ir::QMatrix>> found;
  std::set<std::string> names;
  each_matrix(graph, [&](const ir::Node& node, const ir::Tensor& t) {
    names.insert(node.name);
    if (auto m = quantize_two_of_four(t, node.matrix->format)) found[node.name] = std::make_shared<const ir::QMatrix>(std::move(*m));
  });
  each_matrix(graph, [&](ir::Node& node, const ir::Tensor&) {
    const std::string other = partner(node.name);
    if (found.contains(node.name) && (!names.contains(other) || found.contains(other))) node.matrix = found[node.name];
  });
}

void prune_two_of_four(ir::Graph& graph) {
  bool any = false;
  each_matrix(graph, [&](ir::Node& node, ir::Tensor& t) {
    if (node.layer < 0) return;  // the head may be the embedding
    if (kept_format(t.dtype)) throw Error("prune", "type of " + t.name, "blocks that carry over", "a type of floats");
    if (t.shape.at(1) % 64 != 0) return;
    std::vector<float> w = finite_float(t);
    const auto k = static_cast<std::size_t>(t.shape[1]);
    for (std::size_t at = 0; at < w.size(); at += k) prune_row(std::span(w).subspan(at, k));
    const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
    any = true;
    t.dtype = ir::DType::f32, t.data = ir::Bytes(bytes, bytes + w.size() * 4);
  });
  if (!any) throw Error("prune", "matrices of the decoder", "none that can be", "rows of a multiple of 64 values, in a decoder without experts");
}

void put_indices(std::span<const std::uint8_t> index, int c, int cols, std::byte* out) {
  for (int k = 0; k < 32; ++k) {
    const int at = k * cols + c;
    out[at / 4] |= static_cast<std::byte>(index[static_cast<std::size_t>(k)] << at % 4 * 2);
  }
}

}  // namespace jogak::passes
