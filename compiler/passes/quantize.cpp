#include "quantize.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "blocks.hpp"
#include "codes.hpp"
#include "error.hpp"
#include "numerics.hpp"

namespace jogak::passes {
namespace {

using ir::DType;
using ir::Format;
using ir::QMatrix;
using ir::Tensor;

float value(std::uint32_t bits) { return std::bit_cast<float>(bits); }
float half(std::uint16_t bits) { return value(num::f16_to_f32(bits)); }

constexpr float kMostWeight = 8e6f;  // its int8 scale still is a finite fp16
constexpr float kE2m1[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

// Nearest E2M1 code; a tie goes to the even code.
std::int8_t e2m1(float x) {
  const float m = std::fabs(x);
  int best = 0;
  for (int c = 1; c < 8; ++c) {
    const float d = std::fabs(m - kE2m1[c]), b = std::fabs(m - kE2m1[best]);
    if (d < b || (d == b && c % 2 == 0)) best = c;
  }
  return static_cast<std::int8_t>(best | (x < 0 && best != 0 ? 8 : 0));
}

void int8_block(std::span<const float> w, std::int8_t* codes, std::uint16_t& scale) {
  float most = 0;
  for (const float x : w) most = std::max(most, std::fabs(x));
  scale = num::f32_to_f16(std::bit_cast<std::uint32_t>(most / 127.0f));
  const float s = half(scale);
  for (std::size_t i = 0; i < w.size(); ++i)
    codes[i] = s == 0 ? std::int8_t{0} : static_cast<std::int8_t>(std::clamp(std::nearbyint(w[i] / s), -127.0f, 127.0f));
}

// Of the scales 2^e around `most` / `largest`, e from `below` less to `above` more than its whole power, the one with the least squared error.
// encode(x / scale) is a code, difference(x, scale, code) what it is off.
template <class Encode, class Difference>
void power_of_two_block(std::span<const float> w, std::int8_t* codes, std::uint16_t& scale, float largest, int below, int above, Encode encode,
                        Difference difference) {
  float most = 0;
  for (const float x : w) most = std::max(most, std::fabs(x));
  std::fill(codes, codes + 32, std::int8_t{0});
  scale = 0;
  if (most == 0) return;
  const int whole = static_cast<int>(std::floor(std::log2(most / largest)));
  double best = INFINITY;
  for (int e = whole - below; e <= whole + above; ++e) {
    const int code = std::clamp(e + 127, 1, 254);
    const float s = std::ldexp(1.0f, code - 127);
    std::int8_t trial[32] = {};
    double error = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      trial[i] = encode(w[i] / s);
      const double d = difference(w[i], s, trial[i]);
      error += d * d;
    }
    if (error < best) {
      best = error;
      scale = static_cast<std::uint16_t>(code);
      std::copy(trial, trial + 32, codes);
    }
  }
}

void mxint8_block(std::span<const float> w, std::int8_t* codes, std::uint16_t& scale) {
  power_of_two_block(w, codes, scale, 127.0f, 0, 1, [](float x) { return static_cast<std::int8_t>(std::clamp(std::nearbyint(x), -127.0f, 127.0f)); },
                     [](float x, float s, std::int8_t code) { return static_cast<double>(x) - static_cast<double>(s) * code; });
}

void mxfp4_block(std::span<const float> w, std::int8_t* codes, std::uint16_t& scale) {
  power_of_two_block(w, codes, scale, 6.0f, 1, 1, [](float x) { return e2m1(x); },
                     [](float x, float s, std::int8_t code) -> double { return x - (code & 8 ? -s : s) * kE2m1[code & 7]; });
}

// The matrix as the tensor's blocks have it. Those of a mapped file stay where they are; the scales are looked at in either case.
QMatrix carry_over(const Tensor& t, Format format) {
  QMatrix m{.format = format, .n = t.shape[0], .k = t.shape[1], .blocks = t.data, .stored = t.dtype};
  const std::size_t blocks = static_cast<std::size_t>(m.n * m.kb()), bytes = static_cast<std::size_t>(block_layout(t.dtype)->bytes);
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::byte* block = std::as_const(t).data.data() + b * bytes;
    if (format == Format::mxfp4 ? block[0] == std::byte{0xff} : (block[1] & std::byte{0x7c}) == std::byte{0x7c})
      throw Error("quantize", "scale of block " + std::to_string(b) + " of " + t.name, "no number", "finite scales");
  }
  if (!t.data.own()) return m;
  std::vector<std::int8_t> codes(blocks * 32);
  std::vector<std::uint16_t> scales(blocks);
  std::int8_t room[32];
  for (std::int64_t n = 0, b = 0; n < m.n; ++n)
    for (std::int64_t kb = 0; kb < m.kb(); ++kb, ++b) {
      const Block block = block_of(m, n, kb, room);
      std::copy_n(block.codes, 32, codes.begin() + b * 32);
      scales[static_cast<std::size_t>(b)] = block.scale;
    }
  m.codes = std::move(codes), m.scales = std::move(scales), m.blocks = {};
  return m;
}

// Codes and channel scales of w, whose rows are groups of `each` values, to be padded to `padded`. Padding has no part in a scale.
QMatrix per_channel(QMatrix m, std::span<const float> w, std::int64_t each, std::int64_t padded) {
  const auto k = w.size() / static_cast<std::size_t>(m.n), row = static_cast<std::size_t>(m.kb() * 32);
  std::vector<std::int8_t> codes(k);
  for (std::size_t n = 0; n < static_cast<std::size_t>(m.n); ++n) {
    m.channel.push_back(quantize_channel(w.subspan(n * k, k), codes));
    for (std::size_t i = 0; i < k; ++i) {
      const std::size_t group = i / static_cast<std::size_t>(each), inside = i % static_cast<std::size_t>(each);
      m.codes[n * row + group * static_cast<std::size_t>(padded) + inside] = codes[i];
    }
  }
  return m;
}

}  // namespace

void quantize_row(std::span<const float> w, Format format, std::span<std::int8_t> codes, std::span<std::uint16_t> scales) {
  for (std::size_t b = 0; b < scales.size(); ++b) {
    const std::size_t from = b * 32;
    if (from >= w.size()) break;
    const auto block = w.subspan(from, std::min<std::size_t>(32, w.size() - from));
    if (format == Format::int8) int8_block(block, codes.data() + from, scales[b]);
    else if (format == Format::mxint8) mxint8_block(block, codes.data() + from, scales[b]);
    else mxfp4_block(block, codes.data() + from, scales[b]);
  }
}

float quantize_channel(std::span<const float> w, std::span<std::int8_t> codes) {
  float most = 0;
  for (const float x : w) most = std::max(most, std::fabs(x));
  const float s = most / 127.0f;
  if (!std::isnormal(s)) {  // zero, or a subnormal that the machine would flush
    std::fill(codes.begin(), codes.end(), std::int8_t{0});
    return 0;
  }
  for (std::size_t i = 0; i < w.size(); ++i) codes[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(w[i] / s), -127.0f, 127.0f));
  return s;
}

void to_float(const Tensor& t, std::size_t first, std::span<float> out) {
  if (const BlockLayout* layout = block_layout(t.dtype)) {
    const auto values = static_cast<std::size_t>(layout->values), bytes = static_cast<std::size_t>(layout->bytes);
    for (std::size_t b = 0; b < out.size() / values; ++b) decode_block(t.dtype, t.data.data() + (first / values + b) * bytes, out.data() + b * values);
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t h = 0;
    const std::size_t at = first + i;
    switch (t.dtype) {
      case DType::f32: std::memcpy(&out[i], t.data.data() + at * 4, 4); break;
      case DType::f16: std::memcpy(&h, t.data.data() + at * 2, 2); out[i] = half(h); break;
      case DType::bf16: std::memcpy(&h, t.data.data() + at * 2, 2); out[i] = value(std::uint32_t(h) << 16); break;
      default: throw Error("quantize", "tensor " + t.name, "an integer type", "floating point values");
    }
  }
}

std::vector<float> to_float(const Tensor& t) {
  std::size_t count = 1;
  for (const auto d : t.shape) count *= static_cast<std::size_t>(d);
  std::vector<float> out(count);
  to_float(t, 0, out);
  return out;
}

void check_finite(const Tensor& t) {
  std::size_t count = 1;
  for (const auto d : t.shape) count *= static_cast<std::size_t>(d);
  std::vector<float> part(std::size_t(1) << 16);
  for (std::size_t at = 0; at < count; at += part.size()) {
    const auto now = std::span(part).first(std::min(part.size(), count - at));
    to_float(t, at, now);
    for (const float x : now)
      if (!std::isfinite(x)) throw Error("quantize", "a weight of " + t.name, std::to_string(x), "finite numbers");
  }
}

std::vector<float> finite_float(const Tensor& t) {
  check_finite(t);
  return to_float(t);
}

Format array_format(DType type, Format format) {
  return kept_format(type).value_or(format);
}

QMatrix quantize(const Tensor& t, Format format, int group) {
  if (t.shape.size() != 2) throw Error("quantize", "tensor " + t.name, std::to_string(t.shape.size()) + " dimensions", "a matrix");
  const std::optional<Format> kept = kept_format(t.dtype);
  if (kept && (group == 0 || group % 32 == 0)) return carry_over(t, *kept);
  const std::vector<float> w = to_float(t);
  for (const float x : w)
    if (!(std::fabs(x) <= kMostWeight)) throw Error("quantize", "a weight of " + t.name, std::to_string(x), "a magnitude up to 8e6");
  const std::int64_t k = t.shape[1];
  if (group > 0 && k % group != 0)
    throw Error("quantize", "tensor " + t.name, std::to_string(k) + " columns", "a multiple of " + std::to_string(group));
  const std::int64_t each = group > 0 ? group : k, padded = (each + 31) / 32 * 32;
  QMatrix m{.format = kept.value_or(format), .n = t.shape[0], .k = group > 0 ? k / each * padded : k};
  m.codes.assign(static_cast<std::size_t>(m.n * m.kb() * 32), 0);
  if (m.format == Format::int8c) return per_channel(std::move(m), w, each, padded);
  m.scales.assign(static_cast<std::size_t>(m.n * m.kb()), 0);
  for (std::int64_t n = 0; n < m.n; ++n)
    for (std::int64_t g = 0; g < k / each; ++g)
      quantize_row(std::span(w).subspan(static_cast<std::size_t>(n * k + g * each), static_cast<std::size_t>(each)), m.format,
                   std::span(m.codes).subspan(static_cast<std::size_t>(n * m.kb() * 32 + g * padded), static_cast<std::size_t>(padded)),
                   std::span(m.scales).subspan(static_cast<std::size_t>(n * m.kb() + g * padded / 32), static_cast<std::size_t>(padded / 32)));
  return m;
}

std::vector<float> dequantize(const QMatrix& m) {
  std::vector<float> out(static_cast<std::size_t>(m.n * m.k));
  std::int8_t room[32];
  Block block{};
  for (std::int64_t n = 0; n < m.n; ++n) {
    for (std::int64_t k = 0; k < m.k; ++k) {
      if (k % 32 == 0) block = block_of(m, n, k / 32, room);
      const std::int8_t code = block.codes[k % 32];
      const float x = m.format == Format::int8c  ? m.channel[static_cast<std::size_t>(n)] * static_cast<float>(code)
                      : m.format == Format::int8 ? half(block.scale) * static_cast<float>(code)
                      : m.format == Format::mxint8 ? value(num::e8m0_to_f32(static_cast<std::uint8_t>(block.scale))) * static_cast<float>(code)
                                                 : (code & 8 ? -1.0f : 1.0f) * kE2m1[code & 7] * value(num::e8m0_to_f32(static_cast<std::uint8_t>(block.scale)));
      out[static_cast<std::size_t>(n * m.k + k)] = x;
    }
  }
  return out;
}

void quantize_graph(ir::Graph& graph, const std::function<Format(const ir::Node&)>& choice) {
  std::map<std::pair<int, int>, std::shared_ptr<const QMatrix>> done;  // (tensor, format and group) of tied weights
  for (ir::Node& node : graph.nodes) {
    if (node.op == ir::Op::experts) node.expert_format = choice(node);
    if (node.op != ir::Op::linear) continue;
    const int tensor = node.weights.at(0);
    const Format format = choice(node);
    auto& slot = done[{tensor, static_cast<int>(format) + 4 * node.head_dim}];
    if (!slot) slot = std::make_shared<const QMatrix>(quantize(graph.tensors[static_cast<std::size_t>(tensor)], format, node.head_dim));
    node.matrix = slot;
  }
}

}  // namespace jogak::passes
