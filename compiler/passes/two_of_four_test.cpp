#include "two_of_four.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace jogak::passes;

TEST_CASE("2:4: two of four are stored with their places, zeros fill up") {
  const float w[] = {0, 5, 0, -6, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9, 0, 0, 0, 0, 3};
  std::vector<float> stored(32, 99);
  std::vector<std::uint8_t> index(32, 99);
  REQUIRE(compress_row(w, stored, index));
  const std::vector<float> expected = {5, -6, 0, 0, 0, 7, 8, 9, 0, 3};
  const std::vector<std::uint8_t> places = {1, 3, 0, 1, 0, 3, 0, 1, 0, 2};
  for (std::size_t i = 0; i < 32; ++i) {
    CHECK(stored[i] == (i < 10 ? expected[i] : 0));
    CHECK(index[i] == (i < 10 ? places[i] : i % 2));
  }
}

TEST_CASE("2:4: three of four are refused, pruning makes two") {
  std::vector<float> w = {1, -4, 2, 0, 3, 3, 3, -3, 1, 2, 3};
  std::vector<float> stored(32);
  std::vector<std::uint8_t> index(32);
  CHECK(!compress_row(w, stored, index));
  prune_row(w);
  CHECK(w == std::vector<float>{0, -4, 2, 0, 3, 3, 0, 0, 0, 2, 3});
  CHECK(compress_row(w, stored, index));
}

TEST_CASE("2:4: a matrix, and its indices as the array takes them") {
  std::vector<float> w(2 * 70);
  for (std::size_t i = 0; i < w.size(); i += 4) w[i] = static_cast<float>(i);
  w[1] = 1;  // row 0: 4, 8, ..; row 1 begins at 70 = 4 * 17 + 2, so its fours have their value third
  const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
  const auto c = compress({"w", {2, 70}, jogak::ir::DType::f32, jogak::ir::Bytes(bytes, bytes + w.size() * 4)});
  REQUIRE(c);
  CHECK(c->stored.shape == std::vector<std::int64_t>{2, 64});
  CHECK(c->index[0] == 0);
  CHECK(c->index[64] == 0);
  CHECK(c->index[65] == 2);
  std::vector<std::byte> out(64);
  const std::uint8_t index[32] = {3, 1, 2};
  put_indices(index, 5, 8, out.data());
  CHECK(out[1] == std::byte(3 << 2));
  CHECK(out[3] == std::byte(1 << 2));
  CHECK(out[5] == std::byte(2 << 2));
}
