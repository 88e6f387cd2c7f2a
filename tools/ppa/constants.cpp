#include "constants.hpp"

#include <yaml-cpp/yaml.h>

#include "error.hpp"
#include "tools/project.hpp"

namespace jogak::ppa {
namespace {

YAML::Node need(const YAML::Node& node, const std::string& key, const std::string& where) {
  if (!node[key]) throw Error("ppa.yaml", where + "." + key, "nothing", "a value");
  return node[key];
}

double number(const YAML::Node& node, const std::string& key, const std::string& where) {
  try {
    return need(node, key, where).as<double>();
  } catch (const YAML::Exception&) {
    throw Error("ppa.yaml", where + "." + key, "no number", "a number");
  }
}

Constant constant(const std::string& name, const YAML::Node& node) {
  Constant c{name, number(node, "value", name), need(node, "unit", name).as<std::string>(), '?', number(node, "error", name),
             need(node, "source", name).as<std::string>()};
  const auto from = need(node, "from", name).as<std::string>();
  if (from.size() != 1 || std::string("VCAMSF").find(from) == std::string::npos) throw Error("ppa.yaml", name + ".from", from, "one of V C A M S F");
  c.from = from[0];
  if (c.source.empty()) throw Error("ppa.yaml", name + ".source", "nothing", "where the value comes from");
  return c;
}

// Through three points, or as published, brought to `at09` at 0.9 V.
Node node_of(const YAML::Node& y) {
  Node n{number(y, "nm", "node"), number(y, "vdd", "node"), number(y, "area", "node"), number(y, "sram", "node")};
  if (y["abc"]) {
    const auto abc = y["abc"].as<std::vector<double>>();
    const double scale = number(y, "at09", "node") / (abc.at(0) * 0.81 + abc.at(1) * 0.9 + abc.at(2));
    n.a = abc[0] * scale, n.b = abc[1] * scale, n.c = abc[2] * scale;
    return n;
  }
  const auto at = need(y, "at", "node").as<std::vector<std::vector<double>>>();
  const double x0 = at.at(0).at(0), x1 = at.at(1).at(0), x2 = at.at(2).at(0), y0 = at[0].at(1), y1 = at[1].at(1), y2 = at[2].at(1);
  const double first = (y1 - y0) / (x1 - x0), second = ((y2 - y1) / (x2 - x1) - first) / (x2 - x0);
  n.a = second, n.b = first - second * (x0 + x1), n.c = y0 - first * x0 + second * x0 * x1;
  return n;
}

void read_nodes(const YAML::Node& y, Constants& out) {
  const YAML::Node nodes = need(y, "nodes", "ppa");
  for (const YAML::Node& n : need(nodes, "table", "nodes")) out.nodes.push_back(node_of(n));
  out.error_area = number(nodes, "error_area", "nodes"), out.error_energy = number(nodes, "error_energy", "nodes");
  out.error_extrapolated = number(nodes, "error_extrapolated", "nodes");
  out.node_source = need(nodes, "source", "nodes").as<std::string>();
}

void read_runs(const YAML::Node& y, Constants& out) {
  const YAML::Node part = need(y, "synthesis", "ppa");
  out.runs_source = need(part, "source", "synthesis").as<std::string>();
  for (const YAML::Node& r : need(part, "runs", "synthesis")) {
    SynthesisRun run{need(r, "name", "synthesis").as<std::string>(), {}, need(r, "fit", "synthesis").as<bool>(), {}};
    run.shape = {.rows = number(r, "rows", "synthesis"), .cols = number(r, "cols", "synthesis"), .lanes = number(r, "lanes", "synthesis"),
                 .port_bytes = number(r, "port_bytes", "synthesis")};
    for (const auto& b : need(r, "blocks", "synthesis")) {
      const auto v = b.second.as<std::vector<double>>();
      if (v.size() != 3) throw Error("ppa.yaml", "block " + b.first.as<std::string>() + " of " + run.name, std::to_string(v.size()) + " numbers", "3");
      run.blocks[b.first.as<std::string>()] = {v[0], v[1], v[2]};
    }
    out.runs.push_back(std::move(run));
  }
}

void read_sram(const YAML::Node& y, Constants& out) {
  const YAML::Node sram = need(y, "sram", "ppa");
  for (const YAML::Node& row : need(sram, "table_45", "sram")) {
    const auto v = row.as<std::vector<double>>();
    if (v.size() != 7) throw Error("ppa.yaml", "a row of sram.table_45", std::to_string(v.size()) + " numbers", "7");
    out.sram.push_back({v[0], v[1], v[2], v[3], v[4], v[5], v[6]});
  }
  out.sram_error = number(sram, "error", "sram");
  out.sram_source = need(sram, "source", "sram").as<std::string>();
}

}  // namespace

const Constant& Constants::at(const std::string& name) const {
  for (const Constant& c : all)
    if (c.name == name) return c;
  throw Error("ppa.yaml", "constant " + name, "nothing", "a value with its source");
}

std::vector<std::string> Constants::group(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const Constant& c : all)
    if (c.name.starts_with(prefix + ".")) names.push_back(c.name.substr(prefix.size() + 1));
  return names;
}

Constants read_constants(const std::filesystem::path& path) {
  YAML::Node y;
  try {
    y = YAML::LoadFile(path.string());
  } catch (const YAML::Exception& e) {
    throw Error("ppa.yaml", "file " + path.string(), e.what(), "YAML");
  }
  Constants out;
  try {
    for (const auto& group : y)
      if (group.second.IsMap())
        for (const auto& entry : group.second)
          if (entry.second.IsMap()) out.all.push_back(constant(group.first.as<std::string>() + "." + entry.first.as<std::string>(), entry.second));
    read_nodes(y, out);
    read_sram(y, out);
    read_runs(y, out);
    for (const YAML::Node& l : need(y, "libraries", "ppa"))
      out.libraries.push_back({need(l, "name", "library").as<std::string>(), need(l, "driver", "library").as<std::string>(), number(l, "nm", "library"),
                               number(l, "delay_ps", "library"), number(l, "load_ff", "library")});
    for (const YAML::Node& r : need(need(y, "nvdla", "ppa"), "rows", "nvdla")) {
      const auto n = [&](const char* key) { return number(r, key, "nvdla"); };
      out.nvdla.push_back({n("macs"), n("kb"), n("gbs"), n("mm2_28"), n("mm2_16"), n("peak_mw"), n("mean_mw"), n("rows"), n("cols")});
    }
  } catch (const YAML::Exception& e) {
    throw Error("ppa.yaml", "file " + path.string(), e.what(), "the structure of tools/ppa/ppa.yaml");
  }
  return out;
}

Constants project_constants() { return read_constants(tools::project_root() / "tools/ppa/ppa.yaml"); }

}  // namespace jogak::ppa
