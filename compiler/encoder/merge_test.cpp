#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "check.hpp"
#include "compile.hpp"
#include "error.hpp"
#include "reference.hpp"
#include "synthetic.hpp"

using namespace jogak;
using encoder::Shape;

namespace {

// Random rows, of which row 2 i is row 2 i + 3 too, for every third i from 1 on, `twins` times.
std::vector<float> rows_with_twins(const Shape& s, int twins) {
  std::vector<float> x(static_cast<std::size_t>(s.context * s.width));
  std::uint32_t state = 12345;
  for (float& v : x) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  for (int t = 0; t < twins; ++t) {
    const auto even = x.begin() + static_cast<std::ptrdiff_t>((2 + 6 * t) * s.width);
    std::copy_n(even + 3 * s.width, s.width, even);
  }
  return x;
}

std::vector<float> run(const Program& p, const std::vector<float>& x, const Shape& s) {
  const std::size_t stride = p.find("x")->shape[1], n = static_cast<std::size_t>(s.context), w = static_cast<std::size_t>(s.width);
  std::vector<float> padded(n * stride), out(x.size());
  for (std::size_t r = 0; r < n; ++r) std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(r * w), w, padded.begin() + static_cast<std::ptrdiff_t>(r * stride));
  const auto found = encoder::checked_run(p, static_cast<std::uint32_t>(n), {{"x", encoder::bytes(padded)}}, "x");
  for (std::size_t r = 0; r < n; ++r) std::memcpy(out.data() + r * w, found.data() + r * stride * 4, w * 4);
  return out;
}

double error(const std::vector<float>& found, std::size_t row, const std::vector<double>& expected, std::size_t from, std::size_t width) {
  double off = 0, whole = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const double e = expected[from * width + i];
    off += (found[row * width + i] - e) * (found[row * width + i] - e), whole += e * e;
  }
  return std::sqrt(off / whole);
}

}  // namespace

// Many blocks and one, odd and even numbers of rows, heads that are no multiple of 32.
TEST_CASE("merge: rows that are there twice become one, all others stay in their order") {
  for (const char* config : {"nano", "edge"})
    for (const Shape& s : {Shape{.layers = 1, .width = 64, .heads = 4, .ffn = 128, .context = 40, .norm_first = true, .merge = 5},
                           Shape{.layers = 1, .width = 96, .heads = 6, .ffn = 320, .context = 77, .norm_first = true, .merge = 12}}) {
      const auto x = rows_with_twins(s, s.merge);
      const encoder::Encoder e = encoder::synthetic(s, ir::Format::int8, 3);
      const auto found = run(encoder::compile(e, config), x, s);
      const auto expected = encoder::reference(e, x, s.context);
      std::size_t row = 0;
      for (int i = 0; i < s.context; ++i) {
        if (i % 6 == 2 && i < 6 * s.merge) continue;
        CAPTURE(i);
        CHECK(error(found, row++, expected, static_cast<std::size_t>(i), static_cast<std::size_t>(s.width)) < 0.02);
      }
    }
}

// What stands for two rows counts twice: the next layer's first row is what it would be beside both. It is not merged itself.
TEST_CASE("merge: attention counts a merged row as often as rows have gone into it") {
  for (const char* config : {"nano", "edge"})
    for (const int layers : {2, 3}) {
      const Shape s{.layers = layers, .width = 64, .heads = 4, .ffn = 128, .context = 60, .norm_first = true, .merge = 9};
      const auto x = rows_with_twins(s, s.merge);
      const encoder::Encoder e = encoder::synthetic(s, ir::Format::int8, 3);
      const auto found = run(encoder::compile(e, config), x, s);
      const double off = error(found, 0, encoder::reference(e, x, s.context), 0, 64);
      CAPTURE(config);
      CAPTURE(off);
      // Three layers merge rows that are no twins: near, not the same.
      CHECK(off < (layers == 2 ? 0.015 : 0.025));
    }
}

TEST_CASE("merge: the same bits on two configurations, none is the program without") {
  Shape s{.layers = 3, .width = 64, .heads = 4, .ffn = 128, .context = 60, .norm_first = true, .merge = 7};
  const auto x = rows_with_twins(s, 4);
  const auto rows = [&](const char* config) {
    auto all = run(encoder::compile(encoder::synthetic(s, ir::Format::int8, 3), config), x, s);
    all.resize(static_cast<std::size_t>((60 - 3 * 7) * 64));
    return all;
  };
  CHECK(rows("nano") == rows("edge"));
}

TEST_CASE("merge: what cannot be is refused") {
  const auto refusal = [](Shape s, const char* config) {
    try {
      (void)encoder::compile(encoder::synthetic(s, ir::Format::int8, 3), config);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const Shape good{.layers = 4, .width = 64, .heads = 4, .ffn = 128, .context = 40, .norm_first = true, .merge = 6};
  CHECK(refusal(good, "nano") == "accepted");
  Shape s = good;
  s.merge = 8;
  CHECK(refusal(s, "nano").find("found 8 of 40 rows in each of 4 layers") != std::string::npos);
  s = good, s.norm_first = false;
  CHECK(refusal(s, "nano").find("only images' encoders") != std::string::npos);
  s = good, s.merge = 17, s.context = 300;
  CHECK(refusal(s, "edge").find("found 17, expected 0 to 16") != std::string::npos);
}
