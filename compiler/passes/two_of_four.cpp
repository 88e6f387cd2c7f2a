#include "two_of_four.hpp"

#include <algorithm>
#include <cmath>

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

void put_indices(std::span<const std::uint8_t> index, int c, int cols, std::byte* out) {
  for (int k = 0; k < 32; ++k) {
    const int at = k * cols + c;
    out[at / 4] |= static_cast<std::byte>(index[static_cast<std::size_t>(k)] << at % 4 * 2);
  }
}

}  // namespace jogak::passes
