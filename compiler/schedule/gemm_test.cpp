#include "sparse_gemm.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "numerics.hpp"
#include "passes/quantize.hpp"
#include "sim/model/machine.hpp"

using namespace jogak;

namespace {

// One element by the rules of docs/numerics.md, from the unpacked matrices.
std::uint32_t element(const ir::QMatrix& b, std::span<const std::uint8_t> a, const schedule::Gemm& g, int m, int n) {
  std::uint32_t acc = 0;
  for (int kb = 0; kb < g.k / 32; ++kb) {
    const std::size_t block = static_cast<std::size_t>(n * g.k / 32 + kb);
    int sum = 0;
    for (int i = 0; i < 32; ++i) {
      const int code = b.codes[block * 32 + static_cast<std::size_t>(i)];
      const int w = b.format == ir::Format::int8 ? code : num::e2m1_doubled(static_cast<std::uint8_t>(code & 15));
      sum += w * static_cast<std::int8_t>(a[static_cast<std::size_t>(m * g.k + kb * 32 + i)]);
    }
    std::uint16_t sa = 0;
    std::memcpy(&sa, &a[static_cast<std::size_t>(g.m * g.k + 2 * (m * g.k / 32 + kb))], 2);
    const std::uint32_t sw = b.format == ir::Format::int8 ? num::f16_to_f32(b.scales[block])
                                                          : num::fmul(num::e8m0_to_f32(static_cast<std::uint8_t>(b.scales[block])), 0x3F000000u);
    acc = num::fadd(acc, num::fmul(num::i32_to_f32(sum), num::fmul(num::bf16_to_f32(sa), sw)));
  }
  return acc;
}

}  // namespace

TEST_CASE("gemm: every element as the rules say, no race, on two configurations and both formats") {
  for (const char* name : {"nano", "edge"}) {
    for (const ir::Format format : {ir::Format::int8, ir::Format::mxfp4}) {
      CAPTURE(name);
      const spec::Config& config = *spec::find_config(name);
      const schedule::Gemm g{.config = config, .m = 128, .n = 8 * static_cast<int>(config.cols), .k = 96, .format = format};
      std::mt19937 random(7);
      ir::Tensor t{"b", {g.n, g.k}, ir::DType::f32, std::vector<std::byte>(static_cast<std::size_t>(g.n * g.k) * 4)};
      for (int i = 0; i < g.n * g.k; ++i) {
        const float x = static_cast<float>(random() % 2001) / 500.0f - 2.0f;
        std::memcpy(&t.data[static_cast<std::size_t>(i) * 4], &x, 4);
      }
      const ir::QMatrix b = passes::quantize(t, format);
      const auto packed = schedule::pack_b(g, b);
      const auto code = schedule::lower_gemm(g).program().code();
      model::Machine machine(config, {.check = true});
      const std::uint64_t at_a = 1 << 20, at_c = 2 << 20;
      const auto dram = machine.dram().allocate(0, 3 << 20);
      std::memcpy(dram.data(), packed.data(), packed.size());
      const auto a = dram.subspan(at_a, g.a_bytes());
      for (auto& byte : a) byte = static_cast<std::uint8_t>(random() % 100 + 1);
      model::Launch launch{.code = code};
      launch.windows[0] = {0, g.b_bytes(), true, false};
      launch.windows[1] = {at_a, g.a_bytes(), true, false};
      launch.windows[2] = {at_c, g.c_bytes(), true, true};
      REQUIRE(machine.launch(launch).ok());
      CHECK(machine.violations().empty());
      std::uint64_t different = 0;
      for (int m = 0; m < g.m; ++m) {
        for (int n = 0; n < g.n; ++n) {
          std::uint32_t found = 0;
          std::memcpy(&found, dram.data() + at_c + 4 * static_cast<std::size_t>(m * g.n + n), 4);
          different += found != element(b, a, g, m, n);
        }
      }
      CHECK(different == 0);
    }
  }
}

TEST_CASE("gemm: what does not fit is refused") {
  schedule::Gemm g{.config = *spec::find_config("nano"), .m = 64, .n = 64, .k = 4096};
  CHECK_THROWS_WITH_AS(schedule::lower_gemm(g), doctest::Contains("two row blocks"), Error);
  g.k = 64, g.m = 60;
  CHECK_THROWS_WITH_AS(schedule::lower_gemm(g), doctest::Contains("multiples of 64"), Error);
}

namespace {

std::vector<std::uint8_t> product(const schedule::Gemm& g, const std::vector<std::byte>& b, const emit::Emitter& emitter) {
  const auto code = emitter.program().code();
  model::Machine machine(g.config, {.check = true});
  const std::uint64_t at_a = 1 << 20, at_c = 2 << 20;
  const auto dram = machine.dram().allocate(0, 3 << 20);
  std::memcpy(dram.data(), b.data(), b.size());
  std::mt19937 random(3);
  for (auto& byte : dram.subspan(at_a, g.a_bytes())) byte = static_cast<std::uint8_t>(random() % 100 + 1);
  for (auto& byte : dram.subspan(at_c, g.c_bytes())) byte = 0xa5;
  model::Launch launch{.code = code};
  launch.windows[0] = {0, static_cast<std::uint32_t>(b.size()), true, false};
  launch.windows[1] = {at_a, g.a_bytes(), true, false};
  launch.windows[2] = {at_c, g.c_bytes(), true, true};
  REQUIRE(machine.launch(launch).ok());
  CHECK(machine.violations().empty());
  const auto c = dram.subspan(at_c, g.c_bytes());
  return {c.begin(), c.end()};
}

// Tiles (n / cols, k / 32) for which `zero` holds are zero.
template <class Zero>
ir::QMatrix pruned(const schedule::Gemm& g, const Zero& zero) {
  std::mt19937 random(11);
  ir::Tensor t{"b", {g.n, g.k}, ir::DType::f32, std::vector<std::byte>(static_cast<std::size_t>(g.n * g.k) * 4)};
  for (int i = 0; i < g.n * g.k; ++i) {
    const float x = zero(i / g.k / static_cast<int>(g.config.cols), i % g.k / 32) ? 0 : static_cast<float>(random() % 2001) / 500.0f - 2.0f;
    std::memcpy(&t.data[static_cast<std::size_t>(i) * 4], &x, 4);
  }
  return passes::quantize(t, g.format);
}

}  // namespace

TEST_CASE("sparse gemm: the bits of the product with all blocks, no race, whatever the pattern") {
  const std::vector<std::pair<std::string, bool (*)(int, int)>> patterns = {
      {"some", [](int j, int kb) { return (j * 7 + kb * 5) % 4 != 0; }}, {"whole columns", [](int j, int kb) { return j % 2 == 0 || kb == 1; }},
      {"none is zero", [](int, int) { return false; }}, {"all are zero", [](int, int) { return true; }}};
  for (const char* name : {"nano", "edge"})
    for (const ir::Format format : {ir::Format::int8, ir::Format::mxfp4})
      for (const auto& [what, zero] : patterns) {
        CAPTURE(name);
        CAPTURE(what);
        const spec::Config& config = *spec::find_config(name);
        const schedule::Gemm g{.config = config, .m = 128, .n = 12 * static_cast<int>(config.cols), .k = 160, .format = format};
        const ir::QMatrix b = pruned(g, zero);
        const auto lists = schedule::kept_blocks(b, static_cast<int>(config.cols));
        std::size_t expected = 0;
        for (int j = 0; j < 12; ++j) {
          std::size_t kept = 0;
          for (int kb = 0; kb < 5; ++kb) kept += !zero(j, kb);
          expected += std::max<std::size_t>(kept, 1);
        }
        CHECK(schedule::kept_count(lists) == expected);
        CHECK(product(g, schedule::pack_sparse_b(g, b, lists), schedule::lower_sparse_gemm(g, lists)) == product(g, schedule::pack_b(g, b), schedule::lower_gemm(g)));
      }
}

TEST_CASE("2:4 sparse gemm: every element as the rules say, no race") {
  for (const char* name : {"nano24", "edge24"})
    for (const ir::Format format : {ir::Format::int8, ir::Format::mxfp4}) {
      CAPTURE(name);
      const spec::Config& config = *spec::find_config(name);
      const schedule::Gemm g{.config = config, .m = 128, .n = 8 * static_cast<int>(config.cols), .k = 192, .format = format, .two_of_four = true};
      std::mt19937 random(9);
      std::vector<float> w(static_cast<std::size_t>(g.n * g.k));
      for (float& x : w) x = static_cast<float>(random() % 2001) / 500.0f - 2.0f;
      passes::prune_row(w);
      const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
      const auto sparse = passes::compress({"b", {g.n, g.k}, ir::DType::f32, ir::Bytes(bytes, bytes + w.size() * 4)});
      REQUIRE(sparse);
      const ir::QMatrix stored = passes::quantize(sparse->stored, format);
      const std::vector<std::uint8_t> c = product(g, schedule::pack_b(g, stored, *sparse), schedule::lower_gemm(g));
      // The same product, dense: element() of the stored values, each row's activations chosen by the column.
      std::vector<std::uint8_t> a(g.a_bytes());
      std::mt19937 again(3);
      for (auto& byte : a) byte = static_cast<std::uint8_t>(again() % 100 + 1);
      const schedule::Gemm half{.config = config, .m = 1, .n = g.n, .k = g.k / 2, .format = format};
      std::uint64_t different = 0;
      for (int m = 0; m < g.m; ++m)
        for (int n = 0; n < g.n; ++n) {
          std::vector<std::uint8_t> chosen(half.a_bytes());
          for (int i = 0; i < half.k; ++i) chosen[static_cast<std::size_t>(i)] = a[static_cast<std::size_t>(m * g.k + i / 2 * 4 + sparse->index[static_cast<std::size_t>(n * half.k + i)])];
          for (int kb = 0; kb < half.k / 32; ++kb) std::memcpy(&chosen[static_cast<std::size_t>(half.k + 2 * kb)], &a[static_cast<std::size_t>(g.m * g.k + 2 * (m * g.k / 32 + 2 * kb))], 2);
          std::uint32_t found = 0;
          std::memcpy(&found, &c[4 * static_cast<std::size_t>(m * g.n + n)], 4);
          different += found != element(stored, chosen, half, 0, n);
        }
      CHECK(different == 0);
    }
}

TEST_CASE("2:4 sparse gemm: refused where the array has no selection") {
  const schedule::Gemm g{.config = *spec::find_config("edge"), .m = 64, .n = 64, .k = 128, .two_of_four = true};
  CHECK_THROWS_WITH_AS(schedule::lower_gemm(g), doctest::Contains("sparse: 1"), Error);
}
