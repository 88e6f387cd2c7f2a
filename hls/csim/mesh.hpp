// The kernels of a package in C simulation: a router beside each, streams between neighbours. Of one configuration's sources.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "hls/npu.hpp"
#include "hls/router.hpp"

namespace jogak { namespace JG_NAMESPACE {

// Streams and routers of a mesh, for one run of its dies.
class Mesh {
 public:
  Mesh(std::uint32_t columns, std::uint32_t rows, std::size_t depth) : columns_(columns), rows_(rows), routers_(dies()) {
    const std::size_t factor = csim::depth_factor();
    csim::set_depth_factor(depth);
    for (std::uint32_t i = 0; i < dies() * kStreams; ++i) streams_.emplace_back("network");
    csim::set_depth_factor(factor);
    for (std::uint32_t i = 0; i < dies() * kPorts; ++i) leaving_.emplace_back("network");
  }
  std::uint32_t dies() const { return columns_ * rows_; }
  // The register.
  std::uint32_t place(std::uint32_t die) const { return die % columns_ | die / columns_ << 4 | (columns_ - 1) << 8 | (rows_ - 1) << 12; }
  NetStream& from_die(std::uint32_t die) { return at(die, kFromDie); }
  NetStream& to_die(std::uint32_t die) { return at(die, kToDie); }

  // The routers' tasks into a region.
  void add(csim::Region& region) {
    for (std::uint32_t d = 0; d < dies(); ++d) {
      const csim::Use use(routers_[d]);
      // What leaves to the east enters the neighbour from its west. At a border the stream ends nowhere, and nothing goes there.
      const auto neighbour = [&](int dx, int dy) {
        const std::uint32_t x = d % columns_ + dx, y = d / columns_ + dy;
        return x < columns_ && y < rows_ ? x + y * columns_ : d;
      };
      const std::uint32_t east = neighbour(1, 0), west = neighbour(-1, 0), north = neighbour(0, 1), south = neighbour(0, -1);
      const std::string name = "router " + std::to_string(d);
      region.task(name, [=, this] {
        router(place(d), at(d, kFromDie), at(d, kFromEast), at(d, kFromWest), at(d, kFromNorth), at(d, kFromSouth), to(d, kLocal),
               to(d, kEast), to(d, kWest), to(d, kNorth), to(d, kSouth));
      });
      NetStream* const outs[kPorts] = {&at(d, kToDie), &out(d, east, kFromWest), &out(d, west, kFromEast), &out(d, north, kFromSouth), &out(d, south, kFromNorth)};
      for (std::uint32_t p = 0; p < kPorts; ++p) region.task(name + " out", [from = &to(d, p), out = outs[p]] { router_out(*from, *out); });
    }
  }

 private:
  // Of each die, the last four into its router.
  enum Which { kFromDie, kToDie, kNowhere, kFromEast, kFromWest, kFromNorth, kFromSouth, kStreams };
  NetStream& at(std::uint32_t die, Which which) { return streams_[die * kStreams + which]; }
  NetStream& out(std::uint32_t die, std::uint32_t neighbour, Which which) { return neighbour == die ? at(die, kNowhere) : at(neighbour, which); }

  Leaving& to(std::uint32_t die, std::uint32_t port) { return leaving_[die * kPorts + port]; }

  std::uint32_t columns_, rows_;
  std::deque<NetStream> streams_;
  std::deque<Leaving> leaving_;  // of each router, by output
  std::vector<csim::Instance> routers_;
};

}}  // namespace jogak::JG_NAMESPACE
