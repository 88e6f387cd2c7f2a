// How many of the chosen experts the busiest die has, where each lies whole on one.
#pragma once
#include "../schedule/plan.hpp"

namespace jogak::package {

// Mean over all choices of `top` of `experts` for each of `rows`, each choice as likely as another: of the experts that the die with the most
// makes. `dies` divides `experts`.
double busiest_load(int experts, int top, int dies, int rows);

// Experts, or parts of them, that take one another's time on a die in a launch of so many rows.
double expert_turns(const schedule::Plan& plan, int rows);

}  // namespace jogak::package
