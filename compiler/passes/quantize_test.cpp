// The quantiser against its formulas, written again in double precision.
#include "quantize.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "error.hpp"
#include "numerics.hpp"

using namespace jogak;
using namespace jogak::passes;
using ir::Format;

namespace {

const double kLevels[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

std::vector<float> random_row(std::size_t n, std::uint64_t seed, float size) {
  std::vector<float> w(n);
  for (float& x : w) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    x = (static_cast<float>(seed >> 40) * 0x1p-24f - 0.5f) * size;
  }
  return w;
}

double half(std::uint16_t h) { return std::bit_cast<float>(num::f16_to_f32(h)); }
double e2m1(int code) { return (code & 8 ? -1 : 1) * kLevels[code & 7]; }

struct Row {
  std::vector<std::int8_t> codes;
  std::vector<std::uint16_t> scales;
};
Row quantized(const std::vector<float>& w, Format format) {
  const std::size_t blocks = (w.size() + 31) / 32;
  Row r{std::vector<std::int8_t>(blocks * 32, 99), std::vector<std::uint16_t>(blocks, 99)};
  std::fill(r.codes.begin(), r.codes.end(), std::int8_t{0});
  quantize_row(w, format, r.codes, r.scales);
  return r;
}

// Sum of squared errors of a block with the best codes for a scale of 2^e.
double error_with(std::span<const float> block, int e) {
  double sum = 0;
  for (const float x : block) {
    double least = INFINITY;
    for (int c = 0; c < 16; ++c) least = std::min(least, std::fabs(x - std::ldexp(e2m1(c), e)));
    sum += least * least;
  }
  return sum;
}

ir::Tensor matrix(const std::vector<float>& w, std::int64_t n, std::int64_t k) {
  ir::Tensor t{"w", {n, k}, ir::DType::f32, std::vector<std::byte>(w.size() * 4)};
  std::memcpy(t.data.data(), w.data(), t.data.size());
  return t;
}

}  // namespace

TEST_CASE("int8: scale is absmax / 127 in fp16, codes are the nearest") {
  for (const float size : {1.0f, 1e-3f, 300.0f}) {
    const auto w = random_row(32 * 50, 11, size);
    const Row r = quantized(w, Format::int8);
    for (std::size_t b = 0; b < 50; ++b) {
      float most = 0;
      for (std::size_t i = 0; i < 32; ++i) most = std::max(most, std::fabs(w[b * 32 + i]));
      const double s = half(r.scales[b]);
      CHECK(s == doctest::Approx(most / 127).epsilon(1.0 / 2048));
      for (std::size_t i = 0; i < 32; ++i) {
        const double x = w[b * 32 + i] / s;
        CHECK(std::fabs(r.codes[b * 32 + i] - std::clamp(x, -127.0, 127.0)) <= 0.5 + 1e-4);
      }
    }
  }
}

TEST_CASE("int8c: one scale a row, absmax / 127 in fp32, codes are the nearest, padding has no part in it") {
  for (const float size : {1.0f, 1e-3f, 300.0f}) {
    for (const int group : {0, 24}) {
      CAPTURE(group);
      const auto w = random_row(5 * 72, 19, size);
      const ir::QMatrix m = quantize(matrix(w, 5, 72), Format::int8c, group);
      REQUIRE(m.format == Format::int8c);
      CHECK(m.scales.empty());
      REQUIRE(m.channel.size() == 5);
      CHECK(m.kb() == 3);  // 72 values and 24 zeros, or three groups of 24 values and 8 zeros
      const auto back = dequantize(m);
      for (std::size_t n = 0; n < 5; ++n) {
        double most = 0;
        int largest = 0;
        for (std::size_t k = 0; k < 72; ++k) most = std::max(most, std::fabs(double(w[n * 72 + k])));
        const double s = m.channel[n];
        CHECK(s == doctest::Approx(most / 127).epsilon(1e-6));
        for (std::size_t k = 0; k < 72; ++k) {
          const std::size_t at = group == 0 ? k : k / 24 * 32 + k % 24;
          const int code = m.codes[n * 96 + at];
          CHECK(std::fabs(code - w[n * 72 + k] / s) <= 0.5 + 1e-4);
          CHECK(back[n * static_cast<std::size_t>(m.k) + at] == static_cast<float>(s) * static_cast<float>(code));
          largest = std::max(largest, std::abs(code));
        }
        CHECK(largest == 127);
        for (std::size_t pad = 24; pad < 32; ++pad) CHECK(m.codes[n * 96 + 64 + pad] == 0);
      }
    }
  }
}

TEST_CASE("int8c: rows without a normal scale are zeros, each row stands alone") {
  auto w = random_row(4 * 32, 23, 2.0f);
  std::fill(w.begin(), w.begin() + 32, 0.0f);
  std::fill(w.begin() + 32, w.begin() + 64, 1e-37f);  // absmax / 127 is subnormal
  w[70] = 1000;
  const ir::QMatrix m = quantize(matrix(w, 4, 32), Format::int8c);
  CHECK(std::vector(m.channel.begin(), m.channel.begin() + 2) == std::vector<float>{0, 0});
  CHECK(std::all_of(m.codes.begin(), m.codes.begin() + 64, [](int c) { return c == 0; }));
  CHECK(m.channel[2] == 1000.0f / 127);
  CHECK(m.codes[70] == 127);
  CHECK(m.channel[3] < 0.01f);
}

TEST_CASE("zeros stay zeros, a short last block is padded with zeros") {
  for (const Format format : {Format::int8, Format::mxfp4}) {
    const Row zero = quantized(std::vector<float>(64, 0.0f), format);
    CHECK(std::all_of(zero.codes.begin(), zero.codes.end(), [](int c) { return c == 0; }));
    const Row tail = quantized(random_row(40, 5, 2.0f), format);
    CHECK(tail.codes.size() == 64);
    CHECK(std::all_of(tail.codes.begin() + 40, tail.codes.end(), [](int c) { return c == 0; }));
    CHECK(std::any_of(tail.codes.begin() + 32, tail.codes.begin() + 40, [](int c) { return c != 0; }));
  }
}

TEST_CASE("mxint8: power-of-two scales, codes within half a step of the better of two, nothing beyond 127") {
  const auto w = random_row(32 * 40, 17, 3.0f);
  const Row r = quantized(w, Format::mxint8);
  for (std::size_t b = 0; b < r.scales.size(); ++b) {
    const std::span block = std::span(w).subspan(b * 32, 32);
    double most = 0, error = 0, least = INFINITY;
    for (const float x : block) most = std::max(most, static_cast<double>(std::fabs(x)));
    const double s = std::ldexp(1.0, r.scales[b] - 127);
    for (std::size_t i = 0; i < 32; ++i) {
      const double d = block[i] - s * r.codes[b * 32 + i];
      CHECK(std::abs(r.codes[b * 32 + i]) <= 127);
      CHECK(std::fabs(d) <= std::max(s / 2, most - 127 * s) * 1.000001);
      error += d * d;
    }
    for (int e = -12; e <= 4; ++e) {
      double sum = 0;
      for (const float x : block) {
        const double q = std::ldexp(1.0, e), d = x - q * std::clamp(std::nearbyint(x / q), -127.0, 127.0);
        sum += d * d;
      }
      least = std::min(least, sum);
    }
    CHECK(error <= least * 1.000001);
  }
  const Row zero = quantized(std::vector<float>(32), Format::mxint8);
  CHECK(zero.scales[0] == 0);
  CHECK(std::all_of(zero.codes.begin(), zero.codes.end(), [](std::int8_t c) { return c == 0; }));
}

TEST_CASE("mxfp4: the best of three power-of-two scales, the nearest codes, ties to even") {
  const auto w = random_row(32 * 200, 13, 4.0f);
  const Row r = quantized(w, Format::mxfp4);
  for (std::size_t b = 0; b < 200; ++b) {
    const auto block = std::span(w).subspan(b * 32, 32);
    float most = 0;
    double error = 0;
    const int e = static_cast<int>(r.scales[b]) - 127;
    for (std::size_t i = 0; i < 32; ++i) {
      most = std::max(most, std::fabs(block[i]));
      const double d = block[i] - std::ldexp(e2m1(r.codes[b * 32 + i]), e);
      error += d * d;
    }
    const int middle = static_cast<int>(std::floor(std::log2(most / 6)));
    CHECK(std::abs(e - middle) <= 1);
    for (int other = middle - 1; other <= middle + 1; ++other) CHECK(error <= error_with(block, other) * (1 + 1e-12));
  }
  // With 6 in the block and multiples of a half the scale is 1 and these are exact or ties.
  std::vector<float> ties(32, 6.0f);
  const float in[] = {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5.0f, -0.25f, -2.5f, 0.5f, -6.0f};
  const int out[] = {0, 2, 2, 4, 4, 6, 6, 0, 12, 1, 15};
  std::copy(std::begin(in), std::end(in), ties.begin());
  const Row t = quantized(ties, Format::mxfp4);
  REQUIRE(t.scales[0] == 127);
  for (std::size_t i = 0; i < std::size(out); ++i) {
    CAPTURE(in[i]);
    CHECK(t.codes[i] == out[i]);
  }
}

TEST_CASE("dequantised values are code times scale, groups are padded each by itself") {
  const auto w = random_row(4 * 48, 17, 1.0f);
  for (const Format format : {Format::int8, Format::mxfp4}) {
    const ir::QMatrix whole = quantize(matrix(w, 4, 48), format), grouped = quantize(matrix(w, 4, 48), format, 24);
    CHECK(whole.k == 48);
    CHECK(grouped.k == 64);
    CHECK(grouped.kb() == 2);
    const auto back = dequantize(whole), apart = dequantize(grouped);
    for (std::size_t n = 0; n < 4; ++n)
      for (std::size_t k = 0; k < 48; ++k) {
        CHECK(back[n * 48 + k] == doctest::Approx(w[n * 48 + k]).epsilon(0.2).scale(0.3));
        const std::size_t at = n * 64 + k / 24 * 32 + k % 24;
        CHECK(apart[at] == doctest::Approx(w[n * 48 + k]).epsilon(0.2).scale(0.3));
      }
    for (std::size_t n = 0; n < 4; ++n)
      for (std::size_t pad = 24; pad < 32; ++pad) CHECK((apart[n * 64 + pad] == 0 && apart[n * 64 + 32 + pad] == 0));
  }
  CHECK_THROWS_WITH_AS(quantize(matrix(w, 4, 48), Format::int8, 20), "quantize: tensor w, found 48 columns, expected a multiple of 20", Error);
}

TEST_CASE("Q4_0 and MXFP4 blocks carry over code by code") {
  ir::Tensor q4{"q4", {1, 32}, ir::DType::q4_0, std::vector<std::byte>(18)};
  q4.data[1] = std::byte{0x3c};  // 1.0
  for (int i = 0; i < 16; ++i) q4.data[static_cast<std::size_t>(2 + i)] = static_cast<std::byte>(i | (15 - i) << 4);
  const ir::QMatrix m = quantize(q4, Format::mxfp4);
  CHECK(m.format == Format::int8);
  for (int i = 0; i < 16; ++i) {
    CHECK(m.codes[static_cast<std::size_t>(i)] == i - 8);
    CHECK(m.codes[static_cast<std::size_t>(i + 16)] == 7 - i);
  }
  ir::Tensor mx{"mx", {1, 32}, ir::DType::mxfp4, std::vector<std::byte>(17)};
  mx.data[0] = std::byte{128};  // 2.0
  for (int i = 0; i < 16; ++i) mx.data[static_cast<std::size_t>(1 + i)] = static_cast<std::byte>(i | (15 - i) << 4);
  const auto values = dequantize(quantize(mx, Format::int8));
  for (int i = 0; i < 16; ++i) {
    CHECK(values[static_cast<std::size_t>(i)] == static_cast<float>(2 * e2m1(i)));
    CHECK(values[static_cast<std::size_t>(i + 16)] == static_cast<float>(2 * e2m1(15 - i)));
  }
}

TEST_CASE("weights that no scale can hold are refused by name") {
  for (const float bad : {INFINITY, -INFINITY, NAN, 1e9f}) {
    ir::Tensor t{"blk.0.attn_q.weight", {1, 32}, ir::DType::f32, std::vector<std::byte>(128)};
    std::memcpy(t.data.data() + 12, &bad, 4);
    for (const ir::Format format : ir::kFormats)
      CHECK_THROWS_WITH_AS(passes::quantize(t, format), doctest::Contains("blk.0.attn_q.weight"), Error);
  }
}
