#include "device.hpp"

#include "backends.hpp"
#include "guard.hpp"

namespace jogak::driver {
namespace {

struct Backend {
  const char* name;
  Status (*open)(const OpenOptions&, std::unique_ptr<Device>&);
};
constexpr Backend kBackends[] = {
    {"null", open_null},
    {"model", open_model},
#if JOGAK_HAS_RTL
    {"rtl", open_rtl},
#endif
};

}  // namespace

std::vector<std::string> backends() {
  std::vector<std::string> names;
  for (const Backend& b : kBackends) names.emplace_back(b.name);
  return names;
}

Status open_device(const OpenOptions& options, std::unique_ptr<Device>& device) {
  for (const Backend& b : kBackends)
    if (options.backend == b.name) return guarded([&] { return b.open(options, device); });
  std::string known;
  for (const Backend& b : kBackends) known += (known.empty() ? "" : ", ") + std::string(b.name);
  const char* hint = options.backend == "rtl" ? " (this build has no Verilator)" : "";
  return {Code::unsupported, "device: backend, found " + options.backend + hint + ", expected one of " + known};
}

}  // namespace jogak::driver
