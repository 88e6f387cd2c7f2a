// Matrices as a stream of weight slots: weights, their scales, then fp32 values of the columns.
#pragma once
#include <cstring>
#include <span>
#include <vector>

#include "plan.hpp"
#include "tile.hpp"

namespace jogak::schedule {

// A column of a slot: which row of which matrix; n = -1 is a column of zeros. bias: the value at its side, where the plan has biases.
struct Column {
  const ir::QMatrix* matrix = nullptr;
  std::int64_t n = -1;
  float bias = 0;
};

class Stream {
 public:
  // Writes to zeroed bytes.
  Stream(std::span<std::byte> out, int cols) : out_(out), cols_(cols) {}

  int cols() const { return cols_; }
  // One slot: `columns` (nbs * C of them) times k blocks part * kbs .. (part + 1) * kbs - 1.
  void slot(const MatrixPlan& plan, const std::vector<Column>& columns, int part) {
    const int kb0 = part * plan.kbs;
    std::byte* tile = out_.data() + at_;
    std::byte* scale = tile + plan.weight_bytes();
    for (int nb = 0; nb < plan.nbs; ++nb) {
      for (int kb = 0; kb < plan.kbs; ++kb) {
        for (int c = 0; c < cols_; ++c) {
          const Column& from = columns[static_cast<std::size_t>(nb * cols_ + c)];
          if (from.n >= 0) put_column(*from.matrix, from.n, kb0 + kb, c, cols_, tile, scale);
        }
        tile += plan.tile_bytes;
        scale += plan.scale_bytes;
      }
    }
    if (plan.side_bytes > 0 && part == 0) put_side(plan, columns, scale);
    at_ += plan.stream_bytes(part);
  }

 private:
  // Of each column the channel's scale or the bias; 0 for columns of zeros.
  static void put_side(const MatrixPlan& plan, const std::vector<Column>& columns, std::byte* at) {
    for (const Column& c : columns) {
      const float x = c.n < 0 || c.n >= c.matrix->n ? 0 : plan.channel() ? c.matrix->channel[static_cast<std::size_t>(c.n)] : c.bias;
      std::memcpy(at, &x, sizeof x);
      at += sizeof x;
    }
  }

  std::span<std::byte> out_;
  std::size_t at_ = 0;
  int cols_;
};

// Columns first .. first + count - 1 of an iteration's padded columns; `map` gives the matrix row of each.
template <class Map>
std::vector<Column> columns(int count, const Map& map) {
  std::vector<Column> list(static_cast<std::size_t>(count));
  for (int j = 0; j < count; ++j) list[static_cast<std::size_t>(j)] = map(j);
  return list;
}

// `map(iteration, j)` gives column j of an iteration.
template <class Map>
void put_whole_k(Stream& out, const MatrixPlan& p, const Map& map) {
  const int width = p.nbs * out.cols();
  for (int it = 0; it < p.iterations; ++it)
    for (int s = 0; s < p.slots; ++s)
      out.slot(p, columns(width, [&](int j) { return map(it, s * width + j); }), 0);
}

// `map(n)` gives column n.
template <class Map>
void put_accumulating(Stream& out, const MatrixPlan& p, const Map& map) {
  for (int slot = 0; slot < p.iterations * p.slots; ++slot) {
    const int first = slot / p.kparts * p.nbs * out.cols();
    out.slot(p, columns(p.nbs * out.cols(), [&](int j) { return map(first + j); }), slot % p.kparts);
  }
}

}  // namespace jogak::schedule
