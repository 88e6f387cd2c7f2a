#include "../package.hpp"

#include "../guard.hpp"
#include "machine.hpp"

namespace jogak::driver {
namespace {

struct Backend {
  const char* name;
  bool target;  // may something stand behind "NAME:"?
  std::vector<std::unique_ptr<Device>> (*open)(const spec::Config&, const PackageOptions&);
};
template <std::unique_ptr<PackageMachine> (*make)(const spec::Config&, const PackageOptions&)>
std::vector<std::unique_ptr<Device>> over(const spec::Config& config, const PackageOptions& options) {
  return make_dies(make(config, options), options.memory_bytes);
}
constexpr Backend kBackends[] = {
    {"model", false, over<model_package>},
    {"cycle", true, over<cycle_package>},
    {"hls", false, over<hls_package>},
#if JOGAK_HAS_SYSTEMC
    {"systemc", true, over<systemc_package>},
#endif
#if JOGAK_HAS_RTL_PACKAGES
    {"rtl", true, rtl_dies},
#endif
};

}  // namespace

std::vector<std::string> package_backends() {
  std::vector<std::string> names;
  for (const Backend& b : kBackends) names.emplace_back(b.name);
  return names;
}

Status open_package(const PackageOptions& options, std::vector<std::unique_ptr<Device>>& dies) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr) return {Code::bad_argument, "package: configuration, found " + options.config + ", expected one of spec/configs"};
  const std::size_t colon = options.backend.find(':');
  std::string known;
  for (const Backend& b : kBackends) {
    known += (known.empty() ? "" : ", ") + std::string(b.name);
    if (options.backend.substr(0, colon) != b.name) continue;
    if (colon != std::string::npos && !b.target)
      return {Code::bad_argument, std::string("package: ") + b.name + ", found " + options.backend.substr(colon + 1) + " behind it, expected nothing: it has no time, so neither links nor memories"};
    return guarded([&] {
      dies = b.open(*config, options);
      return Status{};
    });
  }
  return {Code::unsupported, "package: backend, found " + options.backend + ", expected one of " + known};
}

}  // namespace jogak::driver
