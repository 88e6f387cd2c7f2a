// A bare matrix product, for benchmarks and as the smallest program that uses the whole data path.
#pragma once
#include "../emit/emitter.hpp"
#include "../ir/graph.hpp"
#include "../passes/two_of_four.hpp"

namespace jogak::schedule {

// C[m][n] (fp32) = A[m][k] (int8, one bf16 scale per row and 32 columns) * B[n][k]^T. Windows: 0 holds B in tiles, 1 A, 2 C.
struct Gemm {
  spec::Config config{};
  int m = 0, n = 0, k = 0;             // k a multiple of 32, m of 64, n of 2 * cols
  ir::Format format = ir::Format::int8;
  bool two_of_four = false;            // B is 2:4 sparse, k a multiple of 64; the scales of two neighbouring blocks of A are the same

  int slot_columns() const { return 2 * static_cast<int>(config.cols); }
  int tiles() const { return k / (two_of_four ? 64 : 32); }  // of a column block
  std::uint32_t slot_weights() const;  // bytes of one slot's tiles
  std::uint32_t slot_indices() const;  // behind them
  std::uint32_t slot_scales() const;
  std::uint32_t slot_bytes() const { return slot_weights() + slot_indices() + slot_scales(); }
  std::uint32_t b_bytes() const { return static_cast<std::uint32_t>(n / slot_columns()) * slot_bytes(); }
  std::uint32_t a_bytes() const { return static_cast<std::uint32_t>(m * k + m * k / 16); }  // codes, then scales
  std::uint32_t c_bytes() const { return static_cast<std::uint32_t>(m * n * 4); }
};

// Throws jogak::Error when a row block of A or three slots of B do not fit.
emit::Emitter lower_gemm(const Gemm& gemm);

// B as window 0 wants it.
std::vector<std::byte> pack_b(const Gemm& gemm, const ir::QMatrix& b);
// The same of a 2:4 sparse one: its stored values, quantised, and its indices.
std::vector<std::byte> pack_b(const Gemm& gemm, const ir::QMatrix& stored, const passes::TwoOfFour& b);

}  // namespace jogak::schedule
