// The vector engine: L lanes a cycle over rows of fp32; rows are reduced, or quantised to blocks, behind them. Commands follow one another
// without overlap.
#pragma once

#include "memories.hpp"
#include "semaphores.hpp"

namespace jogak { namespace JG_NAMESPACE {

inline u32 rows_of(u32 columns) { return (columns + C - 1) / C; }
inline u32 block_count(u32 columns) { return (columns + kBlock - 1) / kBlock; }
// Of a row, those of its first `columns` words.
inline u64 words_below(u32 columns) { return columns >= C ? ~u64(0) >> (64 - C) : (u64(1) << columns) - 1; }

inline void vector_control(Fifo<Entry<Vector>, hls_depth::queue>& queue, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant,
                           Fifo<SemRequest, 4>& give, Fifo<Vector, 2>& fetch, Fifo<Vector, 2>& run,
                           Fifo<bool, 32>& written, Fifo<bool, 32>& reduced, Fifo<bool, 32>& scaled,
                           Fifo<bool, 2>& quantised, Fifo<bool, 2>& idle) {
  JG_STATE(bool, flush);
  const Entry<Vector> e = queue.read();
  if (e.kind == Kind::wait && !flush) flush = !granted(e.sem, e.n, take, grant);
  if (e.kind == Kind::signal && !flush) give.write({SemOp::give, e.sem, e.n});
  if (e.kind == Kind::stop) {
    idle.write(true);
    flush = false;
  }
  const Vector& c = e.command;
  if (e.kind != Kind::command || flush || c.rows == 0 || c.cols == 0) return;
  fetch.write(c);
  run.write(c);
  JG_THEN;
  // What it writes last is acknowledged.
  if (!c.quantise && c.wr) written.read();
  if (c.quantise) quantised.read();
  if (c.quantise && c.group == spec::Qgroup::row) scaled.read();
  if (!c.quantise && c.red != spec::Vred::none) reduced.read();
}

inline void vector_fetch(Fifo<Vector, 2>& commands, Fifo<u32, 8>& a, Fifo<u32, 8>& b) {
  const Vector c = commands.read();
  for (u32 i = 0; i < c.rows; ++i) {
    const u32 row_a = static_cast<u32>((c.a + u64(i) * c.as) / C);
    const u32 at_b = static_cast<u32>((c.b + u64(i) * c.bs) / C);
    if (!c.quantise && c.bmode == spec::Bmode::row_scalar) b.write(at_b);
    for (u32 j = 0; j < rows_of(c.cols); ++j) {
      JG_PIPELINE(1)
      a.write(row_a + j);
      if (!c.quantise && c.bmode == spec::Bmode::vector) b.write(at_b + j);
    }
  }
}

// ---- lanes ------------------------------------------------------------------

inline u32 combine(const Vector& c, u32 x, u32 y) {
  if (c.absa) x = num::fabs(x);
  if (c.nega) x = num::fneg(x);
  if (c.negb) y = num::fneg(y);
  switch (c.op) {
    case spec::Vop::mul: return num::fmul(x, y);
    case spec::Vop::mad: return num::ffma(x, c.s, y);
    case spec::Vop::max: return num::fmax(x, y);
    default: return num::fmin(x, y);
  }
}

inline u32 apply(spec::Vfunc func, u32 x) {
  switch (func) {
    case spec::Vfunc::exp: return num::fexp(x);
    case spec::Vfunc::recip: return num::frecip(x);
    case spec::Vfunc::rsqrt: return num::frsqrt(x);
    default: return x;
  }
}

// Values of a lane group to the reduction: a finished node of L leaves, or fewer at a row's end.
struct Partial {
  u32 value;
  bool last;  // of the row
};

// Pairs of neighbours level by level; a value without a neighbour passes.
inline u32 lane_tree(const u32* value, u32 count) {
  u32 node[L];
  for (u32 i = 0; i < L; ++i) node[i] = num::canonical(value[i]);
  for (u32 width = L; width > 1; width /= 2) {
    JG_UNROLL
    for (u32 i = 0; i < width / 2; ++i) {
      JG_UNROLL
      const bool pair = 2 * i + 1 < count;
      node[i] = pair ? num::fadd(node[2 * i], node[2 * i + 1]) : node[2 * i];
    }
    count = (count + 1) / 2;
  }
  return node[0];
}

inline u32 lane_max(const u32* value, u32 count) {
  u32 largest = num::kLowest;
  for (u32 i = 0; i < L; ++i) {
    JG_UNROLL
    if (i < count) largest = num::fmax(largest, value[i]);
  }
  return largest;
}

// L columns of a row, from column `first` of which `left` belong to the row and `open` are not masked.
inline void lanes(const Vector& c, const Row& a, const Row& b, u32 first, u32 open, u32* out) {
  const u32 fixed = c.red == spec::Vred::max ? num::kLowest : 0;
  for (u32 l = 0; l < L; ++l) {
    JG_UNROLL
    const u32 at = first + l;
    const u32 value = apply(c.func, combine(c, a.word[c.swap ? at ^ 1 : at], b.word[at]));
    out[l] = l < open ? value : fixed;
  }
}

inline u32 open_columns(const Vector& c, u32 row) {
  if (!c.masked) return c.cols;
  const u64 limit = u64(c.lim) + (c.linc ? row : 0);
  return limit < c.cols ? static_cast<u32>(limit) : c.cols;
}

inline u32 less(u32 a, u32 b) { return a > b ? a - b : 0; }

inline void run_vec(const Vector& c, Fifo<Row, 32>& a, Fifo<Row, 32>& b, Fifo<RowWrite, 8>& rows,
                    Fifo<Partial, 8>& partials) {
  for (u32 i = 0; i < c.rows; ++i) {
    const u32 open = open_columns(c, i);
    Row y;
    const u32 scalar = c.bmode == spec::Bmode::row_scalar ? b.read().word[(c.b + u64(i) * c.bs) % C] : c.b;
    for (u32 k = 0; k < C; ++k) y.word[k] = scalar;
    for (u32 j = 0; j < rows_of(c.cols); ++j) {
      const Row x = a.read();
      if (c.bmode == spec::Bmode::vector) y = b.read();
      RowWrite out;
      out.row = static_cast<u32>((c.dst + u64(i) * c.ds) / C) + j;
      out.mask = words_below(c.cols - j * C);
      out.ack = i + 1 == c.rows && j + 1 == rows_of(c.cols);
      for (u32 first = 0; first < C; first += L) {
        JG_PIPELINE(1)
        const u32 column = j * C + first, count = less(c.cols, column);
        lanes(c, x, y, first, less(open, column), &out.data.word[first]);
        if (count == 0 || c.red == spec::Vred::none) continue;
        const bool sum = c.red == spec::Vred::sum;
        const u32 value = sum ? lane_tree(&out.data.word[first], count) : lane_max(&out.data.word[first], count);
        partials.write({value, count <= L});
      }
      if (c.wr) rows.write(out);
    }
  }
}

// ---- quantise ---------------------------------------------------------------

// A whole row's scale needs the whole row, at most 256 columns; a block's scale 32, a pair's 64.
inline void run_qnt(const Vector& c, Fifo<Row, 32>& a, Fifo<BlockWrite, 4>& blocks, Fifo<RowWrite, 8>& rows) {
  const bool by_row = c.group == spec::Qgroup::row;
  const u32 group = by_row ? c.cols : kSparse && c.group == spec::Qgroup::pair ? 2 * kBlock : kBlock;
  constexpr u32 kStep = C < kBlock ? C : kBlock;
  u32 value[spec::limit::quant_cols_max];
  Row x = {};
  for (u32 i = 0; i < c.rows; ++i) {
    const u32 first_block = static_cast<u32>((c.dst + u64(i) * c.ds) / kBlock);
    for (u32 column = 0; column < c.cols; column += group) {
      const u32 count = c.cols - column < group ? c.cols - column : group;
      u32 largest = 0;
      for (u32 j = 0; j < count; j += kStep) {
        JG_PIPELINE(1)
        const u32 first = (column + j) % C;
        if (first == 0) x = a.read();
        for (u32 k = 0; k < kStep; ++k) {
          JG_UNROLL
          const u32 x_k = j + k < count ? x.word[first + k] : 0;
          value[j + k] = x_k;
          if (num::magnitude(x_k) > largest) largest = num::magnitude(x_k);
        }
      }
      const num::QuantScale scale = num::quant_scale(num::canonical(largest));
      for (u32 blk = 0; blk < block_count(count); ++blk) {
        JG_PIPELINE(1)
        BlockWrite out;
        out.block = first_block + column / kBlock + blk;
        out.scaled = !by_row;
        out.ack = i + 1 == c.rows && column + group >= c.cols && blk + 1 == block_count(count);
        out.data.scale = scale.scale;
        for (u32 k = 0; k < kBlock; ++k) {
          JG_UNROLL
          const u32 at = blk * kBlock + k;
          out.data.value[k] = at < count ? num::quant_value(value[at], scale.recip) : i8(0);
        }
        blocks.write(out);
      }
      if (!by_row) continue;
      const u32 to = c.r + i;
      RowWrite out;
      out.row = to / C;
      out.mask = u64(1) << (to % C);
      out.ack = i + 1 == c.rows;
      out.data.word[to % C] = num::bf16_to_f32(scale.scale);
      rows.write(out);
    }
  }
}

inline void vector_run(Fifo<Vector, 2>& commands, Fifo<Row, 32>& a, Fifo<Row, 32>& b,
                       Fifo<RowWrite, 8>& rows, Fifo<BlockWrite, 4>& blocks, Fifo<Vector, 2>& reduce,
                       Fifo<Partial, 8>& partials, Fifo<RowWrite, 8>& scales) {
  const Vector c = commands.read();
  if (c.quantise) {
    run_qnt(c, a, blocks, scales);
    return;
  }
  if (c.red != spec::Vred::none) reduce.write(c);
  run_vec(c, a, b, rows, partials);
}

// ---- reduce -----------------------------------------------------------------

// A row's lane groups level by level in place: n values take n - 1 additions, one a cycle, and log2(n) times the adder's latency.
inline u32 reduce_row(spec::Vred red, Fifo<Partial, 8>& partials) {
  JG_STATES(u32, node, kVmemWords / L);
  u32 count = 0;
  for (bool last = false; !last;) {
    JG_PIPELINE(1)
    const Partial p = partials.read();
    node[count++] = p.value;
    last = p.last;
  }
  for (; count > 1; count = (count + 1) / 2) {
    for (u32 i = 0; i < (count + 1) / 2; ++i) {
      JG_PIPELINE(1)
      JG_NO_CARRY(node)
      const bool pair = 2 * i + 1 < count;
      const u32 x = node[2 * i], y = pair ? node[2 * i + 1] : 0;
      node[i] = !pair ? x : red == spec::Vred::sum ? num::fadd(x, y) : num::fmax(x, y);
    }
  }
  return node[0];
}

inline void vector_reduce(Fifo<Vector, 2>& commands, Fifo<Partial, 8>& partials, Fifo<RowWrite, 8>& reduced) {
  const Vector c = commands.read();
  for (u32 i = 0; i < c.rows; ++i) {
    const u32 to = c.r + i;
    RowWrite out;
    out.row = to / C;
    out.mask = u64(1) << (to % C);
    out.ack = i + 1 == c.rows;
    out.data.word[to % C] = reduce_row(c.red, partials);
    reduced.write(out);
  }
}

}}  // namespace jogak::JG_NAMESPACE
