// What the dies of a package send each other in a launch, on which links, and how long that takes.
#pragma once

#include <string>
#include <vector>

#include "../schedule/plan.hpp"
#include "board.hpp"

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
  bool chain = false;       // so are the messages
};
// Of one layer (a pipeline: of the launch), with so many rows.
std::vector<Gather> gathers(const schedule::Plan& plan, int rows);

// Bytes on each link between neighbouring places, where packets go along x, then along y.
struct LinkLoad {
  std::uint32_t from = 0, to = 0;
  std::uint64_t bytes = 0;
  double cycles = 0;  // that they take it
};
std::vector<LinkLoad> loads(const Stand& stand, const std::vector<Message>& messages);

// Cycles of a gather: the sender's store engine or the busiest link, whichever takes longer, and the way there.
struct GatherTime {
  std::uint64_t store = 0, link = 0, latency = 0, cycles = 0;
};
GatherTime time_of(const schedule::Plan& plan, const Gather& gather, const Stand& stand);

// Where the dies stand so that what they send each other takes least time, for a token, then for the most rows; the first of equals in order.
// Throws jogak::Error for a board with more or fewer dies that run programs.
Stand best_stand(const schedule::Plan& plan, Board board);

// Predicted cycles of a launch of so many rows that attend to as many keys: the longer of port and array for every operator, and the gathers.
// Of experts that lie whole on a die, those of the busiest one, all choices being alike (load.hpp).
std::uint64_t predict(const schedule::Plan& plan, int rows, const Stand& stand);
// Of so many tokens in launches one after the other; a pipeline's overlap (runtime/session_pipeline.cpp).
std::uint64_t predict_prefill(const schedule::Plan& plan, int tokens, const Stand& stand);
constexpr int kPrefill = 128;  // tokens, or the context where that is shorter: what is told and chosen by
int prefill_tokens(const schedule::Plan& plan);
// Rows of a pipeline's overlapped launches: those with which prefill takes least.
int overlap_rows(const schedule::Plan& plan, const Stand& stand);
// All of these as text.
std::string explain_times(const schedule::Plan& plan, const Stand& stand);

// The gathers of one row and of the most, and the link that bounds them; nothing for one die.
std::string explain(const schedule::Plan& plan, const Stand& stand);

}  // namespace jogak::package
