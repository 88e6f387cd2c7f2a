// Which decoders can be split over the dies of a package, tensor-parallel.
#pragma once
#include "../schedule/plan.hpp"
#include "program.hpp"

namespace jogak::package {

// Throws jogak::Error for a package that the configuration does not have, or a decoder whose gathers have no place.
void check(const schedule::Llama& model, const spec::Config& config, const schedule::PlanOptions& options);

// May attention take all keys at once? On several dies only where one die does, so that the bits are the same.
bool whole(const schedule::Llama& model, const spec::Config& config, const schedule::PlanOptions& options);

// The mesh of so many dies, two rows where they are even.
Mesh mesh_of(int dies);

}  // namespace jogak::package
