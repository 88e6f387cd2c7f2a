#include "device.hpp"

#include "backends.hpp"
#include "guard.hpp"

namespace jogak::driver {
namespace {

struct Backend {
  const char* name;
  const char* target;  // what stands behind "name:"; null: nothing may
  Status (*open)(const OpenOptions&, std::unique_ptr<Device>&);
  Status (*ask)(const std::string&, std::string&) = nullptr;  // for machine_config
  bool alone = false;  // opens without a target too
  bool needs_target() const { return target != nullptr && !alone; }
};
constexpr Backend kBackends[] = {
    {"null", nullptr, open_null},
    {"model", nullptr, open_model},
    {"cycle", "MEMORY", open_cycle, nullptr, true},
    {"hls", nullptr, open_hls},
#if JOGAK_HAS_RTL
    {"rtl", "MEMORY", open_rtl, nullptr, true},
#endif
#if JOGAK_HAS_SYSTEMC
    {"systemc", "MEMORY", open_systemc, nullptr, true},
#endif
#if JOGAK_HAS_UIO
    {"uio", "NAME", open_uio},
    {"xrt", "FILE.xclbin[:CARD]", open_xrt, xrt_config},
    {"litex", "HOST:PORT", open_litex, litex_config},
    {"uart", "DEVICE[:BAUD]", open_uart, uart_config},
    {"netlist", "FILE", open_netlist, netlist_config},
#endif
};

}  // namespace

std::vector<std::string> backends() {
  std::vector<std::string> names;
  for (const Backend& b : kBackends)
    if (!b.needs_target()) names.emplace_back(b.name);
  return names;
}

std::vector<std::string> backend_forms() {
  std::vector<std::string> forms;
  for (const Backend& b : kBackends) {
    const std::string target = b.target == nullptr ? "" : ":" + std::string(b.target);
    forms.push_back(b.name + (b.alone ? "[" + target + "]" : target));
  }
  return forms;
}

Status machine_config(const std::string& backend, std::string& config) {
  config.clear();
  const std::size_t colon = backend.find(':');
  for (const Backend& b : kBackends)
    if (colon != std::string::npos && backend.substr(0, colon) == b.name && b.ask != nullptr) return guarded([&] { return b.ask(backend, config); });
  return {};
}

Status open_device(const OpenOptions& options, std::unique_ptr<Device>& device) {
  const std::string& text = options.backend;
  const std::size_t colon = text.find(':');
  const bool has_target = colon != std::string::npos && colon + 1 < text.size();
  for (const Backend& b : kBackends)
    if (text.substr(0, colon) == b.name && (colon == std::string::npos ? !b.needs_target() : has_target && b.target != nullptr))
      return guarded([&] { return b.open(options, device); });
  std::string known;
  for (const std::string& form : backend_forms()) known += (known.empty() ? "" : ", ") + form;
  const char* hint = text == "rtl" ? " (this build has no Verilator)" : "";
  return {Code::unsupported, "device: backend, found " + text + hint + ", expected one of " + known};
}

}  // namespace jogak::driver
