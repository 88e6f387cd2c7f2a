#include "tile.hpp"

#include <bit>
#include <cstring>

#include "../passes/codes.hpp"
#include "../passes/two_of_four.hpp"

namespace jogak::schedule {
namespace {

using ir::Format;
using ir::QMatrix;
using Word = std::uint64_t;

static_assert(std::endian::native == std::endian::little, "tile: eight bytes are moved as one word");

// Swaps the blocks of `shift` bits that `mask` leaves between two words.
void swap_blocks(Word& a, Word& b, int shift, Word mask) {
  const Word t = (a >> shift ^ b) & mask;
  b ^= t;
  a ^= t << shift;
}

// Byte r of word c becomes byte c of word r.
void transpose(Word (&x)[8]) {
  for (int i = 0; i < 4; ++i) swap_blocks(x[i], x[i + 4], 32, 0x00000000ffffffffu);
  for (const int i : {0, 1, 4, 5}) swap_blocks(x[i], x[i + 2], 16, 0x0000ffff0000ffffu);
  for (const int i : {0, 2, 4, 6}) swap_blocks(x[i], x[i + 1], 8, 0x00ff00ff00ff00ffu);
}

Word word_at(const void* from) {
  Word w;
  std::memcpy(&w, from, sizeof w);
  return w;
}

// lines[l] has 32 bytes along k: byte k of line l becomes byte l of row k. `count` is a multiple of 8.
template <class Lines>
void put_lines(const Lines& lines, std::size_t count, std::byte* tile) {
  for (std::size_t l = 0; l < count; l += 8)
    for (std::size_t k = 0; k < 32; k += 8) {
      Word x[8];
      for (std::size_t i = 0; i < 8; ++i) x[i] = word_at(lines(l + i) + k);
      transpose(x);
      for (std::size_t i = 0; i < 8; ++i) std::memcpy(tile + (k + i) * count + l, &x[i], sizeof x[i]);
    }
}

const std::byte* stored_block(const Column& c, int kb) { return c.matrix->blocks.data() + static_cast<std::size_t>(c.n * c.matrix->kb() + kb) * 17; }

// Two columns share the bytes of a line: low nibbles of one, high ones of the next. A stored block has k and k + 16 in one byte.
void put_stored_mxfp4(std::span<const Column> columns, int kb, std::byte* tile, std::byte* scales) {
  constexpr Word kLow = 0x0f0f0f0f0f0f0f0fu;
  alignas(8) std::byte lines[64][32];
  for (std::size_t p = 0; p < columns.size() / 2; ++p) {
    const std::byte *a = stored_block(columns[2 * p], kb), *b = stored_block(columns[2 * p + 1], kb);
    scales[2 * p] = a[0], scales[2 * p + 1] = b[0];
    for (int half = 0; half < 2; ++half) {
      const Word x = word_at(a + 1 + half * 8), y = word_at(b + 1 + half * 8);
      const Word low = (x & kLow) | (y & kLow) << 4, high = (x >> 4 & kLow) | (y & ~kLow);
      std::memcpy(&lines[p][half * 8], &low, 8);
      std::memcpy(&lines[p][16 + half * 8], &high, 8);
    }
  }
  put_lines([&](std::size_t l) { return lines[l]; }, columns.size() / 2, tile);
}

void put_int8(std::span<const Column> columns, int kb, std::byte* tile, std::byte* scales) {
  const std::int8_t* codes[128];
  std::int8_t room[128][32];
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const passes::Block b = passes::block_of(*columns[c].matrix, columns[c].n, kb, room[c]);
    codes[c] = b.codes;
    if (columns[c].matrix->format == Format::int8) std::memcpy(scales + 2 * c, &b.scale, 2);
    if (columns[c].matrix->format == Format::mxint8) scales[c] = static_cast<std::byte>(b.scale & 0xff);
  }
  put_lines([&](std::size_t l) { return codes[l]; }, columns.size(), tile);
}

}  // namespace

void put_column(const QMatrix& m, std::int64_t n, int kb, int c, int cols, std::byte* tile, std::byte* scales) {
  if (n < 0 || n >= m.n || kb >= m.kb()) return;
  std::int8_t room[32];
  const passes::Block block = passes::block_of(m, n, kb, room);
  const std::int8_t* codes = block.codes;
  if (m.format != Format::mxfp4)
    for (int k = 0; k < 32; ++k) tile[k * cols + c] = static_cast<std::byte>(codes[k]);
  if (m.format == Format::int8c) return;
  const std::uint16_t s = block.scale;
  if (m.format == Format::int8) {
    scales[2 * c] = static_cast<std::byte>(s & 0xff);
    scales[2 * c + 1] = static_cast<std::byte>(s >> 8);
    return;
  }
  for (int k = 0; k < 32 && m.format == Format::mxfp4; ++k) {
    const int index = k * cols + c;
    tile[index / 2] |= static_cast<std::byte>((codes[k] & 15) << (index % 2 * 4));
  }
  scales[c] = static_cast<std::byte>(s & 0xff);
}

void put_tile(std::span<const Column> columns, int kb, std::byte* tile, std::byte* scales) {
  bool whole = columns.size() <= 128, stored = true;
  for (const Column& c : columns) {
    whole = whole && c.matrix && c.n >= 0 && c.n < c.matrix->n && kb < c.matrix->kb();
    stored = stored && c.matrix && !c.matrix->blocks.empty();
  }
  const bool int8 = whole && columns[0].matrix->format != Format::mxfp4;
  if (int8 && columns.size() % 8 == 0) return put_int8(columns, kb, tile, scales);
  if (whole && !int8 && stored && columns.size() % 16 == 0) return put_stored_mxfp4(columns, kb, tile, scales);
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c].matrix) put_column(*columns[c].matrix, columns[c].n, kb, static_cast<int>(c), static_cast<int>(columns.size()), tile, scales);
}

void put_tile_indices(std::span<const Column> columns, int kb, std::byte* indices) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Column& x = columns[c];
    if (!x.matrix || x.n < 0 || x.n >= x.matrix->n || kb >= x.matrix->kb()) continue;
    passes::put_indices({&x.matrix->index[static_cast<std::size_t>(x.n * x.matrix->kb() + kb) * 32], 32}, static_cast<int>(c), static_cast<int>(columns.size()), indices);
  }
}

}  // namespace jogak::schedule
