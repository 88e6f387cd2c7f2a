#include "experts.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "error.hpp"

namespace jogak::import {
namespace {

using ir::DType;
using ir::Tensor;
using Shape = std::vector<std::int64_t>;

constexpr std::size_t kBlock = 17;  // bytes of 32 values in MXFP4: a scale, 16 pairs of codes

class Gatherer {
 public:
  Gatherer(ir::Graph& graph, const LlamaHyper& h) : h_(h) {
    for (Tensor& t : graph.tensors) {
      if (t.name.find("_exps.") == std::string::npos) rest_.push_back(std::move(t));
      else all_.emplace(t.name, std::move(t));
    }
    for (int layer = 0; layer < h.layers; ++layer) gather("blk." + std::to_string(layer) + ".ffn_");
    for (auto& [name, t] : all_) rest_.push_back(std::move(t));  // what nobody knows is refused later
    graph.tensors = std::move(rest_);
  }

 private:
  std::string shown(const std::string& name) const { return h_.name_in_file ? h_.name_in_file(name) : name; }
  Tensor take(const std::string& name, const Shape& shape) {
    const auto it = all_.find(name);
    if (it == all_.end()) throw Error("llama", "tensor " + shown(name), "nothing", "a tensor of that name");
    Tensor t = std::move(it->second);
    all_.erase(it);
    if (t.shape == shape) return t;
    throw Error("llama", "shape of " + shown(name), text(t.shape), text(shape));
  }
  static std::string text(const Shape& shape) {
    std::string s;
    for (const auto d : shape) s += (s.empty() ? "" : " x ") + std::to_string(d);
    return s;
  }
  bool has(const std::string& name) const { return all_.contains(name); }

  void gather(const std::string& b) {
    const std::int64_t e = h_.mixture.experts, f = h_.of_expert(), d = h_.width;
    if (has(b + "gate_up_exps.blocks")) {
      split(mxfp4(b + "gate_up_exps", 2 * f, d), b, ".weight");
      rest_.push_back(mxfp4(b + "down_exps", d, f));
    } else if (has(b + "gate_up_exps.weight")) {
      split(turned(take(b + "gate_up_exps.weight", {e, d, 2 * f})), b, ".weight");
      rest_.push_back(turned(take(b + "down_exps.weight", {e, f, d})));
    } else if (has(b + "gate_exps.0.weight")) {
      stack(b + "gate_exps", f, d), stack(b + "up_exps", f, d), stack(b + "down_exps", d, f);
    }
    if (has(b + "gate_up_exps.bias")) split(take(b + "gate_up_exps.bias", {e, 2 * f}), b, ".bias");
  }

  // Codes in pairs of neighbours become pairs of values 16 apart, behind their scale.
  Tensor mxfp4(const std::string& name, std::int64_t rows, std::int64_t k) {
    const std::int64_t e = h_.mixture.experts;
    if (k % 32 != 0) throw Error("llama", "columns of " + shown(name + ".blocks"), std::to_string(k), "a multiple of 32");
    const Tensor blocks = take(name + ".blocks", {e, rows, k / 32, 16}), scales = take(name + ".scales", {e, rows, k / 32});
    for (const Tensor* t : {&blocks, &scales})
      if (t->dtype != DType::u8) throw Error("llama", "type of " + shown(t->name), "floating point", "U8");
    Tensor out{name + ".weight", {e, rows, k}, DType::mxfp4, std::vector<std::byte>(scales.data.size() * kBlock)};
    for (std::size_t b = 0; b < scales.data.size(); ++b) {
      const std::byte* pairs = blocks.data.data() + b * 16;
      std::byte* to = out.data.data() + b * kBlock;
      to[0] = scales.data[b];
      const auto code = [&](std::size_t i) { return i % 2 == 0 ? pairs[i / 2] & std::byte{15} : pairs[i / 2] >> 4; };
      for (std::size_t i = 0; i < 16; ++i) to[1 + i] = code(i) | code(i + 16) << 4;
    }
    return out;
  }

  // [e][k][rows] -> [e][rows][k]
  static Tensor turned(const Tensor& t) {
    const auto e = static_cast<std::size_t>(t.shape[0]), k = static_cast<std::size_t>(t.shape[1]), rows = static_cast<std::size_t>(t.shape[2]);
    const std::size_t each = t.data.size() / (e * k * rows);
    Tensor out{t.name, {t.shape[0], t.shape[2], t.shape[1]}, t.dtype, std::vector<std::byte>(t.data.size())};
    for (std::size_t i = 0; i < e; ++i)
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < k; ++c)
          std::memcpy(&out.data[((i * rows + r) * k + c) * each], &t.data[((i * k + c) * rows + r) * each], each);
    return out;
  }

  // Even rows are the gate's, odd ones those of up.
  void split(const Tensor& t, const std::string& b, const std::string& kind) {
    const auto rows = static_cast<std::size_t>(t.shape[0] * t.shape[1]), row = t.data.size() / rows;
    Shape half = t.shape;
    half[1] /= 2;
    for (const std::size_t odd : {std::size_t{0}, std::size_t{1}}) {
      Tensor out{b + (odd == 0 ? "gate_exps" : "up_exps") + kind, half, t.dtype, std::vector<std::byte>(t.data.size() / 2)};
      for (std::size_t r = 0; r < rows / 2; ++r) std::memcpy(&out.data[r * row], &t.data[(2 * r + odd) * row], row);
      rest_.push_back(std::move(out));
    }
  }

  void stack(const std::string& name, std::int64_t rows, std::int64_t k) {
    Tensor out{name + ".weight", {h_.mixture.experts, rows, k}, DType::f32, {}};
    for (int e = 0; e < h_.mixture.experts; ++e) {
      const std::string one = name + "." + std::to_string(e) + ".weight";
      const Tensor t = take(one, {rows, k});
      if (e == 0) out.dtype = t.dtype;
      if (t.dtype != out.dtype) throw Error("llama", "type of " + shown(one), "another one", "that of the experts before it");
      out.data.append(t.data.begin(), t.data.end());
    }
    rest_.push_back(std::move(out));
  }

  const LlamaHyper& h_;
  std::map<std::string, Tensor> all_;
  std::vector<Tensor> rest_;
};

}  // namespace

void gather_experts(ir::Graph& graph, const LlamaHyper& hyper) { Gatherer(graph, hyper); }

}  // namespace jogak::import
