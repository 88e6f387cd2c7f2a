#include <algorithm>
#include <cstdio>

#include "../schedule/explain.hpp"
#include "../schedule/weights.hpp"
#include "load.hpp"
#include "traffic.hpp"

namespace jogak::package {

using schedule::Plan;
using u64 = std::uint64_t;

namespace {

// Rows choose one after the other: about so many instructions for each expert, two cycles each. Then come the experts, which rows do not share; while an
// expert's gate and up become its hidden row the array has nothing to do.
constexpr double kHidden = 500;
u64 experts_of(const Plan& p, const Bound& one, int rows) {
  const u64 choice = 2 * static_cast<u64>(p.mixture.experts) * static_cast<u64>(11 + 3 * p.mixture.top);
  const double each = kHidden + static_cast<double>(std::max(one.port(1), one.array(1, 1))) / expert_turns(p, 1);
  return choice * static_cast<u64>(rows) + static_cast<u64>(each * expert_turns(p, rows));
}

// Cycles of one die's operators and of what goes between the dies of a launch, whose rows attend to `keys`.
struct Parts {
  u64 layers = 0, head = 0, between = 0;
};
Parts parts(const Plan& p, int rows, int keys, const Stand& stand) {
  Parts sum;
  const auto n = static_cast<u64>(rows), seen = static_cast<u64>(keys);
  u64 layers = 0;
  for (const Bound& b : schedule::bounds(p)) {
    const bool layer = b.first != kNoLayer;
    const u64 one = b.op == schedule::op::experts ? experts_of(p, b, rows) : std::max(b.port(seen), b.array(layer ? n : 1, seen));
    (layer ? sum.layers : sum.head) += one * (layer ? b.last - b.first + 1u : 1u);
    if (layer && b.op == "attn_q") layers += b.last - b.first + 1;
  }
  for (const Gather& g : gathers(p, rows)) sum.between += time_of(p, g, stand).cycles;
  if (p.stages == 1) sum.between *= layers;
  return sum;
}

// In each launch all dies have rows, and hand them over one after the other.
u64 overlapped(const Plan& p, int rows, int tokens, const Stand& stand) {
  const auto stages = static_cast<u64>(p.stages);
  const u64 launches = static_cast<u64>((tokens + rows - 1) / rows) + stages - 1;
  u64 cycles = 0;
  for (u64 i = 0; i < launches; ++i) {
    const Parts one = parts(p, rows, std::min(tokens, static_cast<int>(i + 1) * rows), stand);
    cycles += one.layers + one.between + (i + 1 == launches ? one.head : 0);
  }
  return cycles;
}

}  // namespace

u64 predict(const Plan& p, int rows, const Stand& stand) {
  const Parts one = parts(p, rows, rows, stand);
  return one.layers * static_cast<u64>(p.stages) + one.head + one.between;  // a pipeline: one die after the other
}

u64 predict_prefill(const Plan& p, int tokens, const Stand& stand) {
  const int chunk = p.stages > 1 ? overlap_rows(p, stand) : tokens;
  const u64 overlaps = tokens > chunk ? overlapped(p, chunk, tokens, stand) : ~u64(0);
  if (tokens > p.rows && p.stages > 1) return overlaps;
  u64 cycles = 0;
  for (int at = 0; at < tokens; at += p.rows) {
    const int rows = std::min(p.rows, tokens - at);
    const Parts one = parts(p, rows, at + rows, stand);
    cycles += one.layers * static_cast<u64>(p.stages) + one.head + one.between;
  }
  return std::min(cycles, overlaps);
}

int prefill_tokens(const Plan& p) { return std::min(kPrefill, p.context); }

int overlap_rows(const Plan& p, const Stand& stand) {
  int best = 1;
  u64 least = ~u64(0);
  for (int rows = p.rows; rows >= 1; --rows)
    if (const u64 cycles = overlapped(p, rows, prefill_tokens(p), stand); cycles < least) best = rows, least = cycles;
  return best;
}

std::string explain_times(const Plan& p, const Stand& stand) {
  const int tokens = prefill_tokens(p);
  char text[300];
  std::snprintf(text, sizeof text, "  predicted: %llu cycles of a launch of 1 row, %llu of %d rows, %llu of a prefill of %d tokens", static_cast<unsigned long long>(predict(p, 1, stand)),
                static_cast<unsigned long long>(predict(p, p.rows, stand)), p.rows, static_cast<unsigned long long>(predict_prefill(p, tokens, stand)), tokens);
  std::string out = text;
  if (p.stages > 1) out += ", its launches of " + std::to_string(overlap_rows(p, stand)) + " rows overlapped";
  return out + "\n";
}

}  // namespace jogak::package
