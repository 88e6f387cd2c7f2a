// Formats per matrix within a budget, for compile and eval of any kind of model.
#pragma once
#include <optional>

#include "cli.hpp"
#include "tools/eval/sensitivity.hpp"

namespace jogak::cli {

struct MixedArguments {
  std::string text;               // file to calibrate on; empty: no mixing
  int tokens = 256, examples = 32;
  double scale = 1, offset = 0;   // of the values of examples
  bool lines = false;
  std::string bytes;              // "900000", "300M", "40%" (of int8's)
  double error = 0;               // nats, or the relative error of the result
};
void add_mixed_options(CLI::App& command, MixedArguments& arguments);

// A file's contents. Throws jogak::Error where it cannot be read.
std::string read_text(const std::string& path);
// --value-scale, --value-offset.
void add_value_options(CLI::App& command, double& scale, double& offset);
// Is mixing asked for? Throws jogak::Error for a budget without a file, and the other way round.
bool asked(const MixedArguments& arguments);
// all: bytes in int8, what a percentage is of. relative: errors are squares of relative ones (eval/encoders.hpp).
passes::Budget budget(const MixedArguments& arguments, std::uint64_t all, bool relative);
// A line on standard error, if that is a terminal.
eval::Progress progress();

// Empty where nothing is asked for. Throws jogak::Error for a budget without a text, and the other way round.
std::optional<eval::Mixed> mix(const ir::Graph& graph, const MixedArguments& arguments, const CompileOptions& options);

// A line for each choice: formats, bytes, errors; and the sums.
std::string table(const eval::Mixed& mixed, bool relative = false);
nlohmann::ordered_json json(const eval::Mixed& mixed, bool relative = false);

}  // namespace jogak::cli
