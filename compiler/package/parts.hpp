// What a package has of a decoder: its dies, their layers, their mesh.
#pragma once
#include "../schedule/plan.hpp"
#include "program.hpp"

namespace jogak::package {

// Throws jogak::Error for a package that the configuration does not have, or experts that cannot lie whole on its dies.
void check(const schedule::Llama& model, const spec::Config& config, const schedule::PlanOptions& options);

// The plan on chip, of one die or several. On any number of dies attention takes its keys at once, or in chunks, as on the fewest that hold the
// decoder, so that the bits are the same; throws jogak::Error where there is no room for that.
schedule::Plan plan(const schedule::Llama& model, const spec::Config& config, const schedule::PlanOptions& options);

int first_layer(int layers, int dies, int die);
// The layers of each die, as even as they come. Missing ones at a die's end are zeros, which leave x as it is.
std::vector<schedule::Llama> stages(const schedule::Llama& model, int dies);

// The mesh of so many dies, two rows where they are even.
Mesh mesh_of(int dies);

}  // namespace jogak::package
