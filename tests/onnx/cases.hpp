// The packed node tests: see make_cases.py.
#pragma once
#include <filesystem>

#include "onnx/execute.hpp"

namespace jogak::onnx {

struct Case {
  std::string name;
  double rtol = 0, atol = 0;
  std::vector<std::byte> model;
  std::vector<std::vector<std::byte>> inputs, outputs;  // tensor messages; empty: not a tensor
};

std::vector<Case> read_cases(const std::filesystem::path& path);

enum class Outcome { pass, refused, fail };
struct Result {
  Outcome outcome = Outcome::fail;
  std::string why;            // refused: the message; fail: what differs
  double error = 0;           // largest |found - expected| / (atol + rtol |expected|)
};

// Imports, executes and compares one test; inputs that decide shapes become constants.
using Runs = std::function<Floats(const Imported& model, const Floats& inputs)>;
Result run_case(const Case& test, const Runs& runs);

}  // namespace jogak::onnx
