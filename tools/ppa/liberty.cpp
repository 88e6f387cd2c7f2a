#include "liberty.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "error.hpp"
#include "liberty_tree.hpp"

namespace jogak::ppa {
namespace {

struct Units {
  double time = 1, capacitance = 1, leakage = 1, energy = 1;  // to ns, fF, nW, fJ
};

double scaled(const std::string& text, const std::array<std::pair<const char*, double>, 4>& units) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  std::string unit(end);
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const auto& [name, factor] : units)
    if (unit == name) return number * factor;
  throw Error("library", "unit", text, "a unit of time, power or capacitance");
}

Units units_of(const Group& library) {
  Units u;
  if (const std::string t = library.text("time_unit"); !t.empty()) u.time = scaled(t, {{{"ns", 1}, {"ps", 1e-3}, {"us", 1e3}, {"fs", 1e-6}}});
  if (const std::string t = library.text("leakage_power_unit"); !t.empty()) u.leakage = scaled(t, {{{"nw", 1}, {"pw", 1e-3}, {"uw", 1e3}, {"mw", 1e6}}});
  if (const auto* c = library.list("capacitive_load_unit"); c != nullptr && c->size() == 2)
    u.capacitance = scaled((*c)[0] + (*c)[1], {{{"ff", 1}, {"pf", 1e3}, {"nf", 1e6}, {"af", 1e-3}}});
  u.energy = u.capacitance;  // volts are volts
  return u;
}

std::vector<double> numbers(const std::vector<std::string>& texts, double factor) {
  std::vector<double> out;
  for (const std::string& t : texts) {
    const char* at = t.c_str();
    while (*at != 0) {
      char* end = nullptr;
      const double v = std::strtod(at, &end);
      if (end == at) {
        ++at;
        continue;
      }
      out.push_back(v * factor);
      at = end;
    }
  }
  return out;
}

using Templates = std::map<std::string, const Group*>;

// Indices of the table itself, or else of its template. Loads come second wherever there are two indices here.
Table table(const Group& g, const Templates& templates, const Units& u, double factor) {
  Table t;
  const Group* shape = nullptr;
  if (!g.arguments.empty())
    if (const auto it = templates.find(g.arguments[0]); it != templates.end()) shape = it->second;
  std::array<std::vector<double>, 2> index;
  for (int i = 0; i < 2; ++i) {
    const std::string name = "index_" + std::to_string(i + 1), variable = "variable_" + std::to_string(i + 1);
    const auto* list = g.list(name);
    if (list == nullptr && shape != nullptr) list = shape->list(name);
    const bool load = shape != nullptr && shape->text(variable).find("capacitance") != std::string::npos;
    if (list != nullptr) index[static_cast<std::size_t>(i)] = numbers(*list, load ? u.capacitance : u.time);
  }
  if (const auto* values = g.list("values")) t.values = numbers(*values, factor);
  const bool loads_first = shape != nullptr && shape->text("variable_1").find("capacitance") != std::string::npos;
  if (loads_first && !index[1].empty()) {
    std::vector<double> turned;
    for (std::size_t j = 0; j < index[1].size(); ++j)
      for (std::size_t i = 0; i < index[0].size(); ++i) turned.push_back(t.values.at(i * index[1].size() + j));
    t.values = turned;
    std::swap(index[0], index[1]);
  } else if (loads_first) {
    index[1] = index[0];
    index[0] = {0};
  }
  t.x = index[0], t.y = index[1];
  const std::size_t expected = std::max<std::size_t>(t.x.size(), 1) * std::max<std::size_t>(t.y.size(), 1);
  if (t.values.size() != expected && t.values.size() == 1) t.x.clear(), t.y.clear();
  else if (t.values.size() != expected)
    throw Error("library", "values of a table", std::to_string(t.values.size()), std::to_string(expected));
  return t;
}

struct Reader {
  Units units;
  Templates templates;

  std::optional<Table> maybe(const Group& g, const char* kind, double factor) const {
    for (const Group& child : g.groups)
      if (child.kind == kind) return table(child, templates, units, factor);
    return std::nullopt;
  }

  void timing(const Group& g, const Cell& cell, Pin& pin) const {
    const std::string type = g.text("timing_type");
    if (type == "setup_rising") {
      const auto rise = maybe(g, "rise_constraint", units.time), fall = maybe(g, "fall_constraint", units.time);
      if (rise && fall) pin.setups.push_back({*rise, *fall});
      return;
    }
    const bool edge = type == "rising_edge" || type == "falling_edge";
    if (!edge && !type.empty() && type != "combinational" && type != "combinational_rise" && type != "combinational_fall") return;
    Arc arc;
    arc.from = cell.pin(g.text("related_pin"));
    arc.edge = edge;
    const std::string sense = g.text("timing_sense");
    arc.sense = sense == "positive_unate" ? Sense::positive : sense == "negative_unate" ? Sense::negative : Sense::both;
    arc.rise = maybe(g, "cell_rise", units.time), arc.fall = maybe(g, "cell_fall", units.time);
    arc.rise_slew = maybe(g, "rise_transition", units.time), arc.fall_slew = maybe(g, "fall_transition", units.time);
    if (arc.from >= 0 && (arc.rise || arc.fall)) pin.arcs.push_back(std::move(arc));
  }

  void read_pin(const Group& g, const Cell& cell, Pin& pin) const {
    pin.output = g.text("direction") == "output";
    pin.clock = g.text("clock") == "true" || g.text("clock_gate_clock_pin") == "true";
    pin.function = g.text("function");
    pin.capacitance = g.number("capacitance", 0) * units.capacitance;
    for (const Group& child : g.groups) {
      if (child.kind == "timing") timing(child, cell, pin);
      if (child.kind == "internal_power") {
        Internal power;
        power.related = cell.pin(child.text("related_pin"));
        power.rise = maybe(child, "rise_power", units.energy), power.fall = maybe(child, "fall_power", units.energy);
        if (power.rise || power.fall) pin.internal.push_back(std::move(power));
      }
    }
  }

  // Leakage of a cell: as stated, else the mean over its states.
  double leakage(const Group& g) const {
    if (g.list("cell_leakage_power") != nullptr) return g.number("cell_leakage_power", 0) * units.leakage;
    std::map<std::string, double> states;  // supplies add up
    for (const Group& child : g.groups)
      if (child.kind == "leakage_power") states[child.text("when")] += child.number("value", 0) * units.leakage;
    double sum = 0;
    for (const auto& [when, value] : states) sum += value;
    return states.empty() ? 0 : sum / static_cast<double>(states.size());
  }

  Cell cell(const Group& g) const {
    Cell c;
    c.name = g.arguments.empty() ? "" : g.arguments[0];
    c.area = g.number("area", 0);
    c.leakage = leakage(g);
    for (const Group& child : g.groups) {
      if (child.kind == "ff") {
        c.kind = Cell::Kind::flop;
        c.next_state = child.text("next_state"), c.clear = child.text("clear"), c.preset = child.text("preset");
      }
      if (child.kind == "latch" || child.kind == "statetable") c.kind = Cell::Kind::other;
      if (child.kind == "pin") c.pins.push_back({.name = child.arguments.at(0)});
    }
    if (!g.text("clock_gating_integrated_cell").empty()) c.kind = Cell::Kind::clock_gate;
    std::size_t i = 0;
    for (const Group& child : g.groups)
      if (child.kind == "pin") read_pin(child, c, c.pins[i++]);
    return c;
  }
};

double along(const std::vector<double>& x, double at, std::size_t& i) {
  if (x.size() < 2) {
    i = 0;
    return 0;
  }
  i = static_cast<std::size_t>(std::upper_bound(x.begin() + 1, x.end() - 1, at) - x.begin()) - 1;
  return (at - x[i]) / (x[i + 1] - x[i]);
}

}  // namespace

double Table::at(double a, double b) const {
  if (values.size() == 1) return values[0];
  std::size_t i, j;
  const double f = along(x, a, i), g = along(y, b, j);
  const std::size_t width = std::max<std::size_t>(y.size(), 1), down = x.size() > 1 ? width : 0, right = y.size() > 1 ? 1 : 0;
  const double* v = &values[i * width + j];
  const double low = v[0] + g * (v[right] - v[0]), high = v[down] + g * (v[down + right] - v[down]);
  return low + f * (high - low);
}

int Cell::pin(const std::string& pin_name) const {
  for (std::size_t i = 0; i < pins.size(); ++i)
    if (pins[i].name == pin_name) return static_cast<int>(i);
  return -1;
}

const Cell* Library::find(const std::string& cell) const {
  const auto it = by_name.find(cell);
  return it == by_name.end() ? nullptr : &cells[static_cast<std::size_t>(it->second)];
}

std::string read_text(const std::filesystem::path& path) {
  if (path.extension() != ".gz") {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw Error("library", "file " + path.string(), "nothing to read", "a Liberty file");
    return text.str();
  }
  if (path.string().find('\'') != std::string::npos) throw Error("library", "file " + path.string(), "a quote in its name", "none");
  std::FILE* pipe = ::popen(("gzip -dc -- '" + path.string() + "'").c_str(), "r");
  if (pipe == nullptr) throw Error("library", "file " + path.string(), "no gzip", "gzip to unpack it");
  std::string text;
  std::array<char, 65536> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  if (::pclose(pipe) != 0) throw Error("library", "file " + path.string(), "what gzip does not unpack", "a .gz file");
  return text;
}

Library read_library(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  const Group tree = parse_liberty(text, path.filename().string());
  Reader reader;
  reader.units = units_of(tree);
  for (const Group& g : tree.groups)
    if ((g.kind == "lu_table_template" || g.kind == "power_lut_template") && !g.arguments.empty()) reader.templates[g.arguments[0]] = &g;
  Library library;
  library.name = tree.arguments.empty() ? "" : tree.arguments[0];
  library.voltage = tree.number("nom_voltage", 0);
  for (const Group& g : tree.groups) {
    if (g.kind != "cell") continue;
    library.cells.push_back(reader.cell(g));
    library.by_name[library.cells.back().name] = static_cast<int>(library.cells.size()) - 1;
  }
  if (library.cells.empty()) throw Error("library " + path.filename().string(), "cells", "none", "a library of cells");
  return library;
}

std::string merge_libraries(const std::vector<std::filesystem::path>& paths) {
  std::string out;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string text = read_text(paths[i]);
    const Group tree = parse_liberty(text, paths[i].filename().string());
    if (paths.size() == 1) return text;
    if (i == 0) {
      out = text.substr(0, tree.end - 1);
      for (const Group& g : tree.groups) seen.insert(g.kind + "(" + (g.arguments.empty() ? "" : g.arguments[0]));
      continue;
    }
    for (const Group& g : tree.groups)
      if (seen.insert(g.kind + "(" + (g.arguments.empty() ? "" : g.arguments[0])).second) out += text.substr(g.begin, g.end - g.begin) + "\n";
  }
  return out + "}\n";
}

}  // namespace jogak::ppa
