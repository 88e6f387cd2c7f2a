#include "tile.hpp"

namespace jogak::schedule {

void put_column(const ir::QMatrix& m, std::int64_t n, int kb, int c, int cols, std::byte* tile, std::byte* scales) {
  if (n < 0 || n >= m.n || kb >= m.kb()) return;
  const std::size_t block = static_cast<std::size_t>(n * m.kb() + kb);
  const std::int8_t* codes = m.codes.data() + block * 32;
  if (m.format != ir::Format::mxfp4)
    for (int k = 0; k < 32; ++k) tile[k * cols + c] = static_cast<std::byte>(codes[k]);
  if (m.format == ir::Format::int8c) return;
  const std::uint16_t s = m.scales[block];
  if (m.format == ir::Format::int8) {
    scales[2 * c] = static_cast<std::byte>(s & 0xff);
    scales[2 * c + 1] = static_cast<std::byte>(s >> 8);
    return;
  }
  for (int k = 0; k < 32; ++k) {
    const int index = k * cols + c;
    tile[index / 2] |= static_cast<std::byte>((codes[k] & 15) << (index % 2 * 4));
  }
  scales[c] = static_cast<std::byte>(s & 0xff);
}

}  // namespace jogak::schedule
