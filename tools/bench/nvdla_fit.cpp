// nvdla-fit: the NVDLA family by the model's structure and two parameters, each size predicted from the other three.
#include <algorithm>
#include <cmath>

#include "bench.hpp"
#include "tools/ppa/published.hpp"

namespace jogak::bench {
namespace {

void run(const Options&, Report& report) {
  const ppa::AreaModel model(ppa::project_constants());
  struct Case {
    const char* name;
    ppa::Quantity quantity;
    double bar;
  };
  for (const Case& c : {Case{"area 28 nm", ppa::Quantity::area_28, 0.15}, Case{"area 16 nm", ppa::Quantity::area_16, 0.15},
                        Case{"peak power 16 nm", ppa::Quantity::peak_16, 0.20}, Case{"mean power 16 nm", ppa::Quantity::mean_16, 0.20}}) {
    double worst = 0;
    for (const ppa::Prediction& p : ppa::nvdla_left_out(model, c.quantity)) {
      worst = std::max(worst, std::abs(p.error()));
      report.add({.case_name = std::string(c.name) + ", " + std::to_string(static_cast<int>(p.macs)) + " multipliers, left out", .value = p.error(), .unit = "relative error"});
    }
    report.add({.case_name = std::string(c.name) + ", largest", .value = worst, .unit = "relative error", .bar = c.bar, .aim = 0.10, .less = true});
  }
}

const Register registered{"nvdla-fit", "area and power of the NVDLA family, one size left out at a time", run};

}  // namespace
}  // namespace jogak::bench
