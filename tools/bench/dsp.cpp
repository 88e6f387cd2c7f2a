// dsp: multiplier blocks per int8 multiply-accumulate, from recorded synthesis (boards/common/amd_dsp.py), and whether two
// products in one block are exact, computed here for every operand.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench.hpp"
#include "error.hpp"
#include "tools/project.hpp"

namespace jogak::bench {
namespace {

using Json = nlohmann::json;

constexpr int kCarryLuts = 4;  // look-up tables that a CARRY4 occupies

Json recorded(const std::string& name) {
  const auto path = tools::project_root() / name;
  std::ifstream in(path);
  if (!in) throw Error("bench", path.string(), "no such file", "counts of synthesis");
  return Json::parse(in);
}

// Operands for which (a * 2^gap + b) * c does not give back both products.
double packing_differences(int gap) {
  std::uint64_t wrong = 0;
  const std::int64_t size = std::int64_t(1) << gap;
  for (std::int64_t a = -128; a < 128; ++a)
    for (std::int64_t b = -128; b < 128; ++b)
      for (std::int64_t c = -128; c < 128; ++c) {
        const std::int64_t product = (a * size + b) * c;
        std::int64_t low = product & (size - 1);
        if (low >= size / 2) low -= size;
        const std::int64_t high = (product >> gap) + ((product >> (gap - 1)) & 1);
        wrong += low != b * c || high != a * c;
      }
  return static_cast<double>(wrong);
}

void arrays(const Json& arrays, Report& report) {
  for (const auto& [config, counts] : arrays.items()) {
    const double macs = counts.at("cells");
    for (const char* family : {"ecp5", "xc7", "xcup"})
      report.add({.case_name = "array", .config = config, .on = family, .value = macs / counts.at(family).get<double>(), .unit = "MAC per block", .bar = 1});
  }
}

void pairs(const Json& pairs, Report& report) {
  // The LUTs in front of a carry chain lie in its own sites.
  const auto luts = [](const Json& cells) { return std::max(cells.at("lut").get<double>(), kCarryLuts * cells.at("carry4").get<double>()); };
  for (const Json& p : pairs) {
    const std::string name = "two cells packed, distance " + std::to_string(p.at("gap").get<int>());
    const std::string family = p.at("family");
    const double saved = p.at("apart").at("dsp").get<double>() - p.at("packed").at("dsp").get<double>();
    report.add({.case_name = name, .on = family, .value = 2 / p.at("packed").at("dsp").get<double>(), .unit = "MAC per block", .bar = 2});
    report.add({.case_name = name + ": cost", .on = family, .value = (luts(p.at("packed")) - luts(p.at("apart"))) / saved, .unit = "LUT sites per block saved"});
  }
}

void dsp(const Options&, Report& report) {
  const Json counts = recorded("boards/common/amd_dsp.json");
  arrays(counts.at("array"), report);
  const Json nano = recorded("tests/synth/nano.json").at("check").at("array");
  report.add({.case_name = "matrix engine, scales included", .config = "nano", .on = "ecp5",
              .value = counts.at("array").at("nano").at("cells").get<double>() / nano.at("MULT18X18D").get<double>(), .unit = "MAC per block"});
  pairs(counts.at("pair"), report);
  for (const int gap : {16, 18})
    report.add({.case_name = "packing, all 2^24 operands, distance " + std::to_string(gap), .on = "arithmetic", .value = packing_differences(gap), .unit = "differences", .bar = 0, .less = true});
}

const Register registered{"dsp", "multiplier blocks per int8 multiply-accumulate; two products in one block", dsp};

}  // namespace
}  // namespace jogak::bench
