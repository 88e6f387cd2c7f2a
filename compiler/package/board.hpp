// What a program's dies stand on, and where.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "program.hpp"

namespace jogak::package {

// A package as its traffic sees it: a mesh, the places that run programs, the links between neighbours.
struct Board {
  // Each way: payload bytes a cycle (0: no link); cycles from the last bit out to a flit in.
  struct Link {
    double bytes = 0, cycles = 0;
  };
  std::string name = {};                   // empty: the program's dies alone, on links of 64 GB/s and 2 ns at 1 GHz
  Mesh mesh = {};
  std::vector<std::uint32_t> compute = {};  // places of the dies that run programs, in order
  std::vector<std::array<Link, 4>> links = {};  // of each place: to +x, -x, +y, -y
};
constexpr double kPayload = 64.0 / 68;  // of a link's bytes
Board board_of(int dies);

// A program's dies on a board: die d is the order[d]-th that runs programs.
struct Stand {
  Board board;
  std::vector<std::uint32_t> order;
  std::uint32_t place(std::uint32_t die) const { return board.compute.at(order.at(die)); }
};

// A step of a packet on its way, along x, then along y.
struct Hop {
  std::uint32_t from = 0, to = 0;  // places
  Board::Link link;
};
std::vector<Hop> way(const Board& board, std::uint32_t from, std::uint32_t to);

}  // namespace jogak::package
