// Figures of a session's launches, as text and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "session.hpp"

namespace jogak::cli {

struct Totals {
  int launches = 0, tokens = 0;
  LaunchRecord sum;
  std::uint64_t dies = 1;  // whose products sum counts
};

// Launches of one token (decode) or of several (prefill).
Totals totals(const std::vector<Step>& steps, bool decode);

// Shares of a machine's rates; all zero without a clock.
struct Use {
  double cycles_per_token = 0;
  double array = 0;  // multiply-accumulates done per possible
  double port = 0;   // read and write beats per cycle
};
Use use(const Totals& t, const spec::Config& config);

// Cycles of engines by operator and reason, per token of decode and of prefill; only launches with a clock have them.
std::string profile_text(const Session& session, const spec::Config& config);
nlohmann::json profile_json(const Session& session, const spec::Config& config);
nlohmann::json cell_json(const Timeline::Cell& cell);
// What the array mostly waited for, in words; empty without cycles.
const char* stall_text(const Timeline::Cell& cell);
nlohmann::json counters_json(const LaunchRecord& record);

}  // namespace jogak::cli
