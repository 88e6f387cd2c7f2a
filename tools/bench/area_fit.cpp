// area-fit: the area model against synthesis of a configuration that it was not fitted to.
#include <algorithm>
#include <cmath>

#include "bench.hpp"
#include "tools/ppa/area.hpp"

namespace jogak::bench {
namespace {

void run(const Options&, Report& report) {
  const ppa::AreaModel model(ppa::project_constants());
  for (const ppa::SynthesisRun& r : model.runs()) {
    double found = 0, expected = 0, worst = 0;
    for (const auto& [block, result] : r.blocks) {
      const double area = model.logic(block, r.shape);
      found += area, expected += result[0];
      if (result[0] < 0.01 * 1e5) continue;  // wires and a few gates
      worst = std::max(worst, std::abs(area / result[0] - 1));
      if (!r.fit) report.add({.case_name = block, .config = r.name, .value = area / result[0] - 1, .unit = "relative error"});
    }
    const std::string kind = r.fit ? "fitted" : "not fitted";
    report.add({.case_name = "logic of all its blocks, " + kind, .config = r.name, .value = std::abs(found / expected - 1), .unit = "relative error",
                .bar = r.fit ? std::optional<double>() : 0.05, .less = true});
    report.add({.case_name = "worst block, " + kind, .config = r.name, .value = worst, .unit = "relative error", .less = true});
  }
}

const Register registered{"area-fit", "area model against synthesis, configurations not used in the fit", run};

}  // namespace
}  // namespace jogak::bench
