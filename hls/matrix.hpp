// The matrix engine: tiles of weights that stay while the rows move, sums of a block as integers, block scales behind.
//
//   matrix_control -> weight_feed -> array -> foot -> vector memory
//                  -> moving_feed ->   ^        ^
//                  -> sum_feed ---------(vmem)--+   and the end of every command
#pragma once

#include "memories.hpp"
#include "semaphores.hpp"

namespace jogak { namespace JG_NAMESPACE {

using MatmulEntry = Entry<Matmul>;

inline u32 tile_count(const Matmul& c) { return c.nb * c.kb; }
inline bool is_int8(const Matmul& c) { return c.wfmt == spec::Wfmt::int8; }
inline u32 value_words(const Matmul& c) { return is_int8(c) ? 16 : 8; }
inline u32 tile_words(const Matmul& c) { return value_words(c) + (is_sparse(c) ? kBlock / 8 : 0); }  // indices lie behind the values
inline u32 blocks_of(const Matmul& c) { return is_sparse(c) ? 2 : 1; }                                // of a row that meet a tile

// Column block and k block, in the order of the tiles.
struct TileWalk {
  u32 jn = 0, jk = 0;
  void next(const Matmul& c) {
    if (++jk < c.kb) return;
    jk = 0;
    ++jn;
  }
};

inline void matrix_control(Fifo<MatmulEntry, hls_depth::queue>& queue, Fifo<SemRequest, 2>& take, Fifo<bool, 2>& grant,
                           Fifo<Matmul, 4>& weights, Fifo<Matmul, 4>& moving, Fifo<MatmulEntry, 8>& sums,
                           Fifo<Matmul, 4>& array, Fifo<Matmul, 4>& foot) {
  JG_STATE(bool, flush);
  const MatmulEntry e = queue.read();
  if (e.kind == Kind::wait && !flush) flush = !granted(e.sem, e.n, take, grant);
  if (e.kind == Kind::signal && !flush) sums.write(e);
  if (e.kind == Kind::stop) {
    sums.write(e);
    flush = false;
  }
  const Matmul& c = e.command;
  if (e.kind != Kind::command || flush || c.m == 0 || c.kb == 0 || c.nb == 0) return;
  weights.write(c);
  moving.write(c);
  sums.write(e);
  array.write(c);
  foot.write(c);
}

inline u32 decode_scale(const Matmul& c, const Weights& word, u32 half, u32 column) {
  u32 scale = num::kOne;
  const u32 pair = word.byte[2 * column] | u32(word.byte[2 * column + 1]) << 8;
  switch (c.wscale) {
    case spec::Wscale::fp16: scale = num::f16_to_f32(static_cast<u16>(pair)); break;
    case spec::Wscale::bf16: scale = num::bf16_to_f32(static_cast<u16>(pair)); break;
    case spec::Wscale::e8m0: scale = num::e8m0_to_f32(word.byte[half * C + column]); break;
    default: break;
  }
  constexpr u32 kHalf = 0x3F000000u;  // e2m1 values are doubled in the array
  return is_int8(c) ? scale : num::fmul(scale, kHalf);
}

// Asks for the words of every tile, as far ahead as the array has room, and decodes the tiles' scales.
inline void weight_feed(Fifo<Matmul, 4>& commands, Fifo<WeightRead, 8>& tile, Fifo<WeightRead, 2>& scale,
                        Fifo<Weights, 2>& scale_data, Fifo<Scales, 2>& scales) {
  const Matmul c = commands.read();
  const u32 narrow = c.wscale == spec::Wscale::e8m0 ? 1 : 0;
  const u32 shift = (is_int8(c) ? 5 : 4) - (1 - narrow);  // tile offset to scale offset
  TileWalk at;
  for (u32 t = 0; t < tile_count(c); ++t, at.next(c)) {
    const u64 offset = u64(at.jn) * c.wn + u64(at.jk) * c.wk;
    const u32 first = static_cast<u32>((c.w + offset) / (2 * C));
    const u32 indices = static_cast<u32>((indices_of(c) + (offset >> (is_int8(c) ? 2 : 1))) / (2 * C));
    for (u32 i = 0; i < tile_words(c); ++i) {
      JG_PIPELINE(1)
      tile.write({spec::Space::wspm, i < value_words(c) ? first + i : indices + i - value_words(c)});
    }
    Weights word = {};
    const u32 set = static_cast<u32>((c.ws + (offset >> shift)) / C);
    if (c.wscale != spec::Wscale::one) {
      scale.write({spec::Space::wsc, set / 2});
      JG_THEN;
      word = scale_data.read();
    }
    Scales out;
    for (u32 i = 0; i < C; ++i) {
      JG_UNROLL
      out.value[i] = decode_scale(c, word, set % 2, i);
    }
    scales.write(out);
  }
}

inline void moving_feed(Fifo<Matmul, 4>& commands, Fifo<u32, 8>& blocks) {
  const Matmul c = commands.read();
  TileWalk at;
  for (u32 t = 0; t < tile_count(c); ++t, at.next(c)) {
    u32 block = c.a / kBlock + at.jk * blocks_of(c), half = 0;
    for (u32 i = 0; i < c.m * blocks_of(c); ++i) {
      JG_PIPELINE(1)
      blocks.write(block + half);
      if (++half < blocks_of(c)) continue;
      half = 0;
      block += c.am / kBlock;
    }
  }
}

// One word of a tile into the bank of weights that does not compute: two rows of int8, four of e2m1, or part of the columns.
using Bank = i8[kBlock][C];
inline void put_weights(Bank& bank, const Matmul& c, u32 index, const Weights& word) {
  for (u32 i = 0; i < 2 * C; ++i) {
    JG_UNROLL
    const u8 byte = word.byte[i];
    if (c.colload) {
      const u32 at = index * 2 * C + i;
      bank[at % kBlock][at / kBlock] = static_cast<i8>(byte);
    } else if (is_int8(c)) {
      bank[2 * index + i / C][i % C] = static_cast<i8>(byte);
    } else {
      bank[4 * index + 2 * i / C][2 * i % C] = num::e2m1_doubled(byte & 15);
      bank[4 * index + 2 * i / C][2 * i % C + 1] = num::e2m1_doubled(byte >> 4);
    }
  }
}

// Which of four neighbouring values of k a stored one meets: two of four are stored.
using Choices = u8[kSparse ? kBlock : 1][kSparse ? C : 1];
inline void put_choices(Choices& bank, u32 index, const Weights& word) {
  for (u32 i = 0; kSparse && i < 8 * C; ++i) {
    JG_UNROLL
    bank[8 * index + i / C][i % C] = word.byte[i / 4] >> (i % 4 * 2) & 3;
  }
}

inline void put_word(Bank& bank, Choices& choices, const Matmul& c, u32 index, const Weights& word) {
  if (index < value_words(c)) put_weights(bank, c, index, word);
  else put_choices(choices, index - value_words(c), word);
}

// As slice, from value k on of a sparse tile: the first half of a tile's values meet the first of two blocks.
inline void sparse_slice(const Block& moving, u32 k, const Bank& weights, const Choices& choices, i32* sum) {
  for (u32 r = 0; kSparse && r < R; ++r) {
    JG_UNROLL
    for (u32 c = 0; c < C; ++c) {
      JG_UNROLL
      sum[c] += i32(moving.value[(k + r) / 2 * 4 % kBlock + choices[k + r][c]]) * i32(weights[k + r][c]);
    }
  }
}

// R values of k by C columns a cycle: each column is a chain of multiply-adds, which the scheduler cuts into a systolic pipeline.
inline void slice(const i8* moving, const i8 (*weights)[C], i32* sum) {
  for (u32 r = 0; r < R; ++r) {
    JG_UNROLL
    for (u32 c = 0; c < C; ++c) {
      JG_UNROLL
      sum[c] += i32(moving[r]) * i32(weights[r][c]);
    }
  }
}

static_assert(!kSparse || R <= kBlock / 2, "hls: a slice of a sparse tile meets one block");

// While rows move past one bank of weights, the next tile's words go into the other.
inline void array(Fifo<Matmul, 4>& commands, Fifo<Weights, 32>& words, Fifo<Block, 32>& moving,
                  Fifo<Dots, 32>& dots) {
  JG_STATES(Bank, weights, 2);
  JG_STATES(Choices, choices, 2);
  JG_PARTITION(weights, 0)
  JG_PARTITION(choices, 0)
  const Matmul c = commands.read();
  const u32 tiles = tile_count(c);
  for (u32 i = 0; i < tile_words(c); ++i) {
    JG_PIPELINE(1)
    put_word(weights[0], choices[0], c, i, words.read());
  }
  for (u32 t = 0; t < tiles; ++t) {
    const u32 now = t % 2, next = t + 1 < tiles ? tile_words(c) : 0;
    const u32 steps = c.m > next ? c.m : next;
    for (u32 i = 0; i < steps; ++i) {
      JG_PIPELINE(kBlock / R)
      if (i < next) put_word(weights[1 - now], choices[1 - now], c, i, words.read());
      if (i >= c.m) continue;
      const Block b = moving.read();
      Block second = {};
      if (is_sparse(c)) second = moving.read();
      Dots out = {};
      for (u32 s = 0; s < kBlock / R; ++s) {
        const u32 k = s * R;
        if (is_sparse(c)) sparse_slice(k < kBlock / 2 ? b : second, k, weights[now], choices[now], out.sum);
        else slice(&b.value[k], &weights[now][k], out.sum);
      }
      out.scale = b.scale;
      dots.write(out);
    }
  }
}

inline u32 row_of(const Matmul& c, u32 jn, u32 i) { return static_cast<u32>((c.o + u64(jn) * c.on + u64(i) * c.om) / C); }
// Few rows stay in foot until their last block of k, so that none waits for its own last sum to go through vector memory.
constexpr u32 kKeptRows = hls_depth::kept;
inline bool keeps(const Matmul& c) { return c.m <= kKeptRows; }
inline bool adds(const Matmul& c, u32 jk) { return jk == 0 ? c.acc : !keeps(c); }   // reads a sum from vector memory
inline bool writes(const Matmul& c, u32 jk) { return !keeps(c) || jk + 1 == c.kb; }

// Asks vector memory for the sums that rows are added to. A row's earlier value must be there: the acknowledgements of writes say so, and
// when all of a command's have come it is complete. They are taken in every cycle, so foot never waits for this one.
inline void sum_feed(Fifo<MatmulEntry, 8>& entries, Fifo<u32, 8>& sums, Fifo<bool, 32>& written,
                     Fifo<SemRequest, 4>& give, Fifo<bool, 2>& idle) {
  const MatmulEntry e = entries.read();
  if (e.kind == Kind::signal) give.write({SemOp::give, e.sem, e.n});
  if (e.kind == Kind::stop) idle.write(true);
  if (e.kind != Kind::command) return;
  const Matmul& c = e.command;
  TileWalk at;
  // Rows asked for or passed over, less those known to be written: less than 0 where the next command's are already.
  JG_STATE(num::i64, behind);
  for (u32 t = 0; t < tile_count(c); ++t, at.next(c)) {
    for (u32 i = 0; i < c.m;) {
      JG_PIPELINE(1)
      bool done = false;
      if (written.read_nb(done)) --behind;
      const bool there = at.jk == 0 || keeps(c) || behind < num::i64(c.m);
      const bool sent = there && (!adds(c, at.jk) || sums.write_nb(row_of(c, at.jn, i)));
      behind += sent && writes(c, at.jk);
      i += sent;
      if (!sent && !done) JG_SPIN(sums);
    }
  }
  for (; behind > 0; --behind) written.read();
}

inline void foot(Fifo<Matmul, 4>& commands, Fifo<Scales, 2>& scales, Fifo<Dots, 32>& dots,
                 Fifo<Row, 32>& sums, Fifo<RowWrite, 8>& rows) {
  const Matmul c = commands.read();
  Row kept[kKeptRows];
  TileWalk at;
  for (u32 t = 0; t < tile_count(c); ++t, at.next(c)) {
    const Scales sw = scales.read();
    for (u32 i = 0; i < c.m; ++i) {
      JG_PIPELINE(1)
      const Dots d = dots.read();
      Row sum = {};
      if (adds(c, at.jk)) sum = sums.read();
      if (keeps(c) && at.jk > 0) sum = kept[i];
      const u32 sa = c.ascale == spec::Ascale::one ? num::kOne : num::bf16_to_f32(d.scale);
      RowWrite out;
      out.row = row_of(c, at.jn, i);
      out.mask = ~u64(0) >> (64 - C);
      out.ack = true;
      for (u32 k = 0; k < C; ++k) {
        JG_UNROLL
        out.data.word[k] = num::foot_step(sum.word[k], d.sum[k], num::foot_scale(sa, sw.value[k]));
      }
      if (keeps(c)) kept[i] = out.data;
      if (writes(c, at.jk)) rows.write(out);
    }
  }
}

}}  // namespace jogak::JG_NAMESPACE
