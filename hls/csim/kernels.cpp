// Which configurations are built in: JOGAK_HLS_CONFIGS is X(nano) X(small) ... from the build, JOGAK_HLS_PACKAGES those of them with links.
#include "error.hpp"
#include "kernel.hpp"

namespace jogak::hls_csim {

#define X(name) std::unique_ptr<Kernel> make_kernel_##name();
JOGAK_HLS_CONFIGS
#undef X

std::vector<std::string> built_configs() {
#define X(name) #name,
  return {JOGAK_HLS_CONFIGS};
#undef X
}

std::unique_ptr<Kernel> make_kernel(std::string_view config) {
#define X(name) \
  if (config == #name) return make_kernel_##name();
  JOGAK_HLS_CONFIGS
#undef X
  std::string names;
  for (const std::string& name : built_configs()) names += (names.empty() ? "" : ", ") + name;
  throw Error("hls kernel", "configuration", std::string(config), "one of " + names);
}

#define X(name) std::unique_ptr<Package> make_package_##name(std::uint32_t columns, std::uint32_t rows);
JOGAK_HLS_PACKAGES
#undef X

std::unique_ptr<Package> make_package(std::string_view config, std::uint32_t columns, std::uint32_t rows) {
#define X(name) \
  if (config == #name) return make_package_##name(columns, rows);
  JOGAK_HLS_PACKAGES
#undef X
#define X(name) #name " "
  throw Error("hls package", "configuration", std::string(config), "one with links that is built in: " JOGAK_HLS_PACKAGES);
#undef X
}

}  // namespace jogak::hls_csim
