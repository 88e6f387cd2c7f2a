// jogak-package-trace: a trace of a package at random exchanges, for chrome://tracing or ui.perfetto.dev.
//
//   jogak-package-trace --on cycle --memory ddr4-3200 > trace.json
#include <cstdio>
#include <map>

#include "error.hpp"
#include "exchange_run.hpp"

namespace {

using namespace jogak;

void run(int argc, char** argv) {
  trace::ExchangeOptions o;
  std::string on = "cycle";
  for (int i = 1; i < argc; i += 2) {
    const std::string key = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (value.empty()) throw Error("jogak-package-trace", "option", key, "one with a value");
    if (key == "--on") on = value;
    else if (key == "--config") o.config = value;
    else if (key == "--memory") o.memory = value;
    else if (key == "--rounds") o.rounds = static_cast<std::uint32_t>(std::stoul(value));
    else if (key == "--seed") o.seed = std::stoull(value);
    else if (key == "--window") o.window = std::stoull(value);
    else if (key == "--ber") o.link.bit_error_rate = std::stod(value);
    else throw Error("jogak-package-trace", "option", key, "--on rtl or cycle, --config, --memory, --rounds, --seed, --window or --ber");
  }
  if (spec::find_config(o.config.c_str()) == nullptr) throw Error("jogak-package-trace", "configuration", o.config, "one of spec/configs");
  trace::TracedExchange exchange(o);
  if (on != "rtl" && on != "cycle") throw Error("jogak-package-trace", "backend", on, "rtl or cycle");
  const std::string json = (on == "rtl" ? exchange.on_rtl() : exchange.on_cycle()).json();
  std::fwrite(json.data(), 1, json.size(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
