// Formats per matrix within a budget, for compile and eval.
#pragma once
#include <optional>

#include "cli.hpp"
#include "tools/eval/sensitivity.hpp"

namespace jogak::cli {

struct MixedArguments {
  std::string text;               // file to calibrate on; empty: no mixing
  int tokens = 256;
  bool lines = false;
  std::string bytes;              // "900000", "300M", "40%" (of int8's)
  double error = 0;               // nats
};
void add_mixed_options(CLI::App& command, MixedArguments& arguments);

// Empty where nothing is asked for. Throws jogak::Error for a budget without a text, and the other way round.
std::optional<eval::Mixed> mix(const ir::Graph& graph, const MixedArguments& arguments, const CompileOptions& options);

// A line for each choice: formats, bytes, errors; and the sums.
std::string table(const eval::Mixed& mixed);
nlohmann::ordered_json json(const eval::Mixed& mixed);

}  // namespace jogak::cli
