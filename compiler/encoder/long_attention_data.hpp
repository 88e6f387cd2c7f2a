// Random operands of a LongAttention and what comes out of them, for tests and benchmarks.
#pragma once
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "long_attention.hpp"
#include "numerics.hpp"

namespace jogak::encoder {

// Fills window 0 (`memory` begins with it) for `keys` keys; returns the exact result [queries][head_dim].
inline std::vector<double> fill_attention(const LongAttention& a, int keys, std::span<std::uint8_t> memory) {
  std::uint32_t state = 99;
  const auto random = [&] { return static_cast<int>((state = state * 1664525u + 1013904223u) >> 16 & 255) - 128; };
  const auto put = [&](std::size_t at, const auto& x) { std::memcpy(memory.data() + at, &x, sizeof x); };
  const int d = a.head_dim, c = static_cast<int>(a.config.cols), blocks = a.padded() / 32;
  std::vector<float> q(static_cast<std::size_t>(a.queries * d)), k(static_cast<std::size_t>(keys * d)), v = k;
  const auto at = [](long long i) { return static_cast<std::size_t>(i); };
  for (int i = 0; i < a.queries; ++i)
    for (int j = 0; j < d; ++j) put(at(4LL * (i * a.words() + j)), q[at(i * d + j)] = static_cast<float>(random()) / 50);
  for (int t = 0; t < keys; ++t) {
    for (int b = 0; b < blocks; ++b) {
      const auto scale = static_cast<std::uint16_t>(0x3c00 + (random() & 0x7f));  // bf16 near 1/128
      const float s = std::bit_cast<float>(num::bf16_to_f32(scale));
      put(a.at_ks() + at(2LL * (b * a.keys + t)), scale);
      for (int j = 0; j < 32; ++j) {
        const auto code = static_cast<std::int8_t>(b * 32 + j < d ? std::max(random(), -127) : 0);
        put(a.at_k() + at(32LL * (b * a.keys + t) + j), code);
        if (b * 32 + j < d) k[at(t * d + b * 32 + j)] = code * s;
      }
    }
    const float s = static_cast<float>(random() + 200) / 16384;
    put(a.at_vs() + at(4LL * t), s);
    for (int j = 0; j < a.words(); ++j) {
      const auto code = static_cast<std::int8_t>(j < d ? std::max(random(), -127) : 0);
      put(a.at_v() + at((j / c * static_cast<long long>(a.keys) + t) * c + j % c), code);
      if (j < d) v[at(t * d + j)] = code * s;
    }
  }
  std::vector<double> out(q.size()), p(at(keys));
  for (int i = 0; i < a.queries; ++i) {
    double most = -1e300, sum = 0;
    for (int t = 0; t < keys; ++t) {
      p[at(t)] = 0;
      for (int j = 0; j < d; ++j) p[at(t)] += static_cast<double>(q[at(i * d + j)]) * k[at(t * d + j)];
      most = std::max(most, p[at(t)] /= std::sqrt(d));
    }
    for (double& x : p) sum += x = std::exp(x - most);
    for (int t = 0; t < keys; ++t)
      for (int j = 0; j < d; ++j) out[at(i * d + j)] += p[at(t)] / sum * v[at(t * d + j)];
  }
  return out;
}

}  // namespace jogak::encoder
