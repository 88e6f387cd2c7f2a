// What the HLS kernel of a configuration needs and how long it takes, by its own estimates.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hls/resources.hpp"

namespace jogak::hls_report {

struct Work {
  std::string what;
  std::uint64_t cycles, macs;
};

struct Report {
  spec::Config config;
  hls_csim::Resources resources;
  std::vector<Work> works;  // a matrix product; a decode step
};

// Throws Error for an unknown configuration, or one whose kernel is not built in.
Report make(const std::string& config);
nlohmann::json json(const Report& report);
std::string text(const Report& report, double mhz);

}  // namespace jogak::hls_report
