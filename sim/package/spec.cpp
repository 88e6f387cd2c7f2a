#include "spec.hpp"

#include "error.hpp"
#include "sim/dram/dram.hpp"

namespace jogak::package {

const std::vector<LinkKind>& link_types() {
  // Lanes and rates of one module each way; sources: docs/packages.md.
  static const std::vector<LinkKind> types = {
      {"ucie-s", "ucie-s", 16, 32, 2, 1e-15},
      {"ucie-a", "ucie-a", 64, 32, 2, 1e-15},
      {"bow", "bow", 16, 16, 3, 1e-15},
      {"on-board", "on-board", 4, 8, 20, 1e-12},
  };
  return types;
}

std::unique_ptr<MemoryTiming> MemoryKind::make() const {
  const MemoryFactory factory = dram::parse_memory(timing);
  return factory ? factory() : nullptr;
}

std::optional<LinkKind> PackageSpec::link() const {
  const LinkKind* first = nullptr;
  for (const Die& d : dies) {
    for (const auto& l : d.links) {
      if (!l) continue;
      if (first == nullptr) first = &*l;
      else if (*first != *l) throw Error("package " + name, "links", first->name + " and " + l->name, "one kind, for this machine");
    }
  }
  return first == nullptr ? std::nullopt : std::optional(*first);
}

std::string PackageSpec::config() const {
  for (const Die& d : dies)
    if (d.config != dies.front().config) throw Error("package " + name, "configurations", dies.front().config + " and " + d.config, "one, for this machine");
  return dies.front().config;
}

}  // namespace jogak::package
