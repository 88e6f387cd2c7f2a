#include "../package.hpp"

#include "../guard.hpp"
#include "machine.hpp"

namespace jogak::driver {
namespace {

struct Backend {
  const char* name;
  std::unique_ptr<PackageMachine> (*make)(const spec::Config&, const PackageOptions&);
};
constexpr Backend kBackends[] = {{"model", model_package}, {"cycle", cycle_package}};

}  // namespace

std::vector<std::string> package_backends() {
  std::vector<std::string> names;
  for (const Backend& b : kBackends) names.emplace_back(b.name);
  return names;
}

Status open_package(const PackageOptions& options, std::vector<std::unique_ptr<Device>>& dies) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr) return {Code::bad_argument, "package: configuration, found " + options.config + ", expected one of spec/configs"};
  std::string known;
  for (const Backend& b : kBackends) {
    known += (known.empty() ? "" : ", ") + std::string(b.name);
    if (options.backend.substr(0, options.backend.find(':')) == b.name && (options.backend == b.name || b.name == std::string("cycle")))
      return guarded([&] {
        dies = make_dies(b.make(*config, options), options.memory_bytes);
        return Status{};
      });
  }
  return {Code::unsupported, "package: backend, found " + options.backend + ", expected one of " + known};
}

}  // namespace jogak::driver
