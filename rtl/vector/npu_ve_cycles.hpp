// Cycles of the vector engine from taking a command to taking the next, when every
// request to vector memory is granted at once. The unit test holds npu_ve to it.
#pragma once

#include <cstdint>

namespace jogak::rtl {

struct VeSizes {
  std::uint64_t cols;   // words of a vmem row
  std::uint64_t lanes;
};

enum class VeRed { none, sum, max };

// One command. Addresses matter only for `first_result`, the word of its vmem row
// in which the first row result lies.
struct VeShape {
  std::uint64_t rows, cols;
  bool qnt = false, by_row = false;       // qnt: one scale a row
  bool pair = false;                      // or one for two blocks
  bool func = false;                      // vec: exp, recip or rsqrt
  VeRed red = VeRed::none;                // vec
  std::uint64_t first_result = 0;
};

constexpr std::uint64_t ve_log(std::uint64_t n, unsigned bits_per_step) {
  unsigned bits = 0;
  while ((std::uint64_t(1) << bits) < n) ++bits;
  return (bits + bits_per_step - 1) / bits_per_step;
}

// Latencies of npu_fp_pkg.
constexpr std::uint64_t kAddLat = 4, kFmaLat = 8, kFuncLat = 9;

// Cycles from the last beat of the last row to its sum. The lane tree and three merges
// give a partial sum for every eight beats; npu_vec_stack then needs a cycle for each
// and kAddLat + 1 for each addition, in order.
constexpr std::uint64_t ve_sum_latency(std::uint64_t rows, std::uint64_t row_beats, std::uint64_t lanes) {
  const std::uint64_t tree = 1 + kAddLat * ve_log(lanes, 1);
  if (row_beats == 1) return tree;
  const std::uint64_t last = (row_beats + 7) / 8 - 1;
  std::uint64_t free = 0, start = 0;
  for (std::uint64_t row = 0; row < (rows < 4 ? rows : 4); ++row, start += row_beats) {
    for (std::uint64_t i = 0; i <= last; ++i) {
      const std::uint64_t arrival = start + (i == last ? row_beats : 8 * (i + 1));
      std::uint64_t additions = 0;  // set bits of the last index, else trailing ones
      for (std::uint64_t n = i; n != 0 && (i == last || n % 2 == 1); n /= 2) additions += n % 2;
      free = (arrival > free ? arrival : free) + 1 + (kAddLat + 1) * additions;
    }
  }
  return tree + 3 * kAddLat + 2 + free - start;
}

constexpr std::uint64_t ve_max_latency(std::uint64_t lanes) { return ve_log(lanes, 1) + 2; }

constexpr std::uint64_t ve_cycles(const VeShape& c, const VeSizes& n) {
  const std::uint64_t width = c.qnt && n.lanes > 32 ? 32 : n.lanes;
  const std::uint64_t row_beats = (c.cols + width - 1) / width;
  const std::uint64_t beats = c.rows * row_beats;
  const bool results = c.qnt ? c.by_row : c.red != VeRed::none;
  // Each full vmem row of results but the last costs a cycle of the write port.
  const std::uint64_t flushes = results ? (c.first_result + c.rows - 1) / n.cols : 0;
  if (c.qnt) {
    // The last group's beats leave after its last one came; a short last block waits for its neighbour.
    const std::uint64_t columns = c.pair ? 64 : 32;
    const std::uint64_t group = c.by_row || c.cols < columns ? row_beats : columns / width;
    return beats + group + 8 + kFmaLat + kFuncLat + ve_max_latency(n.lanes) + (c.by_row ? 1 : 0) + flushes;
  }
  const std::uint64_t reduce = c.red == VeRed::sum   ? ve_sum_latency(c.rows, row_beats, n.lanes)
                               : c.red == VeRed::max ? ve_max_latency(n.lanes)
                                                     : 0;
  return beats + 5 + kFmaLat + (c.func ? kFuncLat : 0) + reduce + flushes;
}

}  // namespace jogak::rtl
