// What the dies of a package send each other in a launch, on which links, and how long that takes.
#pragma once

#include <string>
#include <vector>

#include "../schedule/plan.hpp"
#include "program.hpp"

namespace jogak::package {

// Bytes that one die sends another, at a point of the program.
struct Message {
  std::uint32_t from = 0, to = 0;
  std::uint64_t bytes = 0;
};
struct Gather {
  std::string name;
  std::vector<Message> messages;
  std::uint64_t turns = 1;  // one after the other
};
// Of one layer (a pipeline: of the launch), with so many rows.
std::vector<Gather> gathers(const schedule::Plan& plan, int rows);

// Bytes on each link between neighbours, where packets go along x, then along y.
struct LinkLoad {
  std::uint32_t from = 0, to = 0;
  std::uint64_t bytes = 0;
};
std::vector<LinkLoad> loads(const Mesh& mesh, const std::vector<Message>& messages);

// Cycles of a gather: the sender's store engine or the busiest link, whichever takes longer, and the way there.
struct GatherTime {
  std::uint64_t store = 0, link = 0, latency = 0;
  LinkLoad busiest;
  std::uint64_t cycles() const { return (store > link ? store : link) + latency; }
};
GatherTime time_of(const schedule::Plan& plan, const Gather& gather);

// Predicted cycles of a launch of so many rows that attend to as many keys: the longer of port and array for every operator, and the gathers.
// Of experts that lie whole on a die, those of the busiest one, all choices being alike (load.hpp).
std::uint64_t predict(const schedule::Plan& plan, int rows);
// Of so many tokens in launches one after the other; a pipeline's overlap (runtime/session_pipeline.cpp).
std::uint64_t predict_prefill(const schedule::Plan& plan, int tokens);
constexpr int kPrefill = 128;  // tokens, or the context where that is shorter: what is told and chosen by
int prefill_tokens(const schedule::Plan& plan);
// Rows of a pipeline's overlapped launches: those with which prefill takes least.
int overlap_rows(const schedule::Plan& plan);
// All of these as text.
std::string explain_times(const schedule::Plan& plan);

// The gathers of one row and of the most, and the link that bounds them; nothing for one die.
std::string explain(const schedule::Plan& plan);

}  // namespace jogak::package
