// onnx_nodes CASES [--only TEXT] [--on reference|model] [--config NAME] [--known FILE] [--page FILE]: ONNX's backend node
// tests on the machine. Exit status 0: every test passed, or is refused as FILE says ("name: why" a line).
#include <chrono>
#include <fstream>
#include <iostream>
#include <set>

#include "cases.hpp"
#include "error.hpp"
#include "page.hpp"
#include "tensor/evaluate.hpp"
#include "tensor/lower.hpp"
#include "runtime/tensor_session.hpp"

using namespace jogak;

namespace {

struct Options {
  std::string cases, only, on = "model", config = "edge", known, page;
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
    else if (word == "--config") o.config = value();
    else if (word == "--known") o.known = value();
    else if (word == "--page") o.page = value();
    else o.cases = word;
  }
  return o;
}

std::map<std::string, std::string> read_known(const std::string& path) {
  std::map<std::string, std::string> known;
  if (path.empty()) return known;
  std::ifstream in(path);
  if (!in) throw Error("onnx_nodes", "list of refused tests", "no file " + path, "a file");
  for (std::string line; std::getline(in, line);) {
    const auto at = line.find(": ");
    if (line.empty() || line[0] == '#') continue;
    if (at == std::string::npos) throw Error("onnx_nodes", "list of refused tests", line, "name: why");
    known[line.substr(0, at)] = line.substr(at + 2);
  }
  return known;
}

onnx::Runs runs_on(const Options& o) {
  if (o.on == "reference")
    return [](const onnx::Imported& model, const onnx::Floats& inputs) { return tensor::evaluate(model.graph, inputs); };
  return [o](const onnx::Imported& model, const onnx::Floats& inputs) {
    TensorSession session(tensor::lower(model.graph, {.config = o.config}), o.on);
    for (const auto& [name, values] : inputs) session.set(name, std::span<const float>(values));
    session.run();
    onnx::Floats out;
    for (const TensorPort& port : session.outputs()) out[port.name] = session.get(port.name);
    return out;
  };
}

}  // namespace

int main(int count, char** arguments) try {
  const Options options = parse(count, arguments);
  const auto known = read_known(options.known);
  const onnx::Runs runs = runs_on(options);
  std::vector<onnx::Row> rows;
  int passed = 0, bad = 0;
  double slowest = 0;
  std::string slow;
  for (const onnx::Case& test : onnx::read_cases(options.cases)) {
    if (test.name.find(options.only) == std::string::npos) continue;
    const auto start = std::chrono::steady_clock::now();
    onnx::Row row{test.name, onnx::subjects(test), onnx::run_case(test, runs), ""};
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds > slowest) slowest = seconds, slow = test.name;
    const auto why = known.find(test.name);
    if (why != known.end()) row.known = why->second;
    const bool expected = row.result.outcome == onnx::Outcome::pass ? row.known.empty() : row.result.outcome == onnx::Outcome::refused && !row.known.empty();
    passed += row.result.outcome == onnx::Outcome::pass;
    bad += !expected;
    if (row.result.outcome != onnx::Outcome::pass || !expected)
      std::cout << (expected ? "refused as known  " : row.result.outcome == onnx::Outcome::pass ? "PASSED, BUT LISTED AS REFUSED  "
                    : row.result.outcome == onnx::Outcome::refused ? "REFUSED  " : "FAIL  ")
                << test.name << ": " << row.result.why << std::endl;
    rows.push_back(std::move(row));
  }
  std::cout << passed << " of " << rows.size() << " passed, " << bad << " not as expected; slowest " << slow << ", " << slowest << " s\n";
  if (!options.page.empty()) onnx::write_page(options.page, rows, options.config);
  return bad == 0 && !rows.empty() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
