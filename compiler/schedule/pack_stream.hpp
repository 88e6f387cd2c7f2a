// Matrices as a stream of weight slots: weights, their scales, then fp32 values of the columns.
#pragma once
#include <cstring>
#include <span>
#include <vector>

#include "plan.hpp"
#include "program.hpp"
#include "tile.hpp"

namespace jogak::schedule {

// Bytes in order, handed on in pieces of a few MiB.
class Out {
 public:
  explicit Out(const SegmentSource::Take& take) : take_(take) {}
  // Room for `count` bytes of zeros, good until the next call.
  std::byte* room(std::size_t count) {
    if (buffer_.size() >= kPiece) flush();
    const std::size_t at = buffer_.size();
    buffer_.resize(at + count);
    return buffer_.data() + at;
  }
  void floats(const float* values, std::size_t count, std::size_t words) { std::memcpy(room(words * 4), values, count * 4); }
  void pad_to(std::uint64_t offset) {
    if (offset > sent_ + buffer_.size()) room(static_cast<std::size_t>(offset - sent_ - buffer_.size()));
  }
  void flush() {
    sent_ += buffer_.size();
    take_({reinterpret_cast<const std::uint8_t*>(buffer_.data()), buffer_.size()});
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kPiece = std::size_t(1) << 22;
  const SegmentSource::Take& take_;
  std::vector<std::byte> buffer_;
  std::uint64_t sent_ = 0;
};

class Stream {
 public:
  Stream(Out& out, int cols) : out_(out), cols_(cols) {}

  int cols() const { return cols_; }
  // One slot: `columns` (nbs * C of them) times k blocks part * kbs .. (part + 1) * kbs - 1.
  void slot(const MatrixPlan& plan, const std::vector<Column>& columns, int part) {
    const int kb0 = part * plan.kbs;
    std::byte* tile = out_.room(plan.stream_bytes(part));
    std::byte *index = tile + plan.weight_bytes(), *scale = index + plan.slot_index_bytes();
    for (int nb = 0; nb < plan.nbs; ++nb) {
      const auto block = std::span(columns).subspan(static_cast<std::size_t>(nb * cols_), static_cast<std::size_t>(cols_));
      for (int kb = 0; kb < plan.kbs; ++kb) {
        put_tile(block, kb0 + kb, tile, scale);
        if (plan.sparse()) put_tile_indices(block, kb0 + kb, index);
        index += plan.index_bytes;
        tile += plan.tile_bytes;
        scale += plan.scale_bytes;
      }
    }
    if (plan.side_bytes > 0 && part == 0) put_side(plan, columns, scale);
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

  Out& out_;
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
