#include "check.hpp"

#include "error.hpp"
#include "npu_spec.hpp"

namespace jogak::package {

namespace {

constexpr const char* kNames[kSides] = {"east", "west", "north", "south"};

std::string place(std::uint32_t x, std::uint32_t y) { return "[" + std::to_string(x) + ", " + std::to_string(y) + "]"; }
std::string part(const PackageSpec& s, const Die& d) { return "package " + s.name + ", die " + d.name; }

// The die beside this one; null at a border.
const Die* beside(const PackageSpec& s, const Die& d, Side side) {
  const std::uint32_t x = d.x + (side == kEast) - (side == kWest), y = d.y + (side == kNorth) - (side == kSouth);
  return x < s.columns && y < s.rows ? &s.dies[x + y * s.columns] : nullptr;
}

void check_config(const PackageSpec& s, const Die& d) {
  const spec::Config* config = spec::find_config(d.config.c_str());
  if (config == nullptr) throw Error(part(s, d), "configuration", d.config, "one of spec/configs");
  if (s.columns * s.rows > 1 && config->chiplets < 2) throw Error(part(s, d), "configuration", d.config + ", which has no links", "one with chiplets above 1");
  if (s.columns * s.rows > config->chiplets)
    throw Error(part(s, d), "mesh", std::to_string(s.columns) + " x " + std::to_string(s.rows), "at most the " + std::to_string(config->chiplets) + " chiplets of " + d.config);
}

}  // namespace

std::vector<Die> placed(const PackageSpec& s, std::vector<Die> dies) {
  std::vector<Die> by_place(std::size_t(s.columns) * s.rows);
  for (Die& d : dies) {
    if (d.x >= s.columns || d.y >= s.rows)
      throw Error(part(s, d), "place", place(d.x, d.y), "one in the mesh of " + std::to_string(s.columns) + " x " + std::to_string(s.rows));
    check_config(s, d);
    Die& there = by_place[d.x + d.y * s.columns];
    if (!there.name.empty()) throw Error(part(s, d), "place", place(d.x, d.y) + ", where die " + there.name + " is (their address windows would overlap)", "a free one");
    for (const Die& other : by_place)
      if (other.name == d.name) throw Error(part(s, d), "name", "two dies of it", "one");
    there = std::move(d);
  }
  for (std::uint32_t i = 0; i < by_place.size(); ++i)
    if (by_place[i].name.empty()) throw Error("package " + s.name, "place " + place(i % s.columns, i / s.columns), "no die", "one: the mesh is full");
  return by_place;
}

void check_links(const PackageSpec& s) {
  for (const Die& d : s.dies) {
    for (int side = 0; side < kSides; ++side) {
      if (!d.links[side]) continue;
      const std::string what = std::string("link to the ") + kNames[side];
      const Die* there = beside(s, d, Side(side));
      if (there == nullptr) throw Error(part(s, d), what, d.links[side]->name + " at the border of the mesh", "none");
      const auto& other = there->links[side ^ 1];
      const std::string end = "its other end, " + std::string(kNames[side ^ 1]) + " of die " + there->name;
      if (!other) throw Error(part(s, d), what, d.links[side]->name + " without " + end, "both ends");
      if (*other != *d.links[side]) throw Error(part(s, d), what, d.links[side]->name + ", but " + other->name + " at " + end, "two ends of one kind");
    }
  }
}

// Packets go along x, then along y (rtl/link/npu_router.sv): every step must have its link.
void check_ways(const PackageSpec& s) {
  for (const Die& from : s.dies) {
    for (const Die& to : s.dies) {
      for (const Die* at = &from; at != &to;) {
        const Side side = at->x != to.x ? (at->x < to.x ? kEast : kWest) : at->y < to.y ? kNorth : kSouth;
        if (!at->links[side])
          throw Error(part(s, to), "way from die " + from.name + ", first along x", std::string("no link to the ") + kNames[side] + " of die " + at->name, "a die that can be reached");
        at = beside(s, *at, side);
      }
    }
  }
}

void check_memories(const PackageSpec& s) {
  for (const Die& d : s.dies) {
    const bool needs = d.kind != DieKind::io;
    if (needs != d.memory.has_value()) throw Error(part(s, d), "memory", d.memory ? "one" : "none", needs ? "one" : "none at an io die");
    if (!needs) continue;
    if (d.base % 4096 != 0) throw Error(part(s, d), "base", std::to_string(d.base), "a multiple of 4096");
    if (d.base + d.memory->bytes > std::uint64_t(1) << spec::limit::remote_bit)
      throw Error(part(s, d), "memory window", std::to_string(d.base) + " + " + std::to_string(d.memory->bytes), "an end at 2^39 at most");
    for (const Die& other : s.dies) {
      if (&other == &d || !other.memory || other.base >= d.base + d.memory->bytes || d.base >= other.base + other.memory->bytes) continue;
      throw Error(part(s, d), "memory window", std::to_string(d.base) + " + " + std::to_string(d.memory->bytes) + ", which overlaps that of die " + other.name, "windows apart");
    }
  }
}

}  // namespace jogak::package
