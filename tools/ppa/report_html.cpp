#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <functional>

#include "report.hpp"

namespace jogak::ppa {
namespace {

std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));
std::string format(const char* pattern, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char ch : text) {
    if (ch == '&') out += "&amp;";
    else if (ch == '<') out += "&lt;";
    else if (ch == '>') out += "&gt;";
    else if (ch == '"') out += "&quot;";
    else out += ch;
  }
  return out;
}

const char* colour(const std::string& part) {
  static const std::pair<const char*, const char*> kColours[] = {
      {"array", "#4c78a8"}, {"feet", "#72a0c8"}, {"vector engine", "#f58518"}, {"memories", "#54a24b"}, {"on-chip memories", "#54a24b"}, {"control", "#e45756"},
      {"DMA", "#b279a2"}, {"load and store", "#b279a2"}, {"clock", "#9d755d"}, {"leakage", "#bab0ac"}, {"DRAM", "#333333"}, {"link", "#777777"},
      {"tiles", "#9ecae9"}, {"vector", "#f58518"}, {"memory", "#54a24b"}};
  for (const auto& [name, value] : kColours)
    if (part == name) return value;
  return "#888888";
}

std::string rectangle(double x, double y, double w, double h, const std::string& fill, const std::string& title) {
  return format("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"><title>", x, y, std::max(w, 0.0), std::max(h, 0.0), fill.c_str()) + escaped(title) +
         "</title></rect>";
}
std::string label(double x, double y, const std::string& text, const char* more = "") { return format("<text x=\"%.2f\" y=\"%.2f\" %s>", x, y, more) + escaped(text) + "</text>"; }

struct Tile {
  std::string name, part;
  double mm2;
  bool memory;
};

// Splits the tiles (largest first) in two of about equal area, along the longer side, until one is left.
void place(std::string& out, const std::vector<Tile>& tiles, double x, double y, double w, double h) {
  if (tiles.size() == 1) {
    const Tile& t = tiles[0];
    out += rectangle(x, y, w - 1, h - 1, colour(t.part), t.name + format(": %.4f mm2", t.mm2));
    if (t.memory) out += format("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"url(#ram)\" pointer-events=\"none\"/>", x, y, w - 1, h - 1);
    if (w > 70 && h > 16) out += label(x + 4, y + 13, t.name, "class=\"on\"");
    if (w > 70 && h > 30) out += label(x + 4, y + 26, format("%.3f mm2", t.mm2), "class=\"on\"");
    return;
  }
  double all = 0, first = 0;
  for (const Tile& t : tiles) all += t.mm2;
  std::size_t n = 0;
  while (n + 1 < tiles.size() && (n == 0 || first + tiles[n].mm2 / 2 < all / 2)) first += tiles[n++].mm2;
  const std::vector<Tile> a(tiles.begin(), tiles.begin() + static_cast<long>(n)), b(tiles.begin() + static_cast<long>(n), tiles.end());
  const double f = first / all;
  if (w >= h) place(out, a, x, y, w * f, h), place(out, b, x + w * f, y, w * (1 - f), h);
  else place(out, a, x, y, w, h * f), place(out, b, x, y + h * f, w, h * (1 - f));
}

std::string floorplan(const Json& r) {
  std::vector<Tile> tiles;
  for (const Json& b : r.at("area").at("blocks")) {
    const auto name = b.at("name").get<std::string>(), part = b.at("part").get<std::string>();
    if (b.at("logic_mm2").get<double>() > 0) tiles.push_back({name, part, b.at("logic_mm2").get<double>(), false});
    if (b.at("ram_mm2").get<double>() > 0) tiles.push_back({name + " RAM", part, b.at("ram_mm2").get<double>(), true});
  }
  std::sort(tiles.begin(), tiles.end(), [](const Tile& a, const Tile& b) { return a.mm2 > b.mm2; });
  std::string out = "<svg viewBox=\"0 0 560 400\"><defs><pattern id=\"ram\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 6L6 0\" stroke=\"#fff\" stroke-opacity=\".35\"/></pattern></defs>";
  place(out, tiles, 0, 0, 560, 400);
  return out + "</svg>";
}

std::string energy_bars(const Json& r) {
  const Json& parts = r.at("energy").at("parts");
  double most = 0;
  for (const Json& p : parts) most = std::max(most, p.at("joules").get<double>() * (1 + p.at("error").get<double>()));
  std::string out = format("<svg viewBox=\"0 0 560 %zu\">", parts.size() * 24 + 8);
  double y = 4;
  for (const Json& p : parts) {
    const auto name = p.at("name").get<std::string>();
    const double joules = p.at("joules").get<double>(), w = 330 * joules / most, off = w * p.at("error").get<double>();
    out += label(120, y + 14, name, "text-anchor=\"end\"");
    out += rectangle(126, y + 2, w, 16, colour(name), p.at("how").get<std::string>());
    out += format("<path d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\" stroke=\"#000\" fill=\"none\"/>", 126 + std::max(0.0, w - off), y + 10, 126 + w + off, 126 + std::max(0.0, w - off), y + 6,
                  126 + w + off, y + 6);
    out += label(132 + w + off, y + 14, format("%.1f %%", 100 * p.at("share").get<double>()));
    y += 24;
  }
  return out + "</svg>";
}

std::string roofline(const Json& r) {
  const Json& p = r.at("performance");
  const double peak = p.at("peak_gops").get<double>(), gbs = p.at("port_gbs").get<double>(), x = p.at("ops_per_byte").get<double>(), y = p.at("gops").at("value").get<double>();
  const double ridge = peak / gbs, low = std::min(0.25, x / 4), high = std::max(ridge * 16, x * 4), bottom = std::min(y, low * gbs) / 2, top = peak * 2;
  const auto px = [&](double v) { return 60 + 470 * std::log(v / low) / std::log(high / low); };
  const auto py = [&](double v) { return 250 - 230 * std::log(v / bottom) / std::log(top / bottom); };
  std::string out = "<svg viewBox=\"0 0 560 290\">";
  out += format("<path d=\"M%.1f %.1fL%.1f %.1fH%.1f\" stroke=\"#333\" stroke-width=\"2\" fill=\"none\"/>", px(low), py(low * gbs), px(ridge), py(peak), px(high));
  out += "<path d=\"M60 20V250H530\" stroke=\"#999\" fill=\"none\"/>";
  out += label(px(high), py(peak) - 6, format("array: %.3g GOPS", peak), "text-anchor=\"end\"") + label(px(low) + 30, py(low * gbs) + 8, format("memory port: %.3g GB/s", gbs));
  out += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6\" fill=\"#e45756\"/>", px(x), py(y)) + label(px(x) + 10, py(y) + 14, format("this run: %.3g GOPS at %.3g operations a byte", y, x));
  out += label(295, 280, "operations a byte of memory traffic (logarithmic)", "text-anchor=\"middle\"");
  return out + "</svg>";
}

// Layers one after the other, each as wide as its cycles, coloured by what they were for; engines below by commands in flight.
std::string timeline(const Json& r) {
  if (!r.contains("layers") || r.at("layers").empty()) return "<p>No timeline: this run had no clock (run on the RTL with --profile).</p>";
  double all = 0;
  for (const Json& l : r.at("layers")) all += l.at("cycles").get<double>();
  if (all <= 0) return "<p>No timeline: no cycles.</p>";
  const char* kinds[] = {"array", "tiles", "vector", "memory", "control"};
  const char* engines[] = {"matrix", "vector", "load", "store"};
  std::string out = "<svg viewBox=\"0 0 1160 190\">";
  for (std::size_t i = 0; i < 5; ++i) out += rectangle(110 + 130 * static_cast<double>(i), 4, 12, 12, colour(kinds[i]), kinds[i]) + label(126 + 130 * static_cast<double>(i), 14, kinds[i]);
  out += label(0, 50, "cycles are for");
  for (std::size_t e = 0; e < 4; ++e) out += label(0, 92 + 24 * static_cast<double>(e), engines[e]);
  double x = 110;
  for (const Json& l : r.at("layers")) {
    const double cycles = l.at("cycles").get<double>(), w = 1040 * cycles / all;
    const auto name = l.value("name", std::string("?"));
    double at = x;
    for (const char* kind : kinds) {
      const double part = l.at("spent").value(kind, 0.0), width = cycles > 0 ? w * part / cycles : 0;
      out += rectangle(at, 30, width, 30, colour(kind), name + ": " + kind + format(", %.0f cycles", part));
      at += width;
    }
    for (std::size_t e = 0; e < 4; ++e) {
      const double busy = std::min(l.value(engines[e], 0.0), cycles);
      out += rectangle(x, 80 + 24 * static_cast<double>(e), cycles > 0 ? w * busy / cycles : 0, 16, "#4c78a8", name + ": " + engines[e] + format(" busy %.0f of %.0f cycles", busy, cycles));
    }
    out += format("<path d=\"M%.1f 26V176\" stroke=\"#999\" stroke-dasharray=\"2 3\"/>", x);
    if (w > 44) out += label(x + 3, 186, name);
    x += w;
  }
  return out + "</svg>";
}

std::string row(const std::string& name, const Json& f) {
  const double error = f.at("error").get<double>();
  return "<tr><td>" + escaped(name) + format("</td><td class=\"n\">%.4g</td><td>", f.at("value").get<double>()) + escaped(f.at("unit").get<std::string>()) + "</td><td>" +
         (error > 0 ? format("&plusmn;%.0f %%", 100 * error) : std::string("exact")) + "</td><td>" + escaped(f.at("how").get<std::string>()) + "</td></tr>\n";
}

std::string figures(const Json& r) {
  std::string out = "<table><tr><th></th><th colspan=\"2\">value</th><th>may be off</th><th>how it was obtained</th></tr>\n";
  const auto add = [&](const Json& group, const std::vector<std::pair<const char*, const char*>>& names) {
    for (const auto& [title, key] : names) out += row(title, group.at(key));
  };
  add(r.at("performance"), {{"cycles", "cycles"}, {"clock", "clock"}, {"time", "seconds"}, {"speed", "tokens_per_second"}, {"rate", "gops"}, {"array in use", "array_use"}, {"port in use", "port_use"}});
  out += row("area", r.at("area").at("total"));
  add(r.at("energy"), {{"energy", "total"}, {"energy of the chip", "chip"}, {"power", "watts"}, {"power of the chip", "chip_watts"}, {"leakage", "leakage_watts"}, {"efficiency", "tops_per_watt"}});
  add(r.at("per_token"), {{"energy of a token", "joules"}, {"1,000 tokens", "wh_per_1000"}, {"1,000 tokens", "gco2_per_1000"}});
  if (r.contains("deadline"))
    out += row(format("energy within %.4g s, at %.3f V and %.0f MHz", r.at("deadline").at("deadline").get<double>(), r.at("deadline").at("volts").get<double>(), r.at("deadline").at("mhz").get<double>()),
               r.at("deadline").at("total"));
  return out + "</table>";
}

std::string sources(const Json& r) {
  std::string out = "<details><summary>Every constant and where it comes from</summary><table><tr><th>constant</th><th>value</th><th>may be off</th><th>from</th><th>source</th></tr>\n";
  for (const Json& c : r.at("constants"))
    out += "<tr><td>" + escaped(c.at("name").get<std::string>()) + "</td><td class=\"n\">" +
           (c.contains("value") ? format("%.4g ", c.at("value").get<double>()) + escaped(c.at("unit").get<std::string>()) : std::string("table")) +
           format("</td><td>&plusmn;%.0f %%</td><td>", 100 * c.at("error").get<double>()) + c.value("from", std::string()) + "</td><td>" + escaped(c.at("source").get<std::string>()) + "</td></tr>\n";
  return out + "</table><p>V read at the named place; C computed or synthesised; A abstract; M recalled from the named work; S secondary source; F fitted.</p></details>";
}

}  // namespace

std::string report_html(const Json& r) {
  const Json& m = r.at("machine");
  std::string out = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Jogak report</title><style>body{font:14px/1.45 sans-serif;margin:2em;max-width:1180px;color:#222}"
                    "svg{max-width:100%;font:12px sans-serif}svg .on{fill:#fff}td,th{padding:2px 10px 2px 0;text-align:left;vertical-align:top}td.n{text-align:right}"
                    ".two{display:grid;grid-template-columns:1fr 1fr;gap:2em}</style></head><body>\n";
  out += "<h1>" + escaped(r.at("run").at("model").get<std::string>()) + " on " + (m.at("dies").get<double>() > 1 ? format("%g dies of ", m.at("dies").get<double>()) : "") + escaped(r.at("run").at("config").get<std::string>()) + "</h1>\n";
  out += format("<p>%g &times; %g array, %g lanes, %g byte memory port; %g nm, %.3f V, ", m.at("rows").get<double>(), m.at("cols").get<double>(), m.at("lanes").get<double>(),
                m.at("port_bytes").get<double>(), m.at("node_nm").get<double>(), m.at("volts").get<double>()) +
         escaped(m.at("dram").get<std::string>()) + format("; %g tokens.</p>\n", r.at("run").at("tokens").get<double>());
  out += figures(r);
  out += "<div class=\"two\"><div><h2>Floorplan by area</h2>" + floorplan(r) + "<p>Tiles are as large as their blocks; hatched: memories. Placement is for reading, not a layout.</p></div>\n";
  out += "<div><h2>Energy by part</h2>" + energy_bars(r) + "<h2>Roofline</h2>" + roofline(r) + "</div></div>\n";
  out += "<h2>Timeline by layer and engine</h2>" + timeline(r) + "\n" + sources(r);
  return out + "</body></html>\n";
}

}  // namespace jogak::ppa
