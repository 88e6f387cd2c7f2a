#include <cstdarg>

#include "report.hpp"

namespace jogak::ppa {
namespace {

void line(std::string& out, const char* format, ...) __attribute__((format(printf, 2, 3)));
void line(std::string& out, const char* format, ...) {
  char text[500];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

// A number with a prefix that leaves one to three digits before the point; "mm2" and percentages go as they are.
std::string readable(double value, const std::string& unit) {
  char text[64];
  const bool plain = unit == "mm2" || unit == "MHz" || unit == "cycles" || unit.find('/') != std::string::npos || unit == "gCO2" || unit.empty();
  static constexpr std::pair<double, const char*> kPrefixes[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}};
  if (!plain && value > 0)
    for (const auto& [size, prefix] : kPrefixes)
      if (value >= size) {
        std::snprintf(text, sizeof text, "%.3g %s%s", value / size, prefix, unit.c_str());
        return text;
      }
  std::snprintf(text, sizeof text, "%.4g %s", value, unit.c_str());
  return text;
}

void figure(std::string& out, const char* name, const Json& f) {
  const double error = f.at("error").get<double>();
  char off[24] = "exact";
  if (error > 0) std::snprintf(off, sizeof off, "+-%.0f %%", 100 * error);
  line(out, "  %-22s %-16s %-9s %s\n", name, readable(f.at("value").get<double>(), f.at("unit").get<std::string>()).c_str(), off, f.at("how").get<std::string>().c_str());
}

}  // namespace

std::string report_text(const Json& r) {
  std::string out;
  const Json &m = r.at("machine"), &p = r.at("performance"), &e = r.at("energy"), &t = r.at("per_token");
  const double dies = m.at("dies").get<double>();
  line(out, "%s on %s%s (%g x %g array, %g lanes, %g byte port), %g nm, %.3f V, %s; counters from %s\n\n", r.at("run").at("model").get<std::string>().c_str(),
       dies > 1 ? (readable(dies, "") + "dies of ").c_str() : "", r.at("run").at("config").get<std::string>().c_str(), m.at("rows").get<double>(), m.at("cols").get<double>(), m.at("lanes").get<double>(),
       m.at("port_bytes").get<double>(), m.at("node_nm").get<double>(), m.at("volts").get<double>(), m.at("dram").get<std::string>().c_str(),
       r.at("run").at("on").get<std::string>().c_str());
  line(out, "  %-22s %-16s %-9s %s\n", "", "", "may be off", "how it was obtained");
  for (const auto& [name, key] : {std::pair{"cycles", "cycles"}, {"clock", "clock"}, {"time", "seconds"}, {"speed", "tokens_per_second"}, {"rate", "gops"},
                                  {"array in use", "array_use"}, {"memory port in use", "port_use"}})
    figure(out, name, p.at(key));
  figure(out, "area", r.at("area").at("total"));
  for (const auto& [name, key] : {std::pair{"energy", "total"}, {"  of the chip", "chip"}, {"power", "watts"}, {"  of the chip", "chip_watts"}, {"  leakage", "leakage_watts"},
                                  {"efficiency", "tops_per_watt"}})
    figure(out, name, e.at(key));
  for (const auto& [name, key] : {std::pair{"a token", "joules"}, {"1,000 tokens", "wh_per_1000"}, {"1,000 tokens", "gco2_per_1000"}}) figure(out, name, t.at(key));
  out += "\n  energy by part\n";
  for (const Json& part : e.at("parts"))
    line(out, "  %-22s %-12s %5.1f %%  +-%.0f %%  %s\n", part.at("name").get<std::string>().c_str(), readable(part.at("joules").get<double>(), "J").c_str(),
         100 * part.at("share").get<double>(), 100 * part.at("error").get<double>(), part.at("how").get<std::string>().c_str());
  out += "\n  area by block\n";
  for (const Json& b : r.at("area").at("blocks"))
    line(out, "  %-10s %-14s %9.4f mm2  (memories %.4f)\n", b.at("name").get<std::string>().c_str(), b.at("part").get<std::string>().c_str(), b.at("mm2").get<double>(),
         b.at("ram_mm2").get<double>());
  out += "\n  operating points\n";
  const Json& points = r.at("operating_points");
  for (std::size_t i = 0; i < points.size(); i += 3)
    line(out, "  %.3f V %7.0f MHz  %10s  %10s in all, chip %s\n", points[i].at("volts").get<double>(), points[i].at("mhz").get<double>(),
         readable(points[i].at("seconds").get<double>(), "s").c_str(), readable(points[i].at("joules").get<double>(), "J").c_str(),
         readable(points[i].at("chip_joules").get<double>(), "J").c_str());
  if (r.contains("deadline")) {
    const Json& d = r.at("deadline");
    line(out, "\n  within %s: %.3f V, %.0f MHz, done after %s, %s +-%.0f %% (idle until then included)\n", readable(d.at("deadline").get<double>(), "s").c_str(),
         d.at("volts").get<double>(), d.at("mhz").get<double>(), readable(d.at("seconds").get<double>(), "s").c_str(),
         readable(d.at("total").at("value").get<double>(), "J").c_str(), 100 * d.at("total").at("error").get<double>());
    line(out, "  at the chosen supply instead: %s%s\n", readable(d.at("nominal_joules").get<double>(), "J").c_str(), d.at("nominal_meets").get<bool>() ? "" : ", and too late");
  }
  return out;
}

}  // namespace jogak::ppa
