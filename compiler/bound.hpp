// What an operator needs at least: cycles of the memory port and of the array.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

namespace jogak {

struct Bound {
  std::uint32_t first = 0, last = 0;  // layers for each of which this holds; kNoLayer twice: outside of layers
  std::string op;
  std::uint64_t bytes = 0, tiles = 0;                    // through the port; through the array
  std::uint64_t bytes_per_block = 0, tiles_per_block = 0;  // besides, for each block of 32 keys
  std::uint64_t port_bytes = 1, tile_load = 0, slices = 1;  // bytes a cycle; cycles to load a tile; cycles of a row in a tile

  std::uint64_t port(std::uint64_t keys) const { return (bytes + bytes_per_block * ((keys + 31) / 32)) / port_bytes; }
  // A tile takes the longer of its load and its rows.
  std::uint64_t array(std::uint64_t rows, std::uint64_t keys) const {
    return (tiles + tiles_per_block * ((keys + 31) / 32)) * std::max(tile_load, rows * slices);
  }
};

}  // namespace jogak
