#include "sampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "error.hpp"

namespace jogak {
namespace {

// SplitMix64: the same numbers on every machine.
double uniform(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

}  // namespace

int best(std::span<const float> logits) {
  int at = 0;
  for (std::size_t i = 1; i < logits.size(); ++i)
    if (logits[i] > logits[static_cast<std::size_t>(at)]) at = static_cast<int>(i);
  return at;
}

Sampler::Sampler(const Sampling& sampling) : sampling_(sampling), state_(sampling.seed) {
  if (!(sampling.temperature >= 0)) throw Error("sampling", "temperature", std::to_string(sampling.temperature), "0 or more");
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) throw Error("sampling", "top-p", std::to_string(sampling.top_p), "above 0, at most 1");
}

int Sampler::pick(std::span<const float> logits) {
  if (sampling_.temperature == 0) return best(logits);
  const double top = logits[static_cast<std::size_t>(best(logits))];
  std::vector<double> p(logits.size());
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::exp((static_cast<double>(logits[i]) - top) / static_cast<double>(sampling_.temperature));
  std::vector<int> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return p[static_cast<std::size_t>(a)] > p[static_cast<std::size_t>(b)]; });
  const double all = std::accumulate(p.begin(), p.end(), 0.0);
  double kept = 0;
  std::size_t count = 0;
  while (count < order.size() && (count == 0 || kept < all * static_cast<double>(sampling_.top_p)))
    kept += p[static_cast<std::size_t>(order[count++])];
  double rest = uniform(state_) * kept;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    rest -= p[static_cast<std::size_t>(order[i])];
    if (rest < 0) return order[i];
  }
  return order[count - 1];
}

}  // namespace jogak
