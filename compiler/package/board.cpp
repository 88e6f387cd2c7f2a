#include "board.hpp"

#include <numeric>

#include "parts.hpp"

namespace jogak::package {

Board board_of(int dies) {
  Board b{.mesh = mesh_of(dies)};
  b.compute.resize(b.mesh.dies());
  std::iota(b.compute.begin(), b.compute.end(), 0u);
  const Board::Link link{64 * kPayload, 2};
  b.links.assign(b.mesh.dies(), {link, link, link, link});
  return b;
}

std::vector<Hop> way(const Board& board, std::uint32_t from, std::uint32_t to) {
  const std::uint32_t columns = board.mesh.columns;
  std::vector<Hop> hops;
  for (std::uint32_t at = from; at != to; at = hops.back().to) {
    const std::uint32_t x = at % columns, to_x = to % columns;
    const std::size_t side = x != to_x ? (x < to_x ? 0 : 1) : (at < to ? 2 : 3);
    const std::uint32_t next[] = {at + 1, at - 1, at + columns, at - columns};
    hops.push_back({at, next[side], board.links.at(at)[side]});
  }
  return hops;
}

}  // namespace jogak::package
