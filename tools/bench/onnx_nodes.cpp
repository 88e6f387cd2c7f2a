// ONNX's own backend node tests on the exact model, operator by operator.
#include <fstream>

#include "common.hpp"
#include "runtime/tensor_session.hpp"
#include "tensor/lower.hpp"
#include "tests/onnx/cases.hpp"
#include "tests/onnx/page.hpp"

namespace jogak::bench {
namespace {

struct Count {
  int pass = 0, refused = 0, settled = 0, fail = 0;  // settled: refused, as tests/onnx/refused.txt says
  int tests() const { return pass + refused + settled + fail; }
};

// Reasons why single tests are refused: they say nothing of the operator (training, values that are no tensors).
std::map<std::string, std::string> settled() {
  const std::filesystem::path path = std::filesystem::path(JOGAK_SOURCE_DIR) / "tests/onnx/refused.txt";
  std::ifstream in(path);
  if (!in) throw Error("onnx-nodes", "file " + path.string(), "nothing that can be opened", "the list of refused tests");
  std::map<std::string, std::string> list;
  for (std::string line; std::getline(in, line);)
    if (const auto at = line.find(": "); at != std::string::npos && line[0] != '#') list[line.substr(0, at)] = line.substr(at + 2);
  return list;
}

onnx::Runs runs(const std::string& config, const std::string& on) {
  return [=](const onnx::Imported& model, const onnx::Floats& inputs) {
    TensorSession session(tensor::lower(model.graph, {.config = config}), on);
    for (const auto& [name, values] : inputs) session.set(name, std::span<const float>(values));
    session.run();
    onnx::Floats out;
    for (const TensorPort& port : session.outputs()) out[port.name] = session.get(port.name);
    return out;
  };
}

void run(const Options& o, Report& report) {
  const std::filesystem::path packed = JOGAK_ONNX_CASES;
  if (!std::filesystem::exists(packed)) return report.skip("no " + packed.string() + ": build the target onnx_cases");
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "model");
  const auto known = settled();
  const onnx::Runs execute = runs(config, on);
  std::map<std::string, Count> operators;
  Count all;
  for (const onnx::Case& test : onnx::read_cases(packed)) {
    const onnx::Result result = onnx::run_case(test, execute);
    const std::string subject = onnx::subjects(test).front();
    for (Count* c : {&all, &operators[subject]}) {
      if (result.outcome == onnx::Outcome::pass) ++c->pass;
      else if (result.outcome == onnx::Outcome::fail) ++c->fail;
      else ++(known.contains(test.name) ? c->settled : c->refused);
    }
    if (result.outcome != onnx::Outcome::pass) report.skip(test.name + ": " + (known.contains(test.name) ? known.at(test.name) : result.why));
  }
  const auto line = [&](const std::string& name, const Count& c) {
    const int judged = c.tests() - c.settled;
    const std::string counts = name + ": " + std::to_string(c.pass) + " pass, " + std::to_string(c.refused + c.settled) + " refused, " + std::to_string(c.fail) + " fail";
    report.add({.case_name = counts, .config = config, .on = on, .value = judged == 0 ? 100.0 : 100.0 * c.pass / judged, .unit = "% pass", .bar = 100});
  };
  for (const auto& [name, count] : operators) line(name, count);
  line("all " + std::to_string(operators.size()) + " operators, " + std::to_string(all.settled) + " tests refused with a settled reason", all);
}

const Register registered{"onnx-nodes", "ONNX's backend node tests: pass, refused and fail of every operator", run};

}  // namespace
}  // namespace jogak::bench
