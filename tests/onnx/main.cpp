// onnx_nodes CASES [--only TEXT] [--on reference|model] [--table FILE]: ONNX's backend node tests on the machine.
#include <chrono>
#include <cstring>
#include <iostream>

#include "cases.hpp"
#include "error.hpp"
#include "tensor/evaluate.hpp"

using namespace jogak;

namespace {

struct Options {
  std::string cases, only, on = "reference";
  bool quiet = false;
};

Options parse(int count, char** arguments) {
  Options o;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    const auto value = [&]() -> std::string {
      if (++i >= count) throw Error("onnx_nodes", word, "nothing behind it", "a value");
      return arguments[i];
    };
    if (word == "--only") o.only = value();
    else if (word == "--on") o.on = value();
    else if (word == "--quiet") o.quiet = true;
    else o.cases = word;
  }
  return o;
}

onnx::Floats reference(const onnx::Imported& model, const onnx::Floats& inputs) { return tensor::evaluate(model.graph, inputs); }

}  // namespace

int main(int count, char** arguments) try {
  const Options options = parse(count, arguments);
  int passed = 0, refused = 0, failed = 0;
  for (const onnx::Case& test : onnx::read_cases(options.cases)) {
    if (test.name.find(options.only) == std::string::npos) continue;
    const onnx::Result r = onnx::run_case(test, reference);
    if (r.outcome == onnx::Outcome::pass) ++passed;
    if (r.outcome == onnx::Outcome::refused) ++refused, std::cout << "refused  " << test.name << ": " << r.why << "\n";
    if (r.outcome == onnx::Outcome::fail) ++failed, std::cout << "FAIL     " << test.name << ": " << r.why << "\n";
  }
  std::cout << passed << " passed, " << refused << " refused, " << failed << " failed\n";
  return refused + failed == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
