// jogak-hls-report: the HLS kernel's estimates of its size and time.
#include <CLI/CLI.hpp>
#include <iostream>

#include "report.hpp"

int main(int argc, char** argv) {
  using namespace jogak;
  CLI::App app("The HLS kernel's estimates of its size and time, from the constants of its sources (docs/hls.md).", "jogak-hls-report");
  std::string config = "edge";
  double mhz = 300;
  bool json = false;
  app.add_option("--config", config, "a configuration of spec/configs")->capture_default_str();
  app.add_option("--mhz", mhz, "clock for the times")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--json", json, "one JSON object");
  CLI11_PARSE(app, argc, argv);
  try {
    const hls_report::Report report = hls_report::make(config);
    std::cout << (json ? hls_report::json(report).dump() + "\n" : hls_report::text(report, mhz));
  } catch (const std::exception& error) {
    std::cerr << "jogak-hls-report: " << error.what() << '\n';
    return 1;
  }
}
