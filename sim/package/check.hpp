// What must hold of a package beyond its syntax.
#pragma once

#include "spec.hpp"

namespace jogak::package {

// dies in any order; returns them by place. Throws Error that names the die.
std::vector<Die> placed(const PackageSpec& spec, std::vector<Die> dies);
// Of placed dies.
void check_links(const PackageSpec& spec);
void check_ways(const PackageSpec& spec);
void check_memories(const PackageSpec& spec);

}  // namespace jogak::package
