// What a package is made of, as its YAML file says (docs/packages.md): dies at places of a mesh, their memories, the links between neighbours.
//
//   const PackageSpec spec = read_package("boards/packages/quad.yaml");
//   spec.dies[3].links[kWest]->gb_per_s()
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/memory_timing.hpp"

namespace jogak::package {

enum Side { kEast, kWest, kNorth, kSouth, kSides };  // +x, -x, +y, -y

struct LinkKind {
  std::string name, type;
  std::uint32_t lanes = 0;  // each way
  double gt_per_s = 0;      // of a lane
  double latency_ns = 0;    // last bit out to flit in
  double bit_error_rate = 0;
  double gb_per_s() const { return lanes * gt_per_s / 8; }  // each way, overhead of flits included
  bool operator==(const LinkKind&) const = default;
};

struct MemoryKind {
  std::string name;
  std::string timing = "ideal";  // as --memory names it (sim/dram/dram.hpp), the package's clock included
  std::uint64_t bytes = 0;
  // A memory in time for one die; null for an ideal one.
  std::unique_ptr<MemoryTiming> make() const;
};

// compute: runs a program. memory, io: carry what passes through; a memory die's DRAM is the host's to use.
enum class DieKind { compute, memory, io };

struct Die {
  std::string name, config;
  DieKind kind = DieKind::compute;
  std::string as;                  // what simulates it: "cycle", "rtl", or empty: the run's choice
  std::uint32_t x = 0, y = 0;
  std::optional<MemoryKind> memory;
  std::uint64_t base = 0;          // of its memory, in the host's address map
  std::array<std::optional<LinkKind>, kSides> links;
};

struct PackageSpec {
  std::string name;
  std::uint32_t columns = 0, rows = 0;
  std::uint32_t clock_mhz = 1000;
  std::vector<Die> dies;  // by place: x + y * columns

  std::uint64_t period_ps() const { return 1'000'000 / clock_mhz; }
  // The only kind of link that the package has, for machines that know no mixture; throws Error that names two. Empty without links.
  std::optional<LinkKind> link() const;
  // The only configuration that its dies have; throws Error that names two.
  std::string config() const;
};

// Everything is checked: unknown keys, places taken twice or outside the mesh, a mesh with holes or beyond the configuration's chiplets,
// links whose ends differ or lead nowhere, dies that cannot be reached, memories that overlap. Throws Error that names the die.
PackageSpec read_package(const std::filesystem::path& file);
PackageSpec parse_package(const std::string& yaml, const std::string& where);

// Link types by name: "ucie-s", "ucie-a", "bow", "on-board".
const std::vector<LinkKind>& link_types();

}  // namespace jogak::package
