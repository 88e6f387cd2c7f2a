#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "error.hpp"

namespace jogak::ppa {
namespace {

Json figure(double value, const char* unit, double error, const std::string& how) {
  return {{"value", value}, {"unit", unit}, {"error", error}, {"how", how}};
}

const Json& need(const Json& j, const char* key) {
  if (!j.is_object() || !j.contains(key)) throw Error("report", std::string("entry ") + key, "nothing", "what `jogak run --profile --json` or `jogak demo --json` prints");
  return j.at(key);
}

Activity activity(const Json& run) {
  Activity a;
  for (const auto& [name, value] : need(need(run, "profile"), "counters").items()) {
    if (!value.is_number()) throw Error("report", "counter " + name, value.dump(), "a number");
    a.counters[name] = value.get<double>();
  }
  return a;
}

// Payload that dies of a package sent, where the run counted it.
double link_bytes_of(const Json& dies) {
  double bytes = 0;
  for (const Json& die : dies)
    for (const Json& link : die.value("links", Json::array())) bytes += link.value("payload_bytes", 0.0);
  return bytes;
}

double tokens_of(const Json& run) {
  const double made = run.contains("ids") && run.at("ids").is_array() ? static_cast<double>(run.at("ids").size()) : 0;
  if (made > 0) return made;
  double all = 0;
  for (const char* phase : {"prefill", "decode"})
    if (const Json& p = need(run, "profile"); p.contains(phase)) all += p.at(phase).value("tokens", 0.0);
  return all;
}

class Maker {
 public:
  Maker(const AreaModel& area, const Shape& shape, const Json& run, const ReportOptions& o)
      : area_(area), energy_(area), run_(run), o_(o), c_(area.constants()), activity_(activity(run)) {
    machine_ = {.shape = shape, .nm = o.nm, .dram = o.dram, .link = o.link};
    if (const Json dies = run.at("profile").value("dies", Json::array()); dies.size() > 1)
      machine_.dies = static_cast<double>(dies.size()), machine_.link_bytes = link_bytes_of(dies);
    node_ = node_at(c_, o.nm);
    c_.at("dram." + o.dram), c_.at("links." + o.link);
    point_ = o.volts > 0 ? energy_.at_volts(machine_, o.volts) : energy_.nominal(machine_);
    if (o.mhz > 0) point_.mhz = o.mhz;
    if (!(point_.mhz > 0)) throw Error("report", "supply", std::to_string(o.volts) + " V", "more than the threshold, " + std::to_string(c_["speed.threshold"]) + " V");
    if (EnergyModel::cycles(machine_, activity_) <= 0) throw Error("report", "run", "no work in its counters", "a run of at least one token");
    result_ = energy_.run(machine_, activity_, point_, o.gated);
  }

  Json make() const {
    Json j;
    j["run"] = {{"model", run_.value("model", "")}, {"config", run_.value("config", "")}, {"on", run_.value("on", "")}, {"tokens", tokens_of(run_)}};
    const Shape& s = machine_.shape;
    j["machine"] = {{"rows", s.rows}, {"cols", s.cols}, {"lanes", s.lanes}, {"port_bytes", s.port_bytes}, {"node_nm", o_.nm}, {"volts", point_.volts},
                    {"mhz", point_.mhz}, {"dram", o_.dram}, {"gated", o_.gated}, {"dies", machine_.dies}};
    j["area"] = area();
    j["performance"] = performance();
    j["energy"] = energy();
    j["per_token"] = per_token();
    j["operating_points"] = points();
    if (o_.deadline) j["deadline"] = deadline();
    for (const char* key : {"layers", "operators"})
      if (run_.at("profile").contains(key)) j[key] = run_.at("profile").at(key);
    j["counters"] = run_.at("profile").at("counters");
    for (const Constant& x : c_.all)
      j["constants"].push_back({{"name", x.name}, {"value", x.value}, {"unit", x.unit}, {"from", std::string(1, x.from)}, {"error", x.error}, {"source", x.source}});
    j["constants"].push_back({{"name", "nodes"}, {"source", c_.node_source}, {"error", c_.error_area}});
    j["constants"].push_back({{"name", "sram"}, {"source", c_.sram_source}, {"error", c_.sram_error}});
    return j;
  }

 private:
  Json area() const {
    Json blocks = Json::array();
    double logic = 0, ram = 0;
    for (const BlockArea& b : area_.blocks(machine_.shape)) {
      const double l = b.logic_um2 * node_.area * 1e-6 * machine_.dies, r = b.ram_um2 * node_.sram * 1e-6 * machine_.dies;
      blocks.push_back({{"name", b.name}, {"part", b.part}, {"mm2", l + r}, {"logic_mm2", l}, {"ram_mm2", r}});
      logic += l, ram += r;
    }
    const double node = error_of_area(c_, o_.nm), fit = 0.05;
    const double error = std::sqrt(std::pow(logic * std::hypot(fit, node), 2) + std::pow(ram * std::hypot(c_.sram_error, node), 2)) / (logic + ram);
    return {{"total", figure(logic + ram, "mm2", error, "cells of synthesis (Nangate45, fitted by structure) and memories of the CACTI table, scaled from 45 nm; before layout")},
            {"logic_mm2", logic}, {"ram_mm2", ram}, {"blocks", blocks}};
  }

  Json performance() const {
    const double n = EnergyModel::cycles(machine_, activity_), ops = 2 * activity_.at("macs");
    const bool counted = activity_.at("cycles") > 0;
    const double clock = o_.mhz > 0 ? 0 : std::hypot(c_.at("speed.mhz_45").error, c_.at("speed.layout").error), error = std::hypot(clock, counted ? 0 : 0.3);
    const double cells = machine_.shape.rows * machine_.shape.cols * machine_.dies, beats = activity_.at("load_beats") + activity_.at("store_beats");
    Json j;
    j["cycles"] = figure(n, "cycles", counted ? 0 : 0.3, counted ? "counted, cycle by cycle, ideal memory" : "the larger of array and port time, 10 % more: this run had no clock");
    j["clock"] = figure(point_.mhz, "MHz", clock, o_.mhz > 0 ? "as asked for" : "longest path of synthesis, scaled to node and supply, less 20 % for layout");
    j["seconds"] = figure(result_.seconds, "s", error, "cycles over clock");
    j["tokens_per_second"] = figure(tokens_of(run_) / result_.seconds, "tokens/s", error, "tokens made, prompt included in the time");
    j["array_use"] = figure(activity_.at("macs") / cells / n, "", counted ? 0 : 0.3, "products counted over products possible");
    j["port_use"] = figure(beats / n / machine_.dies, "", counted ? 0 : 0.3, "beats counted over cycles");
    j["gops"] = figure(ops / result_.seconds * 1e-9, "GOPS", error, "two operations a product");
    j["peak_gops"] = 2 * cells * point_.mhz * 1e-3;
    j["ops_per_byte"] = ops / std::max(1.0, beats * machine_.shape.port_bytes);
    j["port_gbs"] = machine_.dies * machine_.shape.port_bytes * point_.mhz * 1e-3;
    return j;
  }

  static Json parts(const RunEnergy& r) {
    Json list = Json::array();
    const double all = r.joules(false);
    for (const Part& p : r.parts)
      list.push_back({{"name", p.name}, {"joules", p.joules}, {"share", all > 0 ? p.joules / all : 0}, {"error", p.on_chip ? std::hypot(p.error, r.node_error) : p.error},
                      {"on_chip", p.on_chip}, {"how", p.how}});
    return list;
  }

  Json energy() const {
    const double e = result_.error(), all = result_.joules(false), chip = result_.joules(true);
    Json j;
    j["total"] = figure(all, "J", e, "events counted times energy per event, clock, leakage, DRAM");
    j["chip"] = figure(chip, "J", e, "the same without DRAM and links");
    j["watts"] = figure(all / result_.seconds, "W", std::hypot(e, 0.1), "energy over time");
    j["chip_watts"] = figure(chip / result_.seconds, "W", std::hypot(e, 0.1), "energy over time");
    j["leakage_watts"] = figure(energy_.leakage_watts(machine_, point_.volts), "W", c_.at("leakage.sram_45").error, "area of logic, bits of memories");
    j["tops_per_watt"] = figure(2e-12 * activity_.at("macs") / chip, "TOPS/W", e, "chip alone");
    j["parts"] = parts(result_);
    return j;
  }

  Json per_token() const {
    const double tokens = std::max(1.0, tokens_of(run_)), e = result_.error(), joules = result_.joules(false) / tokens;
    const double grid = o_.grid > 0 ? o_.grid : c_["grid.world"], wh = joules * 1000 / 3600;
    Json j;
    j["joules"] = figure(joules, "J", e, "energy over tokens made, prompt included");
    j["wh_per_1000"] = figure(wh, "Wh", e, "per 1,000 tokens, DRAM included");
    j["gco2_per_1000"] = figure(wh * 1e-3 * grid, "gCO2", std::hypot(e, o_.grid > 0 ? 0 : c_.at("grid.world").error),
                                o_.grid > 0 ? "at the grid intensity asked for" : "at the world's mean grid intensity; nothing for making the chip");
    j["grid"] = grid;
    return j;
  }

  static Json point(const RunEnergy& r) {
    return {{"volts", r.point.volts}, {"mhz", r.point.mhz}, {"seconds", r.seconds}, {"joules", r.joules(false)}, {"chip_joules", r.joules(true)},
            {"chip_watts", r.joules(true) / r.seconds}};
  }
  Json points() const {
    Json list = Json::array();
    for (const OperatingPoint& p : energy_.points(machine_)) list.push_back(point(energy_.run(machine_, activity_, p, o_.gated)));
    return list;
  }
  Json deadline() const {
    const RunEnergy best = energy_.at_deadline(machine_, activity_, *o_.deadline);
    RunEnergy fast = result_;
    const double idle = *o_.deadline > fast.seconds ? energy_.leakage_watts(machine_, energy_.points(machine_).front().volts) * (*o_.deadline - fast.seconds) : 0;
    Json j = point(best);
    j["deadline"] = *o_.deadline;
    j["total"] = figure(best.joules(false), "J", best.error(), "least energy over operating points, idle leakage until the deadline included");
    j["nominal_joules"] = fast.joules(false) + idle;
    j["nominal_meets"] = fast.seconds <= *o_.deadline;
    j["parts"] = parts(best);
    return j;
  }

  const AreaModel& area_;
  EnergyModel energy_;
  const Json& run_;
  ReportOptions o_;
  const Constants& c_;
  Activity activity_;
  Machine machine_;
  Node node_;
  OperatingPoint point_;
  RunEnergy result_;
};

}  // namespace

double parse_seconds(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit(end);
  const std::pair<const char*, double> units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"min", 60}};
  for (const auto& [name, factor] : units)
    if (unit == name && end != text.c_str() && number > 0 && std::isfinite(number)) return number * factor;
  throw Error("report", "time", text, "a number with us, ms, s or min");
}

Json make_report(const AreaModel& area, const Shape& shape, const Json& run, const ReportOptions& options) { return Maker(area, shape, run, options).make(); }

}  // namespace jogak::ppa
