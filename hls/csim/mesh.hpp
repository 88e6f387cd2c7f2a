// The kernels of a package in C simulation: a router beside each, streams between neighbours. Of one configuration's sources.
#pragma once

#include <deque>

#include "kernel.hpp"
#include "hls/npu.hpp"
#include "hls/router.hpp"

namespace jogak::hls_csim {

// Streams and routers of a mesh, for one run of its dies.
template <class Stream>
class Mesh {
 public:
  Mesh(std::uint32_t columns, std::uint32_t rows, std::size_t depth) : columns_(columns), rows_(rows) {
    const std::size_t factor = csim::depth_factor();
    csim::set_depth_factor(depth);
    for (std::uint32_t i = 0; i < dies() * kStreams; ++i) streams_.emplace_back("network");
    csim::set_depth_factor(factor);
    routers_.resize(dies());
  }
  std::uint32_t dies() const { return columns_ * rows_; }
  // The register.
  std::uint32_t place(std::uint32_t die) const { return die % columns_ | die / columns_ << 4 | (columns_ - 1) << 8 | (rows_ - 1) << 12; }
  Stream& from_die(std::uint32_t die) { return at(die, kFromDie); }
  Stream& to_die(std::uint32_t die) { return at(die, kToDie); }

  // The routers' tasks into a region.
  template <class Router>
  void add(csim::Region& region, Router router) {
    for (std::uint32_t d = 0; d < dies(); ++d) {
      const csim::Use use(routers_[d]);
      // What leaves to the east enters the neighbour from its west. At a border the stream ends nowhere, and nothing goes there.
      const auto neighbour = [&](int dx, int dy) {
        const std::uint32_t x = d % columns_ + dx, y = d / columns_ + dy;
        return x < columns_ && y < rows_ ? x + y * columns_ : d;
      };
      const std::uint32_t east = neighbour(1, 0), west = neighbour(-1, 0), north = neighbour(0, 1), south = neighbour(0, -1);
      region.task("router " + std::to_string(d), [=, this] {
        router(place(d), at(d, kFromDie), at(d, kFromEast), at(d, kFromWest), at(d, kFromNorth), at(d, kFromSouth), at(d, kToDie),
               out(d, east, kFromWest), out(d, west, kFromEast), out(d, north, kFromSouth), out(d, south, kFromNorth));
      });
    }
  }

 private:
  // Of each die, the last four into its router.
  enum Which { kFromDie, kToDie, kNowhere, kFromEast, kFromWest, kFromNorth, kFromSouth, kStreams };
  Stream& at(std::uint32_t die, Which which) { return streams_[die * kStreams + which]; }
  Stream& out(std::uint32_t die, std::uint32_t neighbour, Which which) { return neighbour == die ? at(die, kNowhere) : at(neighbour, which); }

  std::uint32_t columns_, rows_;
  std::deque<Stream> streams_;
  std::vector<csim::Instance> routers_;
};

}  // namespace jogak::hls_csim
