// ONNX models on the command line: compile to a program, or compile and run with NumPy files.
#pragma once
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compile.hpp"
#include "mixed.hpp"
#include "onnx/execute.hpp"

namespace jogak::cli {

struct OnnxArguments {
  std::string model, config = "edge", on = "model", format = "exact";
  std::vector<std::string> sizes;    // NAME=SIZE: of dimensions with names
  std::vector<std::string> inputs;   // NAME=FILE.npy, FILE.npy (its stem is the name), FILE.npz
  std::vector<std::string> bind;     // the same: inputs that become constants
  std::vector<std::string> compare;  // the same: what outputs must be
  std::string program, output;       // file to write; folder for outputs
  double rtol = 1e-3, atol = 1e-5;
  std::string prune;                 // "2:4": weights are made so
  bool dense = false;                // 2:4 patterns are not used
  bool json = false;
};

bool is_onnx(const std::string& path);
// --size, --input, --bind, --prune, --dense.
void add_onnx_options(CLI::App& command, OnnxArguments& arguments);
// With what the command line says for every kind of model; without --format products are exact.
OnnxArguments with_model(OnnxArguments arguments, const std::string& model, const CompileOptions& options, bool format_given);
// Writes the program. Products with constant matrices have formats within the budget that `mixed` asks for.
void compile_onnx(const OnnxArguments& arguments, const MixedArguments& mixed = {});
// What --input names; and what became of it: written, compared and reported as the arguments ask, with the status of run_onnx.
onnx::Arrays read_inputs(const OnnxArguments& arguments);
int give_outputs(const OnnxArguments& arguments, const onnx::Arrays& found, nlohmann::json& report);
// Returns 0, or 1 where an output differs from what --compare gives.
int run_onnx(const OnnxArguments& arguments);

}  // namespace jogak::cli
