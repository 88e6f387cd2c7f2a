// Which packages are built: JOGAK_PACKAGE_CONFIGS is X(nanoquad) ... from the build.
#include "error.hpp"
#include "package.hpp"

namespace jogak::rtl {

#define X(name)                                                              \
  std::unique_ptr<PackageSimulator> make_package_of_##name(const PackageOptions&); \
  std::unique_ptr<Chiplet> make_chiplet_of_##name(const Options&, std::function<void()>);
JOGAK_PACKAGE_CONFIGS
#undef X

namespace {

[[noreturn]] void unknown(const std::string& config) {
  std::string names;
#define X(name) names += (names.empty() ? "" : ", ") + std::string(#name);
  JOGAK_PACKAGE_CONFIGS
#undef X
  throw Error("package", "configuration", config, "one of " + names);
}

}  // namespace

std::unique_ptr<PackageSimulator> make_package(const std::string& config, const PackageOptions& options) {
#define X(name) \
  if (config == #name) return make_package_of_##name(options);
  JOGAK_PACKAGE_CONFIGS
#undef X
  unknown(config);
}

std::unique_ptr<Chiplet> make_chiplet(const std::string& config, const Options& options, std::function<void()> pass) {
#define X(name) \
  if (config == #name) return make_chiplet_of_##name(options, std::move(pass));
  JOGAK_PACKAGE_CONFIGS
#undef X
  unknown(config);
}

}  // namespace jogak::rtl
