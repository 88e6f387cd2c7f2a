// jogak report: performance, power, area and energy of a run.
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli.hpp"
#include "tools/ppa/report.hpp"

namespace jogak::cli {
namespace {

struct Arguments {
  std::string run, html, deadline;
  ppa::ReportOptions options;
  bool json = false, ungated = false;
};

// The last line that is an object; a file may hold other output before it.
ppa::Json read_run(const std::string& path) {
  std::ifstream file(path);
  if (!file && path != "-") throw Error("report", "file " + path, "nothing", "what `jogak run --profile --json` printed");
  std::istream& in = path == "-" ? std::cin : file;
  std::ostringstream text;
  text << in.rdbuf();
  ppa::Json found = ppa::Json::parse(text.str(), nullptr, false);
  if (found.is_object()) return found;
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);)
    if (ppa::Json j = ppa::Json::parse(line, nullptr, false); j.is_object()) found = std::move(j);
  if (!found.is_object()) throw Error("report", "file " + path, "no JSON object", "what `jogak run --profile --json` printed");
  return found;
}

void report(Arguments a) {
  const ppa::Json run = read_run(a.run);
  const std::string name = run.value("config", std::string());
  const spec::Config* config = spec::find_config(name.c_str());
  if (config == nullptr) throw Error("report", "configuration", name.empty() ? "none" : name, config_names());
  const ppa::Shape shape{.rows = static_cast<double>(config->rows), .cols = static_cast<double>(config->cols), .lanes = static_cast<double>(config->lanes),
                         .port_bytes = static_cast<double>(config->port_bytes), .wspm = static_cast<double>(config->wspm_bytes), .aspm = static_cast<double>(config->aspm_bytes),
                         .vmem = static_cast<double>(config->vmem_bytes), .imem_words = static_cast<double>(config->imem_words)};
  if (!a.deadline.empty()) a.options.deadline = ppa::parse_seconds(a.deadline);
  a.options.gated = !a.ungated;
  const ppa::AreaModel area(ppa::project_constants());
  const ppa::Json j = ppa::make_report(area, shape, run, a.options);
  if (!a.html.empty()) write_atomically(a.html, ppa::report_html(j));
  std::cout << (a.json ? j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : ppa::report_text(j));
  if (!a.html.empty() && !a.json) std::cerr << "jogak: pictures in " << a.html << "\n";
}

}  // namespace

void add_report(CLI::App& app, int&) {
  auto* command = app.add_subcommand("report", "Performance, power, area, energy and carbon of a run");
  const auto a = std::make_shared<Arguments>();
  command->add_option("run", a->run, "What `run --profile --json` or `demo --json` printed; - reads it from standard input")->required();
  command->add_option("--node", a->options.nm, "Technology node in nm, 3 to 180")->check(CLI::Range(3.0, 180.0))->capture_default_str();
  command->add_option("--volts", a->options.volts, "Supply (default: the node's)")->check(CLI::PositiveNumber);
  command->add_option("--mhz", a->options.mhz, "Clock (default: by synthesis, node and supply)")->check(CLI::PositiveNumber);
  command->add_option("--dram", a->options.dram, "lpddr4, lpddr5, lpddr5x, ddr3, ddr4, ddr5, gddr5, hbm2 or hbm3")->capture_default_str();
  command->add_option("--link", a->options.link, "Between the dies of a package: ucie-s, ucie-a, bow or none")->capture_default_str();
  command->add_option("--grid", a->options.grid, "Carbon intensity of electricity, gCO2/kWh (default: world mean)")->check(CLI::PositiveNumber);
  command->add_option("--deadline", a->deadline, "Least energy that ends the run within this time, such as 50ms");
  command->add_flag("--ungated", a->ungated, "Engines without work keep their clock");
  command->add_option("--html", a->html, "Write a page with pictures to this file");
  command->add_flag("--json", a->json, "One JSON object instead of text");
  command->callback([a] { report(*a); });
}

}  // namespace jogak::cli
