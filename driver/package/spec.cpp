// What stands behind a backend's colon, as a package: a file's, or dies that are all alike.
#include <cmath>

#include "../backends.hpp"
#include "error.hpp"
#include "machine.hpp"
#include "sim/dram/dram.hpp"

namespace jogak::driver {
namespace {

using u32 = std::uint32_t;

// With ideal memories or one that `memory` names for each.
package::PackageSpec alike(const spec::Config& config, const PackageOptions& o, const std::string& memory) {
  package::PackageSpec spec;
  spec.name = config.name;
  spec.columns = o.columns, spec.rows = o.rows;
  spec.clock_mhz = u32(1'000'000'000 / dram::parse_options(memory).period_fs);
  const package::LinkKind link{"link", "given", 8, o.link_gb_per_s, double(o.link_latency_ps) / 1000, 0};
  for (u32 i = 0; i < o.columns * o.rows; ++i) {
    package::Die& d = spec.dies.emplace_back();
    d.name = std::to_string(i), d.config = config.name;
    d.x = i % o.columns, d.y = i / o.columns;
    d.memory = package::MemoryKind{"memory", memory, o.memory_bytes};
    if (d.x + 1 < o.columns) d.links[package::kEast] = link;
    if (d.x > 0) d.links[package::kWest] = link;
    if (d.y + 1 < o.rows) d.links[package::kNorth] = link;
    if (d.y > 0) d.links[package::kSouth] = link;
  }
  return spec;
}

// Machines whose mesh is the program's, of one kind of die.
void plain(const package::PackageSpec& spec, const PackageOptions& o, const std::string& backend) {
  const std::string part = "package " + spec.name;
  const auto mesh = [](u32 columns, u32 rows) { return std::to_string(columns) + " x " + std::to_string(rows) + " dies"; };
  for (const package::Die& d : spec.dies) {
    if (d.kind != package::DieKind::compute) throw Error(part, "die " + d.name + " on " + backend, "one that only carries", "compute dies, or backend systemc");
    if (!d.as.empty() && d.as != backend) throw Error(part, "die " + d.name + " on " + backend, "it as " + d.as, "as: " + backend + ", or backend systemc");
  }
  if (spec.columns != o.columns || spec.rows != o.rows)
    throw Error(part, "mesh on " + backend, mesh(spec.columns, spec.rows), mesh(o.columns, o.rows) + ", as the program's, or backend systemc");
}

}  // namespace

std::vector<u32> compute_places(const package::PackageSpec& spec) {
  std::vector<u32> places;
  for (u32 i = 0; i < spec.dies.size(); ++i)
    if (spec.dies[i].kind == package::DieKind::compute) places.push_back(i);
  return places;
}

package::PackageSpec spec_of(const spec::Config& config, const PackageOptions& o) {
  const std::string target = target_or(o.backend, "ideal");
  if (!target.ends_with(".yaml")) return alike(config, o, target);
  package::PackageSpec spec = package::read_package(target);
  const std::string part = "package " + spec.name;
  const std::vector<u32> places = compute_places(spec);
  if (places.size() != std::size_t(o.columns) * o.rows) {
    std::string names;
    for (const u32 p : places) names += (names.empty() ? "" : ", ") + spec.dies[p].name;
    throw Error(part, "program", "one for " + std::to_string(o.columns * o.rows) + " dies", "one for its " + std::to_string(places.size()) + " compute dies (" + names + ")");
  }
  if (spec.config() != config.name) throw Error(part, "program", std::string("one for ") + config.name, spec.config());
  for (const u32 p : places) {
    const package::Die& d = spec.dies[p];
    if (d.memory->bytes < o.memory_bytes)
      throw Error(part, "memory of die " + d.name, std::to_string(d.memory->bytes) + " bytes", std::to_string(o.memory_bytes) + " at least");
  }
  if (const std::string backend = o.backend.substr(0, o.backend.find(':')); backend != "systemc") plain(spec, o, backend);
  return spec;
}

link::ChannelOptions channel_of(const package::LinkKind& kind) {
  return {.gb_per_s = kind.gb_per_s(), .latency_ps = std::uint64_t(std::llround(kind.latency_ns * 1000)), .bit_error_rate = kind.bit_error_rate};
}

}  // namespace jogak::driver
