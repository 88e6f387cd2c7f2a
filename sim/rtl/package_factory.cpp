// Which packages are built: JOGAK_PACKAGE_CONFIGS is X(nanoquad) ... from the build.
#include "error.hpp"
#include "package.hpp"

namespace jogak::rtl {

#define X(name) std::unique_ptr<PackageSimulator> make_package_of_##name(const PackageOptions&);
JOGAK_PACKAGE_CONFIGS
#undef X

std::unique_ptr<PackageSimulator> make_package(const std::string& config, const PackageOptions& options) {
#define X(name) \
  if (config == #name) return make_package_of_##name(options);
  JOGAK_PACKAGE_CONFIGS
#undef X
  std::string names;
#define X(name) names += (names.empty() ? "" : ", ") + std::string(#name);
  JOGAK_PACKAGE_CONFIGS
#undef X
  throw Error("package", "configuration", config, "one of " + names);
}

}  // namespace jogak::rtl
