#include "synthetic.hpp"

#include <cmath>
#include <cstring>

#include "../passes/quantize.hpp"

namespace jogak::encoder {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // Uniform, mean 0, of this standard deviation.
  float operator()(double deviation) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<float>((static_cast<double>((z ^ (z >> 31)) >> 40) * 0x1p-24 - 0.5) * std::sqrt(12.0) * deviation);
  }

 private:
  std::uint64_t state_;
};

Dense dense(Random& random, int n, int k, ir::Format format, int group = 0) {
  ir::Tensor t{"w", {n, k}, ir::DType::f32, std::vector<std::byte>(static_cast<std::size_t>(n) * static_cast<std::size_t>(k) * 4)};
  for (std::size_t i = 0; i < t.data.size(); i += 4) {
    const float x = random(1 / std::sqrt(static_cast<double>(k)));
    std::memcpy(t.data.data() + i, &x, 4);
  }
  Dense d{std::make_shared<ir::QMatrix>(passes::quantize(t, format, group)), {}};
  for (int i = 0; i < n; ++i) d.bias.push_back(random(0.2));
  return d;
}

Norm norm(Random& random, int width) {
  Norm n;
  for (int i = 0; i < width; ++i) n.weight.push_back(1 + random(0.2)), n.bias.push_back(random(0.2));
  return n;
}

}  // namespace

Encoder synthetic(const Shape& s, ir::Format format, std::uint64_t seed) {
  Random random(seed);
  Encoder e;
  e.name = "synthetic", e.architecture = s.norm_first ? "vit" : "bert";
  e.width = s.width, e.heads = s.heads, e.head_dim = s.width / s.heads, e.ffn = s.ffn, e.context = s.context, e.eps = 1e-6f;
  e.merge = s.merge;
  e.norm_first = s.norm_first, e.causal = s.causal, e.activation = s.activation;
  if (s.norm_first) e.first = norm(random, s.width);
  for (int i = 0; i < s.layers; ++i) {
    const auto square = [&] { return dense(random, s.width, s.width, format); };
    Layer l;
    l.q = square(), l.k = square(), l.v = square();
    l.o = dense(random, s.width, s.width, format, e.head_dim);
    l.up = dense(random, s.ffn, s.width, format), l.down = dense(random, s.width, s.ffn, format);
    l.middle = norm(random, s.width), l.end = norm(random, s.width);
    e.layers.push_back(std::move(l));
  }
  return e;
}

}  // namespace jogak::encoder
