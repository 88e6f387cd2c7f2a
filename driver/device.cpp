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
};
constexpr Backend kBackends[] = {
    {"null", nullptr, open_null},
    {"model", nullptr, open_model},
    {"cycle", nullptr, open_cycle},
#if JOGAK_HAS_RTL
    {"rtl", nullptr, open_rtl},
#endif
#if JOGAK_HAS_UIO
    {"uio", "NAME", open_uio},
    {"litex", "HOST:PORT", open_litex, litex_config},
    {"uart", "DEVICE[:BAUD]", open_uart, uart_config},
    {"netlist", "FILE", open_netlist, netlist_config},
#endif
};

}  // namespace

std::vector<std::string> backends() {
  std::vector<std::string> names;
  for (const Backend& b : kBackends)
    if (b.target == nullptr) names.emplace_back(b.name);
  return names;
}

std::vector<std::string> backend_forms() {
  std::vector<std::string> forms;
  for (const Backend& b : kBackends) forms.push_back(b.target == nullptr ? b.name : std::string(b.name) + ":" + b.target);
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
    if (text.substr(0, colon) == b.name && (b.target != nullptr ? has_target : colon == std::string::npos)) return guarded([&] { return b.open(options, device); });
  std::string known;
  for (const std::string& form : backend_forms()) known += (known.empty() ? "" : ", ") + form;
  const char* hint = text == "rtl" ? " (this build has no Verilator)" : "";
  return {Code::unsupported, "device: backend, found " + text + hint + ", expected one of " + known};
}

}  // namespace jogak::driver
