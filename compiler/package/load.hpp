// How many of the chosen experts the busiest die has, where each lies whole on one.
#pragma once
#include <functional>

#include "../schedule/plan.hpp"

namespace jogak::package {

// Mean over all choices of `top` of `experts` for each of `rows`, each choice as likely as another: of the experts that the die with the most
// makes. `dies` divides `experts`.
double busiest_load(int experts, int top, int dies, int rows);

// Experts, or parts of them, that take one another's time on a die in a launch of so many rows.
double expert_turns(const schedule::Plan& plan, int rows);

// The loads that a prediction takes, in a sentence; nothing where experts are in parts.
std::string explain_load(const schedule::Plan& plan);

// How many rows' results have places at a time. With more the dies' loads are more even, with fewer a launch has more rows; taken is the
// number with which a row costs the port least. `fit` gives the plan its rows and places, or throws where there is no room.
void choose_result_rows(schedule::Plan& plan, const std::function<void()>& fit);

}  // namespace jogak::package
